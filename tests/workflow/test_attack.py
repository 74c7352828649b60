"""A script that attacks: from training, from a transform job and from an endpoint it goes for what belongs to another run."""

from __future__ import annotations

import io
import json
import tarfile

import pytest

from sageline.json_objects import Json
from sagemaker_emulator.isolation.machine import look
from tests.workflow.workbench import Workbench, flowers, until

pytestmark = pytest.mark.stack

VICTIM = "victim-20260101000000-0a1b2c"
TARGETS = {
    "model": f"models/{VICTIM}/model.tar.gz",
    "artifact": f"runs/{VICTIM}/training/{VICTIM}/output/model.tar.gz",
    "rows": f"runs/{VICTIM}/data/test-raw/part-00000.jsonl",
    "encoded rows": f"runs/{VICTIM}/data/train/part-00000.csv",
    "checkpoint": f"checkpoints/{VICTIM}/1.npz",
    "dataset": "datasets/victim/rows.csv",
    "routing": "endpoints/victim/routing.json",
}
CONTENT = b"of another run"
SCRIPT = """
import argparse, json, os, urllib.request
from pathlib import Path

def outcome(attempt):
    try:
        attempt()
    except BaseException as error:
        return getattr(error, "response", {}).get("Error", {}).get("Code") or type(error).__name__
    return "done"

def attack(where, told):
    import boto3
    from botocore.config import Config
    quick = Config(connect_timeout=2, read_timeout=2, retries={"max_attempts": 0})
    s3 = boto3.client("s3", endpoint_url=told["url"], region_name="us-east-1", config=quick)
    guessed = boto3.client("s3", endpoint_url=told["url"], region_name="us-east-1", config=quick,
                           aws_access_key_id="test", aws_secret_access_key="test")
    tried = {}
    for name, key in told["targets"].items():
        for kind, client in {"own": s3, **({} if where == "serverless" else {"guessed": guessed})}.items():
            tried[f"{kind}: read {name}"] = outcome(lambda: client.get_object(Bucket=told["bucket"], Key=key))
            tried[f"{kind}: write {name}"] = outcome(lambda: client.put_object(Bucket=told["bucket"], Key=key, Body=b"changed"))
        if where != "serverless":
            address = f"{told['url']}/{told['bucket']}/{key}"
            tried[f"plain: read {name}"] = outcome(lambda: urllib.request.urlopen(address, timeout=2))
            put = urllib.request.Request(address, data=b"changed", method="PUT")
            tried[f"plain: write {name}"] = outcome(lambda: urllib.request.urlopen(put, timeout=2))
    print("ATTACK " + json.dumps({"from": where, "tried": tried}), flush=True)

def model_fn(folder):
    told = json.loads((Path(folder) / "told.json").read_text())
    attack("serving", told) if boto3_has_nothing() else attack("serverless", told)
    return told

def boto3_has_nothing():
    import boto3
    return boto3.Session().get_credentials() is None

def predict_fn(rows, told):
    import numpy as np
    return np.full((len(rows), 3), 1 / 3)

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--told")
    told = json.loads(bytes.fromhex(parser.parse_args().told))
    attack("training", told)
    (Path(os.environ["SM_MODEL_DIR"]) / "told.json").write_text(json.dumps(told))
"""

INSTANCES = {"instances": {"instance_type": "ml.m5.large", "count": 1}}


@pytest.fixture(scope="module")
def attacker(workbench: Workbench) -> dict[str, Json]:
    """The attacking script's runs, one on a serverless endpoint and one on an instance; both have come to their end."""
    s3, bucket = workbench.connection.s3, workbench.connection.bucket
    for key in TARGETS.values():
        s3.put_object(Bucket=bucket, Key=key, Body=CONTENT)
    source = io.BytesIO()
    with tarfile.open(fileobj=source, mode="w:gz") as archive:
        member = tarfile.TarInfo("train.py")
        member.size = len(SCRIPT.encode())
        archive.addfile(member, io.BytesIO(SCRIPT.encode()))
    s3.put_object(Bucket=bucket, Key="datasets/attacker/source.tar.gz", Body=source.getvalue())
    told = json.dumps({"url": s3.meta.endpoint_url, "bucket": bucket, "targets": TARGETS}).encode().hex()
    spec: Json = {
        "algorithm": {
            "name": "script",
            "hyperparameters": {"told": told},
            "script": {"framework": "scikit-learn", "source_dir": f"s3://{bucket}/datasets/attacker/source.tar.gz"},
        }
    }
    started = {
        name: workbench.submit(name, flowers(), {**spec, "deployment": deployment}).run_id
        for name, deployment in {"attacker-serverless": {}, "attacker-instances": INSTANCES}.items()
    }
    ended = {name: workbench.wait(run_id) for name, run_id in started.items()}
    assert {run["status"] for run in ended.values()} == {"Succeeded"}, [run["error"] for run in ended.values()]
    return ended


