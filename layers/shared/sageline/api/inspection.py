"""What would be made of a dataset that is in the stack's bucket."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from sageline.api.requests import InspectionBody
from sageline.arrays.blocks import Block, Coverage
from sageline.aws.http import check_keys, shortened
from sageline.costs.fit_budget import within_budget
from sageline.costs.run_cost import listed_facts, with_prices_of
from sageline.dataset.profile import DatasetProfile
from sageline.dataset.readers.sample import PIECE_BYTES
from sageline.errors import DatasetNotFound, InvalidRequest
from sageline.names import DATASET_FOLDER_PATTERN, DATASET_KEY_PATTERN, SIDES, is_name, split_s3_uri
from sageline.resolve.candidates import resolve_run
from sageline.resolve.inspected.document import Inspection
from sageline.resolve.inspection import inspect
from sageline.runs.documents import RunFiles
from sageline.spec.model import Spec, validate_spec
from sageline.storage.dataset_object import read_options
from sageline.storage.dataset_parts import find_dataset, sample_dataset

_FOLDER = "datasets/"
_LONGEST_KEY = 1024  # bytes
_NO_KEY = re.compile("[\x00-\x1f\x7f\ud800-\udfff]|(^|/)[.]{1,2}(/|$)")
_NAME = "dataset"  # where the key has none


_READING_SECONDS = 6
"""Then no more of the sample is read: a piece of a table of 5,000 columns takes 7 s on one core, and resolving a spec 11 s, for
two algorithms half as long again."""


class _Asked(NamedTuple):
    """What is asked about: the URI, a name for what is made of it, and the spec."""

    uri: str
    name: str
    spec: Spec


def inspect_dataset(body: Mapping[str, object], files: RunFiles, clock: Callable[[], float] = time.monotonic) -> Inspection:
    """The document of :func:`sageline.resolve.inspection.inspect`, of the rows that ConfigureRun looks at.

    ``body``: ``{"uri": "s3://…"}``, or ``{"name": "wines"}`` for what was uploaded by that name, with the spec beside it; and
    ``spec``, which may be left out.

    Raises:
        InvalidRequest: a key is unknown, the URI is outside of the bucket's ``datasets/``, the name is none.
        InvalidSpec, InvalidHyperparameter: the spec is wrong, or does not go with the data.
        InvalidDataset: a run would be refused.
        BudgetExceeded: the budget allows ``auto`` no training job.
        InvalidPrices: the stack's own prices are not what they must be.
        DatasetNotFound, DatasetAccessDenied: nothing is there that may be read.
    """
    asked = _read(body, files)
    found = find_dataset(files.s3, asked.uri)
    notes, coverage = list[str](), Coverage()
    options = read_options(asked.spec.dataset, asked.spec.encoder)
    blocks = sample_dataset(files.s3, found, options, notes, PIECE_BYTES, coverage=coverage)
    profile = DatasetProfile.of(_in_time(blocks, asked.uri, notes, clock, coverage), notes, coverage)
    resolved = resolve_run(asked.spec, profile, name=asked.name, uri=asked.uri)
    if asked.spec.budget_usd is not None or asked.spec.budget_minutes is not None:
        resolved = within_budget(resolved, with_prices_of(files, listed_facts(resolved.resolution.spec.deployment)))
    return inspect(asked.uri, profile, resolved, asked.spec)


def _in_time(
    blocks: Iterator[Block], uri: str, notes: list[str], clock: Callable[[], float], coverage: Coverage
) -> Iterator[Block]:
    """As many blocks as there is time for: the HTTP API gives up after 30 s."""
    end, rows = clock() + _READING_SECONDS, 0
    for block in blocks:
        yield block
        rows += block.rows
        if clock() > end:
            coverage.is_all = False
            notes.append(
                f"{uri}: this is found out from {rows:,} rows, because there was no time for more; a run reads all of them."
            )
            return


def _read(body: Mapping[str, object], files: RunFiles) -> _Asked:
    check_keys(body, known=InspectionBody.__annotations__)
    if ("uri" in body) == ("name" in body):
        raise InvalidRequest("Give either the `uri` of the data or the `name` of an uploaded dataset.", key="uri")
    given = None if body.get("spec") is None else validate_spec(body["spec"], "spec")
    if "name" in body:
        name = body["name"]
        if not isinstance(name, str) or not is_name(name):
            raise InvalidRequest(f"`name` is {shortened(json.dumps(name))}, which is no dataset's name.", key="name")
        return _at(_uploaded(name, files), name, given or files.read_dataset_spec(name))
    uri, folder = body["uri"], f"s3://{files.bucket}/{_FOLDER}"
    if not isinstance(uri, str) or not uri.startswith(folder) or not _is_key(split_s3_uri(uri)[1]):
        raise InvalidRequest(f"`uri` is {shortened(json.dumps(uri))}; give that of an object below {folder}", key="uri")
    key = split_s3_uri(uri)[1]
    of_upload = DATASET_KEY_PATTERN.fullmatch(key) or DATASET_FOLDER_PATTERN.fullmatch(key)
    return _at(uri, of_upload["name"] if of_upload and is_name(of_upload["name"]) else _NAME, given or Spec())


def _is_key(key: str) -> bool:
    """Whether an object below ``datasets/`` can have the key."""
    encoded = key.encode(errors="surrogatepass")
    return key != _FOLDER and len(encoded) <= _LONGEST_KEY and _NO_KEY.search(key) is None


def _at(uri: str, name: str, spec: Spec) -> _Asked:
    """The data are where the request says, whatever the spec says."""
    return _Asked(uri, name, spec.model_copy(update={"dataset": spec.dataset.model_copy(update={"uri": uri})}))


def _uploaded(name: str, files: RunFiles) -> str:
    """The URI of what was uploaded by a name: of one file, of several formats the newest; else the folder of its parts.

    Raises:
        DatasetNotFound: nothing was.
    """
    prefix = f"{_FOLDER}{name}/"
    there = files.s3.list_objects_v2(Bucket=files.bucket, Prefix=prefix).get("Contents", [])
    uploads = [item for item in there if DATASET_KEY_PATTERN.fullmatch(item["Key"])]
    if uploads:
        return f"s3://{files.bucket}/{max(uploads, key=lambda item: item['LastModified'])['Key']}"
    if not any(item["Key"].removeprefix(prefix).startswith(tuple(SIDES)) for item in there):
        raise DatasetNotFound(f"s3://{files.bucket}/{prefix} has no data; upload them, or give the `uri` of what is elsewhere.")
    return f"s3://{files.bucket}/{prefix}"
