"""Which values to try next, by optuna.

Bayesian is a tree-structured Parzen estimator (TPE) after some random trials; trials that still run count as bad ones
there, so that parallel trials differ. Random draws. Grid takes every combination once. Hyperband is TPE with optuna's
Hyperband pruner: the resource is the number of values of the objective metric that a trial has reported.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState

from sagemaker_emulator.tuning.ranges import CategoricalRange, IntegerRange, Range

optuna.logging.set_verbosity(logging.WARNING)

_MOST_RANDOM_TRIALS = 10
_REDUCTION = 3


@dataclass(frozen=True)
class Resources:
    """Hyperband's: no trial is stopped before ``least`` values, and none goes on after ``most``."""

    least: int
    most: int


class Candidate:
    """Values to try: ``values`` are the hyperparameters as a training job takes them."""

    def __init__(self, trial: optuna.trial.Trial, values: Mapping[str, str]) -> None:
        self._trial = trial
        self.values = dict(values)

    @property
    def trial(self) -> optuna.trial.Trial:
        return self._trial


class Search:
    """One tuning job's search. Not thread-safe."""

    def __init__(
        self,
        strategy: str,
        ranges: Sequence[Range],
        *,
        maximize: bool,
        trials: int,
        seed: int | None = None,
        resources: Resources | None = None,
    ) -> None:
        self._distributions = {item.name: _distribution(item) for item in ranges}
        self._ranges = {item.name: item for item in ranges}
        self._grid = _grid(ranges) if strategy == "Grid" else None
        self._hyperband = resources
        sampler: optuna.samplers.BaseSampler = optuna.samplers.RandomSampler(seed=seed)
        if strategy in ("Bayesian", "Hyperband"):
            random_trials = min(_MOST_RANDOM_TRIALS, max(3, trials // 4))
            sampler = optuna.samplers.TPESampler(
                n_startup_trials=random_trials, multivariate=True, constant_liar=strategy == "Bayesian", seed=seed
            )
        pruner: optuna.pruners.BasePruner = optuna.pruners.NopPruner()
        if resources:
            pruner = optuna.pruners.HyperbandPruner(
                min_resource=resources.least, max_resource=resources.most, reduction_factor=_REDUCTION
            )
        # The name goes into Hyperband's choice of a bracket: a constant makes the same seed give the same search.
        self._study = optuna.create_study(
            study_name="tuning", direction="maximize" if maximize else "minimize", sampler=sampler, pruner=pruner
        )

    def ask(self) -> Candidate | None:
        """The next values to try; None when every combination of a grid has been given out."""
        if self._grid is None:
            trial = self._study.ask(fixed_distributions=self._distributions)
            return Candidate(trial, {name: self._as_text(name, value) for name, value in trial.params.items()})
        values = next(self._grid, None)
        return None if values is None else Candidate(self._study.ask(), values)

    def report(self, candidate: Candidate, step: int, value: float) -> bool:
        """Tell a trial's value of the objective after ``step`` of them (from 1); True when Hyperband stops the trial here."""
        candidate.trial.report(value, step)
        if self._hyperband is None:
            return False
        # Beyond the most, not at it: a trial of exactly that many values ends by itself, and saves its model.
        return step > self._hyperband.most or (step < self._hyperband.most and candidate.trial.should_prune())

    def tell(self, candidate: Candidate, value: float | None, *, stopped: bool = False) -> None:
        """How a trial ended: its final value (None when it has none), and whether it was stopped before its end."""
        if value is None:
            self._study.tell(candidate.trial, state=TrialState.FAIL)
        elif stopped:  # the values that it reported count
            self._study.tell(candidate.trial, state=TrialState.PRUNED)
        else:
            self._study.tell(candidate.trial, value)

    def learn(self, hyperparameters: Mapping[str, str], value: float) -> bool:
        """Take up a trial of an earlier tuning job; False when its hyperparameters are not in the ranges of this one."""
        if self._grid is not None or not all(
            name in hyperparameters and item.contains(hyperparameters[name]) for name, item in self._ranges.items()
        ):
            return False
        params = {name: self._from_text(name, hyperparameters[name]) for name in self._ranges}
        self._study.add_trial(optuna.trial.create_trial(params=params, distributions=dict(self._distributions), value=value))
        return True

    def _as_text(self, name: str, value: object) -> str:
        item = self._ranges[name]
        if isinstance(item, CategoricalRange):
            return str(value)
        if isinstance(item, IntegerRange):
            return str(int(str(value)))
        number = float(str(value))
        if item.scale == "ReverseLogarithmic":
            number = 1.0 - number
        return repr(min(max(number, item.low), item.high))

    def _from_text(self, name: str, text: str) -> object:
        item = self._ranges[name]
        if isinstance(item, CategoricalRange):
            return text
        if isinstance(item, IntegerRange):
            return int(text)
        return 1.0 - float(text) if item.scale == "ReverseLogarithmic" else float(text)


def _distribution(item: Range) -> BaseDistribution:
    if isinstance(item, CategoricalRange):
        return CategoricalDistribution(item.values)
    if isinstance(item, IntegerRange):
        return IntDistribution(item.low, item.high, log=item.scale == "Logarithmic")
    if item.scale == "ReverseLogarithmic":  # the distance to 1 is searched on a logarithmic scale
        return FloatDistribution(1.0 - item.high, 1.0 - item.low, log=True)
    return FloatDistribution(item.low, item.high, log=item.scale == "Logarithmic")


def _grid(ranges: Sequence[Range]) -> Iterator[dict[str, str]]:
    names = [item.name for item in ranges]
    choices = [item.values for item in ranges if isinstance(item, CategoricalRange)]
    return (dict(zip(names, values, strict=True)) for values in itertools.product(*choices))
