"""Judging a new model by the rows held out of training, alone and beside the one in service."""

from __future__ import annotations

import json

import pytest

from sageline.batch import encode as batch_encode
from sageline.batch.transform_request import transform_job_request
from sageline.errors import PredictionFailed, RunFinished
from sageline.evaluation.held_out_rows import AskedRows, plan_evaluation
from sageline.names import transform_job_name, transform_job_names
from tests.unit.batch.batches import trained
from tests.unit.evaluation.evaluations import (
    DOCUMENT,
    FLOWERS,
    PRICES,
    answer,
    answer_validation,
    document,
    encoder_of,
    held_out,
    judge,
    judge_both,
    judged,
    parts_of,
    prepared,
    right_but,
)
from tests.unit.world.world import BUCKET, RUN_ID, World


def test_the_test_rows_are_encoded_without_their_labels_in_their_order(world: World) -> None:
    prepared(world)
    [(key, rows)] = parts_of(world, "evaluation")
    lines = world.get(key).decode().splitlines()
    assert rows == len(lines) == len(held_out(world))
    assert [line.split(",")[0] for line in lines] == [f"{row['features']['size']:g}" for row in held_out(world)]
    assert {len(line.split(",")) for line in lines} == {encoder_of(world, RUN_ID).feature_dim}
    tags = world.s3.get_object_tagging(Bucket=BUCKET, Key=key)["TagSet"]
    assert tags == [{"Key": "sageline:retention", "Value": "intermediate"}]


def test_what_the_transform_job_is_asked_for_is_a_request_that_sagemaker_takes(world: World) -> None:
    prepared(world)
    spec, encoder = world.run.files.read_spec(RUN_ID), encoder_of(world, RUN_ID)
    plan = plan_evaluation(
        RUN_ID, spec, encoder, AskedRows([rows for _, rows in parts_of(world, "evaluation")]), files=world.run.files
    )
    assert (plan["model_name"], plan["instance_type"]) == (RUN_ID, "ml.m5.large")
    assert plan["input_uri"] == f"s3://{BUCKET}/runs/{RUN_ID}/data/evaluation/"
    assert plan["output_uri"] == f"s3://{BUCKET}/runs/{RUN_ID}/transform/evaluation/"
    world.make_models(RUN_ID)
    name = transform_job_name(RUN_ID, "evaluation")
    world.sagemaker.create_transform_job(**transform_job_request(name=name, run_id=RUN_ID, stack_name="sageline", **plan))
    assert list(world.fake.transforms) == [name]


def test_the_names_of_a_runs_transform_jobs_differ_and_fit() -> None:
    longest = "a" * 32 + RUN_ID.removeprefix("flowers")
    assert len(set(transform_job_names(longest))) == 3
    assert max(map(len, transform_job_names(longest))) <= 63


def test_a_model_without_limits_is_accepted_with_its_metrics(world: World) -> None:
    evaluated = judged(world, wrong=3)
    rows = len(held_out(world))
    assert (evaluated["decision"], evaluated["rows"], "transform" in evaluated) == ("accepted", rows, False)
    assert evaluated["metrics"]["accuracy"] == pytest.approx(1 - 3 / rows)
    written = document(world)
    assert (written["rows"], written["metric"], written["task"]) == (rows, "accuracy", "classification")
    assert written["gate"]["reason"].startswith("The model is better than always answering '")
    assert [(check["rule"], check["passed"]) for check in written["gate"]["checks"]] == [("better_than_baseline", True)]
    assert (written["warnings"], written["baseline"]["comparison"]["better"]) == ([], True)
    assert sum(map(sum, written["confusion"]["matrix"])) == rows
    record = world.record()
    assert (record.status, record.state) == ("Running", "EvaluateModel")
    assert record.details["evaluation"]["status"] == "Succeeded", "the run goes on, its evaluation has ended"
    assert record.details["evaluation"]["metrics"]["accuracy"] == pytest.approx(1 - 3 / rows)
    assert record.details["evaluation"]["uri"] == f"s3://{BUCKET}/{DOCUMENT}"


def test_a_model_below_a_limit_is_the_end_of_its_run(world: World) -> None:
    evaluated = judged(world, wrong=30, evaluation={"at_least": {"accuracy": 0.95, "macro_f1": 0.1}})
    assert evaluated["decision"] == "rejected"
    assert evaluated["reason"].startswith("Accuracy is 0.")
    assert evaluated["reason"].endswith(", at least 0.95 is asked for.")
    assert world.record().status == "Rejected"
    assert world.record().details["evaluation"]["status"] == "Rejected"
    assert [check["passed"] for check in document(world)["gate"]["checks"]] == [False, True, True]


