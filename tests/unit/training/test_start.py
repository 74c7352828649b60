from __future__ import annotations

import copy
import io
import json
import tarfile
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sageline.errors import InvalidSpec, ResourceConflict, RunFinished
from sageline.names import tuning_job_name
from sageline.runs.payloads import PreparedData, Resource
from sageline.training.roles import JobRoles
from sageline.training.source import pack
from sageline.training.start import start_training
from tests.unit.golden import golden_event
from tests.unit.world.fake_sagemaker import ARN, Refused
from tests.unit.world.world import BUCKET, NETWORK_ROLE, ROLE, ROLES, RUN_ID, World

PREPARED: PreparedData = golden_event("start_training/start")["prepared"]
OF_A_SCRIPT: PreparedData = golden_event("start_training/start-a-script")["prepared"]
SOURCE = "datasets/flowers/source.tar.gz"
TUNING = tuning_job_name(RUN_ID)


def a_tuning(**changed: object) -> dict[str, object]:
    return {
        "objective": {"metric": "validation:merror", "type": "Minimize"},
        "ranges": {
            "eta": {"type": "continuous", "min": 0.05, "max": 0.5, "scaling": "Logarithmic"},
            "max_depth": {"type": "integer", "min": 3, "max": 12},
            "booster": {"type": "categorical", "values": ["gbtree", "dart"]},
        },
        **changed,
    }


def a_script(**changed: object) -> dict[str, object]:
    script = {"framework": "scikit-learn", "source_dir": f"s3://{BUCKET}/{SOURCE}", **changed}
    return {"name": "script", "script": script, "hyperparameters": {"depth": 3, "penalty": "l2", "verbose": True}}


def start(world: World, prepared: PreparedData = PREPARED, roles: JobRoles = ROLES) -> Resource:
    return start_training(RUN_ID, prepared, roles=roles, run=world.run)


def test_a_job_is_started_with_what_the_spec_and_the_data_say(world: World) -> None:
    world.begin()
    started = start(world)
    job = world.fake.jobs[RUN_ID]
    assert started == {"kind": "training-job", "name": RUN_ID, "arn": f"{ARN}:training-job/{RUN_ID}"}
    assert job["HyperParameters"] == {"num_round": "10", "objective": "binary:logistic"}
    assert [channel["ChannelName"] for channel in job["InputDataConfig"]] == ["train", "validation"]
    assert job["OutputDataConfig"] == {"S3OutputPath": f"s3://{BUCKET}/runs/{RUN_ID}/training/"}
    assert job["RoleArn"] == ROLE
    record = world.record()
    assert (record.state, record.details["training_job"]["name"]) == ("StartTraining", RUN_ID)


def test_without_validation_rows_there_is_no_validation_channel(world: World) -> None:
    world.begin()
    start(world, golden_event("start_training/start-without-validation")["prepared"])
    (channel,) = world.fake.jobs[RUN_ID]["InputDataConfig"]
    assert channel["ContentType"] == "application/x-recordio-protobuf"


def test_started_twice_there_is_one_job(world: World) -> None:
    world.begin()
    assert start(world) == start(world)
    assert list(world.fake.jobs) == [RUN_ID]


def test_a_job_of_that_name_that_asks_for_something_else_is_a_conflict(world: World) -> None:
    world.begin()
    start(world)
    world.fake.jobs[RUN_ID]["HyperParameters"]["num_round"] = "11"
    with pytest.raises(ResourceConflict, match=r"HyperParameters\.num_round is '11' and not '10'"):
        start(world)


def test_other_errors_are_not_taken_for_a_job_that_exists(world: World) -> None:
    world.begin()
    world.fake.refuse["CreateTrainingJob"] = Refused("ResourceLimitExceeded", "The account-level service limit is 0 Instances")
    with pytest.raises(ClientError, match="ResourceLimitExceeded"):
        start(world)


def test_a_job_started_while_its_run_is_being_stopped_is_stopped(world: World) -> None:
    world.begin()
    world.fake.before["CreateTrainingJob"] = lambda: world.run.store.finish(RUN_ID, "Stopped")
    with pytest.raises(RunFinished, match="was stopped while its training job was being started"):
        start(world)
    assert world.fake.jobs[RUN_ID]["TrainingJobStatus"] == "Stopping"


# ---- algorithms ----


