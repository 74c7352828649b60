"""Where the fields of CSV text begin and end: RFC 4180 as whole-array operations over bytes.

The rules are those of Python's ``csv`` module in its default dialect, except that text after a closing quote and a
quoted field without an end are errors: a quote opens a quoted field at the start of a field only, elsewhere in an
unquoted field it is an ordinary character; a doubled quote inside a quoted field stands for one; a record ends at
LF, CRLF or CR outside quotes; lines of no characters are no records. In a file whose lines end in LF or CRLF a CR elsewhere
is an ordinary character.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sageline.arrays.strings import BoolArray, ByteArray, IntArray, StringArray, gather

QUOTE, LF, CR = 0x22, 0x0A, 0x0D


class TextAfterQuote(Exception):
    """A closing quote is followed by something that is neither a delimiter nor the end of the line."""

    def __init__(self, offset: int) -> None:
        super().__init__(offset)
        self.offset = offset


@dataclass(frozen=True, eq=False)
class Scan:
    """The complete records at the beginning of some text.

    Attributes:
        data: the text, ``uint8[n]``.
        quotes: offsets of the quotes that open and close quoted fields, alternately; a doubled quote is a pair too.
        starts, ends: of each field, quotes included, the delimiter not.
        fields: number of fields of each record.
        consumed: length of the records, their line ends included; what follows is the beginning of another record.
        open_quote: offset of the quote that opened a field which has no end yet, if any.
    """

    data: ByteArray
    quotes: IntArray
    starts: IntArray
    ends: IntArray
    fields: IntArray
    consumed: int
    open_quote: int | None

    @property
    def first_fields(self) -> IntArray:
        """Index of the first field of each record."""
        return np.cumsum(self.fields) - self.fields

    def columns(self, first_record: int, width: int) -> list[StringArray]:
        """The values column by column, from ``first_record`` on; all these records have ``width`` fields."""
        first = int(self.fields[:first_record].sum())
        starts, ends = self.starts[first:], self.ends[first:]
        quoted = (ends > starts) & (self.data[np.minimum(starts, len(self.data) - 1)] == QUOTE)
        starts, ends = starts + quoted, ends - quoted
        # Of each doubled quote, the one that the parity takes for a closing quote goes.
        closing, opening = self.quotes[1:-1:2], self.quotes[2::2]
        dropped = closing[opening == closing + 1]
        data = self.data
        if len(dropped):
            data = np.delete(data, dropped)
            starts, ends = starts - np.searchsorted(dropped, starts), ends - np.searchsorted(dropped, ends)
        starts, lengths = starts.reshape(-1, width), (ends - starts).reshape(-1, width)
        return [gather(data, starts[:, column], lengths[:, column]) for column in range(width)]


def scan(text: bytes, delimiter: bytes, *, final: bool, cr_ends: bool = True) -> Scan:
    """Find the records in ``text``, which begins at the beginning of a record.

    Args:
        delimiter: one ASCII byte.
        final: no more text follows, so the end of the text ends the last record.
        cr_ends: whether a CR alone ends a record.

    Raises:
        TextAfterQuote: with the offset of the offending byte.
    """
    data = np.frombuffer(text, dtype=np.uint8)
    if not final and text.endswith(b"\r"):
        data = data[: len(text.rstrip(b"\r"))]  # whether an LF follows is not known yet
    returns = _returns(data, cr_ends, doubled=b"\r\r\n" in text) if b"\r" in text else None
    is_separator = (data == delimiter[0]) | (data == LF)
    if returns is not None:
        is_separator |= returns
    quotes = _structural_quotes(data, is_separator, np.flatnonzero(data == QUOTE))
    open_quote = _unclosed(quotes)
    separators, widths = _outside_quotes(data, np.flatnonzero(is_separator), quotes, returns)
    ends_record = data[separators] != delimiter[0]
    if final and open_quote is None and len(data) and data[-1] not in (LF, CR):
        separators, widths = np.append(separators, len(data)), np.append(widths, 0)
        ends_record = np.append(ends_record, True)

    last = np.flatnonzero(ends_record)  # of each record: which separator ends it
    complete = int(last[-1]) + 1 if len(last) else 0
    after = (separators + widths)[:complete]
    starts, ends = np.concatenate([np.zeros(1, dtype=np.int64), after])[:complete], separators[:complete]
    fields = np.diff(last, prepend=-1)
    # A blank line is a record of one field without a character.
    blank = (fields == 1) & (starts[last] == ends[last])
    keep = np.ones(complete, dtype=np.bool_)
    keep[last[blank]] = False
    consumed = int(after[-1]) if complete else 0
    return Scan(data, quotes, starts[keep], ends[keep], fields[~blank], consumed, open_quote)


def _returns(data: ByteArray, cr_ends: bool, *, doubled: bool) -> BoolArray:
    """Where a CR is an end of a line, or the beginning of one of two bytes; at the end of the file it is.

    Of CR CR LF, which programs make of CRLF by mistake, both are: a blank line follows the record.
    """
    returns: BoolArray = data == CR
    if not cr_ends:
        returns[:-1] &= data[1:] == LF
        if doubled:
            returns[:-2] |= (data[:-2] == CR) & returns[1:-1] & (data[2:] == LF)
    return returns


def _outside_quotes(
    data: ByteArray, separators: IntArray, quotes: IntArray, returns: BoolArray | None
) -> tuple[IntArray, IntArray]:
    """The separators that are not inside quotes, and how wide each is: of a CRLF, the CR stands for both."""
    if len(quotes):
        separators = separators[np.searchsorted(quotes, separators) % 2 == 0]
    if returns is None:
        return separators, np.ones(len(separators), dtype=np.int64)
    crlf = np.append(returns[:-1] & (data[1:] == LF), False)
    separators = separators[(separators == 0) | ~crlf[separators - 1]]
    return separators, 1 + crlf[separators]


def _structural_quotes(data: ByteArray, is_separator: BoolArray, quotes: IntArray) -> IntArray:
    """The quotes that open or close a quoted field, without those that are ordinary characters of an unquoted one."""
    if not len(quotes):
        return quotes
    # Every quote toggles, where each opening one is at the start of a field and each closing one at the end of it,
    # or next to its double.
    opening, closing = quotes[0::2], quotes[1::2]
    before = opening[opening > 0] - 1
    after = closing[closing < len(data) - 1] + 1
    if (is_separator[before] | (data[before] == QUOTE)).all() and (is_separator[after] | (data[after] == QUOTE)).all():
        return quotes
    return _walk_quotes(data, is_separator, quotes.tolist())


def _unclosed(quotes: IntArray) -> int | None:
    if len(quotes) % 2 == 0:
        return None
    opening, closing = quotes[0::2], quotes[1::2]
    opens_field = np.append(True, opening[1:] != closing + 1)  # the others are second halves of doubled quotes
    return int(opening[opens_field][-1])


def _walk_quotes(data: ByteArray, is_separator: BoolArray, quotes: list[int]) -> IntArray:
    structural: list[int] = []
    index = 0
    while index < len(quotes):
        opening = quotes[index]
        index += 1
        if opening > 0 and not is_separator[opening - 1]:
            continue
        structural.append(opening)
        while index + 1 < len(quotes) and quotes[index + 1] == quotes[index] + 1:
            structural += quotes[index : index + 2]
            index += 2
        if index < len(quotes):
            closing = quotes[index]
            index += 1
            structural.append(closing)
            if closing + 1 < len(data) and not is_separator[closing + 1]:
                raise TextAfterQuote(closing + 1)
    return np.array(structural, dtype=np.int64)


def locate(text: bytes, offset: int, delimiter: bytes, *, cr_ends: bool = True) -> tuple[int, int]:
    """Which record and which field of it the byte at ``offset`` is in, both counted from 0."""
    before = text[:offset]
    open_quote = scan(before, delimiter, final=True, cr_ends=cr_ends).open_quote
    if open_quote is not None:
        before = before[:open_quote]
    found = scan(before + b"x", delimiter, final=True, cr_ends=cr_ends)
    return len(found.fields) - 1, int(found.fields[-1]) - 1
