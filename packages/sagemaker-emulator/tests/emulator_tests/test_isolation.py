"""What an isolated container can reach: nothing but its own files and its peers. Scripts try it and tell.

Where the machine has no namespaces, that is said, and the rest holds.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from emulator_tests.scripts import SCIKIT_LEARN, archived, model_of, put_source, ran, script_job, settled
from emulator_tests.support import BUCKET, Api, Json, wait_until
from emulator_tests.test_tuning_jobs import ended
from emulator_tests.test_tuning_jobs import request as tuning_job
from sagemaker_emulator.aws import Aws
from sagemaker_emulator.children import code_roots
from sagemaker_emulator.engines.shell.port import CONTAINER_PORT
from sagemaker_emulator.isolation.machine import Abilities, Cluster, look

ABILITIES = look()
# Tries what an isolated container may not do. Ports and paths to try are in its environment.
PROBE = """
    import json, os, pathlib, socket
    import boto3

    def reached(port):
        try:
            socket.create_connection(("127.0.0.1", port), 2).close()
            return True
        except OSError:
            return False

    def resolved():
        try:
            return bool(socket.getaddrinfo("sts.us-east-1.amazonaws.com", 443))
        except OSError:
            return False

    def written(path):
        try:
            pathlib.Path(path, "written").write_text("")
            return True
        except OSError:
            return False

    def findings():
        return {
            "reached": [port for port in json.loads(os.environ["TRY_PORTS"]) if reached(port)],
            "resolved": resolved(),
            "interfaces": [name for _, name in socket.if_nameindex()],
            "credentials": boto3.Session().get_credentials() is not None,
            "variables": sorted(name for name in os.environ if "KEY" in name or "TOKEN" in name or "ENDPOINT" in name),
            "seen": [path for path in json.loads(os.environ["TRY_PATHS"]) if os.path.exists(path)],
            "written": [path for path in json.loads(os.environ["TRY_PATHS"]) if written(path)],
            "parents": pathlib.Path(f"/proc/{os.environ['TRY_PID']}/environ").exists() and readable(os.environ["TRY_PID"]),
        }

    def readable(pid):
        try:
            return bool(pathlib.Path(f"/proc/{pid}/environ").read_bytes())
        except OSError:
            return False

    def model_fn(model_dir):
        return None

    def predict_fn(rows, model):
        return findings()

    if __name__ == "__main__":
        pathlib.Path(os.environ["SM_MODEL_DIR"], "findings.json").write_text(json.dumps(findings()))
        print("score=1")
"""
NOTHING_FOUND = {
    "reached": [],
    "resolved": False,
    "interfaces": ["lo"],
    "credentials": False,
    "variables": [],
    "seen": [],
    "written": [],
    "parents": False,
}


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Somebody listens on it, as the stack's servers do."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield int(listener.getsockname()[1])


@pytest.fixture(scope="module")
def variables(api: Api, port: int) -> dict[str, str]:
    """What the probe is to try: the state of the service, with everything that other jobs have there."""
    import os  # noqa: PLC0415  # the process that the service runs in

    other = api.home / "training" / "other"
    other.mkdir(parents=True, exist_ok=True)
    paths = [str(api.home / "sagemaker.db"), str(other)]
    return {"TRY_PORTS": json.dumps([port]), "TRY_PATHS": json.dumps(paths), "TRY_PID": str(os.getpid())}


def in_channel(aws: Aws, name: str, program: str) -> Json:
    """The channel that brings a script along."""
    put_source(aws, name, {"train.py": program})
    return Api.channel("code", f"{name}/source/", None)


def isolated_job(aws: Aws, name: str, program: str, **changes: object) -> Json:
    channels = [Api.channel("train", "data/train/"), in_channel(aws, name, program)]
    source = "/opt/ml/input/data/code/sourcedir.tar.gz"
    return {**script_job(name, source, InputDataConfig=channels, EnableNetworkIsolation=True), **changes}


def assert_isolated(found: Json, itself: list[int] | None = None) -> None:
    """``itself``: ports of the container's own."""
    if ABILITIES.network:
        assert found["reached"] == (itself or [])
        found = {**found, "reached": []}
    if not ABILITIES.network:
        assert (found["credentials"], found["variables"]) == (False, [])
    elif not ABILITIES.files:
        assert {**found, "seen": [], "written": []} == NOTHING_FOUND
    else:
        assert found == NOTHING_FOUND


