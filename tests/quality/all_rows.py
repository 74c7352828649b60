"""What it would bring to train XGBoost once more, on the validation rows too: ``python -m tests.quality.all_rows NAME...``.

The rounds that early stopping has found, and a share more for the more rows, are trained on train and validation rows together;
the test rows stay the same. Printed is how much better the second model is than the first, and than HistGradientBoosting, with
the standard error of the paired difference.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from sageline.algorithms.presets import settings
from tests.quality.arms import Arm
from tests.quality.datasets.tables import DATASETS, Dataset
from tests.quality.measure import Kept, Measured, paired, splits_of
from tests.quality.rows import test_rows
from tests.quality.sageline_run import SHARES, run

MORE_ROUNDS = 1.15
ALL_ROWS = {"train": SHARES["train"] + SHARES["validation"], "validation": 0.0, "test": SHARES["test"]}


def compared(dataset: Dataset, kept: Kept) -> tuple[tuple[float, float], tuple[float, float]]:
    """How much better than the first model, and than HistGradientBoosting."""
    data, exclude = kept.data(dataset), list(dataset.exclude)
    given = dict(settings("xgboost", ("xgboost",), "quick", ()).hyperparameters)
    first, second = list[Measured](), list[Measured]()
    for seed in range(splits_of(data.count(b"\n") - 1)):
        once = run(data, dataset.label, exclude, _arm(given), seed=seed)
        rows = test_rows(data, dataset.label, once.raw)
        first.append(Measured(once.judged, once.answers, rows))
        again = {name: value for name, value in given.items() if name != "early_stopping_rounds"}
        again["num_round"] = max(1, round(MORE_ROUNDS * (once.rounds or 1)))
        twice = run(data, dataset.label, exclude, _arm(again), seed=seed, shares=ALL_ROWS)
        second.append(Measured(twice.judged, twice.answers, rows))
    return paired(second, first), paired(second, [kept.hist_gradient_boosting(dataset, one) for one in first])


def _arm(hyperparameters: dict[str, str | int | float | bool]) -> Arm:
    return Arm("xgboost", {"algorithm": {"name": "xgboost", "hyperparameters": hyperparameters}})


def main(names: Sequence[str]) -> None:
    logging.disable(logging.WARNING)
    kept = Kept(Path(os.environ.get("SAGELINE_HOME", ".local")) / "quality")
    for dataset in DATASETS:
        if dataset.name in names:
            (gain, error), (beside, its_error) = compared(dataset, kept)
            told = f"{gain:+.3g} ± {error:.2g} beside the first, {beside:+.3g} ± {its_error:.2g} beside HistGradientBoosting"
            sys.stdout.write(f"{dataset.name}: {told}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
