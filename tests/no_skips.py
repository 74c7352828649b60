"""A plugin for ``make test-all``: what a tier needs and is not there is a failure, not a skip.

Loaded with ``python -m pytest -p tests.no_skips``. A test of what is said where a tool is missing is skipped where it is there.
"""

from __future__ import annotations

from collections.abc import Generator

import pytest

SAYS_WHAT_IS_MISSING = "says what is missing"
"""The reason of a skip that stays one begins so, or rather with pytest's own ``Skipped: `` before it."""


def _fail(report: pytest.TestReport | pytest.CollectReport) -> None:
    if not report.skipped or hasattr(report, "wasxfail"):
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    if reason.removeprefix("Skipped: ").startswith(SAYS_WHAT_IS_MISSING):
        return
    report.outcome = "failed"
    report.longrepr = f"make test-all needs what is not there: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _fail(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _fail(report)
    return report
