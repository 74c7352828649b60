"""Saved encoder state: a JSON document and arrays, with a version and checksums. Nothing is pickled."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np

from sageline.arrays.matrix import AnyArray
from sageline.errors import InvalidEncoder

VERSION = 6
"""What is written. Version 1 had no options of tables, version 2 did not say whose answers are read; none of their files means
anything else now. Up to version 3 combining marks separated words: these encoders read words so still. Up to version 4 a table
was of numbers and categories, or a bag of words: these are read as columns. Up to version 5 regressions learnt their
values as they are."""

_MARKS_IN_WORDS = 4  # the first version of these

DOCUMENT, ARRAYS = "encoder.json", "encoder.npz"


def pack(document: Mapping[str, Any], arrays: Mapping[str, AnyArray]) -> dict[str, bytes]:  # Any: JSON
    """File names and contents of the state."""
    packed = io.BytesIO()
    np.savez(packed, allow_pickle=False, **arrays)
    content = {"version": VERSION, **document, "arrays_sha256": hashlib.sha256(packed.getvalue()).hexdigest()}
    content["sha256"] = _checksum(content)
    return {DOCUMENT: json.dumps(content, ensure_ascii=False, indent=1).encode(), ARRAYS: packed.getvalue()}


def unpack(files: Mapping[str, bytes]) -> tuple[dict[str, Any], dict[str, AnyArray]]:  # Any: JSON
    """What :func:`pack` was given.

    Raises:
        InvalidEncoder: a file is missing, damaged, or written by a newer version.
    """
    for name in (DOCUMENT, ARRAYS):
        if name not in files:
            raise InvalidEncoder(f"{name} is missing beside {', '.join(sorted(files)) or 'nothing'}; train the model again.")
    try:
        content = json.loads(files[DOCUMENT])
        version = content["version"]
    except (ValueError, TypeError, KeyError):
        raise InvalidEncoder(f"{DOCUMENT} is damaged: it is no encoder document; train the model again.") from None
    if not isinstance(version, int) or version < 1:
        raise InvalidEncoder(f"{DOCUMENT} is damaged: its version is {version!r}; train the model again.")
    if version > VERSION:
        raise InvalidEncoder(f"{DOCUMENT} has version {version}, this code reads up to {VERSION}; deploy the newer Sageline.")
    if content.pop("sha256", None) != _checksum(content):
        raise InvalidEncoder(f"{DOCUMENT} is damaged: its checksum differs; train the model again.")
    if content.pop("arrays_sha256", None) != hashlib.sha256(files[ARRAYS]).hexdigest():
        raise InvalidEncoder(
            f"{ARRAYS} is damaged, or belongs to another {DOCUMENT}: its checksum differs; train the model again."
        )
    try:
        with np.load(io.BytesIO(files[ARRAYS]), allow_pickle=False) as arrays:
            return content, dict(arrays)
    except (ValueError, zipfile.BadZipFile) as error:
        raise InvalidEncoder(f"{ARRAYS} cannot be read: {error}; train the model again.") from None


def has_marks_apart(document: Mapping[str, Any]) -> bool:  # Any: JSON
    """Whether the encoder of this document, or of a part of one, reads words as those up to version 3 did; it says so itself if
    it was saved again."""
    return document.get("version", VERSION) < _MARKS_IN_WORDS or bool(document["marks_apart"])


def _checksum(content: Mapping[str, Any]) -> str:  # Any: JSON
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
