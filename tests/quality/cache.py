"""What was measured is kept, by what it depends on: a run that was broken off goes on, and nothing is measured twice."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_SAGELINE = (
    "layers/shared/sageline",
    "packages/sagemaker-emulator/src/sagemaker_emulator/engines",
    "tests/quality/sageline_run.py",
    "tests/quality/containers.py",
    "tests/quality/rows.py",
)
_NOT_MEASURED = ("api", "deployment", "serving", "report", "sweep", "waiting", "costs", "failures", "batch", "jobs")
"""Packages of the layer that do not change what a model answers."""

PEERS = ("tests/quality/peers", "tests/quality/rows.py")


def key(*parts: object) -> str:
    """A name for what these JSON values or bytes lead to."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part if isinstance(part, bytes) else json.dumps(part, sort_keys=True).encode())
        digest.update(b"\0")
    return digest.hexdigest()[:24]


@functools.cache
def version_of_sageline() -> str:
    """Of the code that a model's answers follow from."""
    skipped = tuple(_ROOT / _SAGELINE[0] / name for name in _NOT_MEASURED)
    files = [path for path in _files(_SAGELINE) if not any(path.is_relative_to(folder) for folder in skipped)]
    return key(*(path.read_bytes() for path in files))


@functools.cache
def version_of_peers() -> str:
    """Of the code that the peers' answers follow from."""
    return key(*(path.read_bytes() for path in _files(PEERS)))


def _files(places: Iterable[str]) -> list[Path]:
    found = []
    for place in places:
        path = _ROOT / place
        found += sorted(path.rglob("*.py")) if path.is_dir() else [path]
    return found
