"""What the installed XGBoost is told, so that it trains as the XGBoost of the image does."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from sagemaker_emulator.engines.xgboost.hyperparameters import Value
from sagemaker_emulator.engines.xgboost.library import xgboost
from sagemaker_emulator.engines.xgboost.versions import RENAMED_OBJECTIVES, Version

logger = logging.getLogger(__name__)

# Hyperparameters that the container itself uses and does not hand to XGBoost.
_OF_THE_CONTAINER = (
    *("num_round", "csv_weights", "save_model_on_termination", "early_stopping_rounds", "_tuning_objective_metric"),
    *("eval_metric", "_kfold", "_nfold", "_num_cv_round", "use_dask_gpu_training"),
)
_MOST_EXACT_ROWS = 2**22


def parameters_of(hyperparameters: Mapping[str, Value], metrics: list[str], version: Version, rows: int) -> dict[str, object]:
    """The parameters of ``xgboost.train``; ``metrics`` are those of XGBoost's own that were asked for, ``rows`` the host's."""
    parameters: dict[str, object] = {name: value for name, value in hyperparameters.items() if name not in _OF_THE_CONTAINER}
    updaters = parameters.get("updater")
    if isinstance(updaters, list):
        parameters["updater"] = ",".join(updaters)
    given = str(parameters.get("objective", "reg:squarederror"))
    objective = RENAMED_OBJECTIVES.get(given, given)
    if objective != given:
        logger.info("XGBoost %s calls the objective %s %s.", xgboost.__version__, given, objective)
        watched = "eval_metric" in hyperparameters or "_tuning_objective_metric" in hyperparameters
        if watched and "early_stopping_rounds" in hyperparameters and not version.until("1.7-1"):
            logger.warning("In AWS the image %s fails with %s and early stopping.", version.tag, given)
        parameters["objective"] = objective
    parameters |= {name: value for name, value in _defaults(parameters, objective, version).items() if name not in parameters}
    if version.splits_exactly and parameters.get("tree_method", "auto") == "auto":
        parameters |= _tree_method(parameters, rows)
    default = version.default_metric(objective)
    if metrics or default:
        parameters["eval_metric"] = metrics or [default]
    return parameters


def _defaults(parameters: Mapping[str, object], objective: str, version: Version) -> dict[str, object]:
    estimated = objective == "reg:absoluteerror"  # from its first version on
    if (version.starts_from_one_half and not estimated) or (version.starts_classes_alike and objective.startswith("multi:")):
        return {"base_score": 0.5}
    return {}


def _tree_method(parameters: Mapping[str, object], rows: int) -> dict[str, object]:
    """What ``auto`` was before XGBoost 2. Today's ``exact`` lacks what the last line asks for, which goes to ``hist``."""
    if "updater" in parameters or parameters.get("booster") == "gblinear" or parameters.get("process_type") == "update":
        return {}
    if xgboost.collective.is_distributed() or rows >= _MOST_EXACT_ROWS:
        return {"tree_method": "approx"}
    return {} if parameters.get("max_depth") == 0 or parameters.get("colsample_bynode", 1.0) != 1.0 else {"tree_method": "exact"}
