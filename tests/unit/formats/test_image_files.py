"""Image files of all kinds become the pixels that a person sees; what is none, or too large, says so."""

from __future__ import annotations

import base64
import contextlib
import io
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from sageline.errors import InvalidSpec
from sageline.formats.image_files import MOST_PIXELS, NoImage, check_shape, look_at, read_base64, read_image
from tests.unit.pictures import encoded, picture

COLOURS, GREY = (4, 6, 3), (4, 6)


def png_header(width: int, height: int) -> bytes:
    """A PNG file that says its size, and has hardly anything else."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 100)), (b"IEND", b"")]
    packed = [struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


@pytest.mark.parametrize("file_format", ["PNG", "BMP", "PPM"])
def test_an_image_of_the_shape_keeps_its_pixels(file_format: str) -> None:
    pixels = picture(0, 4, 6)
    assert np.array_equal(read_image(encoded(pixels, file_format), COLOURS).values, pixels)
    grey = picture(0, 4, 6, grey=True)
    assert np.array_equal(read_image(encoded(grey, file_format), GREY).values, grey)
    assert np.array_equal(read_image(encoded(grey, file_format), (4, 6, 1)).values[..., 0], grey)
    assert np.array_equal(read_image(encoded(grey, file_format), COLOURS).values, np.repeat(grey[..., None], 3, axis=2))


def test_other_sizes_are_stretched_to_the_shape() -> None:
    halves = np.zeros((40, 90, 3), dtype=np.uint8)
    halves[:, 45:] = 200
    read = read_image(encoded(halves), (2, 4, 3)).values
    assert read.shape == (2, 4, 3)
    assert (read[:, 0] == 0).all()
    assert (read[:, -1] == 200).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_an_image_is_turned_as_its_exif_data_say(orientation: int) -> None:
    seen = picture(0, 4, 6)
    stored = {
        1: seen,
        2: seen[:, ::-1],
        3: seen[::-1, ::-1],
        4: seen[::-1],
        5: seen.transpose(1, 0, 2),
        6: np.rot90(seen),  # to be turned clockwise
        7: seen[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(seen, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(np.ascontiguousarray(stored), exif=exif)
    assert np.array_equal(read_image(data, COLOURS).values, seen)
    assert look_at(data, at_colours=False)[:2] == (4, 6)


def test_what_is_transparent_is_white() -> None:
    pixels = np.zeros((4, 6, 4), dtype=np.uint8)
    pixels[:, 3:, 3] = 255  # the right half is black, the left half is not there
    for data in (
        encoded(pixels),
        encoded(Image.fromarray(pixels).convert("LA")),
        encoded(Image.fromarray(pixels), "WEBP", lossless=True),
        encoded(Image.fromarray(pixels[..., 3] // 255, "P"), transparency=0),
    ):
        for shape in (COLOURS, GREY):
            read = read_image(data, shape).values
            assert (read[:, :3] == 255).all()
            assert (read[:, 3:] == 0).all()


def test_palettes_bits_and_inks_become_colours_and_greys_of_8_bits() -> None:
    grey = picture(0, 4, 6, grey=True)
    deep = (grey.astype(np.uint16) << 8) + 77
    assert np.array_equal(read_image(encoded(Image.fromarray(deep)), GREY).values, grey), "of 16 bits the upper 8 count"
    few = Image.fromarray(picture(0, 4, 6)).quantize(8)
    assert np.array_equal(read_image(encoded(few), COLOURS).values, np.asarray(few.convert("RGB")))
    bits = Image.fromarray(grey > 127)
    assert np.array_equal(read_image(encoded(bits), GREY).values, (grey > 127) * np.uint8(255))
    inks = Image.new("CMYK", (6, 4), (0, 255, 255, 0))
    red = read_image(encoded(inks, "JPEG", quality=100), COLOURS).values.astype(int)
    assert (abs(red - [255, 0, 0]) < 6).all()


def test_of_an_animation_the_first_frame_is_read_and_said() -> None:
    frames = [Image.new("RGB", (6, 4), colour) for colour in ("red", "blue")]
    for file_format in ("GIF", "WEBP", "PNG"):
        read = read_image(encoded(frames[0], file_format, save_all=True, append_images=frames[1:]), COLOURS)
        assert read.is_animated
        assert (abs(read.values.astype(int) - [255, 0, 0]) < 6).all()
    assert not read_image(encoded(frames[0], "GIF"), COLOURS).is_animated


def test_colours_that_are_lost_are_said() -> None:
    assert read_image(encoded(picture(0, 40, 40) // 2), (1, 1)).lost_colours is False, "so many colours are grey together"
    assert read_image(encoded(Image.new("RGB", (6, 4), "red")), GREY).lost_colours
    assert not read_image(encoded(Image.new("RGB", (6, 4), "red")), COLOURS).lost_colours
    assert not read_image(encoded(Image.new("RGB", (6, 4), "grey"), "JPEG"), GREY).lost_colours


def test_a_large_photograph_is_read_as_a_whole() -> None:
    pixels = np.zeros((900, 1200, 3), dtype=np.uint8)
    pixels[450:, 600:] = (250, 128, 10)
    read = read_image(encoded(pixels, "JPEG", quality=95), (8, 8, 3)).values.astype(int)
    assert (abs(read[5:, 5:] - [250, 128, 10]) < 8).all()
    assert (read[:3] < 8).all()
    assert (read[:, :3] < 8).all()


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "is empty; JPEG, PNG, GIF, WebP and BMP are read"),
        (b"<html>", "is no image: it begins with b'<html>'; JPEG"),
        (encoded(picture(0, 50, 50))[:3000], "is damaged: "),
        (encoded(picture(0, 50, 50), "JPEG")[:900], "is damaged: image file is truncated"),
        (png_header(8_000, 8_000), "has 8,000 x 8,000 pixels, and 50,000,000 are the limit; make it smaller"),
        (png_header(40_000, 40_000), "has more than 50,000,000 pixels, which are the limit; make it smaller"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "is no image: it begins with b'%!PS-Ado'"),
    ],
)
def test_what_is_no_image_says_why(data: bytes, problem: str) -> None:
    with pytest.raises(NoImage) as caught:
        read_image(data, COLOURS)
    assert caught.value.problem.startswith(problem)
    with pytest.raises(NoImage):
        look_at(data if "damaged" not in problem else b"", at_colours=True)


@pytest.mark.parametrize(
    "head",
    [
        b"VP8X" + b"\x0a\0\0\0" + b"\0\0\0\0" + (16_000).to_bytes(3, "little") * 2,
        b"VP8L" + b"\x0a\0\0\0" + b"\x2f" + struct.pack("<I", 16_000 | 16_000 << 14) + b"\0" * 8,
        b"VP8 " + b"\x0a\0\0\0" + b"\0\0\0\x9d\x01\x2a" + struct.pack("<HH", 16_000, 16_000),
    ],
)
def test_a_large_webp_is_refused_before_pillow_takes_memory_for_it(head: bytes) -> None:
    with pytest.raises(NoImage, match=r"has 16,00\d x 16,00\d pixels"):
        read_image(b"RIFF\xff\0\0\0WEBP" + head, COLOURS)


@pytest.mark.parametrize("lossless", [True, False])
def test_the_size_of_a_webp_is_read_where_it_stands(lossless: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sageline.formats.image_files.MOST_PIXELS", 30 * 20 - 1)
    with pytest.raises(NoImage, match="has 30 x 20 pixels"):
        read_image(encoded(picture(0, 20, 30), "WEBP", lossless=lossless), COLOURS)


def test_the_limit_itself_is_read() -> None:
    side = int(MOST_PIXELS**0.5)
    assert look_at(encoded(Image.new("1", (side, side))), at_colours=True) == (side, side, False)


def test_base64_may_be_a_data_url() -> None:
    pixels = picture(0, 4, 6)
    text = base64.b64encode(encoded(pixels)).decode()
    assert np.array_equal(read_base64(text, COLOURS).values, pixels)
    assert np.array_equal(read_base64(f"data:image/png;base64,{text}", COLOURS).values, pixels)
    for wrong in ("no base64!", f"{text}\n", "ä", f"x,{text}"):
        with pytest.raises(NoImage, match="is no base64"):
            read_base64(wrong, COLOURS)


@pytest.mark.parametrize("shape", [(4, 6, 2), (4, 6, 4)])
def test_images_have_one_channel_or_three(shape: tuple[int, ...]) -> None:
    with pytest.raises(InvalidSpec, match=r"`encoder.shape` is \[4, 6, \d\]; image files are read as"):
        check_shape(shape)


FILES = [encoded(picture(0, 9, 7), file_format) for file_format in ("PNG", "JPEG", "GIF", "WEBP", "BMP", "PPM")]


@given(
    st.sampled_from(FILES), st.lists(st.tuples(st.integers(0, 1 << 16), st.integers(0, 255)), max_size=20), st.integers(0, 200)
)
def test_a_damaged_file_gives_pixels_or_says_that_it_is_none(data: bytes, changes: list[tuple[int, int]], cut: int) -> None:
    damaged = bytearray(data[: max(1, len(data) - cut)])
    for place, value in changes:
        damaged[place % len(damaged)] = value
    with contextlib.suppress(NoImage):
        assert read_image(bytes(damaged), COLOURS).values.shape == COLOURS


@pytest.mark.slow
def test_pillow_is_imported_when_a_file_is_read_and_by_nothing_else() -> None:
    program = (
        "import pkgutil, importlib, sys, sageline\n"
        "for module in pkgutil.walk_packages(sageline.__path__, 'sageline.'):\n"
        "    if not module.name.startswith('sageline.scripts'): importlib.import_module(module.name)\n"
        "for name in ('invoke_preprocess', 'prepare_data', 'configure_run', 'manage_pipelines'):\n"
        "    importlib.import_module(f'functions.{name}.app')\n"
        "print('PIL' in sys.modules)\n"
        "from sageline.formats.image_files import read_image\n"
        "try: read_image(b'', (1, 1))\n"
        "except Exception: print('PIL' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]


def test_the_first_image_is_read_while_the_second_is_not_looked_at() -> None:
    data = io.BytesIO(encoded(picture(0, 4, 6)))
    data.seek(0, io.SEEK_END)
    data.write(b"what follows is not the image's")
    assert read_image(data.getvalue(), COLOURS).values.shape == COLOURS
