"""Image files to pixels of one shape: the same for training and for predictions.

Pillow is imported when the first file is read, and not before: it would slow the start of every function.
"""

from __future__ import annotations

import base64
import binascii
import io
import struct
import warnings
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sageline.arrays.strings import ByteArray
from sageline.errors import InvalidSpec

if TYPE_CHECKING:
    from PIL.Image import Image, Resampling, Transpose

EXTENSIONS = ("jpg", "jpeg", "png", "gif", "webp", "bmp", "pgm", "ppm")
MOST_PIXELS = 50_000_000
"""Width times height. To decode so many takes up to 620 MB, where they are partly transparent: less than any function has that
reads images."""

_FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "PPM")  # Pillow reads many more, some of which run other programs
_ORIENTATION = 0x0112  # Exif's tag
_DRAFT = 2  # a JPEG is decoded at a half, quarter or eighth of its size, while it stays this many times larger than the shape
_SMALL = 64  # pixels a side, to tell whether there are colours
_COLOURFUL = 16  # a pixel is coloured where its channels differ by more: JPEG changes greys a little


class NoImage(Exception):
    """A file cannot be read as an image. ``problem``: why, after a name: "is damaged: ..."."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


class Pixels(NamedTuple):
    """A decoded image.

    Attributes:
        values: ``uint8[height, width]`` or ``[height, width, channels]``.
        is_animated: the file has several frames, of which the first is read.
        lost_colours: the image has colours, and its pixels are grey.
    """

    values: ByteArray
    is_animated: bool
    lost_colours: bool


class Looks(NamedTuple):
    """Height and width of an image as it is seen, and whether it has colours."""

    height: int
    width: int
    is_coloured: bool


def read_image(data: bytes, shape: tuple[int, ...]) -> Pixels:
    """The pixels of an image file.

    It is turned as its Exif data say and stretched to the shape (bilinear, over all the pixels that each new one covers). What is
    transparent is white. Grey is the usual mean of the colours (ITU-R 601). Of 16 bits the upper 8 count; colour profiles do not.

    Args:
        shape: (height, width) or (height, width, 1) for grey, (height, width, 3) for colours.

    Raises:
        NoImage: it is none of the formats, damaged, or has over :data:`MOST_PIXELS` pixels.
    """
    height, width, *channels = shape
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of odd metadata, which do not matter here
        try:
            image = _open(data)
            # A camera's MPO file is a JPEG with previews.
            is_animated = image.format != "MPO" and bool(getattr(image, "is_animated", False))
            turned = _turned(image)
            size = (height, width) if turned.swaps else (width, height)
            image.draft(None, (size[0] * _DRAFT, size[1] * _DRAFT))
            image = _plain(image).resize(size, _bilinear())
            image = image if turned.method is None else image.transpose(turned.method)
            lost = channels != [3] and _is_coloured(image)
            values = np.asarray(image.convert("RGB" if channels == [3] else "L"))
        except NoImage:
            raise
        except Exception as error:  # Pillow's decoders raise many kinds on damaged files
            raise _no_image(error) from None
    return Pixels(values.reshape(shape), is_animated, lost)


def check_shape(shape: tuple[int, ...]) -> None:
    """Raise InvalidSpec unless image files can be read in this shape."""
    if len(shape) == 2 or shape[2:] in ((1,), (3,)):
        return
    raise InvalidSpec(
        f"`encoder.shape` is {list(shape)}; image files are read as [height, width] or [height, width, 1] in grey, or as "
        "[height, width, 3] in colours."
    )


def read_base64(text: str, shape: tuple[int, ...]) -> Pixels:
    """The same of a file in base64, which a data URL may hold.

    Raises:
        NoImage: also where it is no base64.
    """
    _, comma, encoded = text.partition(",")
    try:
        data = base64.b64decode(encoded if comma and text.startswith("data:") else text, validate=True)
    except (binascii.Error, ValueError):
        raise NoImage("is no base64; send the bytes of an image file in base64") from None
    return read_image(data, shape)


def look_at(data: bytes, *, at_colours: bool) -> Looks:
    """What an image is like; only its header is read, unless colours are asked for and the header may mean either.

    Raises:
        NoImage: as :func:`read_image`.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            image = _open(data)
            width, height = image.size
            if _turned(image).swaps:
                height, width = width, height
            if not at_colours or image.mode in ("1", "L", "LA", "I", "I;16", "I;16B", "I;16L"):
                return Looks(height, width, False)
            image.draft(None, (_SMALL, _SMALL))
            small = _plain(image).resize((min(width, _SMALL), min(height, _SMALL)), _bilinear())
            return Looks(height, width, _is_coloured(small))
        except NoImage:
            raise
        except Exception as error:  # as above
            raise _no_image(error) from None