def findings_of(aws: Aws, job: Json) -> Json:
    assert job["TrainingJobStatus"] == "Completed", job["FailureReason"]
    found: Json = json.loads(archived(aws, job["ModelArtifacts"]["S3ModelArtifacts"])["findings.json"])
    return found


def lines_of(aws: Aws, group: str, prefix: str) -> str:
    streams = aws.logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=prefix)["logStreams"]
    events = [aws.logs.get_log_events(logGroupName=group, logStreamName=item["logStreamName"])["events"] for item in streams]
    return "\n".join(event["message"] for stream in events for event in stream)


def test_an_isolated_training_job_reaches_nothing(api: Api, aws: Aws, variables: dict[str, str]) -> None:
    job = ran(api, isolated_job(aws, "alone", PROBE, Environment=variables))

    assert_isolated(findings_of(aws, job))
    assert job["EnableNetworkIsolation"] is True
    said = lines_of(aws, "/aws/sagemaker/TrainingJobs", "alone/")
    assert ("This machine has not the namespaces for it" in said) is not ABILITIES.network


def test_a_job_that_is_not_isolated_has_its_roles_credentials_and_the_network(
    api: Api, aws: Aws, variables: dict[str, str], port: int
) -> None:
    found = findings_of(aws, ran(api, script_job("open", put_source(aws, "open", {"train.py": PROBE}), Environment=variables)))

    assert found["reached"] == [port]
    assert found["credentials"] is True
    # The files of others are hidden from it all the same.
    assert (found["seen"] == []) is ABILITIES.files


def test_a_trial_of_an_isolated_tuning_job_reaches_nothing(api: Api, aws: Aws, variables: dict[str, str]) -> None:
    job = isolated_job(aws, "trials", PROBE, Environment=variables)
    request = tuning_job("trials", jobs=1, image=SCIKIT_LEARN)
    definition = request["TrainingJobDefinition"]
    definition |= {name: job[name] for name in ("InputDataConfig", "Environment", "EnableNetworkIsolation")}
    definition |= {"AlgorithmSpecification": job["AlgorithmSpecification"], "StaticHyperParameters": job["HyperParameters"]}

    api.ok("CreateHyperParameterTuningJob", **request)
    tuned = wait_until(lambda: ended(api, "trials"), 120)

    assert tuned["TrainingJobDefinition"]["EnableNetworkIsolation"] is True
    trial = api.ok("DescribeTrainingJob", TrainingJobName=tuned["BestTrainingJob"]["TrainingJobName"])
    assert_isolated(findings_of(aws, trial))


@pytest.fixture(scope="module")
def probing_model(api: Api, aws: Aws, variables: dict[str, str]) -> Json:
    """An isolated model with its code in its archive."""
    artifact = put_source(aws, "probing", {"code/train.py": PROBE})
    code = {"SAGEMAKER_PROGRAM": "train.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"}
    ports = {"TRY_PORTS": json.dumps([*json.loads(variables["TRY_PORTS"]), CONTAINER_PORT])}
    return {**model_of("probing", artifact, SCIKIT_LEARN, **{**code, **variables, **ports}), "EnableNetworkIsolation": True}


def test_an_isolated_model_on_an_instance_reaches_nothing_and_answers(api: Api, probing_model: Json) -> None:
    endpoint = settled(api, "probing", probing_model)

    assert endpoint["EndpointStatus"] == "InService", endpoint.get("FailureReason")
    body, _ = api.invoke("probing", b"1,2\n", accept="application/json")
    assert_isolated(json.loads(body), itself=[CONTAINER_PORT])
    assert api.ok("DescribeModel", ModelName="probing")["EnableNetworkIsolation"] is True


