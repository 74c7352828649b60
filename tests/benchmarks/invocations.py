"""What a warm invocation through the emulator costs beside the model's own process: ``python -m tests.benchmarks.invocations``.

The emulator runs as ``sagemaker-emulator`` does, with its guard; the request is one that boto3 has signed. The model's process is
the very one that the emulator has started, asked at its own port.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import numpy as np
import psutil
from rich.console import Console

from sagemaker_emulator.testing import Emulator, running
from tests.benchmarks import load
from tests.benchmarks.report import terminal_table
from tests.benchmarks.results import SAGELINE, Goal, Result
from tests.benchmarks.sizes import FULL, Sizes
from tests.benchmarks.written import as_boto3_sends, written

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.type_defs import DataSourceTypeDef, ProductionVariantTypeDef
    from mypy_boto3_sagemaker_runtime.type_defs import InvokeEndpointInputTypeDef

ALONE = "the model's process alone"
CONNECTIONS = 16

_IMAGES = {
    "xgboost": "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.2-0",
    "linear-learner": "382416733822.dkr.ecr.us-east-1.amazonaws.com/linear-learner:1",
}
_HYPERPARAMETERS = {
    "xgboost": {"num_round": "50", "objective": "binary:logistic"},
    "linear-learner": {"predictor_type": "binary_classifier", "epochs": "3"},
}
_ROWS, _COLUMNS = 500, 8
_BODY = b"0.3,-1.2,0.5,0.1,-0.7,1.1,0.2,-0.4\n" * 2
_ROLE = "arn:aws:iam::000000000000:role/any"
_MOST = 1.5
_SPEED = round(1 / _MOST, 3)
_BOUND = "the same HTTP server once more, in Python, and the request's signature"
_NOTE = (
    "The command `sagemaker-emulator` with its guard, sent a request that boto3 has signed, of two rows of CSV; and the model's "
    f"process that it has started, asked at its own port. The goal is at most {_MOST:g} times its time."
)


@dataclass(frozen=True)
class Contestant:
    """A port of 127.0.0.1, and a request as it is sent there."""

    port: int
    request: bytes


def run(sizes: Sizes) -> Iterator[Result]:
    with tempfile.TemporaryDirectory() as directory, running(Path(directory)) as emulator:
        _write_rows(emulator.s3 / "bucket" / "train" / "rows.csv")
        for algorithm in sizes.invoked:
            yield from _results(algorithm, _deploy(emulator, algorithm), sizes)


def _results(algorithm: str, contestants: Mapping[str, Contestant], sizes: Sizes) -> Iterator[Result]:
    _measured(contestants, connections=1, count=sizes.invocations // 2, rounds=1)
    name = algorithm.replace("-", "_")
    one = _measured(contestants, connections=1, count=sizes.invocations, rounds=sizes.rounds)
    times = {who: [round_.milliseconds for round_ in taken] for who, taken in one.items()}
    yield Result(
        job=f"invocation_{name}",
        title=f"a warm invocation of {algorithm} through the emulator, median of {sizes.invocations:,}",
        unit="ms",
        samples=times,
        limits=(ALONE,),
        goals=[Goal(than=ALONE, speed=_SPEED)],
        bound=_BOUND,
        note=f"{_NOTE} The emulator adds {median(times[SAGELINE]) - median(times[ALONE]):.2f} ms.",
    )
    several = _measured(contestants, connections=CONNECTIONS, count=sizes.invocations, rounds=sizes.rounds)
    yield Result(
        job=f"invocations_{name}",
        title=f"invocations of {algorithm} through the emulator, {CONNECTIONS} at a time",
        unit="requests/s",
        samples={who: [round_.per_second for round_ in taken] for who, taken in several.items()},
        limits=(ALONE,),
        goals=[Goal(than=ALONE, speed=_SPEED)],
        bound=_BOUND,
        note=_NOTE,
    )


def _measured(contestants: Mapping[str, Contestant], *, connections: int, count: int, rounds: int) -> dict[str, list[load.Taken]]:
    """What each took in each round; they take turns in beginning one."""
    taken: dict[str, list[load.Taken]] = {name: [] for name in contestants}
    for number in range(rounds):
        for name in list(contestants)[:: -1 if number % 2 else 1]:
            contestant = contestants[name]
            taken[name].append(load.measure(contestant.port, contestant.request, connections=connections, count=count))
    return taken


def _write_rows(path: Path) -> None:
    random = np.random.default_rng(7)
    columns = random.normal(size=(_ROWS, _COLUMNS))
    labels = columns.sum(axis=1) > 0
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savetxt(path, np.column_stack([labels, columns]), fmt="%.4f", delimiter=",")


def _deploy(emulator: Emulator, name: str) -> dict[str, Contestant]:
    """A model that is trained and deployed; through the emulator, and at its process."""
    sagemaker, image = emulator.sagemaker, _IMAGES[name]
    source: DataSourceTypeDef = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/train/"}}
    sagemaker.create_training_job(
        TrainingJobName=name,
        RoleArn=_ROLE,
        AlgorithmSpecification={"TrainingImage": image, "TrainingInputMode": "File"},
        HyperParameters=_HYPERPARAMETERS[name],
        StoppingCondition={"MaxRuntimeInSeconds": 600},
        InputDataConfig=[{"ChannelName": "train", "ContentType": "text/csv", "DataSource": source}],
        OutputDataConfig={"S3OutputPath": "s3://bucket/models/"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
    )
    sagemaker.get_waiter("training_job_completed_or_stopped").wait(TrainingJobName=name, WaiterConfig={"Delay": 1})
    artifact = sagemaker.describe_training_job(TrainingJobName=name)["ModelArtifacts"]["S3ModelArtifacts"]
    sagemaker.create_model(ModelName=name, PrimaryContainer={"Image": image, "ModelDataUrl": artifact}, ExecutionRoleArn=_ROLE)
    variant: ProductionVariantTypeDef = {
        "VariantName": "all",
        "ModelName": name,
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    }
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    before = _listening()
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=name, WaiterConfig={"Delay": 1})
    (port,) = _listening() - before
    head = {"Host": f"127.0.0.1:{port}", "Content-Type": "text/csv", "Content-Length": str(len(_BODY))}
    invocation: InvokeEndpointInputTypeDef = {"EndpointName": name, "ContentType": "text/csv", "Body": _BODY}
    return {
        SAGELINE: Contestant(urlsplit(emulator.url).port or 0, as_boto3_sends(emulator.runtime, invocation)),
        ALONE: Contestant(port, written("/invocations", head, _BODY)),
    }


def _listening() -> set[int]:
    """The ports at which this process' descendants listen."""
    children = psutil.Process().children(recursive=True)
    return {
        connection.laddr.port
        for child in children
        for connection in child.net_connections("tcp4")
        if connection.status == psutil.CONN_LISTEN
    }


if __name__ == "__main__":
    Console(width=150).print(terminal_table(list(run(FULL))))
