"""SageMaker's linear learner (``linear-learner:1``), in numpy and scikit-learn.

Many linear models are trained at once by minibatch descent, as SageMaker does it: one for each combination of what is ``auto``
among ``learning_rate`` and ``wd``, and the best one by the selection criteria on the validation channel (without one: on the
train channel) is kept. All models are one weight array, so an epoch of sixteen models is little more work than one of a single
model.

scikit-learn's scaling, metrics and thresholds are used; its ``SGDClassifier`` and ``SGDRegressor`` are not. They step after
every row, by plain gradients: ``mini_batch_size``, ``optimizer`` (``adam`` unless it is given), ``momentum``, ``beta_1``,
``beta_2``, ``bias_lr_mult``, ``bias_wd_mult``, ``init_*`` and ``margin`` would have no effect. They have no softmax (one class
against the rest is another model) and no quantile loss, so the descent here would stay beside them; averaged, as they must be
to come to rest, they have no weight that ``l1`` makes zero.

What ``auto`` means here is in :mod:`settings <sagemaker_emulator.engines.linear_learner.settings>`.

The regular expressions are those that DescribeTrainingJob shows for SageMaker's image.
"""

from __future__ import annotations

_CHANNELS = ("train", "validation", "test")
_LOSSES = ("absolute_loss", "mse", "rmse")
_SCORES = {
    "binary_classification_accuracy": "binary_classification_accuracy",
    "binary_f_beta": r"binary_f_\S+",
    "precision": "precision",
    "recall": "recall",
    "roc_auc_score": "roc_auc_score",
    "multiclass_accuracy": "multiclass_accuracy",
    "multiclass_top_k_accuracy": r"multiclass_top_k_accuracy_\S+",
    "dcg": "dcg",
    "macro_f_beta": r"macro_f_\S+",
    "macro_precision": "macro_precision",
    "macro_recall": "macro_recall",
}

METRIC_DEFINITIONS = (
    ("train:progress", r"#progress_metric: host=\S+, completed (\S+) %"),
    ("train:throughput", r"#throughput_metric: host=\S+, train throughput=(\S+) records/second"),
    ("train:objective_loss", r"#quality_metric: host=\S+, epoch=\S+, train \S+_objective <loss>=(\S+)"),
    ("validation:objective_loss", r"#quality_metric: host=\S+, epoch=\S+, validation \S+_objective <loss>=(\S+)"),
    ("train:objective_loss:final", r"#quality_metric: host=\S+, train \S+_objective <loss>=(\S+)"),
    ("validation:objective_loss:final", r"#quality_metric: host=\S+, validation \S+_objective <loss>=(\S+)"),
    ("test:objective_loss", r"#quality_metric: host=\S+, test \S+_objective <loss>=(\S+)"),
    *(
        (f"{channel}:{name}", rf"#quality_metric: host=\S+, {channel} {name} <loss>=(\S+)")
        for channel in _CHANNELS
        for name in _LOSSES
    ),
    *(
        (f"{channel}:{name}", rf"#quality_metric: host=\S+, {channel} {pattern} <score>=(\S+)")
        for channel in _CHANNELS
        for name, pattern in _SCORES.items()
    ),
)
