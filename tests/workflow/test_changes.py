"""What serves is changed: by runs one after the other, by hand to the model before and back, in the middle of a rollout."""

from __future__ import annotations

import pytest

from tests.workflow.rollouts import INSTANCES, IRIS, QUICK, canary, first_model, shares
from tests.workflow.workbench import Workbench, flowers

pytestmark = pytest.mark.stack


def test_two_runs_that_deploy_to_one_endpoint_end_one_after_the_other(workbench: Workbench) -> None:
    old = first_model(workbench, "shared")
    spec = {**QUICK, "deployment": {"endpoint": "shared", **canary(20, 0.05)}}
    started = [workbench.submit(f"shared-{number}", flowers(seed=number), spec).run_id for number in (1, 2)]

    runs = [workbench.wait(run_id) for run_id in started]

    assert [run["status"] for run in runs] == ["Succeeded", "Succeeded"], [run["error"] for run in runs]
    first, last = sorted(runs, key=lambda run: str(run["updated_at"]))
    assert shares(workbench, "shared") == {last["run_id"]: 1.0}
    assert [item for item in workbench.inventory.of("shared") if old in item or first["run_id"] in item] == []
    workbench.delete("shared")


@pytest.mark.full
def test_an_endpoint_goes_back_to_the_model_before_and_forth_again(workbench: Workbench) -> None:
    api = workbench.connection.api
    old = first_model(workbench, "back")
    new = workbench.wait(workbench.submit("back", flowers(seed=5), {**QUICK, "deployment": {"instances": INSTANCES}}).run_id)
    assert new["status"] == "Succeeded", new["error"]
    assert [item for item in workbench.inventory.of("back") if old in item] == []

    run = workbench.wait(api.roll_back("back")["run_id"])
    assert run["status"] == "Succeeded", run["error"]
    assert shares(workbench, "back") == {old: 1.0}
    answer = api.predict("back", [IRIS], 1)
    assert (answer["variant"], answer["predictions"][0]["label"]) == (old, "iris")
    assert workbench.inventory.left_of(new) == []

    again = workbench.wait(api.roll_back("back")["run_id"])
    assert again["status"] == "Succeeded", again["error"]
    assert shares(workbench, "back") == {new["run_id"]: 1.0}
    workbench.delete("back")


@pytest.mark.full
def test_of_two_models_side_by_side_one_is_promoted_and_that_undone(workbench: Workbench) -> None:
    api, deployment = workbench.connection.api, {"instances": INSTANCES, "strategy": "ab", "share": 0.25}
    old = first_model(workbench, "sides")
    new = workbench.wait(workbench.submit("sides", flowers(seed=5), {**QUICK, "deployment": deployment}).run_id)
    assert new["status"] == "Succeeded", new["error"]
    both = {old: 0.75, new["run_id"]: 0.25}
    assert shares(workbench, "sides") == both

    started = api.promote("sides", new["run_id"])["run_id"]
    assert shares(workbench, "sides")[new["run_id"]] == 1.0
    run = workbench.wait(started)
    assert run["status"] == "Succeeded", run["error"]
    assert shares(workbench, "sides") == {new["run_id"]: 1.0}

    run = workbench.wait(api.roll_back("sides")["run_id"])
    assert run["status"] == "Succeeded", run["error"]
    assert shares(workbench, "sides") == both
    workbench.delete("sides")


def test_rolling_back_in_the_middle_of_a_rollout_stops_it(workbench: Workbench) -> None:
    old = first_model(workbench, "middle")
    new = workbench.submit("middle", flowers(seed=5), {**QUICK, "deployment": canary(50, 30)}).run_id
    workbench.wait(new, state="Bake")

    assert workbench.connection.api.roll_back("middle") == {"endpoint": "middle", "run_id": new, "status": "Stopped"}

    assert shares(workbench, "middle") == {old: 1.0}
    assert workbench.wait(new)["status"] == "Stopped"
    workbench.delete("middle")
