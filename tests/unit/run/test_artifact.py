"""Copies of artifacts: of any size, once, of the version that the training job left."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from sageline.errors import ModelMissing, ResourceConflict
from sageline.run import artifact
from sageline.run.artifact import Artifact, protect
from tests.unit.run.world import BUCKET, RUN_ID, World

ORIGINAL = f"runs/{RUN_ID}/training/{RUN_ID}/output/model.tar.gz"
COPY = f"models/{RUN_ID}/model.tar.gz"
CODE = b"code before it"
MEGABYTE = 1 << 20


def protected(world: World, code: bytes = b"", key: str = ORIGINAL) -> Artifact:
    return protect(f"s3://{BUCKET}/{key}", code, world.run.files.layout(RUN_ID), world.s3)


@pytest.fixture
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if an artifact of 20 MB were one of many gigabytes."""
    monkeypatch.setattr(artifact, "_WHOLE_BYTES", 1 * MEGABYTE)
    monkeypatch.setattr(artifact, "_ONE_COPY_BYTES", 1 * MEGABYTE)
    monkeypatch.setattr(artifact, "_FIRST_BYTES", 6 * MEGABYTE)
    monkeypatch.setattr(artifact, "_PART_BYTES", 5 * MEGABYTE)


@pytest.mark.parametrize("code", [b"", CODE])
def test_a_small_artifact_is_copied_whole(world: World, code: bytes) -> None:
    world.put(ORIGINAL, b"the model")
    assert protected(world, code)["sha256"]
    assert world.get(COPY) == code + b"the model"


@pytest.mark.parametrize("code", [b"", CODE])
@pytest.mark.usefixtures("small_limits")
def test_a_large_artifact_is_copied_in_parts(world: World, code: bytes) -> None:
    body = bytes(range(256)) * (4096 * 20) + b"the end"
    world.put(ORIGINAL, body)
    assert protected(world, code)["sha256"]
    assert world.get(COPY) == code + body
    assert world.s3.list_multipart_uploads(Bucket=BUCKET).get("Uploads", []) == []


@pytest.mark.usefixtures("small_limits")
def test_a_copy_that_fails_leaves_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.put(ORIGINAL, bytes(20 * MEGABYTE))
    refused = ClientError({"Error": {"Code": "SlowDown", "Message": "Reduce your request rate."}}, "UploadPartCopy")

    def refuse(**_: object) -> None:
        raise refused

    with monkeypatch.context() as patch:
        patch.setattr(world.s3, "upload_part_copy", refuse)
        with pytest.raises(ClientError, match="SlowDown"):
            protected(world, CODE)
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
