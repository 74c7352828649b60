"""What the tools find: which to run, and how to read what they say."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

Json: TypeAlias = Mapping[str, Any]  # Any: a tool's report

CODE = (
    "docs",
    "examples",
    "functions",
    "layers",
    "packages/sagemaker-emulator/src",
    "packages/sageline-client/src",
    "sageline_cli",
    "sageline_local",
)
TEMPLATE = "template.yaml"
WORKFLOW = ".github/workflows/ci.yml"


class ToolFailed(Exception):
    """A tool has not done its work; the message has what it said."""


@dataclass(frozen=True, order=True)
class Finding:
    """``place``: a resource of the template (its logical id), a file, a package."""

    tool: str
    rule: str
    place: str
    message: str
    line: int | None = None


def commands(tools: Path, own: Path) -> dict[str, Sequence[str]]:
    """Tool to its command. None calls home, and exceptions within the code (``nosec``) count for nothing.

    Args:
        tools: the folder of executables of the security tools' environment.
        own: that of Sageline's, which has cfn-lint: the SAM CLI's, as ``sam validate --lint`` runs it.
    """
    checkov = ("--framework", "cloudformation", "github_actions", "--quiet", "--compact", "--skip-download", "--output", "json")
    return {
        "checkov": (str(tools / "checkov"), "--file", TEMPLATE, WORKFLOW, *checkov),
        "bandit": (str(tools / "bandit"), "--quiet", "--ignore-nosec", "--format", "json", "--recursive", *CODE),
        "cfn-lint": (str(own / "cfn-lint"), "--format", "json", "--template", TEMPLATE),
    }


def read(tool: str, output: str) -> list[Finding]:
    """The findings in a tool's report.

    Raises:
        ToolFailed: it is none.
    """
    try:
        report = json.loads(output)
        return sorted(_READERS[tool](report))
    except (ValueError, KeyError, TypeError) as error:
        raise ToolFailed(f"{tool} has made no report that can be read ({error!r}): {output[:2000]!r}") from None


def _checkov(report: Any) -> Iterable[Finding]:  # Any: a list of reports, or one
    for part in report if isinstance(report, list) else [report]:
        if part["summary"]["parsing_errors"]:
            raise ToolFailed(f"checkov could not read all files: {part['results'].get('parsing_errors')}")
        results = part["results"]
        for found in [*results["failed_checks"], *results.get("skipped_checks", [])]:  # skipped: by a comment in the file
            line = (found.get("file_line_range") or [None])[0]
            yield Finding("checkov", found["check_id"], found["resource"].rpartition(".")[2], found["check_name"], line)


def _bandit(report: Json) -> Iterable[Finding]:
    if report["errors"]:
        raise ToolFailed(f"bandit could not read all files: {report['errors']}")
    for found in report["results"]:
        yield Finding("bandit", found["test_id"], found["filename"], found["issue_text"], found["line_number"])


def _cfn_lint(report: Any) -> Iterable[Finding]:  # Any: a list of findings
    for found in report:
        path = found["Location"].get("Path") or []
        place = str(path[1]) if len(path) > 1 and path[0] == "Resources" else "template"
        yield Finding("cfn-lint", found["Rule"]["Id"], place, found["Message"], found["Location"]["Start"]["LineNumber"])


_READERS = {"checkov": _checkov, "bandit": _bandit, "cfn-lint": _cfn_lint}
