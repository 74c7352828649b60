"""The check that all tables share, on a small table."""

from __future__ import annotations

import pytest

from sageline.algorithms.hyperparameters import HyperparameterTable, Interval, choice, flag, integer, number, parse, sizes

TABLE: HyperparameterTable = {
    "k": integer(1, 1024, required=True),
    "rate": number(Interval(0, 1, open_low=True), words=("auto",), default="auto"),
    "mode": choice("fast", "exact", default="fast"),
    "shuffle": flag(default="false"),
    "units": sizes(default="128,64"),
    "target": integer(),
}


def plain(**strings: str) -> list[str]:
    return [problem.plain for problem in parse(TABLE, strings).problems]


def test_values_have_their_types_and_the_containers_defaults() -> None:
    parsed = parse(TABLE, {"k": "10", "rate": "1e-3", "shuffle": "True", "units": "16,8,4"})

    assert parsed.values == {"k": 10, "rate": 0.001, "mode": "fast", "shuffle": "true", "units": (16, 8, 4)}
    assert parsed.messages == []


def test_a_word_may_stand_for_a_number() -> None:
    assert parse(TABLE, {"k": "1", "rate": "auto"}).values["rate"] == "auto"


def test_what_is_required_and_not_there_is_said_in_the_schemas_words() -> None:
    assert parse(TABLE, {}).messages == ["'k' is a required property"]
    assert plain() == ["k is missing; it takes a whole number from 1 to 1,024."]


def test_what_is_unknown_is_said_in_the_schemas_words_and_with_the_nearest_name() -> None:
    parsed = parse(TABLE, {"k": "1", "shufle": "true"})

    assert parsed.messages == ["Additional properties are not allowed (u'shufle' was unexpected)"]
    assert plain(k="1", shufle="true") == ["there is no hyperparameter shufle; did you mean shuffle?"]
    assert plain(k="1", zzz="1") == ["there is no hyperparameter zzz; known are k, mode, rate, shuffle, target, units."]


def test_what_sagemaker_adds_to_a_trial_is_known() -> None:
    assert parse(TABLE, {"k": "1", "_tuning_objective_metric": "test:accuracy"}).messages == []


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("k", "abc", "k is 'abc'; it takes a whole number from 1 to 1,024."),
        ("k", "5.0", "k is '5.0'; it takes a whole number from 1 to 1,024."),
        ("k", "0", "k is '0'; it takes"),
        ("k", "1025", "k is '1025'; it takes"),
        ("rate", "0", "rate is '0'; it takes a number above 0 to 1, or auto."),
        ("rate", "nan", "rate is 'nan'; it takes"),
        ("rate", "inf", "rate is 'inf'; it takes"),
        ("mode", "slow", "mode is 'slow'; it takes one of fast, exact."),
        ("shuffle", "yes", "shuffle is 'yes'; it takes one of true, false."),
        ("units", "128,", "units is '128,'; it takes whole numbers from 1, separated by commas."),
        ("units", "128,0", "units is '128,0'; it takes whole numbers from 1, separated by commas."),
        ("target", "", "target is ''; it takes a whole number from 1."),
    ],
)
def test_a_value_that_is_none_of_the_allowed_is_refused_with_those(name: str, text: str, expected: str) -> None:
    (problem,) = plain(**{"k": "1", name: text})

    assert expected in problem
    assert name not in parse(TABLE, {"k": "1", name: text}).values


def test_a_refused_value_is_said_in_the_schemas_words() -> None:
    assert parse(TABLE, {"k": "abc"}).messages == [
        "u'abc' is not valid under any of the given schemas\n\nFailed validating u'oneOf' in schema[u'properties'][u'k']\n\n"
        "On instance[u'k']:\n    u'abc'"
    ]
    assert (
        parse(TABLE, {"k": "1", "mode": "x"}).messages[0].startswith("u'x' is not one of ['fast', 'exact']\n\nFailed validating")
    )


def test_every_problem_is_found_at_once() -> None:
    assert len(parse(TABLE, {"rate": "2", "zzz": "1"}).problems) == 3
