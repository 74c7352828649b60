"""What a spec may say of the algorithm `auto`, and what goes with named algorithms only."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from sageline.errors import InvalidSpec
from sageline.spec.model import Spec, parse_spec, validate_spec
from sageline.spec.training import AlgorithmName, Preset

SCRIPT = {"framework": "pytorch", "source_dir": "s3://b/datasets/a/source.tar.gz"}
NAMED = sorted({*get_args(AlgorithmName)} - {"auto", "script"})


def test_an_empty_spec_asks_for_auto_quick() -> None:
    spec = validate_spec({}, "spec.json")

    assert (spec.algorithm.name, spec.algorithm.preset, spec.tuning, spec.budget_minutes) == ("auto", None, None, None)


@pytest.mark.parametrize("preset", get_args(Preset))
def test_a_preset_goes_with_auto_whether_it_is_named_or_not(preset: str) -> None:
    for algorithm in ({"preset": preset}, {"name": "auto", "preset": preset}):
        assert validate_spec({"algorithm": algorithm, "budget_minutes": 30}, "spec.json").algorithm.preset == preset


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        (
            {"algorithm": {"name": "script", "script": SCRIPT, "preset": "good"}},
            '`preset` is "good", which says how much auto tries, and the algorithm is script; leave one of them out',
        ),
        (
            {"algorithm": {"script": SCRIPT, "preset": "good"}},
            'the algorithm auto takes no `script`; for a script of your own say "name"',
        ),
        ({"algorithm": {"preset": "thorough"}}, "`algorithm.preset` is \"thorough\"; expected 'quick', 'good' or 'best'"),
        (
            {"algorithm": {"hyperparameters": {"eta": 0.1}}},
            "`hyperparameters` gives 'eta', which is one algorithm's, and the algorithm is auto, which trains several; name the "
            'one that you mean, such as "name": "xgboost"',
        ),
        (
            {"tuning": {"max_jobs": 3}},
            "`tuning` is for one algorithm, and `algorithm.name` is auto, which trains several; name the one to tune, such as "
            '"xgboost", or say `algorithm.preset`: "good" and "best" tune each of them',
        ),
        ({"tuning": {"early_stopping": True}}, "`tuning.early_stopping` is for one algorithm, and `algorithm.name` is auto"),
        ({"algorithm": {"preset": "best"}, "tuning": {}}, "`tuning` is for one algorithm"),
        ({"budget_minutes": 0.5}, "`budget_minutes` is 0.5"),
        ({"budget_minutes": "soon"}, '`budget_minutes` is "soon"'),
        ({"budget_usd": 0}, "`budget_usd` is 0"),
    ],
)
def test_what_does_not_go_with_auto_is_refused_with_what_to_do(document: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidSpec) as refused:
        validate_spec(document, "spec.json")

    assert problem in refused.value.message
    assert refused.value.message.startswith("spec.json: ")


@pytest.mark.parametrize("name", NAMED)
def test_what_is_for_auto_does_not_go_with_a_named_algorithm(name: str) -> None:
    with pytest.raises(InvalidSpec, match=f"`budget_minutes` is for the algorithm auto, .* and the algorithm is {name}; say"):
        validate_spec({"algorithm": {"name": name}, "budget_minutes": 10}, "spec.json")
    with pytest.raises(InvalidSpec, match=f'`preset` is "quick", .* and the algorithm is {name}; leave one of them out'):
        validate_spec({"algorithm": {"name": name, "preset": "quick"}}, "spec.json")


@pytest.mark.parametrize("name", NAMED)
def test_a_named_algorithm_takes_what_it_took(name: str) -> None:
    spec = validate_spec({"algorithm": {"name": name, "hyperparameters": {"a": 1}}, "tuning": {"max_jobs": 3}}, "spec.json")

    assert (spec.algorithm.hyperparameters, spec.tuning and spec.tuning.max_jobs) == ({"a": 1}, 3)


@pytest.mark.parametrize("document", [{}, {"algorithm": {"preset": "best"}, "budget_minutes": 90.5, "budget_usd": 3}])
def test_a_spec_of_auto_is_the_same_when_it_is_read_again(document: dict[str, Any]) -> None:
    spec = validate_spec(document, "spec.json")

    assert parse_spec(spec.model_dump_json(), "again") == spec
    assert parse_spec(spec.model_dump_json(exclude_unset=True), "again") == spec


def test_a_whole_spec_of_before_names_its_algorithm_and_stays_of_that_one() -> None:
    """Resolved specs of runs of earlier versions do, so what they say goes on meaning it."""
    before = Spec.model_validate({"algorithm": {"name": "xgboost"}}).model_dump(exclude={"budget_minutes"})
    del before["algorithm"]["preset"]

    assert validate_spec(before, "spec.json").algorithm.name == "xgboost"
