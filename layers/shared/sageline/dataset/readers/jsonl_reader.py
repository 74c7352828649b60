"""JSON Lines in blocks: one object per line; the keys of the first rows say which columns there are.

An object in a row is flattened to the columns ``a.b``; a list of words is read as one text, with blanks between them.
"""

from __future__ import annotations

import difflib
import io
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, NoReturn

from sageline.arrays.blocks import Block
from sageline.arrays.strings import StringArray
from sageline.errors import InvalidDataset
from sageline.formats.nested import flattened
from sageline.formats.notes import NoteOfFirst
from sageline.formats.text_encoding import TextPosition, Utf8Text
from sageline.json_objects import DuplicateKey, unique_keys

MAX_ROW_BYTES = 64 << 20
KEYS_BYTES = 1 << 20
"""A key is a column if it is in one of the lines of so much text at the beginning, whatever the size of the blocks."""

_NAMED = 5


@dataclass(frozen=True)
class KnownKeys:
    """What the first lines of a file say of its keys.

    Attributes:
        columns: in order.
        objects: keys whose values are objects, and null where there is none.
    """

    columns: tuple[str, ...]
    objects: tuple[str, ...]


class JsonLinesReader:
    """Turns chunks of text into blocks; remembers where in the file it is.

    Args:
        text: what the chunks are pieces of.
        label: the column that is to be predicted, if it is known.
        wants: whether a column must be readable; of another one, lists of something else than words are missing values.
    """

    wanted = "a JSON object a line, and at least one"

    def __init__(self, text: Utf8Text, label: str | None = None, wants: Callable[[str], bool] = lambda _: True) -> None:
        self._file = text
        self._label = label
        self._wants = wants
        self._told_of_lists: set[str] = set()
        self._objects: set[str] = set()  # keys whose values are objects, and null where there is none
        self._near: int | None = None  # where a piece is, whose rows have no numbers
        self._offset = text.start
        self._line = 0
        self._row = 0
        self._columns: list[str] = []
        self._checked: set[str] = set()
        self._keys_known = False

    @property
    def no_rows(self) -> str:
        """What the file has, when it has no rows."""
        return "blank lines only" if self._line else "no data, not even a line"

    @classmethod
    def resumed(
        cls, text: Utf8Text, keys: KnownKeys, at: TextPosition, *, label: str | None, wants: Callable[[str], bool]
    ) -> JsonLinesReader:
        """A reader of text that begins with a line, in the middle of a file whose first lines have told the keys."""
        reader = cls(text, label, wants)
        reader._columns, reader._objects, reader._keys_known = list(keys.columns), set(keys.objects), True
        reader._offset, reader._line, reader._row = at.offset, at.line - 1, at.row - 1
        return reader

    def keys(self, chunks: Iterable[bytes]) -> KnownKeys:
        """What the first of ``chunks`` say of the keys, as reading them would find it, and note it."""
        self._with_keys_known(iter(chunks), cut=False)
        return KnownKeys(tuple(self._columns), tuple(sorted(self._objects)))

    def blocks(self, chunks: Iterable[bytes], *, cut: bool = False) -> Iterator[Block]:
        """The rows of ``chunks``; without the last line where the text is ``cut`` off somewhere."""
        rest = b""
        for chunk in chunks if self._keys_known else self._with_keys_known(iter(chunks), cut):
            complete, newline, rest = (rest + chunk).rpartition(b"\n")
            if len(rest) > MAX_ROW_BYTES:
                self._line, self._row = self._line + 1, self._row + 1
                self._fail(f"a line longer than {MAX_ROW_BYTES >> 20} MiB; put each object on a line of its own")
            yield from self._block(complete + newline)
        if not cut:
            yield from self._block(rest)

    def piece(self, text: bytes, near_byte: int) -> Block | None:
        """The lines of some text from the middle of the file as rows, whose numbers are not known; the columns are.

        Raises:
            InvalidDataset: says near which byte of the file.
        """
        self._near = near_byte
        rows = [self._values(line) for line in io.BytesIO(text) if line.strip()]
        if not rows:
            return None
        return replace(Block.near(self._as_columns(rows), near_byte, self._file.source), lists=frozenset(self._told_of_lists))

    def _with_keys_known(self, chunks: Iterator[bytes], cut: bool) -> Iterator[bytes]:
        """The same chunks, after the keys in the first lines have been looked for."""
        held: list[bytes] = []
        size = 0
        while size <= KEYS_BYTES and (chunk := next(chunks, b"")):
            held.append(chunk)
            size += len(chunk)
        text = b"".join(held)
        if cut or size > KEYS_BYTES:
            text = text[:KEYS_BYTES].rpartition(b"\n")[0]
        rows = [found for line in io.BytesIO(text) if (found := _object_or_none(line)) is not None]
        self._columns = self._columns_of(rows)
        late = [name for name in self._columns if name not in rows[0]]
        if late:
            shown = ", ".join(map(repr, late[:_NAMED])) + (f" and {len(late) - _NAMED} more" if len(late) > _NAMED else "")
            keys, are = ("key", "is") if len(late) == 1 else ("keys", "are")
            self._file.notes.append(
                f"{self._file.source}: {keys} {shown} {are} not in the first row; a row without a key has no value there."
            )
        return chain(held, chunks)

    def _columns_of(self, rows: list[dict[str, object]]) -> list[str]:
        """The keys of some rows, without those that are null where other rows have an object."""
        names = list(dict.fromkeys(chain.from_iterable(rows)))
        parents = {name[:at] for name in names for at, character in enumerate(name) if character == "."}
        filled = {name for row in rows for name in parents & row.keys() if row[name] is not None} if parents else set()
        self._objects = parents - filled
        return [name for name in names if name not in self._objects]

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
            block = Block.of(self._as_columns(rows), first_row, self._file.source)
            yield replace(block, lists=frozenset(self._told_of_lists))

    def _as_columns(self, rows: list[dict[str, str]]) -> dict[str, StringArray]:
        return {name: StringArray.from_list([row[name] for row in rows]) for name in self._columns}

    def _values(self, line: bytes) -> dict[str, str]:
        row = self._parse(line)
        if not row and not self._columns:
            self._fail("an empty object; the keys of the first rows name the columns")
        if not row.keys() <= self._checked:
            self._check_names([name for name in row if name not in self._checked and not self._is_no_object(row, name)])
        return {name: self._text(name, row.get(name), line) for name in self._columns}

    def _parse(self, line: bytes) -> dict[str, Any]:  # Any: JSON
        try:
            row = json.loads(line.decode(), parse_int=str, parse_float=str, object_pairs_hook=unique_keys)
            if isinstance(row, dict):
                row = flattened(row)
        except UnicodeDecodeError as error:
            problem = (
                f"byte 0x{line[error.start]:02x} is not valid UTF-8; save the file as UTF-8, or name its encoding in "
                "`dataset.encoding` of the spec"
            )
            self._fail(problem, error.start)
        except json.JSONDecodeError as error:
            at = len(error.doc[: error.pos].encode())
            self._fail(f"not valid JSON: {error.msg}; write one complete object per line", at)
        except DuplicateKey as error:
            self._fail(f"key {error.key!r} occurs twice")
        except RecursionError:
            self._fail("objects are nested too deeply; give what is in them columns of its own")
        if not isinstance(row, dict):
            self._fail('not a JSON object; write one object per line, {"column": value}')
        return row

    def _check_names(self, names: list[str]) -> None:
        """Refuse keys that occur for the first time and cannot be columns."""
        if not all(name.strip() and _is_text(name) for name in names):
            self._fail("a key that is blank or not text; name every column")
        if not self._columns:  # the first row is longer than what was looked through
            self._columns = names
        unknown = next((name for name in names if name not in self._columns), None)
        if unknown is not None:
            near = difflib.get_close_matches(unknown, self._columns, n=1)
            hint = f"perhaps it is {near[0]!r}; if not, " if near else ""
            self._fail(
                f"key {unknown!r} is in no row of the file's first {KEYS_BYTES >> 20} MiB, which say what the columns are; "
                f"{hint}give it in the first row too, null where it has no value"
            )
        self._checked.update(names)

    def _is_no_object(self, row: dict[str, Any], name: str) -> bool:  # Any: JSON
        return name in self._objects and row[name] is None

    def _joined(self, name: str, line: bytes) -> str:
        """A list of words as one text."""
        if name == self._label:
            self._fail(
                f"column {name!r} holds a list, and so several labels, which Sageline does not learn; give each row one label, "
                "or train one model for each of the labels, from a column of true and false"
            )
        # Numbers have been read as they are spelled: what is a word, reading the line again tells.
        values = [value for value in flattened(json.loads(line))[name] if value is not None]
        words = [value for value in values if isinstance(value, str)]
        if len(words) < len(values) and not self._wants(name):
            self._note_list(name, "holds lists of something else than words, which are not read, as it is left out")
            return ""
        if len(words) < len(values):
            self._fail(
                f"column {name!r} holds a list of something else than words; give each of its numbers, or what is in its "
                "objects, a column of its own"
            )
        self._note_list(name, "holds lists of words, which are joined by blanks")
        return " ".join(words)

    def _note_list(self, name: str, what: str) -> None:
        if name not in self._told_of_lists:
            self._told_of_lists.add(name)
            note = f"{self._file.source}: column {name!r} {what}."
            self._file.notes.append(NoteOfFirst(note, f"lists in {name}"))

    def _text(self, name: str, value: object, line: bytes) -> str:
        if isinstance(value, list):
            value = self._joined(name, line)
        if isinstance(value, str) and not _is_text(value):
            self._fail(f"column {name!r}: half of a surrogate pair (\\ud800 to \\udfff) is not a character")
        if isinstance(value, bool):
            return "true" if value else "false"
        # Numbers come as they are spelled in the file; only NaN and the infinities come as floats.
        return "" if value is None else str(value)

    def _fail(self, problem: str, at: int = 0) -> NoReturn:
        location = f"row {self._row} (line {self._line}, byte offset {self._offset + at}{self._file.unit})"
        if self._near is not None:
            location = f"near byte {self._near:,}"
        raise InvalidDataset(f"{self._file.source}: {location}: {problem}.")


def _object_or_none(line: bytes) -> dict[str, object] | None:
    """A line's object, flattened; None where it is none, which is said when its row is read."""
    try:
        row = json.loads(line)
        return flattened(row) if isinstance(row, dict) else None
    except (ValueError, RecursionError, DuplicateKey):
        return None


def _is_text(value: str) -> bool:
    """Whether UTF-8 can express it: JSON's escapes can spell half of a surrogate pair."""
    return not any("\ud800" <= character <= "\udfff" for character in value) if not value.isascii() else True
