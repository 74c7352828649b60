"""Specs that nobody writes by hand: what is wrong with them is said all the same, and in short."""

from __future__ import annotations

import pytest

from sageline.errors import InvalidSpec
from sageline.spec.model import validate_spec

SCRIPT = {"framework": "scikit-learn", "source_dir": "s3://bucket/source.tar.gz"}


@pytest.mark.parametrize("number", [float("inf"), float("-inf"), float("nan")])
def test_a_number_that_is_infinite_or_none_is_refused_wherever_it_stands(number: float) -> None:
    for spec in (
        {"algorithm": {"name": "xgboost", "hyperparameters": {"eta": number}}},
        {"split": {"train": number}},
        {"budget_usd": number},
    ):
        with pytest.raises(InvalidSpec, match="expected"):
            validate_spec(spec, "spec")


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("(a{1001})", "repeats too much"),
        ("(" * 5000 + ")" * 5000, "has 10000 characters; SageMaker takes 500"),
        ("(", "is not a regular expression"),
    ],
)
def test_an_expression_that_cannot_be_compiled_is_refused(expression: str, reason: str) -> None:
    with pytest.raises(InvalidSpec, match=reason):
        validate_spec({"algorithm": {"name": "script", "script": {**SCRIPT, "metrics": {"loss": expression}}}}, "spec")


def test_of_many_problems_some_are_described_and_the_others_counted() -> None:
    with pytest.raises(InvalidSpec, match="There are 950 problems more") as refused:
        validate_spec({f"key{number}": 1 for number in range(1000)}, "spec")
    assert refused.value.message.count("unknown key") == 50


def test_a_long_value_is_quoted_in_part() -> None:
    with pytest.raises(InvalidSpec) as refused:
        validate_spec({"split": "x" * 100_000}, "spec")
    assert len(refused.value.message) < 400


@pytest.mark.parametrize(
    "spec", [{"name": "wines\n"}, {"dataset": {"uri": "s3://bucket/data.csv\n"}}, {"deployment": {"endpoint": "wines\n"}}]
)
def test_a_line_feed_at_the_end_is_no_part_of_a_name(spec: dict[str, object]) -> None:
    with pytest.raises(InvalidSpec):
        validate_spec(spec, "spec")
