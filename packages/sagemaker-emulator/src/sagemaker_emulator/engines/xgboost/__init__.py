"""SageMaker's XGBoost containers in algorithm mode, by the library of the newest one."""

from __future__ import annotations

from sagemaker_emulator.engines.xgboost.hyperparameters import METRICS

# CloudWatch Logs shows a tab as #011, and the container's metric definitions are written for that.
METRIC_DEFINITIONS = tuple(
    (f"{channel}:{metric}", rf".*\[[0-9]+\].*#011{channel}-{metric}:([-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?).*")
    for metric in METRICS
    for channel in ("train", "validation")
)
