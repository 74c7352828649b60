"""The findings that stay, each with its reason: ``exceptions.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from tests.security.findings import Finding, ToolFailed

FILE = Path(__file__).parent / "exceptions.toml"
_KEYS = {"tool", "rule", "places", "reason"}


@dataclass(frozen=True)
class Exempt:
    """One exception. ``places``: patterns as of file names; each must match a finding."""

    tool: str
    rule: str
    places: Sequence[str]
    reason: str

    def covers(self, finding: Finding) -> bool:
        return any(self.covers_at(place, finding) for place in self.places)

    def covers_at(self, place: str, finding: Finding) -> bool:
        return (self.tool, self.rule) == (finding.tool, finding.rule) and fnmatchcase(finding.place, place)


def load(path: Path = FILE) -> list[Exempt]:
    """The exceptions.

    Raises:
        ToolFailed: one has other keys than it must have, or no reason.
    """
    entries = tomllib.loads(path.read_text())["exception"]
    for entry in entries:
        if set(entry) != _KEYS or not entry["reason"].strip() or not entry["places"]:
            raise ToolFailed(f"{path}: an exception has the keys {sorted(_KEYS)}, all with something in them; this has {entry}")
    return [Exempt(**entry) for entry in entries]


def compare(findings: Iterable[Finding], exceptions: Sequence[Exempt], tools: Iterable[str]) -> list[str]:
    """What is wrong, a line each: findings that no exception covers, and exceptions that cover nothing any more.

    Args:
        tools: those that have run; exceptions of others are left alone.
    """
    found, ran = list(findings), set(tools)
    problems = [
        f"{finding.place}{f':{finding.line}' if finding.line else ''}: {finding.message} ({finding.tool} {finding.rule})"
        for finding in found
        if not any(exempt.covers(finding) for exempt in exceptions)
    ]
    problems += [
        f"{FILE.name}: {exempt.tool} {exempt.rule} finds nothing any more at {place!r}; delete the exception"
        for exempt in exceptions
        for place in exempt.places
        if exempt.tool in ran and not any(exempt.covers_at(place, finding) for finding in found)
    ]
    return problems
