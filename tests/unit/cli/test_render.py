"""What people see of a run."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest
from rich.console import Console, RenderableType

from sageline_cli.render import endpoints_table, outcome, predictions_table, run_detail
from tests.unit.cli.fakes import SCHEMA, run_record

NOW = datetime(2026, 11, 20, 10, 5, tzinfo=UTC)


def printed(content: RenderableType) -> str:
    console = Console(file=io.StringIO(), width=200)
    console.print(content)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def shown(spec: dict[str, object], **details: object) -> str:
    return printed(run_detail(run_record(details=details), spec, [], NOW))


def a_trial(number: int, objective: float | None, **more: object) -> dict[str, object]:
    return {
        "name": f"wine-{number:03}",
        "status": "Completed",
        "objective": objective,
        "hyperparameters": {"eta": "0.12345678901234", "max_depth": "7", "booster": "dart"},
        "seconds": 12,
        **more,
    }


TRAINED: dict[str, object] = {
    "training_job_name": "wine-001",
    "metrics": {"validation:rmse": 1.5},
    "training_seconds": 12,
    "billable_seconds": 12,
    "tuning": {"name": "wine", "best": "wine-001", "jobs": 3, "counters": {"completed": 2, "stopped": 0, "failed": 1}},
}


def test_hundreds_of_columns_are_shown_as_a_few() -> None:
    features = {f"pixel{number}": "pixel" for number in range(784)}
    text = shown({"dataset": {"features": features}, "reasons": {"dataset.features": "pixels, by their names"}})

    assert "pixel0 pixel, pixel1 pixel, ... 781 more ..., pixel783 pixel" in text
    assert "pixel400" not in text


def test_a_reason_for_what_no_spec_has_is_shown_with_what_was_chosen() -> None:
    reasons = {
        "algorithm.channels": "libsvm: sparse rows are read faster from it",
        "dataset.features.id": "left out: an id",
        "preparation.workers": "2.5 GB of text in about 100 shards, 5 at once, of the 10 asked for: MaxWorkers is 5",
        "batch.workers": "one function is enough for 3,000 bytes of text",
        "split.column": "for one: this; for another: that",
    }
    spec = {
        "algorithm": {"name": "xgboost"},
        "preparation": {"workers": None},
        "batch": {"input": "s3://b/k"},
        "reasons": reasons,
    }
    text = shown(spec, preparation={"workers": 5}, batch={"plan": {"workers": 1}})
    lines = {" ".join(line.split()) for line in text.splitlines()}

    assert lines >= {
        "algorithm.channels libsvm sparse rows are read faster from it",
        "dataset.features.id left out an id",
        f"preparation.workers 5 {reasons['preparation.workers']}",
        f"batch.workers 1 {reasons['batch.workers']}",
        f"split.column {reasons['split.column']}",
    }


def test_a_dozen_settings_are_all_shown() -> None:
    settings = {f"setting_{number}": number for number in range(12)}
    text = " ".join(shown({"algorithm": settings, "reasons": {"algorithm": "the defaults"}}).split())

    for number in range(12):
        assert f"setting_{number} {number}" in text


def test_trials_are_a_table_with_the_best_first() -> None:
    failed = a_trial(3, None, status="Failed", seconds=None, reason="ValueError: no such column")
    trials = [a_trial(1, 1.5), a_trial(2, 3.0), failed]
    text = shown({"tuning": {"objective": {"metric": "validation:rmse"}}}, trials=trials, training=TRAINED)
    lines = [" ".join(line.split()) for line in text.splitlines()]

    assert "place validation:rmse booster eta max_depth seconds training job status" in lines
    assert "1 1.5 dart 0.1235 7 12 wine-001 Completed" in lines
    assert "3 - dart 0.1235 7 wine-003 Failed ValueError: no such column" in lines
    assert "tuning job wine: 3 training jobs, 2 completed, 1 failed" in lines
    assert "training job wine-001" in lines


def test_of_many_trials_the_best_are_shown() -> None:
    text = shown({}, trials=[a_trial(number, float(number)) for number in range(1, 31)])

    assert "wine-020" in text
    assert "wine-021" not in text
    assert "and 10 more" in text


def test_a_tuning_that_is_under_way_is_named() -> None:
    lines = [" ".join(line.split()) for line in shown({}, tuning_job={"name": "wine-2026", "arn": "arn"}).splitlines()]
    assert "tuning job wine-2026" in lines


def test_each_transform_job_is_named_for_what_it_is() -> None:
    started = {"name": "wine-test", "arn": "arn"}
    ended = {"transform_job_name": "wine-test", "output_uri": "s3://b/out/", "transform_seconds": 12}
    champion = {"name": "wine-champion", "arn": "arn"}
    text = shown({}, evaluation_job=started, evaluation_transform=ended, champion_job=champion)
    lines = [" ".join(line.split()) for line in text.splitlines()]

    assert "evaluation job wine-test, 12 s" in lines
    assert "champion's evaluation job wine-champion" in lines
    assert "transform job" not in text
    batch = {"transform_job_name": "wine", "transform_seconds": None}
    assert "transform job wine" in " ".join(shown({}, transform_job={"name": "wine"}, transform=batch).split())


def test_a_run_ends_with_what_to_do_next() -> None:
    tuned = printed(outcome(run_record(details={"training": TRAINED}), []))
    assert "The best of 3 training jobs ended with validation:rmse 1.5." in tuned
    assert "sageline predict wine --file" in tuned
    without = printed(outcome(run_record(endpoint_name=None), []))
    assert "it has no endpoint" in without
    assert "predict" not in without
    batch = printed(outcome(run_record(endpoint_name=None, details={"batch": {"output": "s3://b/predictions.csv"}}), []))
    assert "Predictions: s3://b/predictions.csv" in batch


def test_a_run_ends_with_how_good_the_model_is_and_what_its_endpoint_bills() -> None:
    details = {
        "training": {"metrics": {"validation:rmse": 1.5}},
        "evaluation": {"metrics": {"rmse": 1.23456789, "mae": 1234.5, "r2": None}, "rows": 80},
        "cost": {"endpoint_usd_per_hour": 0.115},
    }
    text = printed(outcome(run_record(details=details), []))
    assert "On the test rows: rmse 1.2346, mae 1234.5, of 80 rows." in text
    assert "sageline delete wine   (the endpoint bills $0.115 an hour as long as it serves)" in text
    assert "bills" not in printed(outcome(run_record(details={"cost": {"endpoint_usd_per_hour": 0.0}}), []))


def test_how_probabilities_become_labels_is_shown() -> None:
    decision = {"metric": "f1:yes", "threshold": {"label": "yes", "at": 0.23}, "offsets": False, "calibration": "isotonic"}
    text = " ".join(shown({}, evaluation={"model_decision": decision}).split())
    assert "'yes' from a probability of 0.23 on (chosen for f1:yes on the validation rows), with calibrated probabilities" in text
    offsets = {"metric": "macro_f1", "threshold": None, "offsets": True, "calibration": None}
    text = " ".join(shown({}, evaluation={"model_decision": offsets}).split())
    assert "with offsets that lift rarer classes (chosen for macro_f1 on the validation rows)" in text
    assert "answers" not in shown({}, evaluation={})
    ended = printed(outcome(run_record(details={"evaluation": {"model_decision": decision}}), []))
    assert "It answers 'yes' from a probability of 0.23 on" in " ".join(ended.split())


def test_a_run_whose_training_reports_no_metrics_ends_with_those_of_the_test_rows() -> None:
    evaluation = {"metrics": {"accuracy": 0.9}, "rows": 80}
    assert "On the test rows: accuracy 0.9, of 80 rows.\nNext" in printed(
        outcome(run_record(details={"evaluation": evaluation}), [])
    )


def test_large_numbers_are_written_out_as_in_the_warnings() -> None:
    baseline = {"answer": "the mean (2505243)", "value": 1254955.4}
    evaluation = {"metrics": {"rmse": 1261480.2}, "rows": 37, "metric": "rmse", "baseline": baseline}
    text = printed(outcome(run_record(details={"evaluation": evaluation}), []))
    assert "rmse 1261480, of 37 rows (judged by rmse; always answering the mean (2505243): 1254955)" in text


def test_the_metric_that_decides_comes_first_and_of_which_class_it_is() -> None:
    evaluation = {
        "metrics": {"accuracy": 0.9, "average_precision": 0.75},
        "rows": 90,
        "metric": "average_precision",
        "positive": "fraud",
        "baseline": {"answer": "'fine'", "value": 0.05},
    }
    text = printed(outcome(run_record(details={"evaluation": evaluation}), []))
    assert (
        "average_precision 0.75, accuracy 0.9, of 90 rows (judged by average_precision of 'fraud'; always answering 'fine': 0.05)"
        in text
    )


WARNED = {
    "evaluation": {"warnings": ["Judged by 12 test rows only: [accuracy] is 1.", "The model never answers 'fraud'."]},
    "schema": SCHEMA | {"notes": [], "changes": ["`dataset.features.city`: category: few values."]},
}
SAID = ["Warning: Judged by 12 test rows only: [accuracy] is 1.", "Warning: The model never answers 'fraud'."]


@pytest.mark.parametrize("status", ["Succeeded", "Rejected", "Failed"])
def test_a_run_ends_with_the_warnings_of_its_model_first(status: str) -> None:
    lines = printed(outcome(run_record(status=status, details=WARNED), [])).splitlines()
    assert lines[:2] == SAID
    assert lines[2].startswith(status)


def test_show_begins_with_the_warnings_those_of_the_model_before_those_of_the_data() -> None:
    lines = shown({}, **WARNED).splitlines()
    assert lines[:3] == [*SAID, "Warning: Column 'id' alone tells the label."]
    assert "run  " in lines[4]
    assert "Warning" not in shown({}, evaluation={"metrics": {}, "rows": 3})


def test_a_change_ends_with_what_the_endpoint_serves() -> None:
    variants = [{"name": "wine-1", "weight": 2.0}, {"name": "wine-2", "weight": 1.0}]
    details = {"change": {"kind": "rollback", "goal": {"variants": variants}}}
    assert "Endpoint wine serves wine-1 (66.7 %), wine-2 (33.3 %)." in printed(outcome(run_record(details=details), []))
    assert "change rollback, to serve wine-1 (66.7 %), wine-2 (33.3 %)" in " ".join(shown({}, **details).split())
    alone = {"change": {"kind": "promote", "goal": {"variants": variants[:1]}}}
    assert "Endpoint wine serves wine-1." in printed(outcome(run_record(details=alone), []))


def test_a_run_that_was_stopped_while_it_deployed_says_where_to_look() -> None:
    stopped = run_record(status="Stopped", details={"deployment": {"endpoint": "wine"}})
    assert "Next: sageline endpoints" in printed(outcome(stopped, []))
    assert "Next" not in printed(outcome(run_record(status="Stopped"), []))


def test_a_label_without_a_probability_is_shown_without_one() -> None:
    top = [{"label": "rose", "probability": None}, {"label": "iris", "probability": None}]
    text = printed(predictions_table([{"label": "rose", "probability": None, "top": top}]))
    assert "1 rose iris" in [" ".join(line.split()) for line in text.splitlines()]


@pytest.mark.parametrize(
    ("expires_at", "said"),
    [
        (None, "never"),
        ("2026-11-20T18:00:00Z", "in 8 h"),
        ("2026-11-20T12:30:00Z", "in 2.5 h"),
        ("2026-11-20T22:30:00Z", "in 12 h"),
        ("2026-11-20T11:05:00Z", "in 65 min"),
        ("2026-11-20T10:00:20Z", "in 20 s"),
        ("2026-11-20T09:59:00Z", "now"),
    ],
)
def test_a_list_of_endpoints_says_when_each_ends(expires_at: str | None, said: str) -> None:
    variants = [{"name": "v1", "weight": 1.0, "model_version": "v1"}]
    endpoint = {"name": "wine", "status": "InService", "variants": variants, "updated_at": None, "expires_at": expires_at}
    assert said in printed(endpoints_table([endpoint], datetime(2026, 11, 20, 10, tzinfo=UTC)))