def attacks(workbench: Workbench, group: str, stream: str) -> list[Json]:
    """What a container has logged of its attacks."""

    def found() -> list[Json] | None:
        lines = workbench.logs.filter_log_events(logGroupName=group, logStreamNamePrefix=stream)["events"]
        said = [line["message"].partition("ATTACK ")[2] for line in lines if "ATTACK " in line["message"]]
        return [json.loads(text) for text in said] or None

    return until(found, lambda: f"no attack in {group}")


def succeeded(attack: Json) -> set[str]:
    return {name for name, outcome in attack["tried"].items() if outcome == "done"}


@pytest.mark.skipif(not look().network, reason="this machine has no namespaces to isolate containers with")
@pytest.mark.parametrize("group", ["TrainingJobs", "TransformJobs", "Endpoints/attacker-instances"])
def test_what_is_isolated_reaches_nothing(workbench: Workbench, attacker: dict[str, Json], group: str) -> None:
    run = attacker["attacker-instances"]
    found = attacks(workbench, f"/aws/sagemaker/{group}", run["run_id"])

    assert {attack["from"] for attack in found} == {"training" if group == "TrainingJobs" else "serving"}
    for attack in found:
        assert succeeded(attack) == set()
        assert len(attack["tried"]) == 6 * len(TARGETS)


def test_on_a_serverless_endpoint_it_reads_models_and_changes_nothing(workbench: Workbench, attacker: dict[str, Json]) -> None:
    run = attacker["attacker-serverless"]
    for attack in attacks(workbench, "/aws/sagemaker/Endpoints/attacker-serverless", run["run_id"]):
        assert attack["from"] == "serverless"
        assert succeeded(attack) == {"own: read model"}
        assert set(attack["tried"].values()) == {"done", "AccessDenied"}


def test_nothing_of_the_other_run_has_changed(workbench: Workbench, attacker: dict[str, Json]) -> None:
    s3, bucket = workbench.connection.s3, workbench.connection.bucket
    assert {key: s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in TARGETS.values()} == dict.fromkeys(
        TARGETS.values(), CONTENT
    )


def test_a_serverless_model_is_a_second_one_that_goes_with_the_first(workbench: Workbench, attacker: dict[str, Json]) -> None:
    run_id = attacker["attacker-serverless"]["run_id"]
    models = {
        name: workbench.sagemaker.describe_model(ModelName=name)["EnableNetworkIsolation"] for name in (run_id, f"{run_id}-open")
    }
    assert models == {run_id: True, f"{run_id}-open": False}
    workbench.delete("attacker-serverless")
    workbench.delete("attacker-instances")


def test_requirements_are_refused_before_anything_starts(workbench: Workbench) -> None:
    source = io.BytesIO()
    with tarfile.open(fileobj=source, mode="w:gz") as archive:
        for name, content in {"train.py": b"pass", "requirements.txt": b"pandas==2.2"}.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    s3, bucket = workbench.connection.s3, workbench.connection.bucket
    s3.put_object(Bucket=bucket, Key="datasets/wanting/source.tar.gz", Body=source.getvalue())
    script = {"framework": "scikit-learn", "source_dir": f"s3://{bucket}/datasets/wanting/source.tar.gz"}

    run = workbench.wait(workbench.submit("wanting", flowers(), {"algorithm": {"name": "script", "script": script}}).run_id)

    assert (run["status"], run["error"]["state"]) == ("Failed", "ConfigureRun")
    assert "pandas==2.2" in run["error"]["message"]
    assert "network" in run["error"]["message"]
