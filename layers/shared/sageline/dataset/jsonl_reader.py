"""JSON Lines in blocks: one flat object per line; the first one says which columns there are."""

from __future__ import annotations

import difflib
import io
import json
from collections.abc import Iterable, Iterator
from typing import Any, NoReturn

from sageline.dataset.blocks import Block, StringArray
from sageline.errors import InvalidDataset
from sageline.json_objects import DuplicateKey, unique_keys

MAX_ROW_BYTES = 64 << 20


class JsonLinesReader:
    """Turns chunks of text into blocks; remembers where in the file it is.

    Args:
        source: how errors name the file.
        offset: where in the file the text begins (after a byte order mark).
    """

    no_rows = "no data (the file is empty)"

    def __init__(self, source: str, offset: int = 0) -> None:
        self._source = source
        self._offset = offset
        self._line = 0
        self._row = 0
        self._columns: list[str] = []

    def blocks(self, chunks: Iterable[bytes]) -> Iterator[Block]:
        rest = b""
        for chunk in chunks:
            complete, newline, rest = (rest + chunk).rpartition(b"\n")
            if len(rest) > MAX_ROW_BYTES:
                self._line, self._row = self._line + 1, self._row + 1
                self._fail(f"a line longer than {MAX_ROW_BYTES >> 20} MiB; put each object on a line of its own")
            yield from self._block(complete + newline)
        yield from self._block(rest)

    def _block(self, text: bytes) -> Iterator[Block]:
        first_row = self._row + 1
        rows = []
        for line in io.BytesIO(text):
            self._line += 1
            if line.strip():
                self._row += 1
                rows.append(self._values(line))
            self._offset += len(line)
        if rows:
            columns = {name: StringArray.from_list([row[name] for row in rows]) for name in self._columns}
            yield Block.of(columns, first_row, self._source)

    def _values(self, line: bytes) -> dict[str, str]:
        row = self._parse(line)
        if not self._columns:
            self._columns = self._check_names(list(row))
        if row.keys() - self._columns:
            unknown = next(name for name in row if name not in self._columns)
            near = difflib.get_close_matches(unknown, self._columns, n=1)
            hint = f"perhaps it is {near[0]!r}" if near else "give every key in the first row too, null where it has no value"
            self._fail(f"key {unknown!r} is not in the first row; {hint}")
        return {name: self._text(name, row.get(name)) for name in self._columns}

    def _parse(self, line: bytes) -> dict[str, Any]:  # Any: JSON
        try:
            row = json.loads(line.decode(), parse_int=str, parse_float=str, object_pairs_hook=unique_keys)
        except UnicodeDecodeError as error:
            self._fail(f"byte 0x{line[error.start]:02x} is not valid UTF-8; save the file as UTF-8", error.start)
        except json.JSONDecodeError as error:
            at = len(error.doc[: error.pos].encode())
            self._fail(f"not valid JSON: {error.msg}; write one complete object per line", at)
        except DuplicateKey as error:
            self._fail(f"key {error.key!r} occurs twice")
        except RecursionError:
            self._fail("values are nested too deeply; each value is a string, a number, true, false or null")
        if not isinstance(row, dict):
            self._fail('not a JSON object; write one object per line, {"column": value}')
        return row

    def _check_names(self, names: list[str]) -> list[str]:
        if not names:
            self._fail("an empty object; the keys of the first row name the columns")
        if not all(name.strip() and _is_text(name) for name in names):
            self._fail("a key that is blank or not text; name every column")
        return names

    def _text(self, name: str, value: object) -> str:
        if isinstance(value, list | dict):
            kind = "an array" if isinstance(value, list) else "an object"
            self._fail(f"column {name!r} holds {kind}; each value is a string, a number, true, false or null")
        if isinstance(value, str) and not _is_text(value):
            self._fail(f"column {name!r}: half of a surrogate pair (\\ud800 to \\udfff) is not a character")
        if isinstance(value, bool):
            return "true" if value else "false"
        # Numbers come as they are spelled in the file; only NaN and the infinities come as floats.
        return "" if value is None else str(value)

    def _fail(self, problem: str, at: int = 0) -> NoReturn:
        place = f"row {self._row} (line {self._line}, byte offset {self._offset + at})"
        raise InvalidDataset(f"{self._source}: {place}: {problem}.")


def _is_text(value: str) -> bool:
    """Whether UTF-8 can express it: JSON's escapes can spell half of a surrogate pair."""
    return not any("\ud800" <= character <= "\udfff" for character in value) if not value.isascii() else True
