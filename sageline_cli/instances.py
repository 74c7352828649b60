"""Rows to predict, read from a file as CSV, JSON or JSON Lines."""

from __future__ import annotations

import base64
import io
import json
from pathlib import PurePath
from typing import Literal, TypeAlias

import click

from sageline.dataset.readers.source import open_blocks
from sageline.errors import InvalidDataset
from sageline.formats.image_files import EXTENSIONS
from sageline.formats.other_formats import packed_within
from sageline.json_objects import DuplicateKey, unique_keys
from sageline.names import DATA_FORMATS

Format: TypeAlias = Literal["csv", "json", "jsonl"]

_SUFFIXES: dict[str, Format] = {".csv": "csv", ".json": "json", ".jsonl": "jsonl", ".ndjson": "jsonl"}


_OF_BATCHES = tuple(f".{name}" for name in DATA_FORMATS if f".{name}" not in (".csv", ".tsv", ".jsonl"))


def format_of(name: str, text: str) -> Format:
    """By the file's suffix, or else by how its text begins."""
    suffix = PurePath(name).suffix.lower()
    if suffix in _SUFFIXES:
        return _SUFFIXES[suffix]
    start = text.lstrip()
    if start.startswith("["):
        return "json"
    if not start.startswith("{"):
        return "csv"
    try:
        json.loads(start)
    except ValueError:
        return "jsonl"
    return "json"


def read_instances(name: str, content: bytes) -> list[object]:
    """The rows of a file called ``name`` ("-" for stdin), each in a form that the HTTP API takes.

    CSV is read as a dataset is, whatever its delimiter and encoding, and gives objects of strings; an empty cell is null. JSON is
    a list of rows, one row as an object, or a whole request ``{"instances": [...]}``. JSON Lines has one row in each line. An
    image file is one row.

    Raises:
        click.BadParameter: malformed, not UTF-8 (JSON), or without rows; says where.
    """
    if PurePath(name).suffix.lower().removeprefix(".") in EXTENSIONS:
        return [{"image": base64.b64encode(content).decode()}]
    source = "stdin" if name == "-" else name
    if what := _no_text(name, content):
        raise click.BadParameter(
            f"{source} {what}, and predict reads CSV, JSON, JSON Lines and images. `sageline batch ENDPOINT FILE` predicts the "
            "rows of every table that `sageline submit` takes; or save them as CSV."
        )
    form = format_of(name, content.decode("utf-8-sig", errors="replace"))
    if form == "csv":
        return _read_csv(content, source)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise click.BadParameter(
            f"{source} is not UTF-8 text: byte 0x{content[error.start]:02x} at offset {error.start}. Save it as UTF-8; "
            "`sageline batch` also reads the encodings that `sageline submit` reads."
        ) from None
    if form == "json":
        rows = _read_json(text, source)
    else:
        rows = [_parse(line, source, number) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]
    if not rows:
        raise click.BadParameter(f"{source} has no rows to predict.")
    return rows


def _no_text(name: str, content: bytes) -> str | None:
    """What a file is that is neither text nor an image, by its content or its name."""
    if packed := packed_within(content):
        return f"is {packed}"
    suffix = PurePath(name).suffix.lower()
    return f"is a {suffix} file" if suffix in _OF_BATCHES else None


def _read_csv(content: bytes, source: str) -> list[object]:
    if len(content.split(b"\n", 2)) < 2 or not content.split(b"\n", 1)[1].strip():
        raise click.BadParameter(f"{source} has no rows to predict.")
    try:
        rows: list[object] = []
        for block in open_blocks(io.BytesIO(content), source, "csv", labelled=False):
            columns = [column.tolist() for column in block.columns.values()]
            rows += [
                {name: cell or None for name, cell in zip(block.columns, cells, strict=True)}
                for cells in zip(*columns, strict=True)
            ]
    except InvalidDataset as error:
        raise click.BadParameter(error.message) from None
    return rows


def _read_json(text: str, source: str) -> list[object]:
    match _parse(text, source, 1):
        case {"instances": list(rows)}:
            return rows
        case list(rows):
            return rows
        case row:
            return [row]


def _parse(text: str, source: str, first_line: int) -> object:
    try:
        value: object = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=unique_keys)
    except json.JSONDecodeError as error:
        line = first_line + error.lineno - 1
        raise click.BadParameter(f"{source}, line {line}, column {error.colno}: not valid JSON: {error.msg}.") from None
    except ValueError as error:
        raise click.BadParameter(f"{source}, from line {first_line}: {error}.") from None
    except DuplicateKey as error:
        raise click.BadParameter(f"{source}, from line {first_line}: key {error.key!r} occurs twice in an object.") from None
    return value


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON; use null for a missing value")