def test_a_model_within_its_limits_is_accepted_and_says_which(world: World) -> None:
    evaluated = judged(world, wrong=0, evaluation={"at_least": {"accuracy": 0.95}, "at_most": {"log_loss": 0.2}})
    assert evaluated["decision"] == "accepted"
    limits, baseline = evaluated["reason"].rsplit("; ", 1)
    assert limits == "Accuracy is 1, at least 0.95 is asked for; log_loss is 0.1054, at most 0.2 is asked for"
    assert baseline.startswith("the model is better than always answering '")
    assert world.record().status == "Running"


def always(world: World, label: str) -> list[str]:
    """Probabilities of the class rose from a model that has learnt nothing."""
    return ["0.9" if label == "rose" else "0.1"] * len(held_out(world))


def test_a_model_that_has_learnt_nothing_is_refused_and_no_champion_is_asked(world: World) -> None:
    trained(world, FLOWERS)
    prepared(world, {"beat_champion": True})
    answer(world, "evaluation", always(world, "rose"))
    evaluated = judge(world)
    assert (evaluated["decision"], world.record().status) == ("rejected", "Rejected")
    assert evaluated["reason"].startswith("The model is not better than always answering '")
    assert evaluated["reason"].endswith(
        '{"evaluation": {"better_than_baseline": false}} in the spec deploys the model all the same.'
    )
    assert world.keys(f"runs/{RUN_ID}/data/champion") == []
    noted = world.record().details["evaluation"]
    assert [warning[:32] for warning in noted["warnings"]] == ["The model never answers 'iris' ("]
    assert document(world)["warnings"] == noted["warnings"]


def test_a_model_that_has_learnt_nothing_is_deployed_where_the_spec_says_so_with_that_warning_first(world: World) -> None:
    prepared(world, {"better_than_baseline": False})
    answer(world, "evaluation", always(world, "rose"))
    evaluated = judge(world)
    assert (evaluated["decision"], world.record().status) == ("accepted", "Running")
    assert evaluated["reason"].endswith(": `evaluation.better_than_baseline` is false.")
    first, second = document(world)["warnings"]
    assert first.startswith("The model is not better than always answering '")
    assert second.startswith("The model never answers 'iris'")
    assert document(world)["gate"]["checks"] == []
    assert document(world)["baseline"]["comparison"]["better"] is False


def test_a_regression_that_answers_the_mean_is_refused(world: World) -> None:
    prepared(world, data=PRICES)
    values = [row["label"] for row in held_out(world)]
    answer(world, "evaluation", [str(sum(values) / len(values))] * len(values))
    evaluated = judge(world)
    assert evaluated["decision"] == "rejected"
    assert "always answering the mean (" in evaluated["reason"]


def test_few_test_rows_are_said_and_nothing_is_refused_for_them(world: World) -> None:
    prepared(world, data=b"".join(FLOWERS.splitlines(keepends=True)[:81]))
    rows = len(held_out(world))
    assert 20 < rows < 50
    answer(world, "evaluation", right_but(world, rows // 2))
    evaluated = judge(world)
    assert evaluated["decision"] == "accepted"
    assert evaluated["reason"].endswith(f"was not checked: it takes 50 test rows to tell, and there are {rows}.")
    assert world.record().details["evaluation"]["warnings"][0].startswith(f"Judged by {rows} test rows only: accuracy is 0.")


def test_of_two_classes_the_record_has_no_top_three(world: World) -> None:
    judged(world, wrong=3)
    assert "top_3_accuracy" not in world.record().details["evaluation"]["metrics"]
    assert document(world)["metrics"]["top_3_accuracy"] == 1


def test_classes_that_only_the_champion_knows_are_not_missed_in_the_new_models_answers(world: World) -> None:
    trained(world, FLOWERS + b"".join(b"row %d,%d,green,aster\n" % (i + 500, i) for i in range(200)))
    prepared(world, {"beat_champion": True})
    answer(world, "evaluation", right_but(world, 0))
    judge(world)
    place = ["aster", "iris", "rose"].index
    answer(world, "champion", [str([float(n == place(row["label"])) for n in range(3)]) for row in held_out(world)])
    judge_both(world)
    assert (document(world)["warnings"], len(document(world)["classes"])) == ([], 3)


def test_limits_may_be_asked_of_one_class(world: World) -> None:
    evaluated = judged(world, wrong=3, evaluation={"at_least": {"recall:rose": 0.99, "precision:iris": 0.1}})
    roses = sum(row["label"] == "rose" for row in held_out(world))
    missed = sum(row["label"] == "rose" for row in held_out(world)[:3])
    assert missed
    assert evaluated["reason"] == f"Recall:rose is {(roses - missed) / roses:.4g}, at least 0.99 is asked for."
    assert [check["passed"] for check in document(world)["gate"]["checks"]] == [False, True, True]


def test_judged_twice_gives_the_same(world: World) -> None:
    first = judged(world, wrong=30, evaluation={"at_least": {"accuracy": 0.95}})
    assert judge(world) == first


def test_answers_are_read_part_by_part(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_encode, "_PART_ROWS", 7)
    evaluated = judged(world, wrong=5)
    assert len(parts_of(world, "evaluation")) > 10
    assert evaluated["metrics"]["accuracy"] == pytest.approx(1 - 5 / evaluated["rows"])


def test_what_the_job_answered_expires_and_the_evaluation_stays(world: World) -> None:
    judged(world, wrong=0)
    key = f"runs/{RUN_ID}/transform/evaluation/part-00000.csv.out"
    tagged = [world.s3.get_object_tagging(Bucket=BUCKET, Key=name)["TagSet"] for name in (key, DOCUMENT)]
    assert tagged == [[{"Key": "sageline:retention", "Value": "intermediate"}], []]


def test_a_regression_has_residuals(world: World) -> None:
    prepared(world, {"at_most": {"rmse": 2.5}}, PRICES)
    answer(world, "evaluation", [str(row["label"] + 2) for row in held_out(world)])
    evaluated = judge(world)
    assert evaluated["decision"] == "accepted"
    assert evaluated["metrics"]["rmse"] == pytest.approx(2)
    assert document(world)["residuals"]["quantiles"]["0.5"] == pytest.approx(2)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"0.5\n" * 3, r"part-00000\.csv\.out: the model answered for 3 of \d+ rows"),
        (None, r"has left no s3://.*part-00000\.csv\.out"),
    ],
)
def test_answers_that_are_missing_are_an_error_that_names_the_object(world: World, body: bytes | None, expected: str) -> None:
    prepared(world)
    answer_validation(world)
    if body is not None:
        world.put(f"runs/{RUN_ID}/transform/evaluation/part-00000.csv.out", body)
    with pytest.raises(PredictionFailed, match=expected):
        judge(world)


