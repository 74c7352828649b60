"""Findings of the security tools, and the list of those that stay."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.security.audit import audited
from tests.security.exceptions import Exempt, compare, load
from tests.security.findings import Finding, ToolFailed, commands, read

NO_VPC = Exempt("checkov", "CKV_AWS_117", ("*Function",), "why")
FOUND = Finding("checkov", "CKV_AWS_117", "SweepFunction", "Not in a VPC", 12)


def test_a_finding_with_an_exception_is_none() -> None:
    assert compare([FOUND], [NO_VPC], ["checkov"]) == []


def test_a_finding_without_one_is_named_with_its_place_and_rule() -> None:
    other = Finding("checkov", "CKV_AWS_117", "DataBucket", "Not in a VPC", 40)
    assert compare([FOUND, other], [NO_VPC], ["checkov"]) == ["DataBucket:40: Not in a VPC (checkov CKV_AWS_117)"]


def test_an_exception_of_which_a_place_finds_nothing_any_more_is_an_error() -> None:
    two = Exempt("bandit", "B404", ("a.py", "b.py"), "why")
    found = Finding("bandit", "B404", "a.py", "subprocess")
    assert compare([found], [two], ["bandit"]) == [
        "exceptions.toml: bandit B404 finds nothing any more at 'b.py'; delete the exception"
    ]
    assert compare([], [two], ["checkov"]) == []  # bandit has not run


@pytest.mark.parametrize("reason", ['reason = " "', ""])
def test_an_exception_without_a_reason_is_refused(tmp_path: Path, reason: str) -> None:
    file = tmp_path / "exceptions.toml"
    file.write_text(f'[[exception]]\ntool = "bandit"\nrule = "B404"\nplaces = ["a.py"]\n{reason}\n')
    with pytest.raises(ToolFailed, match="all with something in them"):
        load(file)


def test_every_exception_of_ours_has_a_reason_and_a_known_tool() -> None:
    assert {exempt.tool for exempt in load()} <= {*commands(Path(), Path()), "pip-audit"}


def test_what_the_tools_say_is_read() -> None:
    checks = '[{"check_id": "C1", "resource": "AWS::S3::Bucket.Data", "check_name": "n", "file_line_range": [3, 9]}]'
    skipped = checks.replace("C1", "C2")  # by a comment in the template, which is not where exceptions belong
    summary = '"summary": {"parsing_errors": 0}'
    assert read("checkov", f'{{{summary}, "results": {{"failed_checks": {checks}, "skipped_checks": {skipped}}}}}') == [
        Finding("checkov", "C1", "Data", "n", 3),
        Finding("checkov", "C2", "Data", "n", 3),
    ]
    bandit = '{"errors": [], "results": [{"test_id": "B1", "filename": "a.py", "issue_text": "t", "line_number": 2}]}'
    assert read("bandit", bandit) == [Finding("bandit", "B1", "a.py", "t", 2)]
    location = '{"Path": ["Resources", "Data", "Properties"], "Start": {"LineNumber": 5}}'
    assert read("cfn-lint", f'[{{"Rule": {{"Id": "E1"}}, "Message": "m", "Location": {location}}}]') == [
        Finding("cfn-lint", "E1", "Data", "m", 5)
    ]


@pytest.mark.parametrize("output", ["", "Traceback", '{"results": {}}', '{"errors": ["a.py: syntax error"], "results": []}'])
def test_a_tool_that_has_not_read_everything_has_failed(output: str) -> None:
    with pytest.raises(ToolFailed, match="bandit"):
        read("bandit", output)


def test_an_audit_tells_vulnerable_packages_from_unknown_ones() -> None:
    vulnerable = {"name": "a", "version": "1", "vulns": [{"id": "CVE-1", "fix_versions": ["2"]}]}
    report = {"dependencies": [vulnerable, {"name": "b", "version": "1", "vulns": []}, {"name": "c", "skip_reason": "unknown"}]}
    assert audited(report) == ([Finding("pip-audit", "CVE-1", "a", "1; fixed in 2")], ["c"], 2)
