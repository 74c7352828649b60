"""Predictions for many rows: in batches that the HTTP API takes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

import click

from sageline.json_objects import Json
from sageline_cli.api_client import ApiClient
from sageline_cli.errors import CommandFailed
from sageline_cli.retries import when_warm

# Far below what the API and a serverless endpoint take at once (6 and 4 MB), so that progress moves.
_MAX_ROWS = 200
_MAX_BYTES = 512 * 1024

_WARNING = re.compile(r"instances\[(\d+)\](?: and ([\d,]+) more)?([:,] .*)", re.DOTALL)


def _to_stderr(text: str) -> None:
    click.echo(text, err=True)


def batches(instances: Sequence[object]) -> Iterator[tuple[int, Sequence[object]]]:
    """Consecutive slices of at most 200 rows and 512 KB as JSON (one row may be larger), with the index of the first row."""
    start = size = 0
    for index, instance in enumerate(instances):
        length = len(json.dumps(instance)) + 1
        if index > start and (index - start == _MAX_ROWS or size + length > _MAX_BYTES):
            yield start, instances[start:index]
            start, size = index, 0
        size += length
    if instances:
        yield start, instances[start:]


def predict(
    api: ApiClient,
    endpoint: str,
    instances: Sequence[object],
    top_k: int = 1,
    advance: Callable[[int], None] = lambda rows: None,
    *,
    strict: bool = False,
    tell: Callable[[str], None] = _to_stderr,
) -> Json:
    """Predict any number of rows; the answer has the form of the API's for one request.

    ``advance`` is told how many rows each batch has done.

    Batches may be answered by different variants, so each prediction says which ``variant`` gave it if they differ. Warnings are
    those of all batches, each once, with rows counted from 1.

    Args:
        strict: makes warnings errors.
        tell: takes what is waited for, when an endpoint is starting.

    Raises:
        CommandFailed: a batch was refused; rows are counted from 1.
    """
    ask = partial(when_warm(api, tell).predict, endpoint, top_k=top_k, strict=strict)
    answers: list[Json] = []
    warnings: list[tuple[int, str]] = []
    for start, batch in batches(instances):
        answers.append(_ask(ask, start, batch))
        warnings += [(start, warning) for warning in answers[-1].pop("warnings", [])]
        advance(len(batch))
    predictions = [{**prediction, "variant": answer["variant"]} for answer in answers for prediction in answer["predictions"]]
    if len({answer["variant"] for answer in answers}) == 1:
        predictions = [prediction for answer in answers for prediction in answer["predictions"]]
    return {**answers[-1], "predictions": predictions} | ({"warnings": _merged(warnings)} if warnings else {})


def _merged(warnings: Iterable[tuple[int, str]]) -> list[str]:
    """The warnings of several requests, given with their first row's index: those that say the same are one."""
    rows: dict[str, tuple[str, int]] = {}  # of what is said: the first row, and how many there are
    for start, warning in warnings:
        match = _WARNING.fullmatch(warning)
        if match is None:
            rows.setdefault(warning, ("", 1))
            continue
        first, count = rows.get(match[3], (_row(start, match[1]), 0))
        rows[match[3]] = (first, count + 1 + int((match[2] or "0").replace(",", "")))
    return [
        said if not first else f"{first} and {count - 1:,} more{said}" if count > 1 else f"{first}{said}"
        for said, (first, count) in rows.items()
    ]


def _row(start: int, index: str) -> str:
    """The API counts from 0 within a request; whoever gave a file counts its rows from 1."""
    return f"row {start + int(index) + 1}"


def _ask(ask: Callable[[Sequence[object]], Json], start: int, batch: Sequence[object]) -> Json:
    try:
        return ask(batch)
    except CommandFailed as error:
        message = _counted(start, error.message)
        if start > 0 and message == error.message:
            message = f"{message} (In the request that began with row {start + 1}.)"
        details = {**error.details}
        if "warnings" in details:
            details["warnings"] = [_counted(start, warning) for warning in details["warnings"]]
        raise CommandFailed(message, error.code, details, error.retry_after) from None


def _counted(start: int, text: str) -> str:
    """The same with rows as a person counts them."""
    return re.sub(r"instances\[(\d+)\]", lambda match: _row(start, match[1]), text)
