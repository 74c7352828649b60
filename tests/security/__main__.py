"""Run checkov, bandit and cfn-lint, and say what they find that is no exception. ``python -m tests.security TOOLS``, where TOOLS
is the folder of executables of their environment (`make lint` makes it)."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.security.exceptions import FILE, compare, load
from tests.security.findings import Finding, ToolFailed, commands, read

_SECONDS = 300


def run(tool: str, command: tuple[str, ...]) -> list[Finding]:
    """One tool's findings; raises ToolFailed."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ToolFailed(f"{tool} could not be run: {error}") from None
    if not done.stdout.strip():
        raise ToolFailed(f"{tool} ended with exit code {done.returncode} and no report: {done.stderr[-2000:]}")
    return read(tool, done.stdout)


def main(arguments: list[str]) -> int:
    """The exit code: 0, or 1 when something is found or a tool failed."""
    wanted = commands(Path(arguments[0]), Path(sys.executable).parent)
    try:
        exceptions = load()
        with ThreadPoolExecutor() as pool:
            findings = [one for found in pool.map(lambda tool: run(tool, tuple(wanted[tool])), wanted) for one in found]
    except ToolFailed as error:
        sys.stderr.write(f"{error}\n")
        return 1
    problems = compare(findings, exceptions, wanted)
    if problems:
        advice = f"Mend what they say; what has to stay goes into {FILE.relative_to(Path.cwd())}, with the reason."
        sys.stderr.write("\n".join([*problems, "", advice, ""]))
        return 1
    sys.stdout.write(f"{', '.join(wanted)}: {len(findings)} findings, each with a reason in {FILE.relative_to(Path.cwd())}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
