"""What starts a run, an upload or a request to the HTTP API for a run, a batch or a change, and the run id that follows from it.

The S3 event: https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html ("Object Created"; the key is not
URL-encoded there).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, TypeAlias

from botocore.exceptions import ClientError

from sageline.aws.errors import is_denied, is_missing_object
from sageline.errors import InvalidDataset, InvalidRequest, InvalidRouting
from sageline.formats.other_formats import advice_on_name
from sageline.names import DATA_FORMATS_NAMED, NAME_MAX_LENGTH, READY, format_of_name, is_name, is_run_id, run_id, starts_a_run
from sageline.runs.endpoint_change import EndpointChange, read_change

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True)
class Upload:
    """An object put under ``datasets/``: a dataset of one file, or ``_READY`` beside the parts of one.

    ``version_id`` is None in a bucket without versions.
    """

    bucket: str
    key: str
    version_id: str | None
    time: datetime

    @property
    def uri(self) -> str:
        return f"s3://{self.bucket}/{self.key}"

    @property
    def is_ready(self) -> bool:
        """Whether it says that all parts are there."""
        return self.key.endswith(f"/{READY}")

    @property
    def dataset_uri(self) -> str:
        """The object, or the folder of the parts, which ends with a slash."""
        return self.uri.removesuffix(READY) if self.is_ready else self.uri


@dataclass(frozen=True)
class RunRequest:
    """A run asked for through the HTTP API."""

    run_id: str
    spec: object


@dataclass(frozen=True)
class CompletedDataset:
    """A run of all parts in a dataset's folder, asked for through the HTTP API."""

    run_id: str
    name: str
    uri: str


@dataclass(frozen=True)
class BatchRequest:
    """A batch asked for through the HTTP API, which has checked it: the rows at ``input`` scored by an endpoint's variant."""

    run_id: str
    endpoint: str
    variant: str
    input: str
    instance_type: str
    instance_count: int
    max_runtime_seconds: int
    escape_formulas: bool = False
    workers: int | None = None


@dataclass(frozen=True)
class ChangeRequest:
    """A change of what an endpoint serves, asked for through the HTTP API, which has found out what is to serve in the end."""

    run_id: str
    change: EndpointChange


@dataclass(frozen=True)
class CandidateRequest:
    """One algorithm of a run that trains several, as the state machine starts it."""

    run_id: str
    candidate_of: str


@dataclass(frozen=True)
class Identity:
    """A run's id and name, before anything else about it is known to be right."""

    run_id: str
    name: str


Trigger: TypeAlias = Upload | RunRequest | CompletedDataset | BatchRequest | ChangeRequest | CandidateRequest


def parse_trigger(document: Mapping[str, object]) -> Trigger:
    """The trigger in an execution's input.

    Raises:
        InvalidRequest: the input is neither an S3 event nor what the HTTP API sends.
    """
    try:
        match document:
            case {"run_id": str(identifier), "spec": spec} if is_run_id(identifier):
                return RunRequest(identifier, spec)
            case {"run_id": str(identifier), "dataset": {"name": str(name), "uri": str(uri)}} if is_run_id(identifier):
                return CompletedDataset(identifier, name, uri)
            case {
                "run_id": str(identifier),
                "batch": {
                    "endpoint": str(endpoint),
                    "variant": str(variant),
                    "input": str(uri),
                    "instance_type": str(instance_type),
                    "instance_count": int(count),
                    "max_runtime_seconds": int(seconds),
                    **rest,
                },
            } if is_run_id(identifier):
                workers = rest.get("workers")
                return BatchRequest(
                    identifier,
                    endpoint,
                    variant,
                    uri,
                    instance_type,
                    count,
                    seconds,
                    rest.get("escape_formulas") is True,
                    workers if isinstance(workers, int) else None,
                )
            case {"run_id": str(identifier), "change": dict(change)} if is_run_id(identifier):
                return ChangeRequest(identifier, read_change(change, "the execution's input"))
            case {"run_id": str(identifier), "candidate_of": str(whole)} if is_run_id(identifier) and is_run_id(whole):
                return CandidateRequest(identifier, whole)
            case {"detail": {"bucket": {"name": str(bucket)}, "object": {"key": str(key), **rest}}, "time": str(time)}:
                version_id = rest.get("version-id")
                return Upload(bucket, key, str(version_id) if version_id else None, datetime.fromisoformat(time))
    except (ValueError, KeyError, InvalidRouting):
        pass  # a time that is no time, a change that is none
    raise InvalidRequest(
        'The execution\'s input is neither an \'Object Created\' event of S3 nor {"run_id"} with "spec", "dataset", "batch" or '
        '"change"; start runs by uploading to datasets/<name>/data.csv or through POST /pipelines, batches through '
        "POST /endpoints/<name>/batch."
    )


