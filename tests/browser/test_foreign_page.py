"""A page that its reader should not have opened, in a real browser: it can do nothing to the local stack, and read nothing."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sageline_local.stack import LocalStack
from tests.browser import chromium
from tests.workflow.outsider import watcher

pytestmark = [pytest.mark.stack, pytest.mark.browser]

PAGE = (Path(__file__).parent / "attack.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def look(stack: LocalStack) -> Callable[[], dict[str, object]]:
    return watcher(stack)


@pytest.fixture(scope="module")
def before(stack: LocalStack, look: Callable[[], dict[str, object]]) -> dict[str, object]:
    # Not data.csv, which starts a run: that would change the stack meanwhile.
    stack.clients().s3.put_object(Bucket=stack.status().bucket, Key="datasets/mine/rows.csv", Body=b"secret,label\n1,a\n")
    return look()


@pytest.fixture(scope="module")
def report(stack: LocalStack, before: dict[str, object], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What the page found, by attempt."""
    status = stack.status()
    targets = {
        "ministack": status.endpoint_url,
        "sagemaker": status.sagemaker_url,
        "scaling": status.autoscaling_url,
        "bucket": status.bucket,
        "api": status.api_url,
        "signed": stack.clients().s3.generate_presigned_url(
            "get_object", Params={"Bucket": status.bucket, "Key": "datasets/mine/rows.csv"}
        ),
        "rebound": status.endpoint_url.replace("127.0.0.1", chromium.REBOUND),
    }
    return chromium.report_of(PAGE.replace("__TARGETS__", json.dumps(targets)), tmp_path_factory.mktemp("browser") / "profile")


def test_the_page_changes_nothing(look: Callable[[], dict[str, object]], before: dict[str, object], report: Any) -> None:
    assert report
    assert look() == before


def test_the_page_reads_nothing(report: Any) -> None:
    attempts = {name: found for name, found in report.items() if isinstance(found, dict)}
    assert len(attempts) == len(re.findall(r'^  "[^"]+": \[', PAGE, re.MULTILINE)), "every attempt was made"

    for name, found in attempts.items():
        if "without CORS" in name or "kept alive" in name:
            assert (found["type"], found["status"], found["text"]) == ("opaque", 0, ""), name
        else:
            assert found == {"error": "TypeError: Failed to fetch"}, name


def test_forms_scripts_and_sockets_get_no_further(report: Any) -> None:
    assert [found["text"] for found in report["forms"]] == [None] * 9
    assert report["scripts"] == ["refused"] * 3
    assert report["socket"] == "refused"
    assert report["beacon"] is True, "it was sent"


def test_every_attempt_came_to_the_stack_and_was_refused_by_the_guard(stack: LocalStack, report: Any) -> None:
    assert report
    logged = stack.log_file("ministack").read_text(errors="replace")

    refused = re.findall(r"refused: (\w+) (\S+): (.*)", logged)

    assert {"GET", "POST", "OPTIONS"} <= {method for method, _, _ in refused}
    assert sum(path.startswith("/_ministack/reset") for _, path, _ in refused) >= 7
    assert any("Pages of 'http://127.0.0.1:" in why for _, _, why in refused)
    assert any(f"not as '{chromium.REBOUND}:" in why for _, _, why in refused)


def test_the_browser_is_there() -> None:
    assert "Chrom" in subprocess.run([chromium.program(), "--version"], capture_output=True, text=True, check=True).stdout