def test_a_transform_job_of_an_isolated_model_reaches_nothing(api: Api, aws: Aws, probing_model: Json) -> None:
    api.ok("CreateModel", **{**probing_model, "ModelName": "probing-batch"})
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/data/train/"}
    api.ok(
        "CreateTransformJob",
        TransformJobName="probing",
        ModelName="probing-batch",
        TransformInput={"DataSource": {"S3DataSource": source}, "ContentType": "text/csv"},
        TransformOutput={"S3OutputPath": f"s3://{BUCKET}/probed", "Accept": "application/json"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
    )

    def end() -> Json | None:
        job = api.ok("DescribeTransformJob", TransformJobName="probing")
        return job if job["TransformJobStatus"] != "InProgress" else None

    job = wait_until(end, 120)
    assert job["TransformJobStatus"] == "Completed", job
    body = aws.s3.get_object(Bucket=BUCKET, Key="probed/part-0.csv.out")["Body"].read()
    assert_isolated(json.loads(body), itself=[CONTAINER_PORT])


def test_the_hosts_of_an_isolated_cluster_reach_each_other_and_nobody_else(api: Api, aws: Aws, port: int) -> None:
    first = "algo-1" if ABILITIES.files else "127.0.0.1"
    program = f"""
        import os, socket, sys, time

        if os.environ["SM_CURRENT_HOST"] == "algo-1":
            with socket.create_server(("{first}", {45_000 + port % 10_000})) as listener:
                listener.settimeout(30)
                peer, _ = listener.accept()
                with open(os.path.join(os.environ["SM_MODEL_DIR"], "heard"), "wb") as file:
                    file.write(peer.recv(100))
        else:
            for _ in range(300):
                try:
                    socket.create_connection(("{first}", {45_000 + port % 10_000}), 1).sendall(b"a peer")
                    break
                except OSError:
                    time.sleep(0.1)
            try:
                socket.create_connection(("127.0.0.1", {port}), 1)
                sys.exit(3 if {ABILITIES.network} else 0)
            except OSError:
                pass
    """
    two = {"InstanceType": "ml.m5.xlarge", "InstanceCount": 2, "VolumeSizeInGB": 10}

    job = ran(api, isolated_job(aws, "two", program, ResourceConfig=two))

    assert job["TrainingJobStatus"] == "Completed", job["FailureReason"]
    assert archived(aws, job["ModelArtifacts"]["S3ModelArtifacts"])["heard"] == b"a peer"


def test_an_isolated_xgboost_cluster_trains_one_model(api: Api) -> None:
    two = {"InstanceType": "ml.m5.xlarge", "InstanceCount": 2, "VolumeSizeInGB": 10}

    job = ran(api, Api.training_job("boosted", EnableNetworkIsolation=True, ResourceConfig=two))

    assert job["TrainingJobStatus"] == "Completed", job["FailureReason"]


def test_code_in_s3_can_not_be_downloaded_in_isolation(api: Api, aws: Aws) -> None:
    source = put_source(aws, "remote", {"train.py": ""})
    failed = ran(api, script_job("remote", source, EnableNetworkIsolation=True))
    code = {"SAGEMAKER_PROGRAM": "train.py", "SAGEMAKER_SUBMIT_DIRECTORY": source}
    endpoint = settled(api, "remote", {**model_of("remote", source, SCIKIT_LEARN, **code), "EnableNetworkIsolation": True})

    reason = "botocore.exceptions.NoCredentialsError: Unable to locate credentials"
    assert failed["FailureReason"].startswith("AlgorithmError: Framework Error: \n")
    assert failed["FailureReason"].endswith(f"download_and_extract: {source}\n{reason}, exit code: 1")
    assert endpoint["FailureReason"].endswith(reason)
    for group, name in (("/aws/sagemaker/TrainingJobs", "remote/"), ("/aws/sagemaker/Endpoints/remote", "v1/")):
        said = wait_until(lambda group=group, name=name: lines_of(aws, group, name) or None)  # type: ignore[misc]  # mypy has no type for a default
        assert "with EnableNetworkIsolation the container can not download its code" in said


def test_requirements_can_not_be_installed_in_isolation(api: Api, aws: Aws) -> None:
    channels = [Api.channel("train", "data/train/"), Api.channel("code", "needy/source/", None)]
    put_source(aws, "needy", {"train.py": "", "requirements.txt": "a-package-that-is-nowhere==1.0\n"})
    source = "/opt/ml/input/data/code/sourcedir.tar.gz"

    job = ran(api, script_job("needy", source, InputDataConfig=channels, EnableNetworkIsolation=True))

    assert "InstallRequirementsError" in job["FailureReason"]
    assert "No matching distribution found for a-package-that-is-nowhere==1.0" in job["FailureReason"]


def test_a_machine_that_can_hide_files_can_show_them_at_opt_ml() -> None:
    assert ABILITIES.opt_ml is (ABILITIES.files and Path("/opt").is_dir())


HARD_CODED = """
    import os, pathlib

    def model_fn(model_dir):
        return pathlib.Path("/opt/ml/model/told").read_text(), model_dir

    def predict_fn(rows, model):
        return model

    if __name__ == "__main__":
        rows = pathlib.Path("/opt/ml/input/data/train/part-0.csv").read_text().splitlines()
        pathlib.Path("/opt/ml/model/told").write_text(f"{len(rows)} rows, {os.environ['SM_MODEL_DIR']}")
        others = [path for path in pathlib.Path("/opt").iterdir() if path.name != "ml"]
        print("score=" + str(len(others)))
"""


@pytest.mark.skipif(not ABILITIES.opt_ml, reason="needs mount namespaces")
def test_scripts_find_their_files_at_opt_ml_in_training_and_in_service(api: Api, aws: Aws) -> None:
    had = [path for path in Path("/opt").iterdir() if path.name != "ml"]

    job = ran(api, script_job("hard-coded", put_source(aws, "hard-coded", {"train.py": HARD_CODED})))
    code = {"SAGEMAKER_PROGRAM": "train.py", "SAGEMAKER_SUBMIT_DIRECTORY": f"s3://{BUCKET}/hard-coded/source/sourcedir.tar.gz"}
    assert job["TrainingJobStatus"] == "Completed", job["FailureReason"]
    endpoint = settled(api, "hard-coded", model_of("hard-coded", job["ModelArtifacts"]["S3ModelArtifacts"], SCIKIT_LEARN, **code))

    assert endpoint["EndpointStatus"] == "InService", endpoint.get("FailureReason")
    body, _ = api.invoke("hard-coded", b"1,2\n", accept="application/json")
    assert json.loads(body) == ["4 rows, /opt/ml/model", "/opt/ml/model"]
    assert job["FinalMetricDataList"][0]["Value"] == len(had), "what else is in /opt stays there"


def test_what_is_hidden_below_opt_stays_hidden(tmp_path: Path) -> None:
    secret = next((path for path in Path("/opt").iterdir() if path.is_dir() and any(path.iterdir())), None)
    if not ABILITIES.opt_ml or secret is None:
        pytest.skip("needs mount namespaces and something in /opt")
    own = tmp_path / "job"
    (own / "algo-1").mkdir(parents=True)
    (own / "algo-1" / "look.py").write_text(f"import os; print('look.py' in os.listdir('/opt/ml'), os.listdir({str(secret)!r}))")
    cluster = Cluster(ABILITIES, (str(secret),), own, isolated=False)
    lines: list[str] = []

    variables = {"PYTHONPATH": os.pathsep.join([str(own / "algo-1"), *map(str, code_roots())])}
    cluster.start("look", [], variables, own / "algo-1").follow(lines.append)

    assert lines == ["True []"]


def test_without_namespaces_it_is_said_and_there_are_no_credentials_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "job").mkdir()
    cluster = Cluster(
        Abilities(network=False, files=False, reason="Operation not permitted"), (), tmp_path / "job", isolated=True
    )
    lines: list[str] = []

    cluster.start("site", [], {}, tmp_path).follow(lines.append)

    assert cluster.shortfall == (
        "EnableNetworkIsolation is on. This machine has not the namespaces for it (Operation not permitted): containers with "
        "EnableNetworkIsolation get no credentials, but reach the network, and every container can read the files of the user "
        "that the stack runs as."
    )
    assert any("sys.path" in line for line in lines)  # it ran