def identify(trigger: Trigger, s3: S3Client) -> Identity:
    """The run that a trigger is for; the same trigger gives the same id, however often it is delivered.

    An upload's id has the time of the uploaded version, or the event's time when that version is gone by now. It has an id
    even when its key is not one that a run can be made of, so that the failure can be recorded.
    """
    if not isinstance(trigger, Upload):
        return Identity(trigger.run_id, trigger.run_id.rsplit("-", 2)[0])
    folder = trigger.key.split("/")[1] if trigger.key.count("/") else trigger.key
    name = re.sub(r"[^a-z0-9]+", "-", folder.lower())[:NAME_MAX_LENGTH].strip("-") or "dataset"
    uploaded_at, version_id = _version(trigger, s3)
    return Identity(run_id(name, uploaded_at, trigger.key, version_id), name)


def dataset_uri(trigger: Trigger) -> str | None:
    """Where the data are, as far as the trigger itself says it."""
    match trigger:
        case Upload():
            return trigger.dataset_uri
        case CompletedDataset():
            return trigger.uri
        case BatchRequest():
            return trigger.input
        case _:
            return None


def check_upload_key(upload: Upload) -> None:
    """Refuse an upload that cannot start a run.

    Raises:
        InvalidDataset: the folder is not a name, the key is deeper than ``datasets/<name>/data.<format>``, or the file's name is
            neither that of a single file nor certain to be that of a part.
    """
    _, folder, file_name = (*upload.key.split("/", 2), "", "")[:3]
    instead = READY if upload.is_ready else "data.csv"
    if not is_name(folder):
        raise InvalidDataset(
            f"{upload.uri}: the folder {folder!r} cannot name a dataset; use lower-case letters, digits and single hyphens, "
            f"at most {NAME_MAX_LENGTH}, and upload again to datasets/<name>/{instead}."
        )
    if "/" in file_name:
        raise InvalidDataset(f"{upload.uri}: too many folders; upload to datasets/{folder}/{instead}.")
    if (known := format_of_name(file_name)) and not starts_a_run(file_name):
        raise InvalidDataset(
            f"{upload.uri}: a dataset of one file is named data.{known}, and starts a run at once. If this is one of several "
            f"parts, name it data-{file_name.removeprefix('data.')}, which starts none, and upload {READY} after the last."
        )


def data_format(uri: str) -> str:
    """The format of a dataset, by the extension of its file name.

    Raises:
        InvalidDataset: no reader is there for the extension.
    """
    file_name = uri.rsplit("/", 1)[-1]
    if known_format := format_of_name(file_name):
        return known_format
    extension = "." + file_name.partition(".")[2] if "." in file_name else "no extension"
    hint = "" if "." in file_name else " The URI of a folder of parts ends with a slash."
    if advice := advice_on_name(file_name):
        raise InvalidDataset(
            f"{uri}: {extension} is not a format that can be read; {advice}. What is read: {DATA_FORMATS_NAMED}."
        )
    raise InvalidDataset(f"{uri}: {extension} is not a format that can be read; give {DATA_FORMATS_NAMED}.{hint}")


def _version(upload: Upload, s3: S3Client) -> tuple[datetime, str]:
    """When the version was uploaded, and its id: the object's own where the event names none, so that uploads differ."""
    try:
        if upload.version_id is None:
            head = s3.head_object(Bucket=upload.bucket, Key=upload.key)
        else:
            head = s3.head_object(Bucket=upload.bucket, Key=upload.key, VersionId=upload.version_id)
        return head["LastModified"], upload.version_id or head.get("VersionId", "")
    except ClientError as error:
        if is_missing_object(error) or is_denied(error):
            return upload.time, upload.version_id or ""
        raise