@pytest.mark.parametrize(
    ("name", "image", "channels"),
    [
        ("xgboost", "sagemaker-xgboost:", ["train", "validation"]),
        ("linear-learner", "/linear-learner:1", ["train", "validation"]),
        ("knn", "/knn:1", ["test", "train"]),
        ("blazingtext", "/blazingtext:1", ["train", "validation"]),
    ],
)
def test_sagemakers_algorithms_get_their_image_and_channels(world: World, name: str, image: str, channels: list[str]) -> None:
    world.begin(algorithm={"name": name, "hyperparameters": {"epochs": 5, "use_bias": True}})
    start(world)
    job = world.fake.jobs[RUN_ID]
    assert image in job["AlgorithmSpecification"]["TrainingImage"]
    assert [channel["ChannelName"] for channel in job["InputDataConfig"]] == channels
    assert job["HyperParameters"] == {"epochs": "5", "use_bias": "true"}
    assert "Environment" not in job
    assert "MetricDefinitions" not in job["AlgorithmSpecification"]


@pytest.mark.parametrize("name", ["xgboost", "linear-learner", "knn"])
def test_instances_share_the_train_rows_and_watch_the_same_validation_rows(world: World, name: str) -> None:
    world.begin(algorithm={"name": name, "instance_count": 2})
    start(world)
    channels = {item["ChannelName"]: item for item in world.fake.jobs[RUN_ID]["InputDataConfig"]}
    watched = channels["test" if name == "knn" else "validation"]
    assert channels["train"]["DataSource"]["S3DataSource"]["S3DataDistributionType"] == "ShardedByS3Key"
    assert watched["DataSource"]["S3DataSource"]["S3DataDistributionType"] == "FullyReplicated"


def test_every_instance_of_a_script_gets_all_rows(world: World) -> None:
    world.put(SOURCE, pack({"train.py": b""}))
    world.begin(algorithm=a_script() | {"instance_count": 2})
    start(world, OF_A_SCRIPT)
    sources = [channel["DataSource"]["S3DataSource"] for channel in world.fake.jobs[RUN_ID]["InputDataConfig"]]
    assert {source["S3DataDistributionType"] for source in sources} == {"FullyReplicated"}


@pytest.mark.parametrize(
    ("algorithm", "mode", "volume"),
    [
        ({"name": "linear-learner"}, "File", 410),
        ({"name": "linear-learner", "instance_count": 4}, "File", 110),
        ({"name": "linear-learner", "input_mode": "FastFile"}, "FastFile", 30),
        ({"name": "tensorflow", "instance_count": 4}, "File", 410),
    ],
)
def test_the_volume_has_room_for_what_an_instance_stores(
    world: World, algorithm: dict[str, object], mode: str, volume: int
) -> None:
    prepared = copy.deepcopy(PREPARED)
    prepared["channels"]["train"]["bytes"] = 200 * 10**9
    world.begin(algorithm=algorithm)
    start(world, prepared)
    job = world.fake.jobs[RUN_ID]
    assert {item["ChannelName"]: item["InputMode"] for item in job["InputDataConfig"]}["train"] == mode
    assert {item["InputMode"] for item in job["InputDataConfig"] if item["ChannelName"] != "train"} == {"File"}
    assert job["ResourceConfig"]["VolumeSizeInGB"] == pytest.approx(volume, abs=1)


@pytest.mark.parametrize(("name", "longest"), [("knn", 3600), ("xgboost", 3600), ("tensorflow", 4200)])
def test_on_spare_machines_an_algorithm_without_checkpoints_has_an_hour(world: World, name: str, longest: int) -> None:
    world.begin(algorithm={"name": name, "spot": True, "max_runtime_seconds": 600})
    start(world)
    assert world.fake.jobs[RUN_ID]["StoppingCondition"]["MaxWaitTimeInSeconds"] == longest


@pytest.mark.parametrize(
    ("name", "spot", "kept"), [("tensorflow", True, True), ("tensorflow", False, False), ("xgboost", True, False)]
)
def test_on_spare_machines_a_training_goes_on_from_its_checkpoints(world: World, name: str, spot: bool, kept: bool) -> None:
    world.begin(algorithm={"name": name, "spot": spot, "max_runtime_seconds": 600})
    start(world)
    config = {"S3Uri": f"s3://{BUCKET}/checkpoints/{RUN_ID}/", "LocalPath": "/opt/ml/checkpoints"}
    assert world.fake.jobs[RUN_ID].get("CheckpointConfig") == (config if kept else None)


def test_a_script_is_told_where_its_checkpoints_go(world: World) -> None:
    world.put(SOURCE, pack({"train.py": b""}))
    world.begin(algorithm=a_script() | {"spot": True})
    start(world, OF_A_SCRIPT)
    job = world.fake.jobs[RUN_ID]
    assert job["Environment"]["SAGELINE_CHECKPOINTS"] == job["CheckpointConfig"]["LocalPath"] == "/opt/ml/checkpoints"


