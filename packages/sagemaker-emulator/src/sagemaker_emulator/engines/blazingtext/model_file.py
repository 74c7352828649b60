"""fastText's model file, which floret writes with two numbers of its own in it.

fastText's (version 12) begins with a magic number, the version and eleven settings, all int32, and then its learning rate's
update rate. floret has its hash count and its mode, two more int32, between the eleven and that.
"""

from __future__ import annotations

import shutil
import struct
import tempfile
from pathlib import Path

import floret

_MAGIC, _VERSION = 793712314, 12
_HEADER = struct.Struct("<13i")
_OF_FLORET = struct.Struct("<2i")
_ONE_HASH_AND_FASTTEXTS_MODE = (1, 0)


class NoModel(Exception):
    """The file is not a model of fastText."""


def save(model: floret.floret._floret, path: Path) -> None:
    """Write the model as fastText does."""
    with tempfile.TemporaryDirectory(dir=path.parent) as scratch:
        whole = Path(scratch) / "floret.bin"
        model.save_model(str(whole))
        with whole.open("rb") as source, path.open("wb") as target:
            target.write(source.read(_HEADER.size))
            source.seek(_OF_FLORET.size, 1)
            shutil.copyfileobj(source, target, 1 << 20)


def is_model(path: Path) -> bool:
    with path.open("rb") as file:
        header = file.read(_HEADER.size)
    return len(header) == _HEADER.size and _HEADER.unpack(header)[:2] == (_MAGIC, _VERSION)


def load(path: Path) -> floret.floret._floret:
    """A model of fastText's, or of BlazingText's; raises :class:`NoModel`."""
    if not is_model(path):
        raise NoModel(f"{path.name} is not a model file of fastText, version {_VERSION}")
    with tempfile.TemporaryDirectory() as scratch:
        whole = Path(scratch) / "floret.bin"
        with path.open("rb") as source, whole.open("wb") as target:
            target.write(source.read(_HEADER.size))
            target.write(_OF_FLORET.pack(*_ONE_HASH_AND_FASTTEXTS_MODE))
            shutil.copyfileobj(source, target, 1 << 20)
        try:
            return floret.floret._floret(str(whole))
        except (ValueError, RuntimeError, MemoryError) as error:
            raise NoModel(f"{path.name} can not be read: {error}") from error
