"""Starting the function that answers predictions, against importing what any such function needs."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.results import SAGELINE, Goal, Result
from tests.benchmarks.sizes import Sizes

BARE = "boto3 + numpy"

_ROOT = Path(__file__).parents[2]
_LAYER = _ROOT / "layers" / "shared"
_MOST = 1.25

_TIMED = """
import time
start = time.perf_counter()
{work}
print((time.perf_counter() - start) * 1000)
"""
_FUNCTION = """
from functions.invoke_preprocess import app
app.predictor(app.SECONDS_FOR_PEOPLE)
"""
_BARE = """
import boto3, numpy
from botocore.config import Config
config = Config(retries={"mode": "standard", "max_attempts": 5}, connect_timeout=5)
boto3.client("s3", config=config)
boto3.client("sagemaker-runtime", config=config)
"""


def run(sizes: Sizes) -> Iterator[Result]:
    samples: dict[str, list[float]] = {SAGELINE: [], BARE: []}
    for work in (_FUNCTION, _BARE):
        _start(work)  # compiles what is not compiled yet
    for _ in range(sizes.processes):
        samples[SAGELINE].append(_start(_FUNCTION))
        samples[BARE].append(_start(_BARE))
    yield Result(
        job="cold_start",
        title="cold start of invoke_preprocess: import and make its clients",
        unit="ms",
        samples=samples,
        limits=(BARE,),
        goals=[Goal(than=BARE, speed=1 / _MOST)],
        bound="the imports of Powertools",
        note=f"Each in {sizes.processes} new processes, without Python's own start. `{BARE}` imports these two and makes the "
        f"same clients. The goal is at most {_MOST} times its time.",
    )


def _start(work: str) -> float:
    """Milliseconds in a new process."""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join((str(_LAYER), str(_ROOT))),
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "benchmark",
        "AWS_SECRET_ACCESS_KEY": "benchmark",
        "BUCKET_NAME": "benchmark",
        "STACK_NAME": "benchmark",
        "POWERTOOLS_SERVICE_NAME": "sageline",
        "POWERTOOLS_METRICS_NAMESPACE": "Sageline",
    }
    command = [sys.executable, "-c", _TIMED.format(work=work)]
    ended = subprocess.run(command, cwd=_ROOT, env=environment, check=True, capture_output=True, text=True)
    return float(ended.stdout)
