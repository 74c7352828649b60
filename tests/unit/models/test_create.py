from __future__ import annotations

import io
import tarfile

import pytest
from botocore.exceptions import ClientError

from sageline.errors import InvalidSpec, ModelMissing, ObjectMissing, ResourceConflict
from sageline.models.create import create_model
from sageline.runs.payloads import CreatedModel
from sageline.training.roles import ModelRoles
from sageline.training.source import pack
from tests.unit.golden import golden_event
from tests.unit.world.fake_sagemaker import ARN, Document, Refused
from tests.unit.world.world import BUCKET, NETWORK_ROLE, ROLE, ROLES, RUN_ID, SERVERLESS_ROLE, World

ARTIFACT: str = golden_event("create_model/create")["model_artifact_uri"]
ORIGINAL = ARTIFACT.removeprefix(f"s3://{BUCKET}/")
COPY = f"s3://{BUCKET}/models/{RUN_ID}/model.tar.gz"
OPEN = f"{RUN_ID}-open"
INSTANCES = {"instances": {"instance_type": "ml.m5.large", "count": 1}}


def create(world: World, artifact: str = ARTIFACT) -> CreatedModel:
    return create_model(RUN_ID, artifact, roles=ROLES, run=world.run)


def begin(world: World, **spec: object) -> None:
    """A run whose training is done."""
    world.begin(RUN_ID, **spec)
    world.put_artifact(ORIGINAL)


def container(world: World, name: str = RUN_ID) -> Document:
    found: Document = world.fake.models[name]["PrimaryContainer"]
    return found


def test_a_model_is_made_once_of_the_artifacts_copy(world: World) -> None:
    begin(world)
    created = create(world)
    assert created == create(world) == {"model_name": RUN_ID, "model_arn": f"{ARN}:model/{RUN_ID}"}
    assert container(world)["ModelDataUrl"] == COPY
    assert world.get(f"models/{RUN_ID}/model.tar.gz") == world.get(ORIGINAL)
    assert world.record().details["model"]["name"] == RUN_ID


def test_the_record_names_the_artifact_its_version_and_its_checksum(world: World) -> None:
    begin(world)
    create(world)
    head = world.s3.head_object(Bucket=BUCKET, Key=f"models/{RUN_ID}/model.tar.gz", ChecksumMode="ENABLED")
    original = world.s3.head_object(Bucket=BUCKET, Key=ORIGINAL)
    assert world.record().details["model"]["artifact"] == {
        "uri": COPY,
        "version_id": head["VersionId"],
        "sha256": head["ChecksumSHA256"],
        "source_uri": ARTIFACT,
        "source_version_id": original["VersionId"],
        "bytes": head["ContentLength"],
    }


def test_the_training_jobs_own_artifact_expires(world: World) -> None:
    begin(world)
    create(world)
    tags = world.s3.get_object_tagging(Bucket=BUCKET, Key=ORIGINAL)["TagSet"]
    assert tags == [{"Key": "sageline:retention", "Value": "intermediate"}]
    assert world.s3.get_object_tagging(Bucket=BUCKET, Key=f"models/{RUN_ID}/model.tar.gz")["TagSet"] == []


def test_a_serverless_endpoint_gets_a_model_of_its_own_that_is_not_isolated(world: World) -> None:
    begin(world)
    create(world)
    isolated, served = world.fake.models[RUN_ID], world.fake.models[OPEN]
    assert (isolated["EnableNetworkIsolation"], isolated["ExecutionRoleArn"]) == (True, ROLE)
    assert (served["EnableNetworkIsolation"], served["ExecutionRoleArn"]) == (False, SERVERLESS_ROLE)
    assert isolated["PrimaryContainer"] == served["PrimaryContainer"]
    assert isolated["Tags"] == served["Tags"]