def test_what_is_found_out_of_the_machine_is_left_for_others(api: Api) -> None:
    found = wait_until(lambda: json.loads(text) if (text := _read(api.home / "isolation.json")) else None)

    assert Abilities(**found) == ABILITIES


def _read(path: Path) -> str:
    return path.read_text() if path.exists() else ""


@pytest.mark.parametrize("member", ["EnableNetworkIsolation", "VpcConfig"])
def test_a_serverless_variant_takes_no_model_with_isolation_or_vpc(api: Api, probing_model: Json, member: str) -> None:
    vpc = {"SecurityGroupIds": ["sg-12345678"], "Subnets": ["subnet-12345678"]}
    name = f"no-{member}"
    given = {
        "EnableNetworkIsolation": member == "EnableNetworkIsolation",
        **({"VpcConfig": vpc} if member == "VpcConfig" else {}),
    }
    api.ok("CreateModel", **{**probing_model, "ModelName": name, **given})
    variant = {"VariantName": "v1", "ModelName": name, "ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 5}}

    refused = api.refused("CreateEndpointConfig", EndpointConfigName=name, ProductionVariants=[variant])

    assert (refused.code, refused.message) == (
        "ValidationException",
        f"Variant 'v1': Serverless Inference does not support {member}, which the model '{name}' is made with. Use a model "
        "without it, or an instance type.",
    )


def test_an_endpoint_config_itself_is_isolated_for_inference_components_only(api: Api, probing_model: Json) -> None:
    api.ok("CreateModel", **{**probing_model, "ModelName": "in-config"})

    refused = api.refused(
        "CreateEndpointConfig",
        EndpointConfigName="isolated",
        EnableNetworkIsolation=True,
        ProductionVariants=[api.variant("v1", "in-config")],
    )

    assert refused.code == "ValidationException"
    assert "isolate the model" in refused.message


def test_a_link_in_place_of_the_model_uploads_nothing_of_others(api: Api, aws: Aws) -> None:
    program = """
        import os, shutil
        os.rmdir(os.environ["SM_MODEL_DIR"])
        os.symlink("/etc", os.environ["SM_MODEL_DIR"])
    """

    job = ran(api, isolated_job(aws, "linked", program))

    assert job["FailureReason"] == "ClientError: Artifact upload failed:/opt/ml/model is not a directory any more"


def test_links_in_checkpoints_are_not_followed(api: Api, aws: Aws) -> None:
    program = """
        import os, pathlib
        directory = pathlib.Path(os.environ["SM_MODEL_DIR"]).parent / "checkpoints"
        (directory / "own").write_text("mine")
        (directory / "theirs").symlink_to("/etc/hostname")
        (directory / "all").symlink_to("/etc")
        os.mkfifo(directory / "pipe")
    """
    config = {"S3Uri": f"s3://{BUCKET}/checkpoints/links"}

    job = ran(api, isolated_job(aws, "checkpoints", program, CheckpointConfig=config))

    assert job["TrainingJobStatus"] == "Completed", job["FailureReason"]
    kept = aws.s3.list_objects_v2(Bucket=BUCKET, Prefix="checkpoints/links")["Contents"]
    assert [item["Key"] for item in kept] == ["checkpoints/links/own"]


def test_a_failure_that_is_a_link_is_not_read(api: Api, aws: Aws) -> None:
    program = """
        import os, pathlib, sys
        root = pathlib.Path(os.environ["SM_MODEL_DIR"]).parent
        (root / "output" / "failure").symlink_to("/etc/passwd")
        os.killpg(0, 9)
    """

    assert "root:" not in ran(api, isolated_job(aws, "curious", program))["FailureReason"]
