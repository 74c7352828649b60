"""What a restart of the service keeps, and what it says was lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from emulator_tests.support import BUCKET, FAST_IMAGE, Api, Refused, put_model, until_training, wait_until
from sagemaker_emulator.aws import Aws
from sagemaker_emulator.hosting.deployments import Deployments
from sagemaker_emulator.service import HomeInUse, lock_home
from sagemaker_emulator.store import Store
from sagemaker_emulator.training.jobs import KIND


def test_a_running_job_ends_with_the_service_and_says_so(start: Callable[[], Api]) -> None:
    api = start()
    api.ok("CreateTrainingJob", **api.fast_job("interrupted", "wait"))
    until_training(api, "interrupted")

    api = start()

    job = api.ok("DescribeTrainingJob", TrainingJobName="interrupted")
    assert job["TrainingJobStatus"] == "Failed"
    assert "the local SageMaker service was shut down while the job was running" in job["FailureReason"]


def test_an_endpoint_serves_again_even_when_its_model_data_is_gone(start: Callable[[], Api], aws: Aws) -> None:
    api = start()
    api.ok("CreateModel", **api.model("model", put_model(aws, "model", "good"), FAST_IMAGE))
    api.endpoint_in_service("endpoint", api.endpoint_config("config", api.variant("v1", "model")))
    before, _ = api.invoke("endpoint", b"5,6")
    aws.s3.delete_object(Bucket=BUCKET, Key="models/model/model.tar.gz")

    api = start()

    report = api.client.get("/_emulator/restart-report").json()
    assert report["endpoints"] == {"endpoint": "is being started again"}
    endpoint = wait_until(lambda: api.settled_endpoint("endpoint"))
    assert endpoint["EndpointStatus"] == "InService"
    assert api.invoke("endpoint", b"5,6")[0] == before


def test_an_endpoint_that_is_being_started_again_is_unavailable_and_not_unknown(
    start: Callable[[], Api], aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = start()
    api.ok("CreateModel", **api.model("returning", put_model(aws, "returning", "good"), FAST_IMAGE))
    api.endpoint_in_service("returning", api.endpoint_config("returning", api.variant("v1", "returning")))

    with monkeypatch.context() as patch:
        patch.setattr(Deployments, "deploy", lambda *_: None)
        api = start()
        with pytest.raises(Refused, match="Endpoint returning is Updating, and no container of it runs") as refused:
            api.invoke("returning", b"5,6")

    assert (refused.value.status, refused.value.code) == (503, "ServiceUnavailable")


def test_a_job_that_a_killed_service_left_running_is_failed_and_reported(start: Callable[[], Api]) -> None:
    api = start()
    api.ok("CreateTrainingJob", **api.fast_job("lost", "fail"))
    wait_until(lambda: api.ended_job("lost"))

    store = Store(api.home / "sagemaker.db")
    store.update(KIND, "lost", lambda job: job.update(TrainingJobStatus="InProgress", SecondaryStatus="Training"))
    store.close()
    api = start()

    assert api.client.get("/_emulator/restart-report").json()["failed_training_jobs"] == ["lost"]
    job = api.ok("DescribeTrainingJob", TrainingJobName="lost")
    assert "the local SageMaker service was killed while the job was running" in job["FailureReason"]


def test_one_state_directory_has_one_service(tmp_path: Path) -> None:
    with lock_home(tmp_path / "home"), pytest.raises(HomeInUse, match="Another local SageMaker service works in"):
        lock_home(tmp_path / "home")
