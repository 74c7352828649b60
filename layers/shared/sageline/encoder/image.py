"""Images: one column per pixel, scaled, with the shape kept."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sageline.arrays.blocks import Block
from sageline.arrays.matrix import AnyArray, FloatArray
from sageline.arrays.numbers import BadNumber, parse_doubles
from sageline.encoder.columns.number import read_numbers
from sageline.errors import InvalidDataset, InvalidSpec

_PIXEL = re.compile(
    r"(?:pixel|px)[ _.-]?(?P<first>\d+)(?:[_,x](?P<second>\d+))?(?:[_,x](?P<third>\d+))?|(?P<row>\d+)x(?P<column>\d+)",
    re.IGNORECASE,
)


@dataclass(frozen=True, eq=False)
class ImageEncoder:
    """Encodes images, the pixels row by row, of each pixel all channels.

    Attributes:
        columns: the pixels' columns, in their order.
        shape: (height, width) or (height, width, channels); as many numbers as there are columns.
        scale: what each value is multiplied with, in float64, before it is cast to float32.
    """

    columns: list[str]
    shape: tuple[int, ...]
    scale: float

    @property
    def feature_dim(self) -> int:
        return len(self.columns)

    def encode(self, block: Block) -> FloatArray:
        """``float32[rows, feature_dim]``; reshape a row to :attr:`shape` to get the image.

        Raises:
            InvalidDataset: a pixel without a value, or whose value is no number or is beyond float32; names row and column.
        """
        try:
            numbers = np.array([parse_doubles(block.columns[name]) for name in self.columns]).T
        except BadNumber:
            numbers = np.full((1, 1), np.nan)
        with np.errstate(over="ignore"):
            pixels = numbers.astype(np.float32, order="C")
        if not np.isfinite(pixels).all():
            for name in self.columns:
                read_pixels(block, name)  # one of them says what is wrong
        return (pixels.astype(np.float64) * self.scale).astype(np.float32)

    def state(self) -> tuple[dict[str, Any], dict[str, AnyArray]]:  # Any: JSON
        """What to save: a JSON document and arrays."""
        return {"kind": "image", "shape": list(self.shape), "scale": self.scale}, {}

    @classmethod
    def from_state(cls, document: Mapping[str, Any], columns: Iterable[str]) -> ImageEncoder:  # Any: JSON
        """ValueError when the columns do not fill the shape."""
        names, shape = list(columns), tuple(int(size) for size in document["shape"])
        if math.prod(shape) != len(names):
            raise ValueError(f"an image of shape {shape} and {len(names)} columns")
        return cls(names, shape, float(document["scale"]))


def read_pixels(block: Block, column: str) -> FloatArray:
    """A column of pixels; InvalidDataset when a value is unusable or missing."""
    values = read_numbers(block, column)
    missing = np.flatnonzero(np.isnan(values))
    if len(missing):
        raise InvalidDataset(
            f"{block.where(int(missing[0]))}, column {column!r}: the pixel has no value. Fill it in, or remove the row."
        )
    return values


def is_pixel_name(name: str) -> bool:
    """Whether a column is called as pixels are: ``pixel0``, ``pixel_3_17``, ``px_3_17_2``, ``3x17``."""
    return _PIXEL.fullmatch(name.strip()) is not None


def shape_of(columns: Iterable[str], given: tuple[int, ...] | None = None) -> tuple[int, ...]:
    """The shape of images with these columns: given, or said by their names, or square.

    Raises:
        InvalidSpec: the shape does not have as many numbers as there are columns.
    """
    names = list(columns)
    shape = given or _said(names) or _square(len(names))
    if math.prod(shape) == len(names):
        return shape
    sizes = " x ".join(map(str, shape))
    raise InvalidSpec(
        f"`encoder.shape`: {sizes} pixels are {math.prod(shape):,} numbers, and there are {len(names):,} columns of pixels; "
        f"give [height, width] or [height, width, channels]."
    )


def _said(names: list[str]) -> tuple[int, ...] | None:
    """The shape that names with two or three numbers say, if they fill it."""
    matches = [_PIXEL.fullmatch(name.strip()) for name in names]
    positions = [[int(number) for number in match.groups() if number is not None] if match else [] for match in matches]
    depths = {len(position) for position in positions}
    if len(depths) != 1 or depths & {0, 1}:
        return None
    table = np.array(positions)
    shape = tuple((table.max(axis=0) - table.min(axis=0) + 1).tolist())
    return shape if math.prod(shape) == len(names) else None


def _square(count: int) -> tuple[int, ...]:
    for channels in (1, 3):
        side = math.isqrt(count // channels)
        if side * side * channels == count:
            return (side, side) if channels == 1 else (side, side, channels)
    return (1, count)
