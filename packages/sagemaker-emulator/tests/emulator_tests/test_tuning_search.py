"""What a tuning job tries next, and when it stops: without any training job."""

from __future__ import annotations

import math
from typing import Any

import pytest

from sagemaker_emulator.errors import ServiceError
from sagemaker_emulator.tuning.ranges import combinations, parse_ranges
from sagemaker_emulator.tuning.search import Candidate, Resources, Search
from sagemaker_emulator.tuning.stopping import Progress, worse_than_median

INTEGER = {"Name": "depth", "MinValue": "3", "MaxValue": "12"}
CONTINUOUS = {"Name": "eta", "MinValue": "0.05", "MaxValue": "0.5"}
CATEGORICAL = {"Name": "booster", "Values": ["gbtree", "dart"]}
ALL = {
    "IntegerParameterRanges": [INTEGER],
    "ContinuousParameterRanges": [CONTINUOUS],
    "CategoricalParameterRanges": [CATEGORICAL],
}


def search(ranges: dict[str, Any], strategy: str = "Random", *, seed: int = 1, trials: int = 20) -> Search:
    return Search(strategy, parse_ranges(ranges), maximize=False, trials=trials, seed=seed)


def asked(found: Search) -> Candidate:
    candidate = found.ask()
    assert candidate is not None
    return candidate


def drawn(item: dict[str, Any], kind: str = "Continuous", count: int = 200) -> list[float]:
    found = search({f"{kind}ParameterRanges": [item]})
    return [float(asked(found).values[item["Name"]]) for _ in range(count)]


def refused(ranges: dict[str, Any]) -> str:
    with pytest.raises(ServiceError) as error:
        parse_ranges(ranges)
    assert error.value.code == "ValidationException"
    return error.value.message


@pytest.mark.parametrize("strategy", ["Bayesian", "Random"])
def test_values_are_of_their_range_and_written_as_a_training_job_takes_them(strategy: str) -> None:
    found = search(ALL, strategy)

    for _ in range(15):
        candidate = asked(found)
        found.tell(candidate, float(candidate.values["eta"]))
        assert candidate.values["depth"] in [str(depth) for depth in range(3, 13)]
        assert 0.05 <= float(candidate.values["eta"]) <= 0.5
        assert candidate.values["booster"] in ("gbtree", "dart")


@pytest.mark.parametrize("strategy", ["Bayesian", "Random"])
def test_a_seed_makes_the_same_search_again(strategy: str) -> None:
    def values(seed: int) -> list[dict[str, str]]:
        found, made = search(ALL, strategy, seed=seed), []
        for _ in range(12):
            made.append(asked(found))
            found.tell(made[-1], float(made[-1].values["eta"]))
        return [candidate.values for candidate in made]

    assert values(7) == values(7)
    assert values(7) != values(8)


def test_bayesian_search_comes_nearer_to_the_best_than_chance() -> None:
    ranges = {"ContinuousParameterRanges": [{**CONTINUOUS, "Name": name, "MinValue": "0", "MaxValue": "1"} for name in "ab"]}

    def best(strategy: str, seed: int) -> float:
        found, values = search(ranges, strategy, seed=seed, trials=40), []
        for _ in range(40):
            candidate = asked(found)
            values.append(sum((float(value) - 0.3) ** 2 for value in candidate.values.values()))
            found.tell(candidate, values[-1])
        return min(values)

    seeds = range(5)
    assert sum(best("Bayesian", seed) for seed in seeds) < sum(best("Random", seed) for seed in seeds) / 2


def test_trials_that_still_run_are_not_asked_for_again() -> None:
    found = search({"CategoricalParameterRanges": [{"Name": "n", "Values": [str(number) for number in range(30)]}]}, "Bayesian")
    for number in range(10):
        found.tell(asked(found), float(number))

    running = [asked(found).values["n"] for _ in range(3)]

    assert len(set(running)) > 1


def test_a_grid_has_every_combination_once() -> None:
    grid = {"CategoricalParameterRanges": [CATEGORICAL, {"Name": "mode", "Values": ["a", "b", "c"]}]}
    found, seen = search(grid, "Grid"), []
    while (candidate := found.ask()) is not None:
        seen.append(tuple(candidate.values.values()))
        found.tell(candidate, 1.0)

    assert sorted(seen) == sorted((booster, mode) for booster in ("gbtree", "dart") for mode in "abc")


def test_a_logarithmic_scale_gives_each_order_of_magnitude_its_share() -> None:
    item = {"Name": "rate", "MinValue": "0.0001", "MaxValue": "1"}

    below = sum(value < 0.01 for value in drawn({**item, "ScalingType": "Logarithmic"}))
    linear = sum(value < 0.01 for value in drawn({**item, "ScalingType": "Linear"}))

    assert 70 < below < 130  # of 200
    assert linear < 15


def test_a_reverse_logarithmic_scale_looks_closely_near_one() -> None:
    values = drawn({"Name": "momentum", "MinValue": "0.9", "MaxValue": "0.9999", "ScalingType": "ReverseLogarithmic"})

    assert all(0.9 <= value <= 0.9999 for value in values)
    assert 40 < sum(value > 0.999 for value in values) < 100  # a third


