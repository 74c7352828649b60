"""`make accept` against the local stack: every step that it does in a real account."""

from __future__ import annotations

import json

import pytest

from sageline_cli.accept.__main__ import main
from sageline_local.stack import LocalStack
from tests.workflow.workbench import Workbench

pytestmark = [pytest.mark.stack, pytest.mark.full]


def test_a_stack_is_accepted_and_nothing_is_left_of_it(
    stack: LocalStack, workbench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAGELINE_HOME", str(stack.home))
    monkeypatch.delenv("SAGELINE_PORT", raising=False)

    exit_code = main([])

    text = (stack.home / "accept.json").read_text()
    seen = json.loads(text)
    assert (exit_code, seen["status"]) == (0, "succeeded"), seen.get("error")
    assert 0 < seen["estimate"]["most_usd"] < 2
    for step in ("main", "tuned", "canary"):
        assert seen[step]["status"] == "Succeeded"
        assert seen[step]["execution"]["events"]["ExecutionSucceeded"] == 1
        assert "/sagemaker-xgboost:" in seen[step]["images"]["training"]
        assert seen[step]["cost"]["actual_usd"] < seen[step]["cost"]["most_usd"]
    rows, classes = seen["main"]["scores"]["rows"], seen["main"]["scores"]["classes"]
    container = seen["main"]["container"]["without_variant"]
    assert container["content_type"].startswith("text/csv")
    assert container["shape"] == {"lines": rows, "fields": [classes], "final line break": True}
    assert seen["main"]["after_idle"]["shape"]["predictions"]["list of"]["label"] == "text"
    assert seen["tuned"]["trials"] == 2
    assert seen["batch"]["as_the_endpoint"] == seen["batch"]["rows"] > 0
    assert seen["canary"]["answered_by"].keys() <= {seen["tuned"]["run_id"], seen["canary"]["run_id"]}
    assert seen["deletes"]["left"] == seen["deletes"]["problems"] == []
    assert workbench.connection.bucket not in text
    for name in {seen[step]["run_id"].rsplit("-", 2)[0] for step in ("main", "tuned")}:
        assert workbench.inventory.of(name) == []
        assert [key for prefix in ("datasets", "batch", "runs") for key in keys(workbench, f"{prefix}/{name}")] == []
    assert stack.status().state == "up", "a stack that was up stays up"


def keys(workbench: Workbench, prefix: str) -> list[str]:
    listed = workbench.connection.s3.list_objects_v2(Bucket=workbench.connection.bucket, Prefix=prefix)
    return [item["Key"] for item in listed.get("Contents", [])]
