"""From hyperparameters and matrices to a booster."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sagemaker_emulator.engines.xgboost.checkpoints import save_checkpoints
from sagemaker_emulator.engines.xgboost.failures import CUSTOMER_ERRORS, AlgorithmError, UserError, without_stack_trace
from sagemaker_emulator.engines.xgboost.hyperparameters import MAXIMIZE_METRICS, Value
from sagemaker_emulator.engines.xgboost.library import xgboost
from sagemaker_emulator.engines.xgboost.metrics import CUSTOM_METRICS, custom_metric
from sagemaker_emulator.engines.xgboost.parameters import parameters_of
from sagemaker_emulator.engines.xgboost.versions import NEWEST, Version


class Rounds(xgboost.callback.TrainingCallback):
    """Prints every round as the container does, and ends training when asked to."""

    def __init__(self, stop: Callable[[], bool], *, silent: bool) -> None:
        super().__init__()
        self._stop = stop
        self._silent = silent

    def after_iteration(
        self, model: object, epoch: int, evals_log: Mapping[str, Mapping[str, list[Any]]]
    ) -> bool:  # Any: XGBoost's
        """``evals_log`` holds, by channel and metric, one score for each round."""
        if not self._silent:
            scores = [
                f"\t{channel}-{metric}:{values[-1]:.5f}"
                for channel, metrics in evals_log.items()
                for metric, values in metrics.items()
            ]
            sys.stdout.write(f"[{epoch}]{''.join(scores)}\n")
        return self._stop()


@dataclass(frozen=True)
class Metrics:
    """What is evaluated after every round; ``watched`` decides about early stopping."""

    built_in: list[str]
    custom: list[str]
    watched: str | None

    @classmethod
    def of(cls, hyperparameters: Mapping[str, Value]) -> Metrics:
        requested = hyperparameters.get("eval_metric")
        names = [str(name) for name in requested] if isinstance(requested, list) else []
        watched = names[-1] if names else None
        objective_metric = hyperparameters.get("_tuning_objective_metric")
        if objective_metric is not None:
            watched = str(objective_metric).partition(":")[2]
            names = sorted({*names, watched})
        built_in = [name for name in names if name not in CUSTOM_METRICS]
        return cls(built_in, [name for name in names if name in CUSTOM_METRICS], watched)


def boost(
    hyperparameters: Mapping[str, Value],
    train: xgboost.DMatrix,
    validation: xgboost.DMatrix | None,
    *,
    stop: Callable[[], bool] = lambda: False,
    silent: bool = False,
    begun: xgboost.Booster | None = None,
    checkpoints: Path | None = None,
    version: Version = NEWEST,
) -> xgboost.Booster:
    """Train, or go on with what an earlier job has ``begun``, up to ``num_round`` rounds, leaving ``checkpoints``.

    Early stopping starts to count again, as in the container: the best round is one of those that this job trains. Raises
    UserError when XGBoost blames the data, AlgorithmError for everything else that it refuses.
    """
    metrics = Metrics.of(hyperparameters)
    parameters = parameters_of(hyperparameters, metrics.built_in, version, train.num_row())
    first = 0 if begun is None else begun.num_boosted_rounds()
    callbacks: list[xgboost.callback.TrainingCallback] = [Rounds(stop, silent=silent)]
    if checkpoints:
        callbacks.append(save_checkpoints(checkpoints, first, version))
    patience = hyperparameters.get("early_stopping_rounds")
    if patience and version.stops_by_any_metric:
        callbacks.append(xgboost.callback.EarlyStopping(rounds=patience, save_best=True))
    elif patience and validation is not None and metrics.watched:
        callbacks.append(_early_stopping(patience, metrics.watched))
    try:
        return xgboost.train(
            parameters,
            train,
            num_boost_round=int(str(hyperparameters["num_round"])) - first,
            evals=[(train, "train")] + ([(validation, "validation")] if validation is not None else []),
            custom_metric=custom_metric(metrics.custom) if metrics.custom else None,
            callbacks=callbacks,
            xgb_model=begun,
            verbose_eval=False,
        )
    except (xgboost.core.XGBoostError, ValueError) as error:
        text = without_stack_trace(error)
        if any(known in text for known in CUSTOMER_ERRORS):
            raise UserError(text) from error
        raise AlgorithmError(f"XGB train call failed with exception:\n{text}") from error


def _early_stopping(rounds: Value, metric: str) -> xgboost.callback.EarlyStopping:
    maximize = metric.partition("@")[0] in MAXIMIZE_METRICS
    return xgboost.callback.EarlyStopping(
        rounds=rounds, data_name="validation", metric_name=metric, maximize=maximize, save_best=True
    )
