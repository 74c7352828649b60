"""``sageline doctor`` as a whole: what it looks at, its output and its exit code."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner, Result

from sageline_cli.aws import Aws
from sageline_cli.doctor import account, command, permissions, stack
from sageline_cli.doctor.account import CallerIdentity
from sageline_cli.doctor.finding import Finding, ask, run_checks, worst
from sageline_cli.doctor.stack import CloudFormationStack

CALLER = CallerIdentity("arn:aws:iam::111122223333:user/ann", "111122223333")


def found(check: str, state: str = "ok") -> Any:  # a stub of any check
    return lambda *arguments: [Finding(check, state, f"{check} was looked at")]  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def _account(monkeypatch: pytest.MonkeyPatch) -> None:
    """An account in which all is well, without a stack."""
    monkeypatch.setattr(account, "find_caller", lambda aws: CALLER)
    for name in ("sagemaker", "quotas", "lambda", "prices"):
        monkeypatch.setattr(account, f"check_{name}", found(name))
    monkeypatch.setattr(permissions, "check_permissions", found("permissions"))
    monkeypatch.setattr(stack, "find_stack", lambda aws, name: (None, Finding("stack", "warning", "not there")))


def run(*arguments: str, **environment: str | None) -> Result:
    return CliRunner(mix_stderr=False).invoke(command.doctor, arguments, env=environment)


def states(result: Result) -> dict[str, str]:
    return {finding["check"]: finding["state"] for finding in json.loads(result.stdout)["findings"]}


def test_an_account_is_looked_at_before_anything_is_deployed() -> None:
    result = run("--stack", "sageline", "--json")

    assert result.exit_code == 0
    assert states(result) == {
        **dict.fromkeys(("region", "images", "credentials", "sagemaker", "permissions", "quotas", "lambda", "prices"), "ok"),
        "stack": "warning",
    }


def test_a_stack_that_is_there_is_looked_into(monkeypatch: pytest.MonkeyPatch) -> None:
    outputs = dict.fromkeys(stack.REQUIRED_OUTPUTS, "https://api.example")
    monkeypatch.setattr(
        stack, "find_stack", lambda aws, name: (CloudFormationStack(name, outputs, {}), Finding("stack", "ok", "there"))
    )
    monkeypatch.setattr(stack, "checks", lambda aws, deployed, api: {"bucket": found("bucket", "failed"), "api": found("api")})

    result = run("--stack", "sageline", "--json")

    assert result.exit_code == 1
    assert states(result).items() >= {"stack": "ok", "bucket": "failed", "api": "ok"}.items()


def test_what_has_failed_is_printed_with_what_to_do_and_exit_code_1(monkeypatch: pytest.MonkeyPatch) -> None:
    low = Finding("quotas", "failed", "training: 0, a first run needs 1.", "aws service-quotas request")
    monkeypatch.setattr(account, "check_quotas", lambda aws: [low])

    result = run("--stack", "sageline")

    assert result.exit_code == 1
    assert "failed   quotas        training: 0, a first run needs 1.\n" in result.stdout
    assert " → aws service-quotas request\n" in result.stdout
    assert result.stdout.endswith("7 ok, 1 warning, 1 failed\n")


def test_without_a_region_only_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Aws, "region", None)

    result = run("--stack", "sageline", "--json")

    assert result.exit_code == 1
    assert states(result)["region"] == "failed"
    assert set(states(result).values()) == {"failed", "unknown"}


def test_without_credentials_the_account_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account, "find_caller", lambda aws: Finding("credentials", "failed", "none"))

    result = run("--stack", "sageline", "--json")

    assert result.exit_code == 1
    assert states(result).items() >= {"images": "ok", "credentials": "failed", "quotas": "unknown", "stack": "unknown"}.items()


def test_a_profile_that_is_not_there_is_a_finding() -> None:
    result = run("--stack", "sageline", "--json", AWS_PROFILE="nobody")

    assert result.exit_code == 1
    assert states(result).items() >= {"credentials": "failed", "quotas": "unknown"}.items()
    assert "nobody" in result.stdout


def test_a_port_that_is_no_number_is_a_finding(tmp_path: Path) -> None:
    result = run("--json", SAGELINE_HOME=str(tmp_path), SAGELINE_STACK=None, SAGELINE_PORT="many")

    assert result.exit_code == 1
    assert states(result)["ports"] == "failed"


def test_a_machine_whose_local_stack_is_down_is_looked_at(tmp_path: Path) -> None:
    result = run("--json", SAGELINE_HOME=str(tmp_path), SAGELINE_STACK=None, SAGELINE_PORT=None)

    assert {"python", "home", "disk", "memory", "ports", "processes"} <= states(result).keys()
    assert "api" not in states(result)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def never() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def test_a_check_that_does_not_end_is_given_up_and_the_others_are_told(never: threading.Event) -> None:
    def hang() -> list[Finding]:
        never.wait()
        return []

    began = time.monotonic()
    told = run_checks({"a": hang, "b": found("b"), "c": hang}, 0.2)

    assert [(finding.check, finding.state) for finding in told] == [("a", "unknown"), ("b", "ok"), ("c", "unknown")]
    assert time.monotonic() - began < 2


def test_what_aws_refuses_is_unknown_with_its_words() -> None:
    def refuse() -> list[Finding]:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "not you"}}, "DescribeStacks")

    answer = ask("stack", refuse, 5)

    assert isinstance(answer, Finding)
    assert (answer.check, answer.state) == ("stack", "unknown")
    assert "refused DescribeStacks" in answer.what


def test_a_mistake_of_the_doctors_own_is_not_hidden() -> None:
    def broken() -> list[Finding]:
        raise KeyError("oops")

    with pytest.raises(KeyError):
        run_checks({"a": broken}, 5)


def test_the_worst_finding_counts() -> None:
    assert worst([Finding("a", "ok", ""), Finding("b", "unknown", "")]) == "unknown"
    assert worst([Finding("a", "warning", ""), Finding("b", "failed", "")]) == "failed"
    assert worst([]) == "ok"
