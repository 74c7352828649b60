"""Image files: decoded and resized to one shape, one number for each pixel and channel, scaled."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from sageline.arrays.blocks import Block
from sageline.arrays.late_text import ImageArray
from sageline.arrays.matrix import AnyArray, FloatArray
from sageline.arrays.strings import ByteArray
from sageline.errors import InvalidDataset, InvalidRequest
from sageline.formats.image_files import NoImage, read_base64


@dataclass(frozen=True, eq=False)
class ImageFileEncoder:
    """Encodes the images of a column: those that a dataset's reader has decoded, or files in base64.

    Attributes:
        column: its name.
        shape: (height, width), or (height, width, channels).
        scale: what each pixel, from 0 to 255, is multiplied with, in float64, before it is cast to float32.
    """

    column: str
    shape: tuple[int, ...]
    scale: float

    @property
    def feature_dim(self) -> int:
        return math.prod(self.shape)

    def encode(self, block: Block) -> FloatArray:
        """``float32[rows, feature_dim]``; reshape a row to :attr:`shape` to get the image.

        Raises:
            InvalidDataset: a file is no image; names the row.
        """
        column = block.columns[self.column]
        if isinstance(column, ImageArray) and column.pixels.shape[1:] == self.shape:
            pixels = column.pixels
        else:
            pixels = np.empty((block.rows, *self.shape), dtype=np.uint8)
            for index, text in enumerate(column.tolist()):
                pixels[index] = self._read(text, block, index)
        return self._scaled[pixels.reshape(block.rows, self.feature_dim)]

    def decoded(self, block: Block, name: Callable[[int], str]) -> Block:
        """The rows of a request with their files decoded.

        Args:
            name: how errors call the instance of an index.

        Raises:
            InvalidRequest: one is no image; names the instance.
        """
        pixels = np.empty((block.rows, *self.shape), dtype=np.uint8)
        for index, text in enumerate(block.columns[self.column].tolist()):
            try:
                pixels[index] = read_base64(text, self.shape).values
            except NoImage as error:
                raise InvalidRequest(f"{name(index)}, column {self.column!r}: the image {error.problem}.") from None
        return replace(block, columns={**block.columns, self.column: ImageArray(pixels)})

    def _read(self, text: str, block: Block, index: int) -> ByteArray:
        try:
            return read_base64(text, self.shape).values
        except NoImage as error:
            raise InvalidDataset(f"{block.where(index)}, column {self.column!r}: the image {error.problem}.") from None

    @cached_property
    def _scaled(self) -> FloatArray:
        """``float32[256]``: what each value of a pixel becomes."""
        return (np.arange(256, dtype=np.float64) * self.scale).astype(np.float32)

    def state(self) -> tuple[dict[str, Any], dict[str, AnyArray]]:  # Any: JSON
        """What to save: a JSON document and arrays."""
        return {"kind": "image", "files": True, "shape": list(self.shape), "scale": self.scale}, {}

    @classmethod
    def from_state(cls, document: Mapping[str, Any], columns: Iterable[str]) -> ImageFileEncoder:  # Any: JSON
        """ValueError where there is not exactly one column."""
        (column,) = columns
        return cls(column, tuple(int(size) for size in document["shape"]), float(document["scale"]))