class _Turned(NamedTuple):
    """How an image is to be turned, after Exif: Pillow's way of transposing, and whether that swaps height and width."""

    method: Transpose | None
    swaps: bool


def _open(data: bytes) -> Image:
    from PIL import Image, UnidentifiedImageError  # noqa: PLC0415  # see above

    if (size := _size_of_webp(data)) is not None:
        _check_size(*size)
        # Else Pillow imports what reads its 50 other formats too, looking for this one.
        import PIL.WebPImagePlugin  # noqa: F401, PLC0415
    try:
        image = Image.open(io.BytesIO(data), formats=_FORMATS)
    except UnidentifiedImageError:
        what = "is empty" if not data else f"is no image: it begins with {data[:8]!r}"
        raise NoImage(f"{what}; JPEG, PNG, GIF, WebP and BMP are read") from None
    _check_size(*image.size)
    return image


def _no_image(error: Exception) -> NoImage:
    from PIL.Image import DecompressionBombError  # noqa: PLC0415  # see above

    if isinstance(error, DecompressionBombError):  # Pillow's own limit is above ours
        return NoImage(f"has more than {MOST_PIXELS:,} pixels, which are the limit; make it smaller")
    return NoImage(f"is damaged: {str(error) or type(error).__name__}")


def _check_size(width: int, height: int) -> None:
    if width * height > MOST_PIXELS:
        raise NoImage(f"has {width:,} x {height:,} pixels, and {MOST_PIXELS:,} are the limit; make it smaller")


def _size_of_webp(data: bytes) -> tuple[int, int] | None:
    """Width and height of a WebP file (RFC 9649): Pillow takes memory for the pixels before it tells the size."""
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP" or len(data) < 30:
        return None
    match data[12:16]:
        case b"VP8X":
            return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
        case b"VP8L":
            (bits,) = struct.unpack_from("<I", data, 21)
            return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    width, height = struct.unpack_from("<HH", data, 26)
    return width & 0x3FFF, height & 0x3FFF


def _turned(image: Image) -> _Turned:
    from PIL.Image import Transpose  # noqa: PLC0415  # see above

    methods = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }
    orientation = image.getexif().get(_ORIENTATION)
    method = methods.get(orientation) if isinstance(orientation, int) else None
    return _Turned(method, orientation in (5, 6, 7, 8))


def _plain(image: Image) -> Image:
    """The image in grey or in colours, of 8 bits, without transparency."""
    from PIL import Image as Images  # noqa: PLC0415  # see above

    if image.mode.startswith("I"):
        return Images.fromarray((np.asarray(image).clip(0, 0xFFFF) >> 8).astype(np.uint8))
    if image.mode in ("1", "L", "RGB"):
        if "transparency" not in image.info:
            return image.convert("L") if image.mode == "1" else image
    elif image.mode not in ("LA", "PA", "La", "RGBA", "RGBa") and "transparency" not in image.info:
        return image.convert("RGB")
    seen = image if image.mode == "RGBA" and "transparency" not in image.info else image.convert("RGBA")
    white = Images.new("RGB", seen.size, "white")
    white.paste(seen, mask=seen.getchannel("A"))
    return white


def _is_coloured(image: Image) -> bool:
    if image.mode == "L":
        return False
    pixels = np.asarray(image.convert("RGB"))
    return bool((pixels.max(axis=2) - pixels.min(axis=2)).max(initial=0) > _COLOURFUL)


def _bilinear() -> Resampling:
    from PIL.Image import Resampling  # noqa: PLC0415  # see above

    return Resampling.BILINEAR
