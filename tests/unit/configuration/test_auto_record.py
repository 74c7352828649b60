"""What the record of a run of several algorithms says before they are trained."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sageline.configuration.configure import configure
from sageline.json_objects import Json
from tests.unit.golden import golden_event
from tests.unit.world.world import EXECUTION, World

FLOWERS = b"size,colour,kind\n" + b"".join(b"%d,red,rose\n%d.5,blue,iris\n" % (i, i) for i in range(40))

LONG = b"it fits me well " * 30
REVIEWS = b"%d " + LONG + b",one\n%d not " + LONG + b",two\n"
TEXTS = b"review,stars\n" + b"".join(REVIEWS % (i, i) for i in range(40))


def configured(world: World, table: bytes = FLOWERS, **spec: Any) -> Json:  # Any: JSON
    """The details of the run's record, and its states."""
    world.put("datasets/flowers/spec.json", json.dumps(spec).encode())
    event = golden_event("configure_run/upload")
    item = event["trigger"]["detail"]["object"]
    item["version-id"] = world.put(item["key"], table)

    record = world.record(configure(EXECUTION, event["trigger"], run=world.run)["run_id"])
    return {**record.details, "state": record.state, "states": [entered["state"] for entered in record.states]}


def test_it_is_in_the_state_that_trains_them(world: World) -> None:
    details = configured(world)
    assert (details["state"], details["states"]) == ("TrainCandidates", ["ConfigureRun", "TrainCandidates"])


def test_it_says_what_one_of_them_alone_may_cost(world: World) -> None:
    cost = configured(world)["cost"]

    assert cost["alone_usd"] == {"xgboost": 0.345, "linear-learner": 0.345}
    assert cost["most_usd"] == 0.69


@pytest.mark.parametrize(
    ("table", "preset", "most"),
    [
        (FLOWERS, "quick", 0.69),
        (FLOWERS, "good", 2.99),
        (FLOWERS, "best", 11.73),
        (TEXTS, "quick", 1.035),
        (TEXTS, "good", 3.105),
        (TEXTS, "best", 11.615),
    ],
)
def test_a_preset_may_cost_what_docs_costs_md_says(world: World, table: bytes, preset: str, most: float) -> None:
    cost = configured(world, table, algorithm={"preset": preset})["cost"]

    assert cost["most_usd"] == pytest.approx(most)
    assert f"${most:g}" in Path("docs/costs.md").read_text(encoding="utf-8")


def test_the_endpoint_is_counted_with_one_alone_too(world: World) -> None:
    instances = {"instances": {"instance_type": "ml.m5.large", "count": 1}, "ttl_hours": 1}
    cost = configured(world, deployment=instances)["cost"]

    assert cost["most_usd"] - cost["alone_usd"]["xgboost"] == pytest.approx(0.345)
    assert cost["alone_usd"]["xgboost"] == pytest.approx(0.345 + 0.115)


def test_what_has_no_bound_with_all_has_none_with_one(world: World) -> None:
    assert "alone_usd" not in configured(world, algorithm={"instance_type": "ml.x9.large"})["cost"]


def test_a_named_algorithm_has_nothing_to_compare_with(world: World) -> None:
    details = configured(world, algorithm={"name": "xgboost"})

    assert "alone_usd" not in details["cost"]
    assert details["states"] == ["ConfigureRun"]
