"""What FLAML finds in so many seconds: ``search.py FOLDER``, run in FLAML's own environment.

The folder holds ``train.csv``, ``test.csv`` (features), ``labels.csv`` (of the train rows) and ``facts.json``, with ``task``,
``metric``, ``seconds`` and ``categories``. It leaves ``answers.npz`` with ``chosen``, or with ``classes`` and
``scores``, and ``found.json``: what was chosen.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from flaml import AutoML


def main(folder: Path) -> None:
    facts = json.loads((folder / "facts.json").read_text())
    kinds = dict.fromkeys(facts["categories"], str)
    train, test = (pd.read_csv(folder / f"{name}.csv", dtype=kinds) for name in ("train", "test"))
    for name in facts["categories"]:
        values = pd.CategoricalDtype(sorted(train[name].dropna().unique()))
        train[name], test[name] = train[name].astype(values), test[name].astype(values)
    is_regression = facts["task"] == "regression"
    labels = pd.read_csv(folder / "labels.csv", dtype=float if is_regression else str, keep_default_na=is_regression)["label"]
    automl = AutoML()
    began = time.perf_counter()
    automl.fit(
        train,
        labels,
        task=facts["task"],
        metric=facts["metric"],
        time_budget=facts["seconds"],
        n_jobs=1,
        seed=0,
        verbose=0,
    )
    found = {
        "estimator": automl.best_estimator,
        "config": automl.best_config,
        "losses": automl.best_loss_per_estimator,
        "seconds": time.perf_counter() - began,
    }
    if is_regression:
        np.savez(folder / "answers.npz", chosen=np.asarray(automl.predict(test), dtype=np.float64))
    else:
        classes = np.array([str(name) for name in automl.classes_])
        np.savez(folder / "answers.npz", classes=classes, scores=np.asarray(automl.predict_proba(test), dtype=np.float32))
    (folder / "found.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
