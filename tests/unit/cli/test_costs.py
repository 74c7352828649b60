from __future__ import annotations

import io
from functools import partial

import pytest
from rich.console import Console

from sageline.costs.actual import BilledJob, with_billed_job
from sageline.costs.estimate import CostFacts, cost_bound
from sageline.json_objects import Json
from sageline.spec.model import validate_spec
from sageline_cli.connection import Connection
from sageline_cli.costs import bound
from sageline_cli.errors import CommandFailed
from sageline_cli.follow import await_bound
from sageline_cli.submit import watch
from tests.unit.cli.fakes import RUN_ID, FakeApi, run_record
from tests.unit.cli.test_follow import Time, fetch_from, in_state
from tests.unit.cli.test_render import shown

ON_INSTANCES = {"instances": {"instance_type": "ml.m5.large", "count": 2}}


def cost(facts: CostFacts | None = None, **spec: object) -> Json:
    return cost_bound(validate_spec(spec, "test"), facts or CostFacts()).to_json()


def lines(**details: object) -> list[str]:
    return [" ".join(line.split()) for line in shown({}, **details).splitlines()]


def test_a_run_shows_its_bound_what_it_did_cost_and_whose_prices_these_are() -> None:
    spent = BilledJob(job="wine-1", use="training", instance_type="ml.m5.xlarge", instances=1, seconds=90)
    found = lines(cost=with_billed_job(cost(CostFacts(ttl_hours=8, region="eu-central-1"), deployment=ON_INSTANCES), spent))
    assert "at most $2.07" in found
    assert "counted training: 1 ml.m5.xlarge x 1 h x $0.23 = $0.23" in found
    assert "endpoint: 2 ml.m5.large x 8 h x $0.115 = $1.84" in found
    assert "did cost $0.00575 (wine-1 1 ml.m5.xlarge x 90 s)" in found
    assert "endpoint $0.23 per hour while it is there" in found
    assert "prices list prices of us-east-1, 2026-09-25" in found
    assert any(line.startswith("note The prices are those of us-east-1; in eu-central-1") for line in found)


def test_what_functions_have_done_in_shards_is_part_of_what_it_did_cost() -> None:
    spent = BilledJob(job="wine-1", use="transform", instance_type="ml.m5.large", instances=1, seconds=90)
    planned = {"preparation_usd": 0.02, "evaluation_usd": 0.03, "scoring_usd": 0.04}
    [line] = [line for line in lines(cost=with_billed_job(cost() | planned, spent)) if line.startswith("did cost")]
    assert "preparation in shards about $0.02, as planned, evaluation in shards about $0.03, as planned" in line
    assert "scoring in shards about $0.04, as planned)" in line


def test_what_has_no_bound_or_no_price_says_why() -> None:
    spent = BilledJob(job="wine-1", use="training", instance_type="ml.x9.large", instances=1, seconds=90)
    found = lines(cost=with_billed_job(cost(algorithm={"instance_type": "ml.x9.large"}), spent))
    assert "at most no bound: training: no price is known of ml.x9.large for training" in found
    assert "did cost not known, for lack of a price (wine-1 1 ml.x9.large x 90 s)" in found


def test_a_run_of_which_no_costs_are_known_shows_none() -> None:
    assert not any("What it costs" in line for line in lines())


def test_the_bound_is_one_sentence_with_its_parts() -> None:
    sentence = bound(run_record(details={"cost": cost()}))
    assert sentence is not None
    assert sentence.startswith("It may cost up to $0.23: training: 1 ml.m5.xlarge x 1 h x $0.23 = $0.23; endpoint: serverless")
    endless = bound(run_record(details={"cost": cost(deployment=ON_INSTANCES)}))
    assert endless is not None
    assert endless.startswith("It may cost: training")
    assert endless.endswith("and it bills until it is deleted.")
    assert bound(run_record()) is None


def test_submit_says_what_the_run_may_cost_as_soon_as_that_is_known(
    connection: Connection, api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = run_record(status="Running", state="ConfigureRun")
    left = [begun, begun, {**begun, "details": {"cost": cost()}}]
    api.routes["GET", f"/pipelines/{RUN_ID}"] = lambda request: (200, left.pop(0))
    monkeypatch.setattr("sageline_cli.submit.await_bound", partial(await_bound, sleep=lambda seconds: None))
    monkeypatch.setattr("sageline_cli.submit.ExecutionTimeline", lambda stepfunctions: lambda run: [])
    console = Console(file=io.StringIO(), width=60)
    run, _ = watch(connection, RUN_ID, False, console)
    assert isinstance(console.file, io.StringIO)
    assert "It may cost up to $0.23: training" in console.file.getvalue()
    assert "cost" in run["details"]


@pytest.mark.parametrize(
    "then", [in_state("PrepareData"), run_record(status="Failed", state="ConfigureRun"), CommandFailed("Lost.", "Timeout")]
)
def test_the_bound_is_not_waited_for_when_it_will_not_come(then: Json | CommandFailed) -> None:
    time = Time()
    await_bound(in_state("ConfigureRun"), fetch_from(then), time.clock, time.sleep)
    assert len(time.naps) == 1


def test_the_bound_is_waited_for_a_few_seconds_at_most() -> None:
    time = Time()
    await_bound(in_state("ConfigureRun"), fetch_from(in_state("ConfigureRun")), time.clock, time.sleep)
    assert 15 <= time.now < 16