@pytest.mark.parametrize("change", [-1, 1])
def test_answers_to_other_rows_than_the_test_rows_are_an_error(world: World, change: int) -> None:
    prepared(world)
    rows = len(held_out(world)) + change
    world.put(f"runs/{RUN_ID}/data/evaluation.json", json.dumps({"rows": [rows]}).encode())
    world.put(f"runs/{RUN_ID}/transform/evaluation/part-00000.csv.out", b"0.5\n" * rows)
    with pytest.raises(PredictionFailed, match=r"test rows"):
        judge(world)


def test_a_run_that_was_stopped_is_not_judged(world: World) -> None:
    prepared(world)
    world.run.store.finish(RUN_ID, "Stopped")
    with pytest.raises(RunFinished):
        judge(world)


RARE = b"id,size,colour,kind\n" + b"".join(b"row %d,%d,red,%s\n" % (i, i, b"rose" if i % 8 == 0 else b"iris") for i in range(400))


def ranked(world: World, roses: float) -> list[str]:
    """Probabilities of the class rose below one half, so that it is never answered."""
    return [str(roses if row["label"] == "rose" else 0.01 * (number % 3)) for number, row in enumerate(held_out(world))]


def test_a_rare_class_that_is_ranked_well_is_accepted_and_that_it_is_never_answered_is_said_first(world: World) -> None:
    prepared(world, data=RARE)
    answer(world, "evaluation", ranked(world, 0.3))

    assert judge(world)["decision"] == "accepted"

    noted, found = world.record().details["evaluation"], document(world)
    assert (noted["metric"], noted["positive"], noted["metrics"]["average_precision"]) == ("average_precision", "rose", 1.0)
    assert (found["metric"], found["positive"], found["metrics"]["roc_auc"], found["ranked_rows"]) == (
        ("average_precision", "rose", 1.0, None)
    )
    assert noted["warnings"][0].startswith("The model never answers 'rose', the label that is looked for (")
    assert found["baseline"]["metrics"]["average_precision"] == noted["baseline"]["value"] < 0.2


def test_a_rare_class_that_is_ranked_last_is_refused(world: World) -> None:
    prepared(world, data=RARE)
    answer(world, "evaluation", ranked(world, 0.0))
    judge(world)
    reason = world.record().details["evaluation"]["reason"]
    assert world.record().status == "Rejected"
    assert "not better than always answering 'iris': its roc_auc is 0.1" in reason
    assert "(of few rows of a class average_precision tells less, so roc_auc decides)" in reason


def test_a_better_ranking_beats_the_model_in_service_though_neither_answers_the_rare_class(world: World) -> None:
    trained(world, FLOWERS)
    prepared(world, {"beat_champion": True}, data=RARE)
    answer(world, "evaluation", ranked(world, 0.3))
    assert judge(world)["decision"] == "compare"
    answer(world, "champion", ranked(world, 0.015))
    assert judge_both(world)["decision"] == "accepted"
    comparison = document(world)["champion"]["comparison"]
    assert (comparison["metric"], comparison["test"], comparison["challenger"]) == ("average_precision", "jackknife-t", 1.0)
