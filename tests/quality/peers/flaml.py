"""FLAML, an AutoML library, with the same seconds: in an environment of its own, on the features of the ColumnTransformer."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from tests.quality.answers import Answers, Judged
from tests.quality.peers.hist_gradient_boosting import among, text_steps
from tests.quality.peers.table import Table

LEAST_SECONDS = 10.0
"""FLAML gets Sageline's seconds, but at least these: below them it hardly begins."""

_ROOT = Path(__file__).parents[3]
PYTHON = _ROOT / ".venv" / "flaml" / "bin" / "python"
_SEARCH = _ROOT / "tests" / "quality" / "flaml" / "search.py"
_METRICS = {"accuracy": "accuracy", "average_precision": "ap", "rmse": "rmse"}


def is_installed() -> bool:
    """Whether ``make quality`` has made the environment."""
    return PYTHON.exists()


def answers(table: Table, judged: Judged, seconds: float) -> Answers:
    """What it finds in so many seconds, for the test rows.

    FLAML takes numbers and categories; of texts it gets the components that HistGradientBoosting gets.

    Raises:
        RuntimeError: FLAML fails; its last words.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        search(table, judged, seconds, folder)
        with np.load(folder / "answers.npz") as found:
            if judged.classes is None:
                return Answers(found["chosen"])
            return among(judged.classes, found["classes"].tolist(), found["scores"])


def search(table: Table, judged: Judged, seconds: float, folder: Path) -> None:
    """Let it search, and leave in the folder what ``tests/quality/flaml/search.py`` says.

    Raises:
        RuntimeError: FLAML fails; its last words.
    """
    features = _features(table)
    features[~table.is_test].to_csv(folder / "train.csv", index=False)
    features[table.is_test].to_csv(folder / "test.csv", index=False)
    pd.DataFrame({"label": table.labels[~table.is_test]}).to_csv(folder / "labels.csv", index=False)
    facts = {
        "task": "regression" if judged.classes is None else "classification",
        "metric": _METRICS[judged.metric],
        "seconds": seconds,
        "categories": table.categories,
    }
    (folder / "facts.json").write_text(json.dumps(facts))
    command = [str(PYTHON), "-W", "ignore", str(_SEARCH), str(folder)]
    ended = subprocess.run(command, check=False, capture_output=True, text=True)
    if ended.returncode:
        raise RuntimeError(f"FLAML ended with status {ended.returncode}: {ended.stderr[-500:]}")


def _features(table: Table) -> pd.DataFrame:
    columns = {name: table.features[name] for name in (*table.categories, *table.numbers)}
    for name in table.texts:
        step = text_steps()
        step.fit(table.features[name][~table.is_test])
        for number, values in enumerate(step.transform(table.features[name]).T):
            columns[f"{name}.{number}"] = pd.Series(values, index=table.features.index)
    return pd.DataFrame(columns)
