"""The fixture that the package brings for the tests of others."""

from __future__ import annotations

import time
from pathlib import Path

import httpx
import psutil
import pytest

from emulator_tests.support import Api, wait_until
from sagemaker_emulator.testing import Emulator, running

pytestmark = pytest.mark.slow


def test_a_test_trains_with_the_fixture(sagemaker_emulator: Emulator) -> None:
    data = sagemaker_emulator.s3 / "bucket-1" / "data" / "train"
    data.mkdir(parents=True)
    (data / "rows.csv").write_text("0,1,2\n1,5,6\n0,1,3\n1,6,5\n")
    sagemaker = sagemaker_emulator.sagemaker

    sagemaker.create_training_job(**Api.training_job("of-the-fixture"))
    job = wait_until(
        lambda: (
            found
            if (found := sagemaker.describe_training_job(TrainingJobName="of-the-fixture"))["TrainingJobStatus"] != "InProgress"
            else None
        ),
        60,
    )

    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert (sagemaker_emulator.s3 / "bucket-1/output/of-the-fixture/output/model.tar.gz").is_file()
    [log] = (sagemaker_emulator.home / "logs/aws/sagemaker/TrainingJobs/of-the-fixture").iterdir()
    assert "train-error" in log.read_text()


def test_the_emulator_is_there_in_the_block_and_gone_after_it(tmp_path: Path) -> None:
    with running(tmp_path) as emulator:
        assert emulator.sagemaker.list_models()["Models"] == []
        assert emulator.runtime.meta.endpoint_url == emulator.url
        [process] = [child for child in psutil.Process().children() if str(tmp_path) in " ".join(child.cmdline())]

    assert not process.is_running()
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{emulator.url}/ping", trust_env=False)


def test_the_profile_of_whoever_runs_the_tests_does_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "no-such-profile")

    with running(tmp_path) as emulator:
        assert emulator.sagemaker.list_models()["Models"] == []


def test_one_that_is_ended_as_soon_as_it_is_ready_ends(tmp_path: Path) -> None:
    with running(tmp_path):
        began = time.monotonic()

    assert time.monotonic() - began < 10


def test_one_that_does_not_start_says_why(tmp_path: Path) -> None:
    with running(tmp_path), pytest.raises(RuntimeError, match="Another local SageMaker service works in"), running(tmp_path):
        pass
