"""Which delimiter a CSV file has, by what its fields hold."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass

from sageline.arrays.number_spelling import SYMBOL_OR_CODE
from sageline.dataset.readers.csv_scan import QUOTE, Scan, TextAfterQuote, scan
from sageline.errors import InvalidDataset

DELIMITERS = (b",", b";", b"\t", b"|")
_RECORDS = 100
_MAX_LINES_ABOVE = 20
_MOST = 0.7
_MARGIN = 0.1
"""By how much a delimiter must be better than the next, on a scale of 0 to 1; a wrong one is off in every third field or so."""

_MAX_NUMBER = 50  # characters
_NUMBER = re.compile(
    rf"\s*[-+\u2212\u2013]?(?:{SYMBOL_OR_CODE})?\s?[-+\u2212\u2013]?[\d.,'\u2019\s]*\d[.,]?(?:[eE][-+]?\d+)?\s?(?:%|{SYMBOL_OR_CODE})?\s*"
)
_JOINED = re.compile(r"[,;](?! )")


@dataclass(frozen=True)
class CsvRecord:
    """One record of a file's beginning.

    Attributes:
        start: its offset in the text.
        fields: their values.
        quoted: whether each is in quotes.
    """

    start: int
    fields: list[str]
    quoted: list[bool]


@dataclass(frozen=True)
class DelimiterSplit:
    """The first records of a file, as a delimiter splits them.

    Attributes:
        first: index of the first record of the table, in which most records have ``width`` fields.
        consistency: share of the records from there on that have ``width`` fields.
    """

    delimiter: bytes
    records: list[CsvRecord]
    first: int
    width: int
    consistency: float

    @property
    def score(self) -> float:
        return self.consistency * _sound_share(self)


def split(text: bytes, delimiter: bytes, *, complete: bool, cr_ends: bool) -> DelimiterSplit | None:
    """The first records of ``text``; None when there are none, or no such ones.

    Args:
        complete: the text is the whole file.
    """
    try:
        found = scan(text, delimiter, final=complete, cr_ends=cr_ends)
        if not len(found.fields):
            found = scan(text, delimiter, final=True, cr_ends=cr_ends)
    except TextAfterQuote:
        return None
    records = _records(found)
    if not records:
        return None
    first, width = _table(records)
    agreeing = sum(len(record.fields) == width for record in records[first:])
    return DelimiterSplit(delimiter, records, first, width, agreeing / (len(records) - first))


def choose(text: bytes, source: str, *, complete: bool, cr_ends: bool) -> DelimiterSplit | None:
    """The split by the delimiter of the file; None when it has one column or no record that can be read.

    Raises:
        InvalidDataset: two delimiters fit about equally well.
    """
    splits = (split(text, delimiter, complete=complete, cr_ends=cr_ends) for delimiter in DELIMITERS)
    fitting = [found for found in splits if found is not None and found.width > 1]
    if not fitting:
        return None
    whole = [found for found in fitting if found.first == 0 and found.consistency == 1]
    if whole:  # what would be a title above a table is split as the table is
        fitting = [found for found in fitting if found.first == 0]
    fitting.sort(key=lambda found: found.score, reverse=True)
    if len(fitting) > 1 and fitting[0].score - fitting[1].score < _MARGIN:
        one, other = (named(found.delimiter) for found in fitting[:2])
        example = json.dumps({"dataset": {"delimiter": fitting[0].delimiter.decode()}})
        raise InvalidDataset(
            f"{source}: the delimiter may be {one} or {other}: both fit the first lines about equally well. Say which it is in "
            f"the spec (spec.json, or --spec of the command), as in {example}, or put quotes around the fields that hold the "
            "other."
        )
    return fitting[0]


def named(delimiter: bytes) -> str:
    """How a message names a delimiter."""
    return "a tab" if delimiter == b"\t" else f"'{delimiter.decode()}'"


def is_number(value: str) -> bool:
    """Whether it is a number in some usual spelling: with a decimal comma, separated thousands, a currency or a per cent sign."""
    return len(value) <= _MAX_NUMBER and _NUMBER.fullmatch(value) is not None


def _records(found: Scan) -> list[CsvRecord]:
    records = []
    field = 0
    for count in found.fields[:_RECORDS].tolist():
        values, quoted = [], []
        for start, end in zip(
            found.starts[field : field + count].tolist(), found.ends[field : field + count].tolist(), strict=True
        ):
            in_quotes = end > start and found.data[start] == QUOTE
            value = found.data[start:end].tobytes().decode(errors="backslashreplace")
            values.append(value[1:-1].replace('""', '"') if in_quotes else value)
            quoted.append(bool(in_quotes))
        records.append(CsvRecord(int(found.starts[field]), values, quoted))
        field += count
    return records


def _table(records: list[CsvRecord]) -> tuple[int, int]:
    """From which record on most have the same number of fields, and this number; those of the first, if there is no such one."""
    widths = [len(record.fields) for record in records]
    commonest = Counter(widths).most_common(1)[0]
    width = widths[0] if widths.count(widths[0]) == commonest[1] else commonest[0]
    if width <= widths[0]:  # what stands above a table has fewer fields
        return 0, widths[0]
    first = widths.index(width)
    agreeing = widths[first:].count(width)
    if first <= _MAX_LINES_ABOVE and agreeing >= max(2, _MOST * (len(widths) - first)):
        return first, width
    return 0, widths[0]


def _sound_share(found: DelimiterSplit) -> float:
    """The share of fields that look whole: that do not hold what may be another delimiter."""
    records = found.records[found.first :]
    others = b"".join(DELIMITERS).decode().replace(found.delimiter.decode(), "")
    indented = {
        column
        for column in range(found.width)
        if all(record.fields[column].startswith(" ") for record in records if column < len(record.fields))
    }
    fields = sound = 0
    for record in records:
        for column, (value, quoted) in enumerate(zip(record.fields, record.quoted, strict=True)):
            fields += 1
            sound += quoted or (_is_whole(value, others) and (not value.startswith(" ") or column in indented))
    return sound / fields


def _is_whole(value: str, others: str) -> bool:
    if not any(character in value for character in others):
        return True
    # In prose a comma is followed by a blank; in a number it is the decimal comma, or separates thousands.
    return not ("\t" in value or "|" in value) and (is_number(value) or not _JOINED.search(value))
