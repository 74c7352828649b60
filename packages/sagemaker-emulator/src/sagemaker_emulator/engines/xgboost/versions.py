"""What the images of XGBoost do otherwise than the newest one. All of them are run by the XGBoost that is installed here.

Sources: the branches of aws/sagemaker-xgboost-container that are named like the images; for ``xgboost:1``, which is not public,
the developer guide's page "XGBoost Version 0.72". Defaults and names of XGBoost itself are those of its releases 0.72.1, 0.90,
1.0.0, 1.2.0, 1.3.3, 1.5.2, 1.7.4 and 3.0.5, each of which was run beside 3.2.0: with the defaults below, and as long as nothing
is drawn by chance, 3.2.0 grows the trees that they grow. Not so for ranking, whose objectives and metrics XGBoost 2 has changed
(``map`` does not take graded labels any more), for ``binary:logitraw`` before 1.3, and for ``reg:tweedie`` of 0.72.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

VARIABLE = "SAGEMAKER_XGBOOST_IMAGE"
"""The environment variable that tells a container which image it was started from, here."""

LIBRARIES = MappingProxyType(
    {
        "1": "0.72",
        "0.90-1": "0.90",
        "0.90-2": "0.90",
        "1.0-1": "1.0.0",
        "1.2-1": "1.2.0",
        "1.2-2": "1.2.0",
        "1.3-1": "1.3.3",
        "1.5-1": "1.5.2",
        "1.7-1": "1.7.4",
        "3.0-5": "3.0.5",
        "3.2-0": "3.2.0",
    }
)
"""The images in their order, and the version of XGBoost that each of them has in AWS."""

_LEGACY, _NEWEST = "1", "3.2-0"
_ORDER = tuple(LIBRARIES)

# From which image on, and up to which one, a name is known; what is not here is known to all.
_HYPERPARAMETERS: Mapping[str, tuple[str, str]] = {
    "silent": ("1", "1.0-1"),
    **dict.fromkeys(("colsample_bynode", "dsplit", "predictor", "verbosity"), ("0.90-1", _NEWEST)),
    **dict.fromkeys(("learning_rate", "min_split_loss", "reg_lambda", "reg_alpha", "num_parallel_tree"), ("0.90-2", _NEWEST)),
    **dict.fromkeys(("monotone_constraints", "interaction_constraints", "save_model_on_termination"), ("1.0-1", _NEWEST)),
    **dict.fromkeys(("aft_loss_distribution", "aft_loss_distribution_scale", "deterministic_histogram"), ("1.2-1", _NEWEST)),
    "single_precision_histogram": ("1.2-1", "1.5-1"),
    "_nfold": ("1.2-1", "1.2-1"),
    **dict.fromkeys(("_kfold", "_num_cv_round"), ("1.2-2", _NEWEST)),
    **dict.fromkeys(("prob_buffer_row", "sampling_method"), ("1.3-1", _NEWEST)),
    "use_dask_gpu_training": ("1.5-1", _NEWEST),
}
_VALUES: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "objective": {
        **dict.fromkeys(("binary:hinge", "reg:squarederror"), ("0.90-1", _NEWEST)),
        "reg:squaredlogerror": ("1.0-1", _NEWEST),
        **dict.fromkeys(("aft_loss_distribution", "reg:pseudohubererror", "survival:aft"), ("1.2-1", _NEWEST)),
        "reg:absoluteerror": ("1.7-1", _NEWEST),
    },
    "eval_metric": {
        **dict.fromkeys(("accuracy", "aucpr", "f1", "mse"), ("0.90-1", _NEWEST)),
        "rmsle": ("1.0-1", _NEWEST),
        **dict.fromkeys(("aft-nloglik", "interval-regression-accuracy", "mphe", "r2"), ("1.2-1", _NEWEST)),
        **dict.fromkeys(("f1_binary", "f1_macro"), ("1.2-2", _NEWEST)),
        **dict.fromkeys(("balanced_accuracy", "mape", "precision", "precision_macro", "precision_micro"), ("1.3-1", _NEWEST)),
        **dict.fromkeys(("recall", "recall_macro", "recall_micro"), ("1.3-1", _NEWEST)),
    },
    "tree_method": {"gpu_hist": ("1.2-1", _NEWEST)},
    "predictor": dict.fromkeys(("auto", "gpu_predictor"), ("1.2-1", _NEWEST)),
    "updater": {"grow_local_histmaker": ("0.90-1", "1.5-1")},
}

RENAMED_OBJECTIVES = MappingProxyType({"reg:linear": "reg:squarederror"})
"""What XGBoost calls otherwise today. It takes the old name, but cannot save the best rounds of such a model."""

# What is evaluated where no metric is named: up to which image, by objective.
_DEFAULT_METRICS: tuple[tuple[str, Mapping[str, str]], ...] = (
    ("1.2-2", {"binary:logistic": "error", "multi:softmax": "merror", "multi:softprob": "merror"}),
    ("1.3-1", {"binary:logitraw": "auc"}),
    ("1.7-1", {"reg:gamma": "gamma-nloglik"}),
)


@dataclass(frozen=True)
class Version:
    """An image by its tag."""

    tag: str = _NEWEST

    def until(self, tag: str) -> bool:
        """Whether it is ``tag`` or an older one."""
        return _ORDER.index(self.tag) <= _ORDER.index(tag)

    @property
    def repository(self) -> str:
        return "xgboost" if self.tag == _LEGACY else "sagemaker-xgboost"

    @property
    def library(self) -> str:
        """The version of XGBoost that it has in AWS."""
        return LIBRARIES[self.tag]

    def knows_hyperparameter(self, name: str) -> bool:
        return self._within(_HYPERPARAMETERS.get(name))

    def knows_value(self, hyperparameter: str, value: str) -> bool:
        return self._within(_VALUES.get(hyperparameter, {}).get(value))

    def default_metric(self, objective: str) -> str | None:
        """What it evaluates where no metric is named, if that is not what the installed XGBoost does."""
        return next((metrics[objective] for tag, metrics in _DEFAULT_METRICS if self.until(tag) and objective in metrics), None)

    @property
    def asks_for_objective(self) -> bool:
        """``eval_metric`` without ``objective`` ends the container by a KeyError."""
        return not self.until("1.0-1")

    @property
    def starts_from_one_half(self) -> bool:
        """``base_score`` is 0.5; XGBoost 2 and later estimate it from the labels."""
        return self.until("1.7-1")

    @property
    def starts_classes_alike(self) -> bool:
        """Every class starts from 0.5; XGBoost 3.1 and later estimate that, too."""
        return self.until("3.0-5")

    @property
    def splits_exactly(self) -> bool:
        """``tree_method`` is ``exact`` for fewer than 2^22 rows on one host; since XGBoost 2 it is ``hist``."""
        return self.until("1.7-1")

    @property
    def stops_by_any_metric(self) -> bool:
        """Early stopping watches the last metric, whether it was named or not, of the last channel."""
        return self.until("1.2-2")

    @property
    def pickles(self) -> bool:
        """The model is a pickled Booster, not a file of XGBoost's."""
        return self.until("1.2-2")

    @property
    def resumes(self) -> bool:
        """Checkpoints have the names that the container looks for."""
        return self.until("1.2-2")

    @property
    def answers_in_one_line(self) -> bool:
        """Every answer but a transform job's is CSV, whatever ``Accept`` says, with all predictions on one line."""
        return self.until("1.2-1")

    @property
    def selects(self) -> bool:
        """``SAGEMAKER_INFERENCE_OUTPUT`` is looked at."""
        return not self.until("0.90-2")

    @property
    def reads_csv_by_default(self) -> bool:
        """A request without a content type is CSV; since 0.90 it is libsvm."""
        return self.tag == _LEGACY

    @property
    def reads_records(self) -> bool:
        """RecordIO-protobuf and parquet are taken besides CSV and libsvm."""
        return self.tag != _LEGACY

    @property
    def takes_pipes(self) -> bool:
        """Channels may be of the input mode ``Pipe``, but for libsvm."""
        return self.until("3.0-5")

    @property
    def shifts_libsvm(self) -> bool:
        """libsvm requests whose least index is 1 are counted from 1."""
        return not self.until("3.0-5")

    def unlike(self, installed: str) -> str | None:
        """What a person is told where ``installed``, the XGBoost of this machine, is not the image's own; None where it is."""
        if installed.split(".")[:2] == self.library.split(".")[:2]:
            return None
        return (
            f"XGBoost {installed} of this machine runs here: the image {self.repository}:{self.tag} asks for {self.library}, "
            "and where the two differ in names, defaults and formats, the image is followed."
        )

    def _within(self, span: tuple[str, str] | None) -> bool:
        first, last = span or (_LEGACY, _NEWEST)
        return _ORDER.index(first) <= _ORDER.index(self.tag) <= _ORDER.index(last)


NEWEST = Version()


def version_of(environment: Mapping[str, str]) -> Version:
    """The image that a container was started from, by the variable of its environment; the newest without one."""
    return Version(environment.get(VARIABLE, _NEWEST))
