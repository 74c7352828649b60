"""A run of `auto` as ConfigureRun leaves it, and the runs of its candidates."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sageline.configuration.configure import configure
from sageline.errors import AlreadyStarted, BudgetExceeded, InvalidDataset, InvalidSpec, QuotaExceeded, RunNotFound
from sageline.names import NAME_MAX_LENGTH, candidate_run_id, is_run_id, transform_job_names, tuning_job_name
from sageline.preparation.prepare import prepare_data
from sageline.runs.payloads import Configured
from tests.unit.configuration.test_configure import FLOWERS, KEY, REQUEST, UPLOAD, URI, configure_case, uploaded, written_spec
from tests.unit.golden import golden_event
from tests.unit.world.world import BUCKET, EXECUTION, RUN_ID, World, with_clients

CHILD = f"{EXECUTION}-candidate"


def started(world: World, **spec: Any) -> Configured:
    """A run that a request has started."""
    world.put(KEY, FLOWERS)
    document = {"dataset": {"uri": f"s3://{BUCKET}/{KEY}"}, **spec}
    return configure(EXECUTION, {"run_id": RUN_ID, "spec": document}, run=world.run)


def begun(world: World, candidate: str, of: str = RUN_ID, execution: str = CHILD) -> Configured:
    """As the state machine starts a candidate's execution."""
    started_by = {"AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID": EXECUTION}
    return configure(execution, {"run_id": candidate, "candidate_of": of, **started_by}, run=world.run)


def test_an_upload_without_a_spec_is_a_run_of_several_algorithms(world: World) -> None:
    configured = configure_case(world, uploaded(world, UPLOAD))

    run_id = configured["run_id"]
    candidates = [candidate_run_id(run_id, algorithm) for algorithm in ("xgboost", "linear-learner")]
    assert configured == {
        "run_id": run_id,
        "endpoint_name": "flowers",
        "kind": "auto",
        "then": "deploy",
        "candidates": candidates,
    }
    record = world.record(run_id)
    assert record.details["candidates"] == [
        {"run_id": candidates[0], "algorithm": "xgboost"},
        {"run_id": candidates[1], "algorithm": "linear-learner"},
    ]
    spec = written_spec(world, run_id)
    assert (spec["algorithm"]["name"], spec["algorithm"]["preset"], spec["encoder"]) == ("auto", "quick", None)
    for run, algorithm in zip(candidates, ("xgboost", "linear-learner"), strict=True):
        own = written_spec(world, run)
        assert (own["algorithm"]["name"], own["deployment"], own["task"]) == (algorithm, None, "classification")
        assert own["encoder"]["kind"] == "columns"
        assert json.loads(world.get(f"runs/{run}/given-spec.json"))["algorithm"]["name"] == algorithm
    with pytest.raises(RunNotFound):
        world.record(candidates[0])


@pytest.mark.parametrize("algorithm", [{}, {"name": "auto"}, {"name": "xgboost"}, {"name": "knn"}])
def test_a_label_that_is_the_same_in_every_row_is_refused_before_anything_is_started(
    world: World, algorithm: dict[str, str]
) -> None:
    rows = FLOWERS.splitlines()
    world.put(KEY, b"\n".join([rows[0], *(row.rpartition(b",")[0] + b",rose" for row in rows[1:])]))
    spec = {"dataset": {"uri": f"s3://{BUCKET}/{KEY}", "label": "kind"}, "algorithm": algorithm}

    with pytest.raises(InvalidDataset) as refused:
        configure(EXECUTION, {"run_id": RUN_ID, "spec": spec}, run=world.run)

    assert refused.value.message == (
        f"s3://{BUCKET}/{KEY}: every label in column 'kind' is 'rose' ({len(rows) - 1} rows); a classifier needs at least two "
        "classes. Add rows of other classes, or name another column in dataset.label."
    )
    assert "candidates" not in world.record().details


def test_the_bound_counts_every_training_and_every_transform_job(world: World) -> None:
    started(world)

    cost = world.record().details["cost"]
    assert [(part["what"], part.get("jobs")) for part in cost["parts"]] == [
        ("training", 2),
        ("evaluation", 2),
        ("endpoint", None),
    ]
    assert cost["most_usd"] == pytest.approx(2 * (0.23 + 0.115))


