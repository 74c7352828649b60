"""BlazingText's channels: one file of lines each, of space-separated tokens."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path

from sagemaker_emulator.engines.first_party.failures import CustomerError

LABEL = b"__label__"
_TEXT_TYPES = ("text/plain", "")


def channel_files(root: Path, optional: Collection[str]) -> dict[str, Path]:
    """The one file of each channel, ``train`` and what there is of ``optional``.

    Raises:
        CustomerError: a channel is missing, not known, of another content type, or has no file or several.
    """
    channels = json.loads((root / "input" / "config" / "inputdataconfig.json").read_text())
    unknown = [name for name in channels if name not in ("train", *optional)]
    if unknown:
        raise CustomerError(f"Channels {', '.join(unknown)} are not known. Known are {', '.join(('train', *optional))}.")
    if "train" not in channels:
        raise CustomerError("The train channel is required.")
    return {name: _only_file(root, name, channels[name].get("ContentType", "")) for name in channels}


def _only_file(root: Path, name: str, content_type: str) -> Path:
    if content_type.partition(";")[0].strip().lower() not in _TEXT_TYPES:
        raise CustomerError(f"The content type {content_type} of channel {name} is not supported: it must be text/plain.")
    directory = root / "input" / "data" / name
    files = [path for path in sorted(directory.rglob("*")) if path.is_file() and path.stat().st_size]
    if not files:
        raise CustomerError(f"The channel {name} has no data.")
    if len(files) > 1:
        raise CustomerError(
            f"The channel {name} has {len(files)} files. BlazingText takes one file for each channel: concatenate them."
        )
    return files[0]


def check_labels(path: Path, channel: str) -> None:
    """Raise CustomerError for a line without a label, naming it: supervised training would fail without a word."""
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if LABEL not in line and line.strip():
                raise CustomerError(f"Line {number} of channel {channel} has no label: each line needs a word __label__<name>.")
