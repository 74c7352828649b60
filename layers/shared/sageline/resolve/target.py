"""Whether the values of a regression are learnt as they are or as logarithms."""

from __future__ import annotations

import numpy as np

from sageline.arrays.matrix import DoubleArray
from sageline.arrays.number_spelling import Spelling
from sageline.arrays.numbers import BadNumber, parse_doubles
from sageline.arrays.strings import StringArray
from sageline.dataset.number_profile import BEYOND_FLOAT32
from sageline.dataset.profile import ColumnProfile
from sageline.errors import InvalidSpec
from sageline.spec.metrics import default_metric
from sageline.spec.model import Spec

_LONG_TAIL = 1.0
_SHORTER = 0.5
_GAINS = ("mae", "median_absolute_error", "mape")
"""Metrics by which models of logarithms are the better ones: their answers are medians rather than means."""

_FEWEST_VALUES = 20  # different ones
_ON_ANY_SCALE = ("reg:squarederror", "reg:linear")
"""Objectives of XGBoost that expect nothing of the scale."""


def target_transform(spec: Spec, task: str, label: ColumnProfile, spelling: Spelling) -> tuple[str | None, str | None]:
    """``log`` or ``none``, and why; None for a classification, and no reason where the spec says it.

    Logarithms are learnt where no value is below 0, the skewness of the values exceeds 1, that of their logarithms is less than
    half of it, and the model is judged by a metric that gains from it: on real tables (``tests/benchmarks/long_tail.py``) ``mae``
    does nearly always, and ``rmse``, the default, mostly loses a little. The skewness is that of all values where there are no
    more than 4,096 different ones, else of a choice of these.

    Raises:
        InvalidSpec: a classification is asked to learn logarithms.
    """
    given = spec.target.transform
    if task != "regression":
        if given == "log":
            raise InvalidSpec(f"`target.transform` is log, which is for a regression, and the task is {task}; leave it out.")
        return given, None
    if given is not None:
        return given, None
    if spec.algorithm.name != "xgboost":
        return "none", f"logarithms are chosen for xgboost only; `log` makes {spec.algorithm.name} learn them"
    objective = spec.algorithm.hyperparameters.get("objective")
    if objective is not None and objective not in _ON_ANY_SCALE:
        return "none", f"the objective {objective} expects the values as they are"
    values, counts = _values(label, spelling)
    if len(values) < _FEWEST_VALUES:
        return "none", "there are too few different values to tell whether they have a long tail"
    if values.min() < 0:
        return "none", "some values are below 0"
    raw, of_logarithms = _skewness(values, counts), _skewness(np.log1p(values), counts)
    measured = f"(skewness {raw:.1f}, of their logarithms {of_logarithms:.1f})"
    if raw <= _LONG_TAIL or abs(of_logarithms) >= _SHORTER * raw:
        return "none", f"the values have no long tail that logarithms would even out {measured}"
    metric = spec.evaluation.metric or default_metric(task)
    if metric not in _GAINS:
        return "none", (
            f"the values have a long tail {measured}, and models of logarithms are hardly better by {metric}; judged by "
            f"{', '.join(_GAINS)} they are"
        )
    return "log", f"the values have a long tail {measured}; answers are on their own scale, training's metrics are not"


def _values(label: ColumnProfile, spelling: Spelling) -> tuple[DoubleArray, DoubleArray]:
    """``float64[n]`` each: different values, and how often each is there; none where one is no number."""
    try:
        values = parse_doubles(StringArray.from_list(list(label.values)), spelling)
    except BadNumber:
        return np.empty(0), np.empty(0)
    counts = np.fromiter(label.values.values(), dtype=np.float64, count=len(label.values))
    known = np.abs(values) < BEYOND_FLOAT32  # the others are told as mistakes, and NaN is none of them
    return values[known], counts[known]


def _skewness(values: DoubleArray, counts: DoubleArray) -> float:
    mean = np.average(values, weights=counts)
    deviation = np.sqrt(np.average((values - mean) ** 2, weights=counts))
    return float(np.average(((values - mean) / deviation) ** 3, weights=counts)) if deviation > 0 else 0.0