def test_no_trial_goes_on_from_the_checkpoint_of_another(world: World) -> None:
    world.begin(algorithm={"name": "xgboost", "spot": True}, tuning=a_tuning())
    start(world)
    definition = world.fake.tunings[TUNING]["TrainingJobDefinition"]
    assert definition["EnableManagedSpotTraining"] is True
    assert "CheckpointConfig" not in definition


# ---- scripts ----


def test_a_users_script_is_kept_with_the_run_and_named_as_the_sdk_does_it(world: World) -> None:
    archive = pack({"train.py": b"print('hello')", "helpers/__init__.py": b""})
    world.put(SOURCE, archive)
    world.begin(algorithm=a_script(metrics={"accuracy": "acc=(.*)"}))
    start(world, OF_A_SCRIPT)
    job = world.fake.jobs[RUN_ID]
    assert world.get(f"runs/{RUN_ID}/source/sourcedir.tar.gz") == archive
    assert {key: json.loads(value) for key, value in job["HyperParameters"].items()} == {
        "depth": 3,
        "penalty": "l2",
        "verbose": True,
        "sagemaker_program": "train.py",
        "sagemaker_submit_directory": "/opt/ml/input/data/code/sourcedir.tar.gz",
        "sagemaker_container_log_level": 20,
        "sagemaker_job_name": RUN_ID,
        "sagemaker_region": "us-east-1",
    }
    assert job["HyperParameters"]["penalty"] == '"l2"'
    assert job["Environment"] == {"SAGELINE_TASK": "classification", "SAGELINE_NUM_CLASS": "2", "SAGELINE_FEATURE_DIM": "4"}
    assert job["AlgorithmSpecification"]["MetricDefinitions"] == [{"Name": "accuracy", "Regex": "acc=(.*)"}]
    assert not any("ContentType" in channel for channel in job["InputDataConfig"])
    sources = {item["ChannelName"]: item["DataSource"]["S3DataSource"]["S3Uri"] for item in job["InputDataConfig"]}
    assert sources["code"] == f"s3://{BUCKET}/runs/{RUN_ID}/source/"


@pytest.mark.parametrize(
    ("encoder", "words", "shape"),
    [
        ({"kind": "image", "shape": [28, 28]}, b"Conv2D", "28,28,1"),
        ({"kind": "image", "shape": [8, 8, 3]}, b"Conv2D", "8,8,3"),
        ({"kind": "columns"}, b"Dense", None),
    ],
)
def test_without_a_script_tensorflow_runs_one_of_ours(world: World, encoder: Any, words: bytes, shape: str | None) -> None:
    world.begin(algorithm={"name": "tensorflow"}, encoder=encoder)
    start(world, OF_A_SCRIPT)
    job = world.fake.jobs[RUN_ID]
    assert json.loads(job["HyperParameters"]["sagemaker_program"]) == "train.py"
    assert job["Environment"].get("SAGELINE_IMAGE_SHAPE") == shape
    assert job["AlgorithmSpecification"]["MetricDefinitions"]
    packed = unpacked(world.get(f"runs/{RUN_ID}/source/sourcedir.tar.gz"))
    assert {"train.py", "training.py", "job_data.py", "hosts.py", "checkpoint.py"} == set(packed)
    assert words in b"".join(packed.values())


@pytest.mark.parametrize(("instances", "told"), [(1, None), (2, "true")])
def test_several_hosts_with_tensorflow_are_told_of_each_other(world: World, instances: int, told: str | None) -> None:
    world.begin(algorithm={"name": "tensorflow", "instance_count": instances})
    start(world, OF_A_SCRIPT)
    given = world.fake.jobs[RUN_ID]["HyperParameters"]
    assert given.get("sagemaker_multi_worker_mirrored_strategy_enabled") == told


def test_a_script_started_twice_is_one_job(world: World) -> None:
    world.put(SOURCE, pack({"train.py": b""}))
    world.begin(algorithm=a_script())
    assert start(world, OF_A_SCRIPT) == start(world, OF_A_SCRIPT)


