"""CheckTraining, RunTransform and the like, CheckEndpoint: wake a waiting run when its job or endpoint is done.

Two callers: a state that waits, with its task token; and EventBridge, when SageMaker says that something has changed. No
order of the two may lose a wake-up: the state stores its token first, then looks, then answers if there is an answer;
the event comes after the change and finds either the token, or a state that has not looked yet. Events may come twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from sageline.aws.errors import is_transient
from sageline.aws.tags import RUN_TAG
from sageline.costs.run_cost import note_job_cost
from sageline.failures.advice import advice
from sageline.failures.failure import explain
from sageline.json_objects import Json
from sageline.names import transform_of
from sageline.runs.context import RunContext
from sageline.runs.payloads import Resource, ResourceKind
from sageline.waiting.describe_resource import Failed, describe_resource
from sageline.waiting.task_tokens import fail, succeed

_ARN_FIELDS = {
    "SageMaker Training Job State Change": "TrainingJobArn",
    "SageMaker HyperParameter Tuning Job State Change": "HyperParameterTuningJobArn",
    "SageMaker Transform Job State Change": "TransformJobArn",
    "SageMaker Endpoint State Change": "EndpointArn",
}


def wait_for_resource(run_id: str, resource: Resource, task_token: str, *, run: RunContext) -> str:
    """Keep the token until the resource is done; answer at once if it is. Returns the outcome in words, for the log.

    A lasting error is an answer too: the state would wait for another one in vain. A transient error (AWS throttles, or cannot be
    reached) is left to the next look, after an event or the state's timeout.
    """
    kind, name, arn = resource["kind"], resource["name"], resource["arn"]
    try:
        # Before the token is there: with it an event may send the run on to its next state.
        run.store.enter(run_id, _state(kind, name, run_id))
        run.store.put_token(arn, task_token, run_id)
        return answer_if_done(run_id, arn, task_token, run=run)
    except Exception as error:  # whatever it is, the state must hear of it, if it lasts
        if is_transient(error):
            return f"Looking at {kind} {name} did not succeed, and is left to the next look: {error}"
        kind_of_error = type(error).__name__
        message = f"Looking at {kind} {name} failed: {error}"
        fail(run.clients.stepfunctions, task_token, kind_of_error, explain(message, (), advice(kind_of_error, message)))
        return message


def handle_change(event: Mapping[str, Any], *, run: RunContext) -> str:
    """Answer whoever waits for the job or endpoint that changed. Returns the outcome in words, for the log.

    Args:
        event: of EventBridge, about a job or an endpoint (Any: SageMaker's JSON).
    """
    arn = str(event["detail"][_ARN_FIELDS[event["detail-type"]]])
    waiting = run.store.get_token(arn)
    if waiting is None:
        # Answered before; or the run was stopped, and its job has ended only now: that costs too.
        run_id = event["detail"].get("Tags", {}).get(RUN_TAG)
        if run_id:
            note_job_cost(*_kind_and_name(arn), run_id, run=run)
        return f"nobody waits for {arn}"
    task_token, run_id = waiting
    return answer_if_done(run_id, arn, task_token, run=run)


def answer_if_done(run_id: str, arn: str, task_token: str, *, run: RunContext) -> str:
    """Answer a state that waits for the job or endpoint of an ARN, if that is done. Returns the outcome in words, for the log."""
    kind, name = _kind_and_name(arn)
    found = describe_resource(kind, name, run_id, run)
    match found:
        case None:
            return f"{kind} {name} is under way"
        case Failed():
            log_lines = list(found.log_lines)
            noted: Json = {"message": found.error.message, "job": name, "failure_reason": found.reason, "log_lines": log_lines}
            run.store.note(run_id, failure=noted)
            error = type(found.error).__name__
            what_to_try = advice(error, found.reason or found.error.message)
            fail(run.clients.stepfunctions, task_token, error, explain(found.error.message, found.log_lines, what_to_try))
        case _:
            if kind == "transform-job":
                result: Json = {transform_of(run_id, name).result_key: dict(found)}
                run.store.note(run_id, **result)
            elif kind != "endpoint":
                run.store.note(run_id, training=dict(found))
            succeed(run.clients.stepfunctions, task_token, found)
    run.store.delete_token(arn, task_token)
    note_job_cost(kind, name, run_id, run=run)
    return f"{kind} {name} is done, the run goes on"


def _state(kind: ResourceKind, name: str, run_id: str) -> str:
    """The state that waits for a resource."""
    match kind:
        case "training-job" | "hyper-parameter-tuning-job":
            return "CheckTraining"
        case "transform-job":
            return transform_of(run_id, name).state
        case "endpoint":
            return "CheckEndpoint"


def _kind_and_name(arn: str) -> tuple[ResourceKind, str]:
    said, _, name = arn.rpartition(":")[2].partition("/")
    kind: ResourceKind
    for kind in get_args(ResourceKind):
        if kind == said:
            return kind, name
    raise ValueError(f"not the ARN of a job or an endpoint: {arn}")