@pytest.mark.parametrize("deployment", [None, {"endpoint": "flowers", **INSTANCES}])
def test_without_a_serverless_endpoint_the_isolated_model_is_the_only_one(world: World, deployment: Document | None) -> None:
    begin(world, deployment=deployment)
    create(world)
    assert list(world.fake.models) == [RUN_ID]


def test_a_model_is_not_the_end_of_its_run_which_is_judged_next(world: World) -> None:
    begin(world, deployment=None)
    create(world)
    assert world.record().status == "Running"


def test_a_copy_of_another_artifact_is_a_conflict(world: World) -> None:
    begin(world)
    create(world)
    with pytest.raises(ResourceConflict, match=r"is a copy of s3://.*, not of s3://b/other.tar.gz"):
        create(world, "s3://b/other.tar.gz")


def test_a_model_of_that_name_as_another_role_is_a_conflict(world: World) -> None:
    begin(world)
    create(world)
    world.fake.models[OPEN]["ExecutionRoleArn"] = ROLE
    with pytest.raises(ResourceConflict, match="ExecutionRoleArn is "):
        create(world)


def test_other_errors_are_not_taken_for_a_model_that_exists(world: World) -> None:
    begin(world)
    world.fake.refuse["CreateModel"] = Refused("ResourceLimitExceeded", "The account-level service limit is 0 models")
    with pytest.raises(ClientError, match="ResourceLimitExceeded"):
        create(world)


def test_a_training_that_has_left_no_model_says_so(world: World) -> None:
    world.begin()
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
    begin(world, algorithm={"name": name})
    create(world)
    assert image in container(world)["Image"]
    assert "Environment" not in container(world)


# ---- scripts ----


def a_script(world: World, framework: str = "scikit-learn", **changed: object) -> None:
    """A run of a script, trained."""
    source = f"s3://{BUCKET}/datasets/flowers/source.tar.gz"
    script = {"framework": framework, "source_dir": source, "entry_point": "learn.py", **changed}
    begin(world, algorithm={"name": "script", "script": script})
    world.put(f"runs/{RUN_ID}/source/sourcedir.tar.gz", pack({"learn.py": b"def model_fn(folder): ...", "own/__init__.py": b""}))


@pytest.mark.parametrize("framework", ["scikit-learn", "pytorch"])
def test_a_container_that_asks_the_script_for_its_model_finds_it_in_the_model(world: World, framework: str) -> None:
    a_script(world, framework)
    create(world)
    assert container(world, OPEN)["Environment"] == {
        "SAGEMAKER_PROGRAM": "learn.py",
        "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
        "SAGEMAKER_CONTAINER_LOG_LEVEL": "20",
        "SAGEMAKER_REGION": "us-east-1",
    }
    with tarfile.open(fileobj=io.BytesIO(world.get(f"models/{RUN_ID}/model.tar.gz"))) as archive:
        assert archive.getnames() == ["code/learn.py", "code/own/__init__.py", f"model of {RUN_ID}"]


def test_a_shell_script_is_no_module_that_a_container_could_ask(world: World) -> None:
    a_script(world, entry_point="learn.sh")
    create(world)
    assert container(world)["Environment"]["SAGEMAKER_PROGRAM"] == "inference.py"


def test_a_script_with_the_network_serves_with_it_on_instances(world: World) -> None:
    a_script(world, network=True)
    roles = ModelRoles(ROLE, NETWORK_ROLE, SERVERLESS_ROLE)
    create_model(RUN_ID, ARTIFACT, roles=roles, run=world.run)
    made = {name: (model["EnableNetworkIsolation"], model["ExecutionRoleArn"]) for name, model in world.fake.models.items()}
    assert made == {RUN_ID: (False, NETWORK_ROLE), OPEN: (False, SERVERLESS_ROLE)}


def test_a_stack_that_lets_no_script_use_the_network_makes_no_model_that_does(world: World) -> None:
    a_script(world, network=True)
    with pytest.raises(InvalidSpec, match="AllowScriptNetwork=true"):
        create(world)
    assert world.fake.models == {}
