"""The list of runs and the page of one."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from sageline.names import RunLayout, tuning_job_name
from tests.unit.cli.console.asked import Page
from tests.unit.cli.console.conftest import put, tags_of
from tests.unit.cli.fakes import BUCKET, RUN_ID, FakeApi, run_record
from tests.unit.world.fake_aws import FakeAws

EVIL = "<img src=x onerror=alert(1)>"
FORMULA = "{{7*7}}"
PATH = f"/pipelines/{RUN_ID}"


def failed(**changes: object) -> dict[str, object]:
    error = {
        "state": "CheckTraining",
        "error": "TrainingJobFailed",
        "message": f"No column {EVIL} {FORMULA}",
        "job": RUN_ID,
        "failure_reason": "AlgorithmError: exit code 1",
        "log_lines": ["epoch 1", f"read {EVIL} {FORMULA}"],
        "advice": "Correct the script.",
    }
    return run_record(status="Failed", state="CheckTraining", error={**error, **changes})


def test_runs_are_listed_with_one_call_of_the_api_and_without_details(page: Page, api: FakeApi) -> None:
    api.answer("GET", "/pipelines", {"runs": [run_record(), run_record(run_id="b", status="Failed")], "next_token": "older"})

    html = page.get("").text

    assert html.index(RUN_ID) < html.index(">b</a>")
    assert "Succeeded" in html
    assert "Failed" in html
    assert "after=older" in html
    [request] = api.requests
    assert dict(request.url.params) == {"limit": "50", "details": "false"}


def test_a_filter_says_how_many_runs_it_has_looked_at(page: Page, api: FakeApi) -> None:
    api.answer("GET", "/pipelines", {"runs": [run_record(), run_record(run_id="b", status="Failed")], "next_token": None})

    html = page.get("?name=wine&status=Failed").text

    assert "1 of the 2 runs" in html
    assert RUN_ID not in html
    assert api.requests[0].url.params["name"] == "wine"


def test_what_is_no_name_is_said_and_not_asked_for(page: Page, api: FakeApi) -> None:
    answer = page.get("", params={"name": EVIL})

    assert answer.status_code == 200
    assert "No dataset is called" in answer.text
    assert tags_of(answer.text, "img") == []
    assert api.requests == []


def test_a_run_that_goes_on_renews_itself_and_one_that_has_ended_does_not(page: Page, api: FakeApi) -> None:
    api.answer("GET", PATH, run_record(status="Running", state="EvaluateModel"))
    assert "every 2s" in page.get(f"runs/{RUN_ID}").text
    assert "every 2s" in page.get(f"runs/{RUN_ID}/live").text

    api.answer("GET", PATH, run_record())
    assert "every 2s" not in page.get(f"runs/{RUN_ID}").text
    assert "every 2s" not in page.get(f"runs/{RUN_ID}/live").text


def test_the_status_line_is_where_the_execution_is_although_the_record_lags(page: Page, api: FakeApi, account: FakeAws) -> None:
    run = run_record(status="Running", state="PrepareData")
    api.answer("GET", PATH, run)
    entered = [("ConfigureRun", 0), ("PrepareData", 2), ("StartTraining", 9)]
    account.stepfunctions.history[run["execution_arn"]] = [
        {
            "id": number,
            "type": "TaskStateEntered",
            "timestamp": datetime(2026, 11, 20, 10, 0, second, tzinfo=UTC),
            "stateEnteredEventDetails": {"name": state},
        }
        for number, (state, second) in enumerate(entered, start=1)
    ]

    html = page.get(f"runs/{RUN_ID}").text

    assert 'data-status="Running: ask SageMaker to train"' in html
    assert "<span>ask SageMaker to train</span>" in html


def test_what_a_tuning_has_tried_is_shown_while_it_goes_on(page: Page, api: FakeApi, account: FakeAws) -> None:
    api.answer("GET", PATH, run_record(status="Running", state="CheckTraining"))
    spec = {"tuning": {"objective": {"metric": "validation:auc", "type": "Maximize"}, "max_jobs": 8}}
    put(account, RunLayout(BUCKET, RUN_ID).spec_key, json.dumps(spec).encode())
    tuning = tuning_job_name(RUN_ID)
    account.sagemaker.trials[tuning] = [trial(tuning, 1, 0.71), trial(tuning, 2, 0.84), trial(tuning, 3, None)]

    html = page.get(f"runs/{RUN_ID}/live").text

    assert "3 of at most 8 trials, 2 of them done." in html
    first, second, third = (html.index(f"{tuning}-00{number}") for number in (2, 1, 3))
    assert first < second < third, "the best first, then those that have no result yet"
    assert "eta 0.1235, max_depth 6" in html
    assert '<span class="literal">validation:auc</span>' in html
    assert "In progress" in html


def trial(tuning: str, number: int, objective: float | None) -> dict[str, object]:
    """As SageMaker lists it."""
    name = f"{tuning}-00{number}-0a1b2c3d"
    result = {"MetricName": "validation:auc", "Value": objective}
    return {
        "TrainingJobName": name,
        "TrainingJobArn": f"arn:aws:sagemaker:us-east-1:123456789012:training-job/{name}",
        "CreationTime": datetime(2026, 11, 20, 10, tzinfo=UTC),
        "TrainingJobStatus": "InProgress" if objective is None else "Completed",
        "TunedHyperParameters": {"max_depth": "6", "eta": "0.12345678"},
    } | ({} if objective is None else {"FinalHyperParameterTuningJobObjectiveMetric": result})


def test_a_failed_run_says_first_why_and_what_to_try(page: Page, api: FakeApi) -> None:
    api.answer("GET", PATH, failed())

    html = page.get(f"runs/{RUN_ID}").text

    why, advice, log = html.index("Why it failed"), html.index("Correct the script."), html.index("epoch 1")
    assert why < advice < log
    assert html.index("AlgorithmError: exit code 1") < log
    assert "Costs" not in html[:log]


def test_texts_of_other_people_are_shown_as_texts(page: Page, api: FakeApi) -> None:
    schema = {"warnings": [f"Column {EVIL} {FORMULA} tells the label."]}
    candidates = [{"run_id": "c", "algorithm": EVIL, "chosen": False, "problem": FORMULA}]
    details = {"schema": schema, "candidates": candidates}
    api.answer("GET", PATH, {**failed(), "details": details, "dataset_uri": f"s3://b/{EVIL}"})

    for path in (f"runs/{RUN_ID}", f"runs/{RUN_ID}/live"):
        html = page.get(path).text
        assert tags_of(html, "img") == []
        assert "&lt;img src=x onerror=alert(1)&gt;" in html
        assert FORMULA in html
        assert " style=" not in html


def test_a_run_that_is_not_there_is_said_so(page: Page, api: FakeApi) -> None:
    api.fail("GET", PATH, 404, "RunNotFound", f"No run {EVIL} is known.")

    answer = page.get(f"runs/{RUN_ID}")

    assert answer.status_code == 404
    assert "No run &lt;img" in answer.text


def test_stopping_asks_the_api_once(page: Page, api: FakeApi) -> None:
    api.answer("DELETE", PATH, run_record(status="Stopped"))

    answer = page.post(f"runs/{RUN_ID}/stop", headers={"hx-request": "true"})

    assert "stopped" in answer.text
    assert [request.method for request in api.requests] == ["DELETE"]


def test_a_run_that_cannot_be_stopped_says_why(page: Page, api: FakeApi) -> None:
    api.fail("DELETE", PATH, 409, "RunFinished", "It has ended already.")

    answer = page.post(f"runs/{RUN_ID}/stop", headers={"hx-request": "true"})

    assert answer.status_code == 409
    assert "It has ended already." in answer.text
    assert "<html" not in answer.text


def test_the_report_is_of_no_origin_and_runs_no_script(page: Page, api: FakeApi, account: FakeAws) -> None:
    key = RunLayout(BUCKET, RUN_ID).report_key
    put(account, key, b"<!doctype html><title>good</title>")
    api.answer("GET", PATH, run_record(details={"evaluation": {"report": f"s3://{BUCKET}/{key}"}}))

    answer = page.get(f"runs/{RUN_ID}/report")

    assert answer.text.startswith("<!doctype html>")
    policy = answer.headers["content-security-policy"]
    assert "sandbox" in policy.split("; ")
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("uri", [None, f"s3://{BUCKET}/datasets/secret.csv", "s3://another-bucket/report.html"])
def test_nothing_but_the_runs_own_report_is_shown(page: Page, api: FakeApi, uri: str | None) -> None:
    api.answer("GET", PATH, run_record(details={"evaluation": {"report": uri}}))

    answer = page.get(f"runs/{RUN_ID}/report")

    assert answer.status_code == 404
    assert "has no report" in answer.text
