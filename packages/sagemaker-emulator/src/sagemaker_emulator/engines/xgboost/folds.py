"""k-fold cross validation, as the container does it for ``_kfold``: a model for each fold, and predictions.csv."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sagemaker_emulator.engines.xgboost.boosting import boost
from sagemaker_emulator.engines.xgboost.failures import AlgorithmError, UserError
from sagemaker_emulator.engines.xgboost.hyperparameters import Value
from sagemaker_emulator.engines.xgboost.library import xgboost
from sagemaker_emulator.engines.xgboost.versions import NEWEST, Version

logger = logging.getLogger(__name__)

Floats = NDArray[np.float32]
Indexes = NDArray[np.int64]


def cross_validate(
    hyperparameters: Mapping[str, Value],
    train: xgboost.DMatrix,
    validation: xgboost.DMatrix | None,
    output: Path,
    version: Version = NEWEST,
) -> list[xgboost.Booster]:
    """Train ``_kfold`` models for each of ``_num_cv_round`` repetitions, over the rows of both channels together.

    ``predictions.csv`` gets a line for each row: the true label, the mean prediction of the models that did not see the row,
    and, for classification, the label that most of these models say.
    """
    rows = _together(train, validation)
    folds, repeats = int(str(hyperparameters["_kfold"])), int(str(hyperparameters.get("_num_cv_round", 1)))
    objective = str(hyperparameters.get("objective", ""))
    logger.info("Run %d-round of %d-fold cross validation with %d rows", repeats, folds, rows.num_row())
    if rows.num_row() < folds:
        raise UserError(f"Cannot make {folds} folds of {rows.num_row()} rows.")
    labels = rows.get_label()
    models: list[xgboost.Booster] = []
    predictions: list[Floats] = []
    for outside, inside in _splits(labels, folds, repeats, stratified=objective.startswith(("binary:", "multi:"))):
        held = rows.slice(inside)
        model = boost(hyperparameters, rows.slice(outside), held, version=version)
        answers = model.predict(held).reshape(len(inside), -1)
        if len(models) % folds == 0:
            predictions.append(np.empty((rows.num_row(), answers.shape[1]), dtype=np.float32))
        predictions[-1][inside] = answers
        models.append(model)
    _write(output, labels, predictions, objective)
    return models


def _together(train: xgboost.DMatrix, validation: xgboost.DMatrix | None) -> xgboost.DMatrix:
    if validation is None:
        return train
    from scipy.sparse import vstack  # noqa: PLC0415  # only cross validation needs it

    width = max(train.num_col(), validation.num_col())
    parts = []
    for matrix in (train, validation):
        rows = matrix.get_data()
        rows.resize((matrix.num_row(), width))
        parts.append(rows)
    labels = np.concatenate([train.get_label(), validation.get_label()])
    # Where one channel has weights, the rows of the other count once.
    weights = [matrix.get_weight() if len(matrix.get_weight()) else np.ones(matrix.num_row()) for matrix in (train, validation)]
    weighted = len(train.get_weight()) or len(validation.get_weight())
    return xgboost.DMatrix(vstack(parts, format="csr"), label=labels, weight=np.concatenate(weights) if weighted else None)


def _splits(labels: Floats, folds: int, repeats: int, *, stratified: bool) -> Iterator[tuple[Indexes, Indexes]]:
    """The rows to train on and those to predict, of each fold of each repetition; ``stratified``: every class in every fold."""
    from sklearn.model_selection import RepeatedKFold, RepeatedStratifiedKFold  # noqa: PLC0415  # only cross validation needs it

    splitter = (RepeatedStratifiedKFold if stratified else RepeatedKFold)(n_splits=folds, n_repeats=repeats)
    try:
        yield from splitter.split(np.empty(len(labels)), labels)
    except ValueError as error:  # too few rows of a class
        raise AlgorithmError(f"XGB train call failed with exception:\n {error}") from error


def _write(output: Path, labels: Floats, predictions: list[Floats], objective: str) -> None:
    mean = np.mean(predictions, axis=0)
    columns = [labels.reshape(-1, 1), mean]
    if objective.startswith(("binary:", "multi:")):
        votes = [_labels_of(answer, objective) for answer in predictions]
        columns.append(np.array([[np.bincount(row).argmax()] for row in np.stack(votes, axis=1)]))
    output.mkdir(parents=True, exist_ok=True)
    np.savetxt(output / "predictions.csv", np.hstack(columns), delimiter=",", fmt="%g")


def _labels_of(answers: Floats, objective: str) -> NDArray[np.int64]:
    if objective == "multi:softmax":
        return answers[:, 0].astype(np.int64)
    if answers.shape[1] > 1:
        return np.asarray(np.argmax(answers, axis=1), dtype=np.int64)
    return (answers[:, 0] > 0.5).astype(np.int64)
