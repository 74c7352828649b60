from __future__ import annotations

import pytest

from sageline.runs import price_list
from sageline.runs.money import length, usd


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0, "$0.00"),
        (0.00004, "$0.00004"),
        (0.0115, "$0.0115"),
        (0.115, "$0.115"),
        (0.2, "$0.20"),
        (4.6, "$4.60"),
        (1.265, "$1.265"),
        (1234.5, "$1,234.50"),
        (0.00123456, "$0.001235"),
        (0.99999, "$1.00"),
    ],
)
def test_amounts_show_cents_and_what_small_ones_need(amount: float, text: str) -> None:
    assert usd(amount) == text


def test_times_are_seconds_or_hours() -> None:
    assert [length(seconds) for seconds in (60, 599, 1800, 3600, 9000)] == ["60 s", "599 s", "0.5 h", "1 h", "2.5 h"]


def test_the_types_that_specs_default_to_have_prices_for_every_use() -> None:
    for name in ("ml.m5.xlarge", "ml.m5.large", "ml.c5.xlarge"):
        assert set(price_list.INSTANCES[name]) == set(price_list.USES)
    assert all(price > 0 for uses in price_list.INSTANCES.values() for price in uses.values())
