"""A look that AWS does not answer at this moment ends no run; one that it refuses for good does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ParamValidationError,
    ReadTimeoutError,
)

from sageline.aws.errors import is_transient
from sageline.deployment.alarms import RolloutAlarms
from sageline.runs.context import RunContext
from sageline.waiting.check_status import handle_change, wait_for_resource
from sageline.waiting.start_transform import start_and_wait
from sageline.waiting.watch_rollout import wait_for_alarm
from tests.unit.golden import golden_event
from tests.unit.world.waiting import (
    JOB_ARN,
    JOB_CHANGED,
    WAIT_FOR_ENDPOINT,
    WAIT_FOR_JOB,
    WAIT_FOR_TRANSFORM,
    WAIT_FOR_TUNING,
    Answers,
    run_job,
)
from tests.unit.world.world import RUN_ID, World


def refused(code: str, status: int) -> ClientError:
    answer: Any = {"Error": {"Code": code, "Message": "m"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "Operation")


PASSING = [
    refused("ThrottlingException", 400),
    refused("ProvisionedThroughputExceededException", 400),
    refused("TooManyRequestsException", 429),
    refused("InternalFailure", 500),
    refused("SomethingNew", 503),
    refused("ExpiredTokenException", 400),
    ConnectTimeoutError(endpoint_url="https://sagemaker"),
    ReadTimeoutError(endpoint_url="https://sagemaker"),
    EndpointConnectionError(endpoint_url="https://sagemaker"),
]
LASTING = [
    refused("AccessDeniedException", 400),
    refused("ValidationException", 400),
    refused("ResourceLimitExceeded", 400),
    ParamValidationError(report="name"),
    KeyError("TrainingJobStatus"),
]
LOOKS = [
    ("DescribeTrainingJob", WAIT_FOR_JOB),
    ("DescribeHyperParameterTuningJob", WAIT_FOR_TUNING),
    ("DescribeTransformJob", WAIT_FOR_TRANSFORM),
    ("DescribeEndpoint", WAIT_FOR_ENDPOINT),
]


def raising(error: Exception) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail


@pytest.mark.parametrize("error", PASSING, ids=repr)
def test_what_a_later_try_may_get_past_is_transient(error: Exception) -> None:
    assert is_transient(error)


@pytest.mark.parametrize("error", LASTING, ids=repr)
def test_what_would_be_refused_again_is_not(error: Exception) -> None:
    assert not is_transient(error)


@pytest.mark.parametrize(("operation", "event"), LOOKS)
@pytest.mark.parametrize("error", [PASSING[0], PASSING[3], PASSING[7]], ids=repr)
def test_a_look_that_fails_for_now_is_left_to_the_next_one(
    world: World, watch: RunContext, answers: Answers, *, operation: str, event: Any, error: Exception
) -> None:
    world.fake.before[operation] = raising(error)
    assert "left to the next look" in wait_for_resource(event["run_id"], event["resource"], event["task_token"], run=watch)
    assert answers.sent == []
    assert watch.store.get_token(event["resource"]["arn"]) == (event["task_token"], RUN_ID), "an event still finds it"


def test_the_next_look_or_event_ends_the_waiting(world: World, watch: RunContext, answers: Answers) -> None:
    run_job(world, "InProgress")
    world.fake.before["DescribeTrainingJob"] = raising(PASSING[0])
    wait_for_resource(RUN_ID, WAIT_FOR_JOB["resource"], "token", run=watch)
    run_job(world, "Completed")
    handle_change(JOB_CHANGED, run=watch)
    assert [name for name, _ in answers.sent] == ["SendTaskSuccess"]
    assert watch.store.get_token(JOB_ARN) is None


def test_a_record_that_cannot_be_written_for_now_ends_no_run(
    world: World, watch: RunContext, answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(watch.store), "enter", lambda *_, **__: raising(PASSING[1])())
    assert "left to the next look" in wait_for_resource(RUN_ID, WAIT_FOR_JOB["resource"], "token", run=watch)
    assert answers.sent == []


@pytest.mark.parametrize("error", LASTING, ids=repr)
def test_a_look_that_fails_for_good_ends_the_run(world: World, watch: RunContext, answers: Answers, error: Exception) -> None:
    world.fake.before["DescribeTrainingJob"] = raising(error)
    wait_for_resource(RUN_ID, WAIT_FOR_JOB["resource"], "token", run=watch)
    assert [name for name, _ in answers.sent] == ["SendTaskFailure"]


@pytest.mark.parametrize(("error", "told"), [(PASSING[0], []), (LASTING[0], ["SendTaskFailure"])], ids=repr)
def test_a_look_at_a_rollouts_alarms_is_no_other(
    world: World, watch: RunContext, answers: Answers, monkeypatch: pytest.MonkeyPatch, *, error: Exception, told: list[str]
) -> None:
    monkeypatch.setattr(RolloutAlarms, "firing", lambda *_: raising(error)())
    shifted: Any = {"endpoint": "flowers", "arn": "arn", "is_last": False, "share": 0.1}
    wait_for_alarm(RUN_ID, shifted, "token", run=watch)
    assert [name for name, _ in answers.sent] == told


@pytest.mark.parametrize("error", [PASSING[0], PASSING[3], PASSING[7]], ids=repr)
def test_a_transform_job_that_cannot_be_started_for_now_is_started_by_the_next_look(
    world: World, watch: RunContext, answers: Answers, error: Exception
) -> None:
    plan: Any = golden_event("start_transform/start")["transform"]
    world.fake.before["CreateTransformJob"] = raising(error)
    assert "left to the next look" in start_and_wait(RUN_ID, plan, "token", run=watch)
    world.fake.models[plan["model_name"]] = {}
    assert "under way" in start_and_wait(RUN_ID, plan, "token", run=watch)
    assert answers.sent == []


def test_a_transform_job_that_is_refused_for_good_ends_the_run(world: World, watch: RunContext) -> None:
    plan: Any = golden_event("start_transform/start")["transform"]
    world.fake.before["CreateTransformJob"] = raising(LASTING[0])
    with pytest.raises(ClientError, match="AccessDenied"):
        start_and_wait(RUN_ID, plan, "token", run=watch)
