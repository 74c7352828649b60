"""Is one model better than another one, or does it only look so on these rows? A paired test on the same rows.

The claim to be tested is that the new model is no better; it counts as better when its value is the better one and chance alone
would bring about such a difference in fewer than :data:`LEVEL` of all cases (one-sided). The test depends on the metric:

- Shares of rows (accuracy, top-3 accuracy), where all weigh the same: McNemar's test. Only rows tell anything of which one model
  is right and the other is wrong; if both were equally good each model would be right in half of them. Exact (binomial), with
  more than :data:`_EXACT_ROWS` such rows the normal approximation with continuity correction. McNemar, Psychometrika 12 (1947);
  recommended for comparing two classifiers on one test set by Dietterich, Neural Computation 10 (1998).
- All other metrics: the difference of the two models' values, divided by its jackknife standard error
  (:mod:`sageline.evaluation.jackknife`), has Student's t distribution with one degree of freedom fewer than groups. For metrics
  that are means over rows (log-loss, mean absolute error) and fewer rows than groups this is the paired t-test. It is never more
  certain than n rows can make it: of two equally good models, all n rows would speak for one by chance in 1 of 2^n cases.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

from sageline.evaluation.classification import ClassificationSums
from sageline.evaluation.jackknife import standard_error
from sageline.evaluation.regression import RegressionSums
from sageline.evaluation.student_t import upper_quantile, upper_tail
from sageline.evaluation.wording import plain
from sageline.spec.metrics import METRICS, ZERO_OR_ONE_PER_ROW

LEVEL = 0.05
_EXACT_ROWS = 1_000
_FEWEST_ROWS = math.ceil(-math.log2(LEVEL))

Sums: TypeAlias = ClassificationSums | RegressionSums


@dataclass(frozen=True)
class Comparison:
    """What a paired test says of a metric.

    Attributes:
        champion: the metric's value for the model in service.
        challenger: for the new model.
        improvement: how much better the new model is; negative when it is worse, whichever values are the better ones.
        margin: the least improvement that would not be taken for chance on these rows; None when none would.
        p_value: how often chance alone would make a model that is no better look at least as much better.
        test: ``mcnemar-exact``, ``mcnemar-normal`` or ``jackknife-t``.
        rows: rows that both models have answered.
        better: whether the improvement is more than chance.
    """

    metric: str
    champion: float
    challenger: float
    improvement: float
    margin: float | None
    p_value: float
    test: str
    rows: int
    better: bool

    def to_json(self) -> dict[str, Any]:  # Any: a JSON document
        return asdict(self)

    @property
    def words(self) -> str:
        """What it says, for a person."""
        values = f"{self.metric} is {plain(self.challenger)}, the one in service has {plain(self.champion)}"
        margin = plain(self.margin, 2) if self.margin else ""
        would_count = margin and f"on these {self.rows} rows an improvement of at least {margin} counts"
        if self.improvement == 0:
            return f"the new model is as good as the one in service: {values}{would_count and f' ({would_count})'}"
        if self.improvement < 0:
            return f"the new model is worse: {values}{would_count and f' ({would_count})'}"
        if self.better:
            return f"the new model is better: {values} (p = {self.p_value:.2g}{would_count and f'; {would_count}'})"
        least = (
            f"an improvement of at least {plain(self.margin, 2)} would count"
            if self.margin is not None
            else "no difference would count"
        )
        return (
            f"the new model is not better by more than chance: {values} (p = {self.p_value:.2g}, less than {LEVEL:g} is needed; "
            f"on these {self.rows} rows {least})"
        )


def compare(metric: str, champion: Sums, challenger: Sums) -> Comparison:
    """Test whether the challenger is better, by a metric, on rows that both have answered in the same order.

    Raises:
        ValueError: not the same number of rows, or none, or the metric is not known of one of them.
    """
    old, new = champion.value(metric), challenger.value(metric)
    if champion.rows != challenger.rows or old is None or new is None:
        raise ValueError(f"{metric} of {champion.rows} rows ({old}) and of {challenger.rows} rows ({new}) cannot be compared")
    sign = 1 if METRICS[metric].better == "higher" else -1
    by_rows = metric in ZERO_OR_ONE_PER_ROW and not (champion.is_weighted or challenger.is_weighted)
    if by_rows and isinstance(champion, ClassificationSums) and isinstance(challenger, ClassificationSums):
        before, after = champion.holds_per_row(metric), challenger.holds_per_row(metric)
        test, p_value, margin = _mcnemar(int((after & ~before).sum()), int((before & ~after).sum()), champion.rows)
    else:
        test = "jackknife-t"
        p_value, margin = _jackknife_t(sign * (new - old), sign, metric, champion, challenger)
    improvement = sign * (new - old)
    return Comparison(
        metric=metric,
        champion=old,
        challenger=new,
        improvement=improvement,
        margin=margin,
        p_value=p_value,
        test=test,
        rows=champion.rows,
        better=improvement > 0 and p_value < LEVEL,
    )


def _mcnemar(won: int, lost: int, rows: int) -> tuple[str, float, float | None]:
    """Name of the test, p-value, margin; ``won`` are the rows that only the challenger has right, ``lost`` those that only the
    champion has."""
    decided = won + lost
    exact = decided <= _EXACT_ROWS
    chance = _at_least_heads if exact else _at_least_heads_normal
    # With fewer decided rows than it takes, the margin is that of the fewest with which chance can be ruled out.
    count = max(decided, _FEWEST_ROWS)
    low, high = count // 2, count
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if chance(middle, count) < LEVEL else (middle + 1, high)
    margin = (2 * high - count) / rows if rows >= count else None
    return "mcnemar-exact" if exact else "mcnemar-normal", chance(won, decided), margin


def _at_least_heads(heads: int, tosses: int) -> float:
    """The probability of at least so many heads, exactly."""
    ways = sum(math.comb(tosses, count) for count in range(heads, tosses + 1))
    return ways / (1 << tosses)


def _at_least_heads_normal(heads: int, tosses: int) -> float:
    z = (heads - 0.5 - tosses / 2) / math.sqrt(tosses / 4)
    return math.erfc(z / math.sqrt(2)) / 2


def _jackknife_t(improvement: float, sign: int, metric: str, champion: Sums, challenger: Sums) -> tuple[float, float | None]:
    """p-value and margin."""
    sizes = champion.group_rows[champion.group_rows > 0]
    without = sign * (challenger.without_each_group(metric) - champion.without_each_group(metric))
    error = standard_error(improvement, without, sizes)
    if error is None or champion.rows < _FEWEST_ROWS:
        return 1.0, None
    degrees = len(sizes) - 1
    t = improvement / error if error > 0 else math.copysign(math.inf, improvement) if improvement else 0.0
    return max(upper_tail(t, degrees), 2.0**-champion.rows), error * upper_quantile(LEVEL, degrees)