@pytest.mark.parametrize(
    ("quota", "keys"),
    [
        ("ml.m5.xlarge for training job usage", r"`algorithm\.instance_type` and `algorithm\.name`"),
        ("Number of instances across all training jobs", r"`algorithm\.name`"),
        ("ml.m5.large for transform job usage", r"`evaluation\.instance_type`"),
        ("Number of instances across all transform jobs", r"`evaluation\.instance_type`"),
    ],
)
def test_the_quotas_are_asked_for_the_jobs_of_all_candidates_at_once(world: World, quota: str, keys: str) -> None:
    class OneInstance:
        def list_service_quotas(self, **request: str | int) -> dict[str, object]:
            return {"Quotas": [{"QuotaName": quota, "QuotaCode": "L-1", "Value": 1.0}]}

    world.put(KEY, FLOWERS)
    alone = {"run_id": "flowers-20261120100000-aaaaaa", "spec": {"dataset": {"uri": URI}, "algorithm": {"name": "xgboost"}}}
    limited = with_clients(world.run, service_quotas=OneInstance())
    assert configure(EXECUTION, alone, run=limited)["kind"] == "training"

    with pytest.raises(QuotaExceeded, match=keys):
        configure(EXECUTION, golden_event(REQUEST)["trigger"], run=limited)
    assert world.keys(f"runs/{RUN_ID}/") == []


