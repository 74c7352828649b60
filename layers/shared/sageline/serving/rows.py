"""The rows of a prediction request, in whichever type of body they come."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sageline.aws.http import MAX_BODY_BYTES, parse_json, shortened
from sageline.encoder.fitted import FittedEncoder
from sageline.encoder.instances import instance_name
from sageline.errors import InvalidRequest, RequestTooLarge
from sageline.serving.document import MAX_INSTANCES

_UNNAMED_INDEX = "Unnamed: 0"
"""What a dataset's first column is called where pandas has written an index without a name."""
_MOST_SHOWN = 5  # cells
_OTHER_DELIMITERS = {";": "semicolons", "\t": "tabs"}


@dataclass(frozen=True)
class Instances:
    """Rows as an encoder takes them: objects of columns, arrays of values or bare texts.

    Attributes:
        lines: in which line of the body each begins; None for a list in JSON, whose rows have numbers.
    """

    values: list[object]
    lines: Sequence[int] | None = None

    def for_encoder(self, encoder: FittedEncoder) -> Instances:
        """Themselves: they are the same for every model."""
        return self

    def name(self, index: int) -> str:
        """How errors call a row."""
        return instance_name(index) if self.lines is None else f"line {self.lines[index]}"


class RequestRows(Protocol):
    """Rows that are not to be understood without the columns of the model."""

    def for_encoder(self, encoder: FittedEncoder) -> Instances:
        """The rows for the model of this encoder; InvalidRequest or RequestTooLarge if they are none."""


