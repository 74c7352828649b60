"""Predictions for many rows: in batches that the HTTP API takes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence

from cli.api_client import ApiClient
from cli.errors import CommandFailed, Json

# Far below what the API and a serverless endpoint take at once (6 and 4 MB), so that progress moves.
_MAX_ROWS = 200
_MAX_BYTES = 512 * 1024


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
    api: ApiClient, endpoint: str, instances: Sequence[object], top_k: int = 1, advance: Callable[[int], None] = lambda rows: None
) -> Json:
    """As the API answers one request, for any number of rows. ``advance`` is told the rows done by each batch.

    Batches may be answered by different variants, so each prediction says which ``variant`` gave it if they differ.

    Raises:
        CommandFailed: a batch was refused; rows are counted from 1.
    """
    answers: list[Json] = []
    for start, batch in batches(instances):
        answers.append(_predict_batch(api, endpoint, start, batch, top_k))
        advance(len(batch))
    predictions = [{**prediction, "variant": answer["variant"]} for answer in answers for prediction in answer["predictions"]]
    if len({answer["variant"] for answer in answers}) == 1:
        predictions = [prediction for answer in answers for prediction in answer["predictions"]]
    return {**answers[-1], "predictions": predictions}


def _predict_batch(api: ApiClient, endpoint: str, start: int, batch: Sequence[object], top_k: int) -> Json:
    try:
        return api.predict(endpoint, batch, top_k)
    except CommandFailed as error:
        # The API counts from 0 within a request; whoever gave a file counts its rows from 1.
        message = re.sub(r"instances\[(\d+)\]", lambda match: f"row {start + int(match[1]) + 1}", error.message)
        if start > 0 and message == error.message:
            message = f"{message} (In the request that began with row {start + 1}.)"
        raise CommandFailed(message, error.code, error.details) from None