def test_a_scale_of_sagemakers_choice_is_logarithmic_for_a_wide_positive_range() -> None:
    wide, narrow, negative = (
        parse_ranges({"ContinuousParameterRanges": [{**CONTINUOUS, "MinValue": low, "MaxValue": high}]})[0]
        for low, high in (("0.001", "1"), ("0.05", "0.5"), ("-1", "1000"))
    )

    assert [getattr(item, "scale", None) for item in (wide, narrow, negative)] == ["Logarithmic", "Linear", "Linear"]


def test_combinations_are_counted_where_they_can_be() -> None:
    assert combinations(parse_ranges({"IntegerParameterRanges": [INTEGER], "CategoricalParameterRanges": [CATEGORICAL]})) == 20
    assert math.isinf(combinations(parse_ranges(ALL)))


@pytest.mark.parametrize(
    ("ranges", "message"),
    [
        ({}, "At least one hyperparameter range must be provided"),
        ({"IntegerParameterRanges": [{**INTEGER, "MinValue": "20"}]}, "range [20, 12] of hyperparameter depth is not valid"),
        ({"IntegerParameterRanges": [{**INTEGER, "MinValue": "12"}]}, "MinValue must be smaller than MaxValue"),
        ({"ContinuousParameterRanges": [{**CONTINUOUS, "MaxValue": "0.01"}]}, "MinValue must be smaller than MaxValue"),
        ({"IntegerParameterRanges": [{**INTEGER, "MinValue": "3.5"}]}, "must be integers"),
        ({"ContinuousParameterRanges": [{**CONTINUOUS, "MinValue": "few"}]}, "must be numbers"),
        ({"ContinuousParameterRanges": [{**CONTINUOUS, "MaxValue": "inf"}]}, "must be finite numbers"),
        (
            {"ContinuousParameterRanges": [{**CONTINUOUS, "MinValue": "0", "ScalingType": "Logarithmic"}]},
            "logarithmic scaling works only for ranges that have only values greater than 0",
        ),
        (
            {"ContinuousParameterRanges": [{**CONTINUOUS, "MaxValue": "1", "ScalingType": "ReverseLogarithmic"}]},
            "entirely within 0 <= x < 1.0",
        ),
        ({"CategoricalParameterRanges": [{**CATEGORICAL, "Values": ["a", "a"]}]}, "values of the categorical"),
        ({"IntegerParameterRanges": [INTEGER, INTEGER]}, "depth is given more than once"),
        ({"IntegerParameterRanges": [{**INTEGER, "Name": f"p{n}"} for n in range(31)]}, "at most 30 hyperparameters, not 31"),
        ({"AutoParameters": [{"Name": "eta", "ValueHint": "0.1"}]}, "AutoParameters are not supported"),
    ],
)
def test_a_range_that_makes_no_sense_is_refused(ranges: dict[str, Any], message: str) -> None:
    assert message in refused(ranges)


def test_hyperband_stops_what_falls_behind_after_the_least_and_everything_beyond_the_most() -> None:
    found = Search(
        "Hyperband",
        parse_ranges({"ContinuousParameterRanges": [CONTINUOUS]}),
        maximize=False,
        trials=20,
        seed=1,
        resources=Resources(2, 9),
    )
    stopped = []
    for number in range(20):
        candidate = asked(found)
        score = 1.0 if number < 10 else 9.0
        at = next((step for step in range(1, 12) if found.report(candidate, step, score)), None)
        stopped.append(at)
        found.tell(candidate, score, stopped=True)

    assert all(at is not None and 2 <= at <= 10 for at in stopped)
    assert 10 in stopped[:10]  # the best ones go on until they report more than the most
    assert min(at for at in stopped[10:] if at) < 9


def test_earlier_trials_are_learnt_from_where_they_fit() -> None:
    found = search({"ContinuousParameterRanges": [CONTINUOUS], "CategoricalParameterRanges": [CATEGORICAL]}, "Bayesian")

    assert found.learn({"eta": "0.3", "booster": "dart", "num_round": "9"}, 1.0)
    assert not found.learn({"eta": "0.9", "booster": "dart"}, 1.0)
    assert not found.learn({"eta": "0.3"}, 1.0)
    assert not found.learn({"eta": "much", "booster": "dart"}, 1.0)


def test_a_trial_is_stopped_when_it_is_worse_than_the_median_of_the_running_averages() -> None:
    earlier = [[3.0, 1.0], [4.0, 2.0], [5.0, 3.0], [6.0, 4.0], [7.0, 5.0]]  # averages after two: 2, 3, 4, 5, 6

    assert worse_than_median([9.0, 4.1], earlier, maximize=False)
    assert not worse_than_median([9.0, 4.0], earlier, maximize=False)
    assert worse_than_median([9.0, 3.9], earlier, maximize=True)
    assert not worse_than_median([9.0], earlier, maximize=False)
    assert not worse_than_median([9.0, 9.0], earlier[:4], maximize=False)
    assert not worse_than_median([9.0, 9.0, 9.0], earlier, maximize=False)  # nobody else got as far


def test_trials_that_do_not_improve_by_one_percent_are_counted() -> None:
    progress = Progress(maximize=False)
    for value in (100.0, 99.5, None, 99.2, 98.0, 120.0):
        progress.add(value)

    assert progress.best == 98.0
    assert progress.not_improving == 1
    assert progress.reached(98.0)
    assert not progress.reached(97.9)


def test_many_small_improvements_together_are_one() -> None:
    progress = Progress(maximize=True)
    for value in (1.0, 1.004, 1.008, 1.012):
        progress.add(value)

    assert progress.not_improving == 0
