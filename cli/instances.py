"""Rows to predict, read from a file as CSV, JSON or JSON Lines."""

from __future__ import annotations

import csv
import io
import json
from pathlib import PurePath
from typing import Literal, TypeAlias

import click

from sageline.dataset.delimiter import choose
from sageline.errors import InvalidDataset
from sageline.json_objects import DuplicateKey, unique_keys

Format: TypeAlias = Literal["csv", "json", "jsonl"]

_SUFFIXES: dict[str, Format] = {".csv": "csv", ".json": "json", ".jsonl": "jsonl", ".ndjson": "jsonl"}


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

    CSV has a header line and any of a dataset's delimiters, and gives objects of strings; an empty cell is null. JSON is a list
    of rows, one row as an object, or a whole request ``{"instances": [...]}``. JSON Lines has one row in each line.

    Raises:
        click.BadParameter: not UTF-8, malformed, or without rows; says where.
    """
    source = "stdin" if name == "-" else name
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise click.BadParameter(
            f"{source} is not UTF-8 text: byte 0x{content[error.start]:02x} at offset {error.start}. Save it as UTF-8; "
            "`sageline batch` also reads the encodings that `sageline submit` reads."
        ) from None
    match format_of(name, text):
        case "csv":
            rows = _read_csv(text, source)
        case "json":
            rows = _read_json(text, source)
        case "jsonl":
            rows = [_parse(line, source, number) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]
    if not rows:
        raise click.BadParameter(f"{source} has no rows to predict.")
    return rows


def _read_csv(text: str, source: str) -> list[object]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=_delimiter(text, source))
    rows: list[object] = []
    try:
        header = next(reader, [])
        if len(set(header)) < len(header):
            raise click.BadParameter(f"{source}, line 1: a column name is there twice: {', '.join(header)}.")
        for row in reader:
            if not row:
                continue
            if len(row) != len(header):
                raise click.BadParameter(
                    f"{source}, line {reader.line_num}: {len(row)} cells, but the header has {len(header)} columns."
                )
            rows.append({column: cell or None for column, cell in zip(header, row, strict=True)})
    except csv.Error as error:
        raise click.BadParameter(f"{source}, line {reader.line_num}: not valid CSV: {error}.") from None
    return rows


def _delimiter(text: str, source: str) -> str:
    """What separates the cells, as it is found out for a dataset: a comma where there is one column."""
    try:
        found = choose(text.encode(), source, complete=True, cr_ends=True)
    except InvalidDataset:
        raise click.BadParameter(
            f"{source}: two delimiters fit its lines about equally well. Put quotes around the cells that hold one of them, or "
            "write the rows as JSON Lines."
        ) from None
    return "," if found is None else found.delimiter.decode()


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