@pytest.mark.parametrize(
    ("spec", "error", "problem"),
    [
        ({"split": {"train": 0.9, "validation": 0, "test": 0.1}}, InvalidSpec, r"`split\.validation` is 0"),
        ({"budget_usd": 0.01}, BudgetExceeded, "which allows no training job"),
        ({"algorithm": {"spot": True, "max_runtime_seconds": 7200}}, InvalidSpec, "keeps no checkpoints"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_written_or_trained(
    world: World, spec: dict[str, Any], error: type[Exception], problem: str
) -> None:
    with pytest.raises(error, match=problem):
        started(world, **spec)

    assert (world.keys("runs/"), world.fake.changes()) == ([], [])


def test_what_was_found_out_of_a_run_that_its_budget_refuses_is_in_its_record(world: World) -> None:
    with pytest.raises(BudgetExceeded):
        started(world, budget_usd=0.01)

    assert world.record().details["schema"]["label"] == "kind"


# ---- A candidate's run ----


def test_a_candidate_is_claimed_with_what_is_known_of_its_run(world: World) -> None:
    first, second = started(world)["candidates"]

    assert begun(world, first) == {"run_id": first, "endpoint_name": None, "kind": "training", "then": "candidate"}

    whole, record = world.record(), world.record(first)
    assert (record.status, record.state, record.execution_arn, record.endpoint_name) == ("Running", "ConfigureRun", CHILD, None)
    assert record.dataset_uri == whole.dataset_uri == f"s3://{BUCKET}/{KEY}"
    assert {key: record.details[key] for key in ("candidate_of", "dataset", "schema")} == {
        "candidate_of": RUN_ID,
        "dataset": whole.details["dataset"],
        "schema": whole.details["schema"],
    }
    parts = record.details["cost"]["parts"]
    assert [(part["what"], part["jobs"]) for part in parts] == [("training", 1), ("evaluation", 1)]
    assert record.details["cost"]["most_usd"] == pytest.approx(whole.details["cost"]["most_usd"] / 2)
    with pytest.raises(RunNotFound):
        world.record(second)


def test_candidates_are_no_runs_of_the_list(world: World) -> None:
    for candidate in started(world)["candidates"]:
        begun(world, candidate)

    assert [run.run_id for run in world.run.store.list().runs] == [RUN_ID]


def test_a_candidate_that_another_execution_has_begun_is_not_begun_twice(world: World) -> None:
    [candidate, _] = started(world)["candidates"]
    begun(world, candidate)
    before = world.record(candidate)

    with pytest.raises(AlreadyStarted, match=candidate):
        begun(world, candidate, execution=f"{CHILD}-two")
    assert world.record(candidate) == before

    assert begun(world, candidate)["then"] == "candidate", "the same execution tries again"


def test_a_candidate_of_a_run_that_nobody_knows_is_refused_without_a_trace(world: World) -> None:
    with pytest.raises(RunNotFound):
        begun(world, candidate_run_id(RUN_ID, "xgboost"))
    with pytest.raises(RunNotFound):
        world.record(candidate_run_id(RUN_ID, "xgboost"))


def test_a_run_that_is_configured_again_in_the_same_execution_has_the_same_candidates(world: World) -> None:
    assert started(world) == started(world)


def test_a_candidate_reads_the_parts_in_the_versions_of_its_run(world: World) -> None:
    world.put("datasets/parted/data-00.csv", FLOWERS)
    world.put("datasets/parted/data-01.csv", FLOWERS)
    configured = configure(EXECUTION, golden_event("configure_run/complete")["trigger"], run=world.run)
    world.put("datasets/parted/data-01.csv", b"size,colour,kind\n1,green,weed\n")
    [candidate, _] = configured["candidates"]

    begun(world, candidate)
    prepare_data(candidate, run=world.run)

    assert world.get(f"runs/{candidate}/parts.json") == world.get(f"runs/{RUN_ID}/parts.json")
    assert sum(world.record(candidate).details["rows"].values()) == 160


def test_a_candidate_is_prepared_by_its_own_spec_and_asked_about_validation_rows(world: World) -> None:
    for candidate, algorithm in zip(started(world)["candidates"], ("xgboost", "linear-learner"), strict=True):
        begun(world, candidate)
        prepared = prepare_data(candidate, run=world.run)

        assert prepared["evaluation"]["model_name"] == candidate
        asked = json.loads(world.get(f"runs/{candidate}/data/evaluation.json"))
        assert sum(asked["validation"]) == world.record(candidate).details["rows"]["validation"] > 0
        assert written_spec(world, candidate)["algorithm"]["name"] == algorithm


def test_a_candidate_without_a_validation_row_is_refused_before_it_is_trained(world: World) -> None:
    """The column names some; but these have no label."""
    rows = [f"{number},{('red', 'blue')[number % 2]},{('rose', 'iris')[number % 2]}" for number in range(40)]
    sides = [
        *(f"{row},train" for row in rows[:30]),
        *(f"{number},red,,validation" for number in range(5)),
        *(f"{row},test" for row in rows[30:]),
    ]
    world.put(KEY, "\n".join(["size,colour,kind,side", *sides]).encode())
    split = {"by": "given", "column": "side", "train": 0.8, "validation": 0, "test": 0.2}
    spec = {"dataset": {"uri": f"s3://{BUCKET}/{KEY}", "label": "kind"}, "split": split}
    [candidate, _] = configure(EXECUTION, {"run_id": RUN_ID, "spec": spec}, run=world.run)["candidates"]
    begun(world, candidate)

    with pytest.raises(InvalidDataset, match=r"no validation row, .* Give `split\.validation`"):
        prepare_data(candidate, run=world.run)


# ---- Names ----


@pytest.mark.parametrize("algorithm", ["xgboost", "linear-learner", "knn", "blazingtext", "tensorflow"])
@pytest.mark.parametrize("name", ["a", "flowers", "a" * NAME_MAX_LENGTH, "a-" * 15 + "a", "abcdefghijklmnopq-rstuvwxyz"])
def test_a_candidates_id_is_that_of_a_run_and_its_jobs_names_fit(name: str, algorithm: str) -> None:
    run_id = f"{name}-20261120100000-0a1b2c"

    candidate = candidate_run_id(run_id, algorithm)

    assert is_run_id(candidate)
    assert f"-{algorithm}-20261120100000-" in candidate
    assert candidate == candidate_run_id(run_id, algorithm) != run_id
    assert max(len(job) for job in transform_job_names(candidate)) <= 63
    assert len(tuning_job_name(candidate)) <= 32


def test_the_candidates_of_two_runs_of_the_same_second_differ() -> None:
    ids = [f"flowers-20261120100000-{digest}" for digest in ("0a1b2c", "0a1b2d")]

    assert len({candidate_run_id(run_id, algorithm) for run_id in ids for algorithm in ("knn", "tensorflow")}) == 4
    assert len({tuning_job_name(candidate_run_id(run_id, name)) for run_id in ids for name in ("knn", "tensorflow")}) == 4
