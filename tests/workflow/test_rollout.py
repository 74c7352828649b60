"""Rollouts on the local stack: by steps to the whole traffic, and back when an alarm fires."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass

import pytest

from sageline.json_objects import Json
from sageline_local.fixture.data import TRAIN
from tests.workflow.rollouts import INSTANCES, IRIS, QUICK, canary, first_model, shares, traffic
from tests.workflow.test_algorithms import put_source, script_spec
from tests.workflow.workbench import Workbench, flowers

pytestmark = pytest.mark.stack

PREDICT = "def predict_fn(rows, centres):"
FAILING = TRAIN.replace(
    PREDICT, f"calls = 0\n\n{PREDICT}\n    global calls\n    calls += 1\n    assert calls < 3, 'out of handles'"
)
SLOW = TRAIN.replace(PREDICT, f"import time\n\n{PREDICT}\n    time.sleep(0.5)")


def scaled(workbench: Workbench, endpoint: str) -> set[str]:
    """The variants whose instances scale, as Application Auto Scaling calls them."""
    found = workbench.inventory.scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    return {target["ResourceId"] for target in found if target["ResourceId"].startswith(f"endpoint/{endpoint}/")}


def test_a_good_model_goes_by_canary_to_all_of_the_traffic(workbench: Workbench) -> None:
    old = first_model(workbench, "canary")
    deployment = canary(25, 0.1)
    with traffic(workbench, "canary") as seen:
        new = workbench.submit("canary", flowers(seed=5), {**QUICK, "deployment": deployment}).run_id
        workbench.wait(new, state="Bake")
        assert shares(workbench, "canary") == pytest.approx({old: 0.75, new: 0.25})
        run = workbench.wait(new)

    assert run["status"] == "Succeeded", run["error"]
    states = workbench.states(run["execution_arn"])
    assert states[-6:] == ["ShiftTraffic", "Bake", "ShiftTraffic", "Bake", "PromoteVariant", "Succeeded"]
    assert shares(workbench, "canary") == {new: 1.0}
    assert seen.errors == {}
    assert seen.answered.keys() == {old, new}
    assert [item for item in workbench.inventory.of("canary") if old in item or "rollout" in item] == []
    workbench.delete("canary")


@pytest.mark.full
def test_a_model_goes_by_equal_steps_and_its_instances_follow_its_requests_from_the_first(workbench: Workbench) -> None:
    autoscaling = {"min": 1, "max": 2, "invocations_per_instance": 50, "scale_in_cooldown_seconds": 120}
    deployment = {"endpoint": "stairs", "instances": INSTANCES, "autoscaling": autoscaling, "strategy": "linear"}
    first = {**QUICK, "deployment": {**deployment, "strategy": "all-at-once"}}
    old = workbench.wait(workbench.submit("stairs", flowers(), first).run_id)
    assert old["status"] == "Succeeded", old["error"]
    old_target = f"endpoint/stairs/variant/{old['run_id']}"
    assert scaled(workbench, "stairs") == {old_target}

    linear = {"linear": {"step_percent": 25, "interval_minutes": 0.05}}
    new = workbench.submit("stairs", flowers(seed=5), {**QUICK, "deployment": {**deployment, **linear}}).run_id
    new_target = f"endpoint/stairs/variant/{new}"
    workbench.wait(new, state="Bake")
    assert scaled(workbench, "stairs") == {old_target, new_target}
    run = workbench.wait(new)

    assert run["status"] == "Succeeded", run["error"]
    shifted = [
        json.loads(event["stateExitedEventDetails"]["output"])["share"]
        for event in workbench.history(run["execution_arn"])
        if event["type"] == "TaskStateExited" and event["stateExitedEventDetails"]["name"] == "ShiftTraffic"
    ]
    assert shifted == [0.25, 0.5, 0.75, 1]
    assert shares(workbench, "stairs") == {new: 1.0}
    assert scaled(workbench, "stairs") == {new_target}
    policies = workbench.inventory.scaling.describe_scaling_policies(ServiceNamespace="sagemaker", ResourceId=new_target)
    [policy] = policies["ScalingPolicies"]
    tracked = policy["TargetTrackingScalingPolicyConfiguration"]
    assert (tracked["TargetValue"], tracked["ScaleInCooldown"]) == (50, 120)
    workbench.delete("stairs")


@dataclass(frozen=True)
class Unfit:
    """A model that does well in every test and not under traffic."""

    name: str
    script: str
    alarms: Json
    errors: set[str]
    words: str


@pytest.mark.parametrize(
    "case",
    [
        Unfit("failing", FAILING, {}, {"PredictionFailed"}, "Over 5 % of the answers"),
        Unfit("slow", SLOW, {"latency_ms": 300}, set(), "over 300 ms"),
    ],
    ids=lambda case: case.name,
)
def test_a_model_unfit_for_traffic_is_rolled_back_by_alarm_and_the_old_one_serves_all_along(
    workbench: Workbench, case: Unfit
) -> None:
    old = first_model(workbench, case.name, script_spec(put_source(workbench, case.name, TRAIN)))
    source = put_source(workbench, f"later-{case.name}", case.script)
    spec = {**script_spec(source), "deployment": {"endpoint": case.name, **canary(50, 5), "alarms": case.alarms}}
    with traffic(workbench, case.name) as seen:
        new = workbench.submit(f"later-{case.name}", flowers(seed=7), spec).run_id
        workbench.wait(new, state="Bake")
        began = time.monotonic()
        run = workbench.wait(new)

    assert (run["status"], run["error"]["error"]) == ("Failed", "RolloutAlarm"), run["error"]
    assert case.words in run["error"]["message"]
    assert run["error"]["state"] == "Bake"
    assert time.monotonic() - began < 150, "an alarm does not wait for the end of baking"
    assert seen.errors.keys() == case.errors, f"not only the new model's own failures: {seen.errors}"
    assert seen.answered[old] > 0
    assert shares(workbench, case.name) == {old: 1.0}
    answer = workbench.connection.api.predict(case.name, [IRIS], 1)
    assert answer["variant"] == old
    workbench.delete(case.name)
