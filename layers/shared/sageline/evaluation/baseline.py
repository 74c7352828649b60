"""Is a model better than the baseline, which always gives the same answer: the most frequent label, or the mean?

Both are compared on the same rows: the difference of their values counts from two of its jackknife standard errors on
(:mod:`sageline.evaluation.jackknife`). The baseline is that of ``evaluation.json``, taken from the test rows themselves, so it is
the best one that there is for them. For accuracy, the standard error is that of the paired difference of two shares.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from sageline.evaluation.classification import ClassificationSums
from sageline.evaluation.comparison import Sums
from sageline.evaluation.jackknife import standard_error
from sageline.evaluation.wording import plain
from sageline.spec.metrics import METRICS, default_metric

LEAST_ROWS = 50
"""With fewer test rows a model is not refused for being no better than the baseline."""

STANDARD_ERRORS = 2
_ROUNDING = 1e-9  # relative: exactly two standard errors are enough
_TOLD_BY_ANOTHER = {"average_precision": "roc_auc"}
"""Of ten rows of a class average precision varies so much that most good models would be refused; the area tells them."""

_ONE_LABEL_PREVAILS = 0.8  # share of the rows
_LOOK = (
    "Is `dataset.label` the column to predict, is a column left out that tells it (`sageline show` says both), are there too few "
    "rows?"
)


@dataclass(frozen=True)
class BaselineComparison:
    """A model beside the baseline, on the same rows.

    Attributes:
        metric: by which they are compared.
        asked: the metric that the spec judges models by; another one where it cannot tell the model from the baseline.
        answer: what the baseline always answers, in words: ``'rose'``, ``the mean (12.5)``.
        rows: that both answer.
        found: the model's value; None where it is not known.
        baseline: the baseline's value.
        standard_error: of the difference of the two; None where it is not known.
    """

    metric: str
    asked: str
    answer: str
    rows: int
    found: float | None
    baseline: float
    standard_error: float | None

    @property
    def improvement(self) -> float | None:
        """How much better the model is; negative when it is worse, whichever values are the better ones."""
        if self.found is None:
            return None
        return self.found - self.baseline if METRICS[self.metric].better == "higher" else self.baseline - self.found

    @property
    def better(self) -> bool:
        """Whether the model is better by at least two standard errors."""
        if self.improvement is None or self.standard_error is None:
            return False
        return self.improvement > 0 and self.improvement >= STANDARD_ERRORS * self.standard_error * (1 - _ROUNDING)

    @property
    def can_tell(self) -> bool:
        """Whether there is a difference to look at; nothing is better than a baseline that is perfect by this metric."""
        return self.standard_error is not None and self.baseline != METRICS[self.metric].best

    @property
    def words(self) -> str:
        """What it says, for a person; where the model is not better, what to do, as whole sentences."""
        if self.found is None or self.standard_error is None or self.improvement is None:
            why = f"{self.metric} is not known of the model, whose answers are not all finite numbers"
            return f"whether the model is better than always answering {self.answer} cannot be told: {why}."
        if not self.can_tell:
            return (
                f"whether the model is better than always answering {self.answer} cannot be told: all {self.rows} test rows have "
                "the same label. Are there rows with other labels, or does another `split.seed` bring some into the test?"
            )
        values = f"its {self.metric} is {plain(self.found)}, and that of the one answer {plain(self.baseline)}"
        values += "" if self.metric == self.asked else f" ({_why_another(self.asked, self.metric)}, so {self.metric} decides)"
        if self.better:
            return f"the model is better than always answering {self.answer}: {values}"
        if self.improvement <= 0:
            said = (
                f"the model is not better than always answering {self.answer}: {values} on {self.rows} test rows, so what it has "
                "learnt is of no use"
            )
        else:
            margin = plain(STANDARD_ERRORS * self.standard_error, 2)
            said = (
                f"the model may be no better than always answering {self.answer}: {values}, and on {self.rows} test rows a "
                f"difference below {margin} (two standard errors) may be chance"
            )
        return f"{said}. {_LOOK}{self._other_metric}"

    @property
    def _other_metric(self) -> str:
        if (self.metric, self.asked) != ("accuracy", "accuracy") or self.baseline < _ONE_LABEL_PREVAILS:
            return ""
        return f' Where {self.baseline:.0%} of the rows have one label, `"evaluation": {{"metric": "macro_f1"}}` says more.'

    def to_json(self) -> dict[str, Any]:  # Any: a JSON document
        """``baseline.comparison`` of ``evaluation.json``."""
        return {
            "metric": self.metric,
            "found": self.found,
            "baseline": self.baseline,
            "improvement": self.improvement,
            "standard_error": self.standard_error,
            "better": self.better,
        }


def _why_another(asked: str, metric: str) -> str:
    if asked in _TOLD_BY_ANOTHER and metric == _TOLD_BY_ANOTHER[asked]:
        return f"of few rows of a class {asked} tells less"
    return f"{asked} cannot tell them apart"


def compare_with_baseline(metric: str, sums: Sums) -> BaselineComparison | None:
    """Compare by a metric; by the task's default metric where that one cannot tell the model from the baseline, and by
    ``roc_auc`` instead of ``average_precision``. None with fewer than :data:`LEAST_ROWS` rows.

    It cannot where the model does not answer what the metric needs, where the baseline is perfect by it (calibration, the top
    three of three classes), where the metric is not known (``mape`` of a value that is 0) or would not be without some of
    the rows (``roc_auc`` where one row alone has the label), and for ``mae`` and ``mape`` of more rows than the sums' sample has.
    """
    if sums.rows < LEAST_ROWS:
        return None
    names = (_TOLD_BY_ANOTHER.get(metric, metric), default_metric(METRICS[metric].task))
    candidates = [_compared(name, metric, sums) for name in names]
    return next((found for found in candidates if found.can_tell), candidates[-1])


def _compared(metric: str, asked: str, sums: Sums) -> BaselineComparison:
    found, baseline = sums.value(metric), sums.baseline_metrics().get(metric, math.nan)
    error = None
    if found is not None:
        sizes = sums.group_rows[sums.group_rows > 0]
        without = sums.without_each_group(metric) - sums.baseline_without_each_group(metric)
        error = standard_error(found - baseline, without, sizes)
        if error is not None and metric == "roc_auc" and isinstance(sums, ClassificationSums):
            error = max(error, sums.chance_error)
    return BaselineComparison(metric, asked, sums.baseline_answer, sums.rows, found, baseline, error)
