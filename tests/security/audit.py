"""Ask PyPI which of the packages in the lock files have known vulnerabilities, by pip-audit. ``python -m tests.security.audit
TOOLS``.

Exit code 1 for a vulnerability that is no exception; 0 also where the service cannot be reached, which is said: a build must not
fail because a network does.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.security.exceptions import FILE, compare, load
from tests.security.findings import Finding

_LOCKS = (Path(), Path(__file__).parent.relative_to(Path.cwd()))
_EXPORT = ("export", "--frozen", "--quiet", "--all-groups", "--no-emit-project", "--no-hashes", "--no-annotate", "--no-header")
_SECONDS = 600


def audited(report: Any) -> tuple[list[Finding], list[str], int]:  # Any: pip-audit's JSON
    """What was found, the packages that the service does not know, and the number of those that it does."""
    packages = report["dependencies"]
    unknown = [package["name"] for package in packages if "skip_reason" in package]
    return list(_findings(packages)), unknown, len(packages) - len(unknown)


def _findings(packages: Iterable[Any]) -> Iterable[Finding]:
    for package in packages:
        for found in package.get("vulns", []):
            fixed = f"; fixed in {', '.join(found['fix_versions'])}" if found.get("fix_versions") else "; no version has it fixed"
            yield Finding("pip-audit", found["id"], package["name"], f"{package['version']}{fixed}")


def audit(tools: Path, lock: Path) -> tuple[list[Finding], list[str], int] | str:
    """As :func:`audited`; or why there is no answer."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        uv = str(Path(sys.executable).parent / "uv")
        subprocess.run((uv, *_EXPORT, "--project", str(lock), "--output-file", file.name), check=True, stdout=subprocess.DEVNULL)
        options = ("--no-deps", "--disable-pip", "--format", "json", "--progress-spinner", "off", "--timeout", "15")
        command = (str(tools / "pip-audit"), "--requirement", file.name, *options)
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
        except subprocess.TimeoutExpired:
            return f"no answer within {_SECONDS} s"
    try:
        return audited(json.loads(done.stdout))
    except ValueError:
        said = done.stderr.strip().splitlines()
        return said[-1] if said else f"pip-audit ended with exit code {done.returncode}"


def main(arguments: list[str]) -> int:
    """The exit code."""
    findings: list[Finding] = []
    for lock in _LOCKS:
        answer = audit(Path(arguments[0]), lock)
        name = lock / "uv.lock"
        if isinstance(answer, str) or not answer[2]:
            why = answer if isinstance(answer, str) else "it knows none of the packages, so it is no index with vulnerabilities"
            sys.stdout.write(f"NOT AUDITED: {name}: the vulnerability service of pypi.org could not be reached: {why}\n")
            return 0
        found, unknown, known = answer
        findings += found
        sys.stdout.write(f"{name}: {known} packages audited, {len(found)} vulnerabilities\n")
        if unknown:
            sys.stdout.write(f"  not known to the service: {', '.join(unknown)}\n")
    problems = compare(findings, load(), ["pip-audit"])
    sys.stderr.write("".join(f"{problem}\n" for problem in problems))
    if problems:
        sys.stderr.write(
            f"Take a version in which it is fixed (uv lock --upgrade-package NAME), or say why not in {FILE.name}.\n"
        )
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
