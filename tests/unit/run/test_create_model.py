from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from sageline.errors import ModelMissing, ObjectMissing, ResourceConflict
from sageline.run.create_model import create_model
from sageline.run.payloads import CreatedModel
from tests.unit.golden import golden_event
from tests.unit.run.fake_sagemaker import ARN, Refused
from tests.unit.run.world import BUCKET, ROLE, RUN_ID, World

ARTIFACT: str = golden_event("create_model/create")["model_artifact_uri"]


def create(world: World, artifact: str = ARTIFACT) -> CreatedModel:
    return create_model(RUN_ID, artifact, role_arn=ROLE, region="us-east-1", run=world.run, sagemaker=world.sagemaker)


def test_a_model_is_made_of_the_artifact_once(world: World) -> None:
    world.begin()
    created = create(world)
    assert created == create(world) == {"model_name": RUN_ID, "model_arn": f"{ARN}:model/{RUN_ID}"}
    assert world.fake.models[RUN_ID]["PrimaryContainer"]["ModelDataUrl"] == ARTIFACT
    assert world.record().details["model"]["name"] == RUN_ID


def test_a_model_is_not_the_end_of_its_run_which_is_judged_next(world: World) -> None:
    world.begin(deployment=None)
    create(world)
    assert world.record().status == "Running"


def test_a_model_of_that_name_with_another_artifact_is_a_conflict(world: World) -> None:
    world.begin()
    create(world)
    with pytest.raises(ResourceConflict, match=r"PrimaryContainer\.ModelDataUrl is 's3://.*' and not 's3://b/other.tar.gz'"):
        create(world, "s3://b/other.tar.gz")


def test_other_errors_are_not_taken_for_a_model_that_exists(world: World) -> None:
    world.begin()
    world.fake.refuse["CreateModel"] = Refused("ResourceLimitExceeded", "The account-level service limit is 0 models")
    with pytest.raises(ClientError, match="ResourceLimitExceeded"):
        create(world)


def test_a_training_that_has_left_no_model_says_so(world: World) -> None:
    world.begin()
    world.fake.refuse["CreateModel"] = Refused("ValidationException", f"Could not find model data at {ARTIFACT}.")
    with pytest.raises(ModelMissing, match=f"its model is not there: no {ARTIFACT}"):
        create(world)


def test_an_object_of_the_run_that_was_deleted_is_named(world: World) -> None:
    world.begin()
    key = world.run.files.layout(RUN_ID).spec_key
    world.run.files.s3.delete_object(Bucket=BUCKET, Key=key)
    with pytest.raises(ObjectMissing, match=f"s3://{BUCKET}/{key} is gone: the run had stored it, and it was deleted since"):
        create(world)


@pytest.mark.parametrize(
    ("name", "image"), [("xgboost", "sagemaker-xgboost:"), ("knn", "/knn:1"), ("tensorflow", "tensorflow-inference:")]
)
def test_the_image_that_serves_is_the_algorithms_own(world: World, name: str, image: str) -> None:
    world.begin(algorithm={"name": name})
    create(world)
    container = world.fake.models[RUN_ID]["PrimaryContainer"]
    assert image in container["Image"]
    assert "Environment" not in container


@pytest.mark.parametrize(
    ("framework", "code"),
    [
        ("scikit-learn", f"s3://{BUCKET}/runs/{RUN_ID}/source/sourcedir.tar.gz"),
        ("pytorch", "/opt/ml/model/code"),  # its container fetches nothing: the training leaves the code with the model
    ],
)
def test_a_container_that_asks_the_script_for_its_model_is_told_where_the_script_is(
    world: World, framework: str, code: str
) -> None:
    source = f"s3://{BUCKET}/datasets/flowers/source.tar.gz"
    world.begin(algorithm={"name": "script", "script": {"framework": framework, "source_dir": source, "entry_point": "learn.py"}})
    create(world)
    assert world.fake.models[RUN_ID]["PrimaryContainer"]["Environment"] == {
        "SAGEMAKER_PROGRAM": "learn.py",
        "SAGEMAKER_SUBMIT_DIRECTORY": code,
        "SAGEMAKER_CONTAINER_LOG_LEVEL": "20",
        "SAGEMAKER_REGION": "us-east-1",
    }


def test_a_shell_script_is_no_module_that_a_container_could_ask(world: World) -> None:
    source = f"s3://{BUCKET}/datasets/flowers/source.tar.gz"
    script = {"framework": "scikit-learn", "source_dir": source, "entry_point": "learn.sh"}
    world.begin(algorithm={"name": "script", "script": script})
    create(world)
    assert world.fake.models[RUN_ID]["PrimaryContainer"]["Environment"]["SAGEMAKER_PROGRAM"] == "inference.py"
