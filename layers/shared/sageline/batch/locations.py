"""Where the rows of a batch may be, and where its predictions go. Imports nothing heavy: the HTTP API needs it too."""

from __future__ import annotations

from sageline.errors import InvalidRequest
from sageline.names import RunLayout, split_format, split_s3_uri
from sageline.runs.trigger import data_format

INPUT_PREFIXES = ("batch/", "datasets/")
"""Where in the stack's bucket a batch's rows may be: what the functions are permitted to read."""

NO_ARCHIVE = 'a batch reads rows. For images, write JSON Lines with {"image": "..."} in each line, the file in base64.'


def predictions_uri(layout: RunLayout, input_uri: str) -> str:
    """Where the predictions for a file go: CSV for a table, JSON Lines for JSON Lines, and for what is too wide for a table."""
    return layout.uri(f"{layout.prefix}predictions.{'csv' if gives_csv(data_format(input_uri)) else 'jsonl'}")


def gives_csv(data_format: str) -> bool:
    """Whether the predictions for a file of a format are CSV."""
    return split_format(data_format).base in ("csv", "tsv", "parquet", "xlsx")


def check_input(uri: str, bucket: str) -> None:
    """Refuse a file that the functions may not read, or have no reader for.

    Raises:
        InvalidDataset: the file's name says no known format.
        InvalidRequest: it is not in the stack's bucket below one of :data:`INPUT_PREFIXES`, or is an archive, whose images would
            not be read in the shape of the model.
    """
    if data_format(uri) == "zip":
        raise InvalidRequest(f"`input` is {uri}; {NO_ARCHIVE}", key="input")
    given_bucket, key = split_s3_uri(uri)
    if given_bucket != bucket or not key.startswith(INPUT_PREFIXES):
        raise InvalidRequest(
            f"`input` is {uri}; put the file into the stack's bucket, below s3://{bucket}/batch/, which starts no run.",
            key="input",
        )
