"""Copies of artifacts: of any size, once, of the version that the training job left."""

from __future__ import annotations

import base64
import hashlib
import io
import random
import tarfile
from functools import cache

import pytest
from boto3.exceptions import S3UploadFailedError
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

from sageline.errors import ModelMissing, ResourceConflict
from sageline.models import artifact
from sageline.models.artifact import Artifact, protect
from sageline.training.source import pack
from tests.unit.world.world import BUCKET, RUN_ID, World

ORIGINAL = f"runs/{RUN_ID}/training/{RUN_ID}/output/model.tar.gz"
COPY = f"models/{RUN_ID}/model.tar.gz"
SOURCE = pack({"train.py": b"def model_fn(folder): ...\n"})
MEGABYTE = 1 << 20


def protected(world: World, source: bytes | None = None, key: str = ORIGINAL) -> Artifact:
    return protect(f"s3://{BUCKET}/{key}", source, world.run.files.layout(RUN_ID), world.s3)


@pytest.fixture
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if an artifact of 11 MB were one of many gigabytes."""
    parts = TransferConfig(multipart_threshold=5 * MEGABYTE, multipart_chunksize=5 * MEGABYTE, max_concurrency=2)
    monkeypatch.setattr(artifact, "_COPY", parts)
    monkeypatch.setattr(artifact, "_UPLOAD", parts)


LARGE = random.Random(0).randbytes(11 * MEGABYTE)
"""Three parts, which no compression makes smaller."""


@cache
def model_of(content: bytes) -> bytes:
    """The archive of a model."""
    return pack({"model.joblib": content})


def files(packed: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(packed), mode="r:gz") as archive:
        return {member.name: opened.read() for member in archive if (opened := archive.extractfile(member))}


def test_a_small_artifact_is_copied_as_it_is(world: World) -> None:
    world.put(ORIGINAL, b"the model")
    assert protected(world)["sha256"]
    assert world.get(COPY) == b"the model"


def test_code_goes_into_a_small_artifact(world: World) -> None:
    world.put(ORIGINAL, model_of(b"the model"))
    copied = protected(world, SOURCE)
    assert copied["sha256"] == base64.b64encode(hashlib.sha256(world.get(COPY)).digest()).decode()
    assert files(world.get(COPY)) == {"code/train.py": b"def model_fn(folder): ...\n", "model.joblib": b"the model"}


@pytest.mark.usefixtures("small_limits")
def test_a_large_artifact_is_copied_in_parts(world: World) -> None:
    body = LARGE + b"the end"
    world.put(ORIGINAL, body)
    assert protected(world)["sha256"]
    assert world.get(COPY) == body
    assert world.s3.list_multipart_uploads(Bucket=BUCKET).get("Uploads", []) == []


@pytest.mark.slow
@pytest.mark.usefixtures("small_limits")
def test_code_goes_into_a_large_artifact(world: World) -> None:
    world.put(ORIGINAL, model_of(LARGE))
    assert protected(world, SOURCE)["sha256"]
    assert files(world.get(COPY)) == {"code/train.py": b"def model_fn(folder): ...\n", "model.joblib": LARGE}
    assert world.s3.list_multipart_uploads(Bucket=BUCKET).get("Uploads", []) == []


@pytest.mark.slow
@pytest.mark.parametrize("operation", ["upload_part_copy", "upload_part"])
@pytest.mark.usefixtures("small_limits")
def test_a_copy_that_fails_leaves_nothing(operation: str, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.put(ORIGINAL, model_of(LARGE))
    refused = ClientError({"Error": {"Code": "SlowDown", "Message": "Reduce your request rate."}}, operation)

    def refuse(**_: object) -> None:
        raise refused

    with monkeypatch.context() as patch:
        patch.setattr(world.s3, operation, refuse)
        with pytest.raises((ClientError, S3UploadFailedError), match="SlowDown"):
            protected(world, SOURCE if operation == "upload_part" else None)
    assert world.s3.list_multipart_uploads(Bucket=BUCKET).get("Uploads", []) == []
    assert world.keys("models/") == []


@pytest.mark.slow
@pytest.mark.usefixtures("small_limits")
def test_code_cannot_go_into_what_is_no_archive(world: World) -> None:
    world.put(ORIGINAL, model_of(LARGE)[:-100])
    with pytest.raises(ModelMissing, match="is no gzip file, or not a whole one"):
        protected(world, SOURCE)
    assert world.s3.list_multipart_uploads(Bucket=BUCKET).get("Uploads", []) == []
    assert world.keys("models/") == []


def test_what_becomes_of_the_original_does_not_change_the_copy(world: World) -> None:
    version = world.put(ORIGINAL, b"the model")
    first = protected(world)
    world.put(ORIGINAL, b"another one")
    assert first == protected(world)
    assert first["source_version_id"] == version
    world.s3.delete_object(Bucket=BUCKET, Key=ORIGINAL)
    assert first == protected(world)
    assert world.get(COPY) == b"the model"


def test_a_run_has_a_copy_of_one_artifact(world: World) -> None:
    world.put(ORIGINAL, b"the model")
    world.put("runs/other/training/model.tar.gz", b"another run's")
    protected(world)
    with pytest.raises(ResourceConflict, match=r"runs/other/training/model\.tar\.gz"):
        protected(world, key="runs/other/training/model.tar.gz")


def test_where_a_training_has_left_nothing_there_is_nothing_to_copy(world: World) -> None:
    with pytest.raises(ModelMissing, match=f"is not there: no s3://{BUCKET}/{ORIGINAL}"):
        protected(world)
