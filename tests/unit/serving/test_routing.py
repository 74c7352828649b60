"""Who answers whom."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import pytest

from sageline.errors import InvalidRouting
from sageline.runs.routing import RoutedVariant, Routing, parse_routing


def routing(**weights: float) -> Routing:
    variants = tuple(
        RoutedVariant(
            name=name,
            weight=weight,
            model_version=name,
            model_name=name,
            encoder_uri=f"s3://b/runs/{name}/encoder/",
            content_type="text/csv",
            endpoint_config=name,
        )
        for name, weight in weights.items()
    )
    return Routing("wines", variants, "2026-11-20T10:00:00.000Z")


def test_one_of_several_variants_is_named_and_a_serverless_one_never() -> None:
    one, two = routing(a=1), routing(a=1, b=0)
    on_demand = replace(two.variants[0], serverless=True)

    assert [one.is_named(one.variants[0]), two.is_named(two.variants[1]), two.is_named(on_demand)] == [False, True, False]


def test_routing_of_before_says_nothing_of_serverless() -> None:
    written = replace(routing(a=1), variants=(replace(routing(a=1).variants[0], serverless=True),))
    document = json.loads(written.dump())
    assert parse_routing(json.dumps(document).encode(), "s3://b/r") == written

    del document["variants"][0]["serverless"]
    assert parse_routing(json.dumps(document).encode(), "s3://b/r") == routing(a=1)


def picks(of: Routing, sessions: int = 4000) -> list[str]:
    return [of.pick(f"session-{number}").name for number in range(sessions)]


def test_traffic_is_shared_by_weight() -> None:
    counts = Counter(picks(routing(a=3, b=1)))
    assert counts["b"] / 4000 == pytest.approx(0.25, abs=0.03)


def test_a_session_keeps_its_variant() -> None:
    assert picks(routing(a=1, b=1)) == picks(routing(a=1, b=1))


def test_more_weight_moves_sessions_to_a_variant_and_none_away_from_it() -> None:
    before, after = picks(routing(a=9, b=1)), picks(routing(a=1, b=1))
    moved = {(old, new) for old, new in zip(before, after, strict=True) if old != new}
    assert moved == {("a", "b")}


def test_a_variant_that_goes_moves_only_its_own_sessions() -> None:
    all_three, without_c = routing(a=1, b=1, c=1), routing(a=1, b=1, c=1).without("c")
    assert without_c is not None
    for before, after in zip(picks(all_three), picks(without_c), strict=True):
        assert before in ("c", after)


def test_a_weight_of_zero_gets_nothing_while_there_is_another() -> None:
    assert set(picks(routing(old=1, new=0))) == {"old"}


def test_a_weight_of_zero_counts_when_nothing_else_is_left() -> None:
    left = routing(old=1, new=0).without("old")
    assert left is not None
    assert set(picks(left)) == {"new"}
    assert set(picks(routing(a=0, b=0))) == {"a", "b"}


def test_without_the_only_variant_nothing_is_left() -> None:
    assert routing(only=1).without("only") is None


def test_any_text_can_be_a_session() -> None:
    assert routing(a=1, b=1).pick("\ud800 ünïcode").name in {"a", "b"}


def test_other_weights_leave_the_rest_alone() -> None:
    changed = routing(a=1, b=0).with_weights({"b": 0.5}, "2026-11-21T00:00:00.000Z")
    assert {variant.name: variant.weight for variant in changed.variants} == {"a": 1, "b": 0.5}
    assert changed.updated_at == "2026-11-21T00:00:00.000Z"
    assert changed.variants[0] == routing(a=1).variants[0]


def test_a_variant_is_found_by_name() -> None:
    assert routing(a=1, b=2).variant("b") == routing(b=2).variants[0]
    assert routing(a=1).variant("b") is None


def test_what_is_written_is_what_is_read() -> None:
    written = routing(a=0.25, b=0.75)
    assert parse_routing(written.dump(), "s3://b/k") == written
    assert json.loads(written.dump())["version"] == 1


def test_a_newer_version_is_said_to_be_newer() -> None:
    document = json.loads(routing(a=1).dump()) | {"version": 2}
    with pytest.raises(InvalidRouting, match="s3://b/k: version 2"):
        parse_routing(json.dumps(document).encode(), "s3://b/k")


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"[]",
        b"\xff",
        b'{"version": 1}',
        routing(a=1).dump().replace(b'"weight": 1', b'"weight": -1'),
        routing(a=1).dump().replace(b'"weight": 1', b'"weight": NaN'),
        routing(a=1).dump().replace(b'"encoder_uri"', b'"uri"'),
        replace(routing(), variants=()).dump(),
        b'{"version": 1, "endpoint": "wines", "variants": [1], "updated_at": ""}',
    ],
)
def test_a_damaged_document_is_said_to_be_damaged(document: bytes) -> None:
    with pytest.raises(InvalidRouting, match="s3://b/k: damaged"):
        parse_routing(document, "s3://b/k")
