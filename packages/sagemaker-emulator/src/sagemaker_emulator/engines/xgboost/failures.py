"""The container's own errors."""

from __future__ import annotations


class UserError(Exception):
    """The customer's data or configuration is at fault."""


class AlgorithmError(Exception):
    """Training failed inside XGBoost."""


def without_stack_trace(error: Exception) -> str:
    """XGBoost adds a trace of its C++ code, which tells the customer nothing."""
    return str(error).partition("\nStack trace:")[0]


# What XGBoost says when the customer's data is at fault (the container's list, and how 3.2 words the same).
CUSTOMER_ERRORS = (
    "label must be in [0,1] for logistic regression",
    "label must be in [0, num_class)",
    "label must be discrete values in the range of [0, num_class)",
    "Target is multiclass but average='binary'",
    "feature_names mismatch",
    "Check failed: preds.size() == info.labels_.size()",
    "Check failed: !auc_error AUC: the dataset only contains pos or neg samples",
    "base_score must be in (0,1) for logistic loss",
    "PoissonRegression: label must be nonnegative",
    "TweedieRegression: label must be nonnegative",
    "Parameter reg_lambda should be greater equal to 0",
)
