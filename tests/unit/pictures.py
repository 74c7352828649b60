"""Image files and archives of them, made for tests."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np
from PIL import Image

from sageline.arrays.strings import ByteArray


def picture(seed: int, height: int = 8, width: int = 8, *, grey: bool = False) -> ByteArray:
    """Pixels at random, ``uint8[height, width]`` or ``[height, width, 3]``."""
    shape = (height, width) if grey else (height, width, 3)
    return np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)


def encoded(pixels: ByteArray | Image.Image, file_format: str = "PNG", **options: Any) -> bytes:
    """An image file. ``options``: Pillow's."""
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    out = io.BytesIO()
    image.save(out, file_format, **options)
    return out.getvalue()


def archive(files: Mapping[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as packed:
        for name, content in files.items():
            packed.writestr(zipfile.ZipInfo(name), content, compress_type=compression)
    return out.getvalue()


def cats_and_dogs(count: int = 60, *, height: int = 8, width: int = 8, top: str = "") -> dict[str, bytes]:
    """Images of two classes that differ in colour: cats are red, dogs are blue."""
    files = {}
    for number in range(count):
        pixels = picture(number, height, width) // 4
        pixels[..., 0 if number % 2 else 2] += 150
        files[f"{top}{'cat' if number % 2 else 'dog'}/{number}.png"] = encoded(pixels)
    return files
