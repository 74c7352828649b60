"""The expressions of a script's metrics: found in a bounded time, or refused."""

from __future__ import annotations

import time

import pytest

from sageline.report.curves import learning_curves
from sageline.spec.metric_pattern import MetricPattern, NoMetricPattern
from sagemaker_emulator.training.metrics import MetricScanner, NoPattern, compiled

HANGS_PYTHON = r"^((?:a|a)*)b"


def test_the_first_group_is_the_value_wherever_it_is_in_the_line() -> None:
    pattern = MetricPattern(r"loss[=:] *([-+0-9.eE]+|nan)")

    assert pattern.groups == 1
    assert pattern.value("epoch 1 loss= 0.5 x") == 0.5
    assert pattern.value("loss:-1e-3") == -0.001
    assert [pattern.value(line) for line in ("loss=nan", "loss=+-", "none", "\ud800 loss=1")] == [None] * 4


@pytest.mark.parametrize("line", ["a" * 60, "a" * 4096])
def test_an_expression_that_hangs_python_takes_no_time(line: str) -> None:
    begun = time.process_time()

    assert MetricPattern(HANGS_PYTHON).value(line) is None
    assert learning_curves([line] * 100, {"m": HANGS_PYTHON}) == []
    MetricScanner([("m", HANGS_PYTHON)]).scan(line, 0.0)

    assert time.process_time() - begun < 1


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        (r"f1=(.*)(?=;)", "it looks ahead, which cannot be searched for in a bounded time; match what follows instead"),
        (r"(?<!train-)f1=(.*)", "it looks behind"),
        (r"(.)\1", r"\1 refers to a group, which cannot be searched for in a bounded time"),
        (r"(?>a+)(.)", "atomic groups are not supported; a plain group"),
        (r"f1=(.*)\Z", r"\Z is not supported; the end of a line is $"),
        (r"(?x) f1 = (.*)", "(?x is not supported (by RE2"),
        (r"(a{1001})", "repeats too much to be searched for in a short time"),
        (r"((?:[ab]{0,1000})*)b", "repeats too much to be searched for in a short time"),
        ("(" + "a" * 499 + ")", "has 501 characters; SageMaker takes 500"),
        ("(\ud800)", "holds half of a character"),
        ("f1=(", "is not a regular expression: missing )"),
    ],
)
def test_what_cannot_be_bounded_is_refused_with_the_reason(expression: str, reason: str) -> None:
    with pytest.raises(NoMetricPattern) as refused:
        MetricPattern(expression)
    assert reason in str(refused.value)


@pytest.mark.parametrize("expression", [r"(a)(?=b)", r"(.)\1", r"((?:[ab]{0,1000})*)b", "(", "(\ud800)"])
def test_the_local_sagemaker_refuses_them_too(expression: str) -> None:
    with pytest.raises(NoPattern):
        compiled(expression)


def test_curves_end_where_their_time_does_and_leave_out_what_no_spec_has() -> None:
    lines = ["f1=1", "f1=2"]

    assert learning_curves(lines, {"f1": "f1=(.)", "ahead": "f1=(.)(?=x)"})[0].values == (1, 2)
    assert learning_curves(lines, {"f1": "f1=(.)"}, seconds=-1) == []
