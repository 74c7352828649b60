"""A column of images, all of one shape: its text, a file in base64 for each, is made when somebody asks for it."""

from __future__ import annotations

import base64

import numpy as np

from sageline.arrays.late_text import LateText
from sageline.arrays.strings import BoolArray, ByteArray, IntArray, StringArray


class ImageArray(LateText):
    """Images.

    The text of each is base64 of a Netpbm file (PGM or PPM, https://netpbm.sourceforge.net/doc/), which holds the pixels as
    they are: what reads image files gets the same ones out of it.

    Attributes:
        pixels: ``uint8[n, height, width]`` in grey, or ``[n, height, width, channels]`` with 1 or 3 channels.
        why: how the shape was chosen, where nobody has said it.
    """

    def __init__(self, pixels: ByteArray, why: str | None = None) -> None:
        super().__init__(self._as_text)
        self.pixels = pixels
        self.why = why

    def __len__(self) -> int:
        return len(self.pixels)

    @property
    def lengths(self) -> IntArray:
        size = len(self._header) + self.pixels[:1].size
        return np.full(len(self.pixels), -(-size // 3) * 4, dtype=np.int64)

    @property
    def offsets(self) -> IntArray:
        return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(self.lengths)])

    def take(self, rows: BoolArray | IntArray) -> ImageArray:
        return ImageArray(self.pixels[rows], self.why)

    def raw(self) -> StringArray:
        """The pixels of each image as if they were a text, for what takes bytes only: hashes."""
        size = int(np.prod(self.pixels.shape[1:]))
        return StringArray(self.pixels.reshape(-1), np.arange(len(self) + 1, dtype=np.int64) * size)

    @property
    def _header(self) -> bytes:
        height, width, *channels = self.pixels.shape[1:]
        return f"{'P6' if channels == [3] else 'P5'} {width} {height} 255\n".encode()

    def _as_text(self) -> StringArray:
        return StringArray.from_list([base64.b64encode(self._header + image.tobytes()).decode() for image in self.pixels])
