"""What a run was given: its spec, and where its data are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sageline.errors import InvalidDataset, InvalidSpec
from sageline.names import READY, dataset_spec_key, split_s3_uri, starts_a_run
from sageline.runs.documents import RunFiles
from sageline.runs.trigger import CompletedDataset, Identity, RunRequest, Upload, check_upload_key, identify
from sageline.spec.model import Spec, validate_spec
from sageline.storage.dataset_folder import name_of
from sageline.storage.dataset_parts import Dataset, find_dataset

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True)
class Given:
    """What a run was given.

    Attributes:
        spec: as it was given; nothing is filled in.
        dataset: in the versions that it has now, or in the one that was uploaded.
    """

    spec: Spec
    dataset: Dataset


def find_given(trigger: Upload | RunRequest | CompletedDataset, identity: Identity, files: RunFiles) -> Given:
    """The spec and the data of a run.

    Raises:
        InvalidSpec: the spec is wrong, or is one of other data.
        InvalidDataset, DatasetNotFound, DatasetAccessDenied: the data are not what a run can be made of.
    """
    if isinstance(trigger, RunRequest):
        spec = validate_spec(trigger.spec, "spec")
        if spec.dataset.uri is None:
            raise InvalidSpec("spec: `dataset.uri` is missing; a run that no upload started needs to know its data.")
        return Given(spec, find_dataset(files.s3, spec.dataset.uri))
    if isinstance(trigger, CompletedDataset):
        spec = _spec_beside(trigger.name, trigger.uri, files)
        return Given(spec, _parts_ready(trigger.uri, files.s3))
    check_upload_key(trigger)
    spec = _spec_beside(identity.name, trigger.dataset_uri, files)
    if trigger.is_ready:
        return Given(spec, _parts_ready(trigger.dataset_uri, files.s3))
    return Given(spec, find_dataset(files.s3, trigger.uri, trigger.version_id))


def _spec_beside(name: str, uri: str, files: RunFiles) -> Spec:
    spec = files.read_dataset_spec(name)
    source = f"s3://{files.bucket}/{dataset_spec_key(name)}"
    if spec.name not in (None, name):
        raise InvalidSpec(f"{source}: `name` is {spec.name!r} and the upload's folder is {name!r}; leave `name` out.")
    if spec.dataset.uri not in (None, uri):
        raise InvalidSpec(f"{source}: `dataset.uri` is {spec.dataset.uri!r} and the upload is {uri}; leave it out.")
    return spec


def _parts_ready(uri: str, s3: S3Client) -> Dataset:
    """The parts in a folder of which somebody says that they are all there.

    Raises:
        InvalidDataset: there is only one, whose upload has started its run.
    """
    dataset = find_dataset(s3, uri)
    started = [part for part in dataset.parts if starts_a_run(name_of(part))]
    if not started:
        return dataset
    bucket, key = split_s3_uri(started[0].uri)
    run_id = identify(Upload(bucket, key, started[0].version_id, datetime.now(UTC)), s3).run_id  # the time is S3's
    if len(dataset.in_order()) == 1:
        raise InvalidDataset(
            f"{uri}: {name_of(started[0])} is the only part, and its upload has started run {run_id} already. {READY} is for "
            "several parts; to start another run of one file, upload it again, or POST /pipelines with its URI as `dataset.uri`."
        )
    said = f"{started[0].uri}: its upload has started a run of this part alone, {run_id}; name parts data-…, which start none."
    return replace(dataset, notes=(*dataset.notes, said))