def read_json_lines(text: str) -> Instances:
    """An instance in each line; lines without any are passed over.

    Raises:
        InvalidRequest: a line that is not JSON, or no rows; names line and column.
        RequestTooLarge: over :data:`MAX_INSTANCES` rows.
    """
    lines = [(number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]
    _check_count(len(lines))
    values = [parse_json(line, f"line {number} of the request body", number) for number, line in lines]
    return Instances(values, [number for number, _ in lines])


@dataclass(frozen=True)
class CsvTable:
    """Rows of text, with or without a line of column names above them.

    Attributes:
        records: the fields of each record, as they are after unquoting.
        lines: in which line of the body each begins.
        header: whether the first record names columns; None if it does where it looks so.
    """

    records: list[list[str]]
    lines: list[int]
    header: bool | None = None

    def for_encoder(self, encoder: FittedEncoder) -> Instances:
        """Objects of what the header names, or else arrays.

        Raises:
            InvalidRequest: rows of differing width or with another delimiter, a column that is named twice, a first record that
                may be either, or no rows.
            RequestTooLarge: over :data:`MAX_INSTANCES` rows.
        """
        self._check_delimiter(encoder)
        has_header = self._names_columns(encoder) if self.header is None else self.header
        if not has_header:
            _check_count(len(self.records))
            return Instances([*self.records], self.lines)
        _check_count(len(self.records) - 1)
        names = self._names()
        for record, line in zip(self.records, self.lines, strict=True):
            if len(record) != len(names):
                raise InvalidRequest(
                    f"Line {line} has {_fields(len(record))}, the header has {len(names)}. Fields are separated by commas; "
                    "put quotes around those that hold one.",
                    line=line,
                )
        return Instances([dict(zip(names, record, strict=True)) for record in self.records[1:]], self.lines[1:])

    def _check_delimiter(self, encoder: FittedEncoder) -> None:
        """Refuse a body whose first record is one field, with the delimiters of another table in it, where the model reads
        several columns."""
        first = self.records[0] if self.records else []
        if len(first) != 1 or len(encoder.feature_columns) == 1 or first[0].strip() in encoder.feature_columns:
            return
        found = next((name for sign, name in _OTHER_DELIMITERS.items() if sign in first[0]), None)
        if found is not None:
            raise InvalidRequest(
                f"Line {self.lines[0]} has 1 value, and {found} in it. text/csv is separated by commas: send these in "
                f"place of the {found}. The model reads {len(encoder.feature_columns)} columns.",
                line=self.lines[0],
            )

    def _names(self) -> list[str]:
        names = [name.strip() for name in self.records[0]]
        names[0] = names[0] or _UNNAMED_INDEX
        if len(set(names)) < len(names):
            twice, _ = Counter(names).most_common(1)[0]
            raise InvalidRequest(f"The header names the column {shortened(twice)!r} twice; name it once.", line=self.lines[0])
        return names

    def _names_columns(self, encoder: FittedEncoder) -> bool:
        """Whether the first record names a column that the model reads, and at least half of its cells name columns of the
        dataset.

        Raises:
            InvalidRequest: fewer do, or they do but for upper and lower case.
        """
        cells = [cell.strip() for cell in self.records[0]] if self.records else []
        names = {*encoder.feature_columns, *encoder.unused_columns, encoder.label_column}
        if any(cell in encoder.feature_columns for cell in cells) and sum(cell in names for cell in cells) * 2 >= len(cells):
            return True
        folded = {name.casefold() for name in encoder.feature_columns}
        alike = [cell for cell in cells if cell.casefold() in folded]
        if not alike:
            return False
        raise InvalidRequest(
            f"Line {self.lines[0]} may be a header or a row: of its {_fields(len(cells))}, {_quoted(alike)} may name columns of "
            "the model. Say which it is by the content type, `text/csv; header=present` or `text/csv; header=absent`.",
            line=self.lines[0],
        )


def read_csv(text: str, header: str | None) -> CsvTable:
    """Records as RFC 4180 has them; lines end in LF or CRLF, or all in CR. Empty lines are no records.

    Args:
        text: may begin with a byte order mark.
        header: ``present`` or ``absent``, the parameter of the content type; None if it is not there.

    Raises:
        InvalidRequest: quotes that RFC 4180 does not have, a NUL, a ``header`` that is neither; names the line.
        RequestTooLarge: over :data:`MAX_INSTANCES` rows and a header.
    """
    if header not in (None, "present", "absent"):
        raise InvalidRequest(f"`header` of the content type is {shortened(header)!r}; it is `present` or `absent`.", key="header")
    text = text.removeprefix("\ufeff")
    # The limit is the process's own, and below what a body may have.
    csv.field_size_limit(MAX_BODY_BYTES)
    reader = csv.reader(io.StringIO(text, newline="\n" if "\n" in text else "\r"), strict=True)
    records: list[list[str]] = []
    lines: list[int] = []
    line = 1
    try:
        for record in reader:
            if record:
                records.append(record)
                lines.append(line)
            line = reader.line_num + 1
    except csv.Error as error:
        raise InvalidRequest(
            f"The row in line {line} is not CSV: {error}. Put quotes around fields that hold a comma, a quote or a line end, and "
            "double the quotes inside them.",
            line=line,
        ) from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise InvalidRequest(f"Line {line} has a NUL, which is not text; send CSV in UTF-8.", line=line)
    if len(records) > MAX_INSTANCES + 1:
        _check_count(len(records))
    return CsvTable(records, lines, None if header is None else header == "present")


def _check_count(rows: int) -> None:
    if rows < 1:
        raise InvalidRequest("The request body has no rows; send one for each prediction wanted.")
    if rows > MAX_INSTANCES:
        raise RequestTooLarge(
            f"The request body has {rows:,} rows; a request takes at most {MAX_INSTANCES:,}.", max_instances=MAX_INSTANCES
        )


def _fields(count: int) -> str:
    return "1 field" if count == 1 else f"{count} fields"


def _quoted(cells: Sequence[str]) -> str:
    more = f" and {len(cells) - _MOST_SHOWN:,} more" if len(cells) > _MOST_SHOWN else ""
    return ", ".join(repr(shortened(cell)) for cell in cells[:_MOST_SHOWN]) + more