@pytest.mark.parametrize(
    ("changed", "content", "words"),
    [
        ({}, None, "there is no s3://"),
        ({"source_dir": "s3://elsewhere/x.tar.gz"}, None, f"into the stack's own bucket {BUCKET}"),
        ({"source_dir": f"s3://{BUCKET}/models/other/model.tar.gz"}, None, f"put the archive below s3://{BUCKET}/datasets/"),
        ({}, pack({"train.py": b"", "requirements.txt": b"# why\npandas\nscipy"}), r"requirements\.txt \(pandas and 1 more\)"),
        ({}, b"#!/usr/bin/env python", "is no tar.gz archive"),
        ({}, pack({"src/train.py": b""}), r"has no train\.py at its root; it has src/train\.py\."),
        ({}, pack({}), "it has nothing"),
        ({"entry_point": "run.sh"}, pack({f"{i}.py": b"" for i in range(7)}), "and 2 more"),
    ],
)
def test_an_archive_that_cannot_be_used_is_refused_before_anything_starts(
    world: World, changed: dict[str, object], content: bytes | None, words: str
) -> None:
    if content is not None:
        world.put(SOURCE, content)
    world.begin(algorithm=a_script(**changed))
    with pytest.raises(InvalidSpec, match=words):
        start(world, OF_A_SCRIPT)
    assert world.fake.jobs == {}


def test_an_archive_that_is_too_large_is_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sageline.training.source.MAX_ARCHIVE_BYTES", 10)
    world.put(SOURCE, pack({"train.py": b""}))
    world.begin(algorithm=a_script())
    with pytest.raises(InvalidSpec, match="10 are the limit"):
        start(world, OF_A_SCRIPT)


@pytest.mark.parametrize("tuning", [None, a_tuning()])
def test_no_container_has_a_network(world: World, tuning: dict[str, object] | None) -> None:
    world.begin(tuning=tuning, algorithm={"name": "xgboost", "instance_count": 2})
    start(world)
    job = world.fake.tunings[TUNING]["TrainingJobDefinition"] if tuning else world.fake.jobs[RUN_ID]
    assert job["EnableNetworkIsolation"] is True
    assert job["RoleArn"] == ROLE


def test_requirements_that_ask_for_nothing_are_none(world: World) -> None:
    world.put(SOURCE, pack({"train.py": b"", "requirements.txt": b"# nothing\n\n"}))
    world.begin(algorithm=a_script())
    assert start(world, OF_A_SCRIPT)["name"] == RUN_ID


def test_a_script_that_may_use_the_network_has_a_role_that_writes_elsewhere(world: World) -> None:
    world.put(SOURCE, pack({"train.py": b"", "requirements.txt": b"pandas"}))
    world.begin(algorithm=a_script(network=True) | {"spot": True})
    start(world, OF_A_SCRIPT, JobRoles(ROLE, NETWORK_ROLE))
    job = world.fake.jobs[RUN_ID]
    assert (job["EnableNetworkIsolation"], job["RoleArn"]) == (False, NETWORK_ROLE)
    assert job["OutputDataConfig"]["S3OutputPath"] == f"s3://{BUCKET}/runs/{RUN_ID}/network/"
    assert job["CheckpointConfig"]["S3Uri"] == f"s3://{BUCKET}/checkpoints/network/{RUN_ID}/"


def test_a_script_does_not_use_the_network_of_a_stack_that_has_none_for_it(world: World) -> None:
    world.put(SOURCE, pack({"train.py": b""}))
    world.begin(algorithm=a_script(network=True))
    with pytest.raises(InvalidSpec, match="AllowScriptNetwork=true"):
        start(world, OF_A_SCRIPT)
    assert world.fake.jobs == {}


# ---- tuning ----


def test_a_tuning_starts_a_tuning_job(world: World) -> None:
    world.begin(tuning=a_tuning(max_jobs=8, seed=1))
    started = start(world)
    arn = f"{ARN}:hyper-parameter-tuning-job/{TUNING}"
    assert started == {"kind": "hyper-parameter-tuning-job", "name": TUNING, "arn": arn}
    assert world.fake.jobs == {}
    job = world.fake.tunings[TUNING]
    config = job["HyperParameterTuningJobConfig"]
    assert config["ResourceLimits"] == {"MaxNumberOfTrainingJobs": 8, "MaxParallelTrainingJobs": 3}
    assert config["ParameterRanges"]["ContinuousParameterRanges"] == [
        {"Name": "eta", "MinValue": "0.05", "MaxValue": "0.5", "ScalingType": "Logarithmic"}
    ]
    assert (config["RandomSeed"], config["HyperParameterTuningJobObjective"]["MetricName"]) == (1, "validation:merror")
    definition = job["TrainingJobDefinition"]
    assert definition["StaticHyperParameters"] == {"num_round": "10", "objective": "binary:logistic"}
    assert definition["OutputDataConfig"] == {"S3OutputPath": f"s3://{BUCKET}/runs/{RUN_ID}/training/"}
    assert world.record().details["tuning_job"] == {"name": TUNING, "arn": arn}


