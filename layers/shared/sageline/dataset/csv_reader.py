"""CSV in blocks: RFC 4180 text of any of five delimiters, UTF-8, with a header line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NoReturn

import numpy as np

from sageline.dataset.blocks import Block
from sageline.dataset.csv_scan import Scan, TextAfterQuote, locate, scan
from sageline.errors import InvalidDataset

DELIMITERS = (b",", b";", b"\t", b"|")
MAX_ROW_BYTES = 64 << 20
_SNIFFED_RECORDS = 100


class CsvReader:
    """Turns chunks of text into blocks; remembers where in the file it is.

    Args:
        source: how errors name the file.
        head: the beginning of the text, from which the delimiter is sniffed.
        offset: where in the file the text begins (after a byte order mark).
    """

    def __init__(self, source: str, head: bytes, offset: int = 0) -> None:
        self.delimiter = sniff_delimiter(head)
        self._source = source
        self._offset = offset
        self._line = 1
        self._records = 0  # before the text at hand, header included: so the number of its first record's row
        self._header: list[str] = []

    @property
    def no_rows(self) -> str:
        """What the file has, when it has no rows."""
        return "a header line and no rows" if self._header else "no data (the file is empty)"

    def blocks(self, chunks: Iterable[bytes]) -> Iterator[Block]:
        text = b""
        for chunk in chunks:
            text += chunk
            found = self._scan(text, final=False)
            if found.consumed == 0 and len(text) > MAX_ROW_BYTES:
                self._refuse_endless(text, found)
            yield from self._block(text, found)
            text = text[found.consumed :]
        found = self._scan(text, final=True)
        if found.open_quote is not None:
            problem = "a quoted field opens here and is never closed; close it with a quote, and double the quotes inside it"
            self._fail(text, found.open_quote, problem)
        yield from self._block(text, found)

    def _scan(self, text: bytes, *, final: bool) -> Scan:
        try:
            return scan(text, self.delimiter, final=final)
        except TextAfterQuote as error:
            # Found by the closing quote: that one is in the field still.
            problem = "the closing quote of a quoted field is followed by more text; double the quotes inside a quoted field"
            self._fail(text, error.offset - 1, problem)

    def _block(self, text: bytes, found: Scan) -> Iterator[Block]:
        """The complete records as a block, if there are any."""
        records = text[: found.consumed]
        if len(found.fields):
            first_record = 0 if self._header else 1
            self._check(records, found)
            if len(found.fields) > first_record:
                columns = found.columns(first_record, len(self._header))
                named = dict(zip(self._header, columns, strict=True))
                yield Block.of(named, self._records + first_record, self._source)
        self._records += len(found.fields)
        self._line += _line_ends(records)
        self._offset += len(records)

    def _check(self, text: bytes, found: Scan) -> None:
        self._check_text(text)
        if not self._header:
            self._header = self._read_header(text, found)
        self._check_widths(text, found)

    def _check_text(self, text: bytes) -> None:
        try:
            text.decode()
        except UnicodeDecodeError as error:
            problem = f"byte 0x{text[error.start]:02x} is not valid UTF-8; save the file as UTF-8"
            self._fail(text, error.start, problem)
        if (nul := text.find(b"\0")) >= 0:
            self._fail(text, nul, "a NUL byte; the file is damaged, or not text in UTF-8")

    def _read_header(self, text: bytes, found: Scan) -> list[str]:
        width = int(found.fields[0])
        names = [column[0] for column in _first_record(found).columns(0, width)]
        for index, name in enumerate(names):
            start = int(found.starts[index])
            if not name.strip():
                self._fail(
                    text, start, f"column {index + 1} has no name; name every column (pandas: write with to_csv(index=False))"
                )
            if names.index(name) != index:
                self._fail(text, start, f"columns {names.index(name) + 1} and {index + 1} have the same name; rename one")
        return names

    def _check_widths(self, text: bytes, found: Scan) -> None:
        expected = len(self._header)
        ragged = np.flatnonzero(found.fields != expected)
        if len(ragged):
            record = int(ragged[0])
            count = int(found.fields[record])
            start = int(found.starts[found.first_fields[record]])
            fields = "1 field" if count == 1 else f"{count} fields"
            delimiter = {b"\t": "a tab"}.get(self.delimiter, f"'{self.delimiter.decode()}'")
            raise InvalidDataset(
                f"{self._where(text, start, self._records + record)}: found {fields}, expected {expected} as in the header. "
                f"Put quotes around fields that hold {delimiter} or a line break."
            )

    def _refuse_endless(self, text: bytes, found: Scan) -> NoReturn:
        if found.open_quote is not None:
            problem = f"a quoted field opens here and is not closed within {MAX_ROW_BYTES >> 20} MiB; close it with a quote"
            self._fail(text, found.open_quote, problem)
        self._fail(text, 0, f"a row longer than {MAX_ROW_BYTES >> 20} MiB; break the text into lines, one row each")

    def _fail(self, text: bytes, offset: int, problem: str) -> NoReturn:
        before = scan(text[: offset + 1], self.delimiter, final=False)
        if before.consumed > offset:  # the byte ends a row: it is an empty field at the end of it
            before = scan(text[:offset], self.delimiter, final=False)
        if len(before.fields):
            self._check(text[: before.consumed], before)  # what is wrong in an earlier row is said first
        record, field = locate(text, offset, self.delimiter)
        where = self._where(text, offset, self._records + record)
        if self._header:
            name = repr(self._header[field]) if field < len(self._header) else f"number {field + 1}, which the header lacks"
            where += f", column {name}"
        raise InvalidDataset(f"{where}: {problem}.")

    def _where(self, text: bytes, offset: int, row: int) -> str:
        place = f"row {row}" if row > 0 else "header"
        return f"{self._source}: {place} (line {self._line + _line_ends(text[:offset])}, byte offset {self._offset + offset})"


def sniff_delimiter(head: bytes) -> bytes:
    """The delimiter that gives the first records the most fields, of those that give them most often as many as the header."""
    best, best_score = DELIMITERS[0], (0.0, 1)
    for delimiter in DELIMITERS:
        try:
            found = scan(head, delimiter, final=False)
            if not len(found.fields):
                found = scan(head, delimiter, final=True)
        except TextAfterQuote:
            continue
        counts = found.fields[:_SNIFFED_RECORDS]
        if len(counts) and counts[0] > 1:
            score = (float(np.mean(counts == counts[0])), int(counts[0]))
            if score > best_score:
                best, best_score = delimiter, score
    return best


def _first_record(found: Scan) -> Scan:
    width = int(found.fields[0])
    return Scan(found.data, found.quotes, found.starts[:width], found.ends[:width], found.fields[:1], found.consumed, None)


def _line_ends(text: bytes) -> int:
    lines = text.count(b"\n")
    return lines + text.count(b"\r") - text.count(b"\r\n") if b"\r" in text else lines
