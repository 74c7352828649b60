"""DataProcessing: what of a record is sent, and what of record and answer is written.

A CSV row is an array of its cells. A JSON answer joins its record as the member ``SageMakerOutput``.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping
from typing import Protocol

from sagemaker_emulator.transform.jsonpath import NoSuchElement, Path, parse
from sagemaker_emulator.transform.problems import client_error

UNPROCESSED = {"InputFilter": "$", "OutputFilter": "$", "JoinSource": "None"}
CSV, JSON_TYPES = "text/csv", ("application/json", "application/jsonlines")


def base_type(content_type: str | None) -> str:
    """A content type without its parameters, in lower case."""
    return (content_type or "").partition(";")[0].strip().lower()


class Format(Protocol):
    """How the records of a content type are taken apart and written."""

    def read(self, records: Iterable[bytes]) -> list[object]: ...

    def write(self, values: Iterable[object]) -> list[bytes]: ...

    def join(self, value: object, answer: object) -> object: ...


class CsvFormat:
    """Rows as lists of text; a row holds no line break."""

    def read(self, records: Iterable[bytes]) -> list[object]:
        return [_row(record) for record in records]

    def write(self, values: Iterable[object]) -> list[bytes]:
        return [self._line(value) for value in values]

    def join(self, value: object, answer: object) -> object:
        return [*_cells(value), *_cells(answer)]

    def _line(self, value: object) -> bytes:
        text = io.StringIO()
        csv.writer(text, lineterminator="").writerow(_cells(value))
        return text.getvalue().encode()


class JsonFormat:
    """JSON values, one in each record."""

    def read(self, records: Iterable[bytes]) -> list[object]:
        return [_json(record) for record in records]

    def write(self, values: Iterable[object]) -> list[bytes]:
        return [json.dumps(value, ensure_ascii=False).encode() for value in values]

    def join(self, value: object, answer: object) -> object:
        if isinstance(value, dict):
            return {**value, "SageMakerOutput": answer}
        return {"SageMakerInput": value, "SageMakerOutput": answer}


class Processing:
    """One job's DataProcessing; ``by_line`` says whether an answer to several records has a line for each."""

    def __init__(self, config: Mapping[str, str], content_type: str | None, *, by_line: bool) -> None:
        self._input = parse(config.get("InputFilter") or "$")
        self._output = parse(config.get("OutputFilter") or "$")
        self._joins = config.get("JoinSource", "None") == "Input"
        self._format: Format = CsvFormat() if base_type(content_type) == CSV else JsonFormat()
        self._by_line = by_line

    @property
    def works_on_answers(self) -> bool:
        return self._joins or not self._output.is_root

    def to_send(self, record: bytes) -> bytes:
        """The record as the model gets it."""
        if self._input.is_root:
            return record
        (value,) = self._format.read([record])
        return self._format.write([_select(self._input, value)])[0]

    def to_write(self, inputs: tuple[bytes, ...], answer: bytes) -> list[bytes]:
        """The output records of one request's records and its answer."""
        body = answer.removesuffix(b"\n")
        answers = body.split(b"\n") if self._by_line else [body]
        if len(answers) != len(inputs):
            raise client_error(
                "Fail to join input and output",
                f"The model answered {len(inputs)} records with {len(answers)} lines. "
                "For DataProcessing an answer must have one line for each record.",
            )
        values = self._format.read(answers)
        if self._joins:
            values = [self._format.join(*pair) for pair in zip(self._format.read(inputs), values, strict=True)]
        return self._format.write(_select(self._output, value) for value in values)


def _select(path: Path, value: object) -> object:
    try:
        return path.select(value)
    except NoSuchElement as error:
        raise client_error("Fail to apply JSONPath", f"{error}.") from error


def _row(record: bytes) -> object:
    try:
        rows = list(csv.reader([record.decode("utf-8").removesuffix("\r")], strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise client_error("Fail to parse CSV", f"A row is not CSV: {error}.") from error
    return rows[0] or [""]  # an empty line is one empty cell


def _json(record: bytes) -> object:
    try:
        return json.loads(record)
    except ValueError as error:
        raise client_error("Fail to parse JSON", f"A record is not JSON: {error}.") from error


def _cells(value: object) -> list[object]:
    return list(value) if isinstance(value, list) else [value]