def test_a_grid_runs_as_many_jobs_as_there_are_combinations(world: World) -> None:
    ranges = {
        "booster": {"type": "categorical", "values": ["gbtree", "dart"]},
        "max_depth": {"type": "categorical", "values": [3, 6, 9]},
    }
    world.begin(tuning=a_tuning(strategy="Grid", ranges=ranges))
    start(world)
    config = world.fake.tunings[TUNING]["HyperParameterTuningJobConfig"]
    assert config["ResourceLimits"]["MaxNumberOfTrainingJobs"] == 6
    assert {"Name": "max_depth", "Values": ["3", "6", "9"]} in config["ParameterRanges"]["CategoricalParameterRanges"]


def test_the_choices_of_a_script_are_written_as_its_hyperparameters_are(world: World) -> None:
    world.put(SOURCE, pack({"train.py": b""}))
    ranges = {"penalty": {"type": "categorical", "values": ["l1", "l2"]}, "depth": {"type": "categorical", "values": [2, 3]}}
    world.begin(algorithm=a_script(), tuning=a_tuning(ranges=ranges))
    start(world, OF_A_SCRIPT)
    job = world.fake.tunings[TUNING]
    choices = job["HyperParameterTuningJobConfig"]["ParameterRanges"]["CategoricalParameterRanges"]
    assert choices == [{"Name": "depth", "Values": ["2", "3"]}, {"Name": "penalty", "Values": ['"l1"', '"l2"']}]
    static = job["TrainingJobDefinition"]["StaticHyperParameters"]
    assert json.loads(static["sagemaker_job_name"]) == TUNING
    assert not {"penalty", "depth"} & set(static)


def test_hyperband_is_told_how_long_trials_may_be(world: World) -> None:
    hyperband = {"min_resource": 1, "max_resource": 9}
    world.begin(tuning=a_tuning(strategy="Hyperband", hyperband=hyperband))
    start(world)
    strategy = world.fake.tunings[TUNING]["HyperParameterTuningJobConfig"]["StrategyConfig"]
    assert strategy == {"HyperbandStrategyConfig": {"MinResource": 1, "MaxResource": 9}}


def test_a_tuning_started_twice_is_one_job_whatever_sagemaker_adds_to_it(world: World) -> None:
    world.put(SOURCE, pack({"train.py": b""}))
    world.begin(algorithm=a_script(metrics={"accuracy": "acc=(.*)"}), tuning=a_tuning())
    first = start(world, OF_A_SCRIPT)
    definition = world.fake.tunings[TUNING]["TrainingJobDefinition"]
    definition["StaticHyperParameters"]["_tuning_objective_metric"] = "accuracy"
    definition["AlgorithmSpecification"]["MetricDefinitions"].insert(0, {"Name": "ObjectiveMetric", "Regex": "acc=(.*)"})
    assert start(world, OF_A_SCRIPT) == first


def test_a_tuning_job_of_that_name_that_searches_elsewhere_is_a_conflict(world: World) -> None:
    world.begin(tuning=a_tuning())
    start(world)
    config = world.fake.tunings[TUNING]["HyperParameterTuningJobConfig"]
    config["ParameterRanges"]["IntegerParameterRanges"][0]["MaxValue"] = "6"
    with pytest.raises(ResourceConflict, match=r"IntegerParameterRanges\.max_depth\.MaxValue is '6' and not '12'"):
        start(world)


def test_other_errors_are_not_taken_for_a_tuning_job_that_exists(world: World) -> None:
    world.begin(tuning=a_tuning())
    world.fake.refuse["CreateHyperParameterTuningJob"] = Refused("ResourceLimitExceeded", "The account-level service limit is 0")
    with pytest.raises(ClientError, match="ResourceLimitExceeded"):
        start(world)


def test_a_tuning_job_started_while_its_run_is_being_stopped_is_stopped(world: World) -> None:
    world.begin(tuning=a_tuning())
    world.fake.before["CreateHyperParameterTuningJob"] = lambda: world.run.store.finish(RUN_ID, "Stopped")
    with pytest.raises(RunFinished, match="was stopped"):
        start(world)
    assert world.fake.tunings[TUNING]["HyperParameterTuningJobStatus"] == "Stopping"


@pytest.mark.parametrize("changed", [{"objective": None}, {"ranges": {}}])
def test_a_tuning_that_was_never_resolved_is_refused(world: World, changed: dict[str, object]) -> None:
    world.begin(tuning=a_tuning(**changed))
    with pytest.raises(InvalidSpec, match="not a resolved one"):
        start(world)


def unpacked(archive: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as opened:
        files = {member.name: opened.extractfile(member) for member in opened}
        return {name: content.read() for name, content in files.items() if content is not None}
