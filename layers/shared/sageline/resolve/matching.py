"""Which algorithms, tasks and encoders go together, and the defaults of one that depend on another."""

from __future__ import annotations

from sageline.algorithms.catalog import rules
from sageline.algorithms.tuning import combinations
from sageline.errors import InvalidSpec
from sageline.formats.exchange import answering
from sageline.json_objects import Json
from sageline.spec.encoder import ColumnsSpec
from sageline.spec.model import Spec
from sageline.spec.training import AlgorithmSpec, CategoricalRangeSpec, TuningSpec

_TAKE_MISSING = ("xgboost", "scikit-learn", "pytorch")
"""XGBoost, and scripts that may know what to do. TensorFlow Serving reads JSON, which has no such number."""


def check_encoder(spec: Spec) -> None:
    """Refuse an encoder that the algorithm cannot read.

    Raises:
        InvalidSpec: they do not go together.
    """
    name, encoder = spec.algorithm.name, spec.encoder
    if encoder is None:
        return
    if encoder.kind == "tokens" and name != "blazingtext":
        raise InvalidSpec(f"the encoder tokens is for blazingtext; for the algorithm {name} choose the encoder columns.")
    if encoder.kind != "tokens" and name == "blazingtext":
        raise InvalidSpec(f"the algorithm blazingtext reads the encoder tokens only, not {encoder.kind}; leave `encoder` out.")
    framework = spec.algorithm.script.framework if spec.algorithm.script else None
    if isinstance(encoder, ColumnsSpec) and answering(name, framework) not in _TAKE_MISSING:
        keeping = {"encoder.number.missing": encoder.number}
        keeping |= {
            f"encoder.columns.{column}.missing": given for column, given in encoder.columns.items() if given.kind == "number"
        }
        for key, given in keeping.items():
            if "missing" in given.model_fields_set and given.missing == "keep":
                raise InvalidSpec(
                    f'`{key}` is "keep", and the algorithm {name} takes no missing numbers; say "mean", "median" or "value".'
                )


def check_weights(spec: Spec, task: str) -> None:
    """Refuse weights of rows or classes that the algorithm does not take.

    Raises:
        InvalidSpec: names the algorithms that do.
    """
    algorithm = spec.algorithm
    if spec.dataset.weight is not None and algorithm.name != "xgboost" and algorithm.script is None:
        raise InvalidSpec(
            f"`dataset.weight` says how much each row counts, which the algorithm {algorithm.name} cannot be told; take xgboost "
            "or a script of your own, or leave it out."
        )
    if algorithm.class_weight is None:
        return
    if task != "classification":
        raise InvalidSpec(f"`algorithm.class_weight` is for a classification, and the task is {task}; leave it out.")
    if algorithm.name not in ("xgboost", "linear-learner"):
        raise InvalidSpec(
            f"`algorithm.class_weight` says how much each class counts, which the algorithm {algorithm.name} cannot be told; "
            "take xgboost or linear-learner, or leave it out."
        )
    if algorithm.name == "xgboost" and "scale_pos_weight" in algorithm.hyperparameters:
        raise InvalidSpec("`algorithm.class_weight` and the hyperparameter scale_pos_weight both weigh classes; leave one out.")


def check_algorithm(algorithm: AlgorithmSpec, task: str) -> None:
    """Refuse what the algorithm cannot do.

    Raises:
        InvalidSpec: another task or number of instances is needed.
    """
    if algorithm.name != "blazingtext":
        return
    if task != "classification":
        raise InvalidSpec(f"the algorithm blazingtext does classification only, and the task is {task}; choose another one.")
    if algorithm.instance_count != 1:
        raise InvalidSpec(
            f"`algorithm.instance_count` is {algorithm.instance_count}; blazingtext classifies on one instance: leave it out."
        )


def columns_defaults(given: ColumnsSpec, algorithm: AlgorithmSpec) -> tuple[ColumnsSpec, dict[str, str]]:
    """The encoder with what it leaves to the algorithm, and the reasons by key.

    Only XGBoost is sure to learn from missing numbers. Of the algorithms that mind how large a column's numbers are,
    linear-learner and Sageline's neural networks scale columns themselves; a user's script may want them as they are.
    """
    number, text = given.number, given.text
    reasons = {}
    if algorithm.name != "xgboost" and "missing" not in number.model_fields_set:
        number = number.model_copy(update={"missing": "mean"})
        reasons["encoder.number.missing"] = "mean: only xgboost learns from missing numbers"
    if algorithm.name == "knn" and "scale" not in number.model_fields_set:
        number = number.model_copy(update={"scale": "standard"})
        reasons["encoder.number.scale"] = "standard: knn compares distances, in which every column should count alike"
    if algorithm.name == "knn" and "statistics" not in text.model_fields_set:
        text = text.model_copy(update={"statistics": False})
        reasons["encoder.text.statistics"] = "false: in knn's distances the length of a text would outweigh its words"
    return given.model_copy(update={"number": number, "text": text}).completed(), reasons


def tuning_defaults(tuning: TuningSpec, algorithm: AlgorithmSpec, encoder: str) -> tuple[Json, dict[str, str]]:
    """What a tuning leaves to the algorithm and to its strategy, with the reasons by key."""
    chosen: Json = {}
    reasons = {}
    found = rules(algorithm, encoder)
    if not tuning.ranges and found is not None and tuning.strategy != "Grid":
        # What the spec fixes is not tried.
        chosen["ranges"] = {name: values for name, values in found.ranges.items() if name not in algorithm.hyperparameters}
        reasons["tuning.ranges"] = f"the usual ones of {algorithm.name}"
    listed = tuning.ranges and all(isinstance(values, CategoricalRangeSpec) for values in tuning.ranges.values())
    if tuning.strategy == "Grid" and listed and "max_jobs" not in tuning.model_fields_set:
        chosen["max_jobs"] = combinations(tuning)
        reasons["tuning.max_jobs"] = "the strategy Grid tries every combination"
    if "max_parallel_jobs" not in tuning.model_fields_set:
        chosen["max_parallel_jobs"] = min(tuning.max_parallel_jobs, chosen.get("max_jobs", tuning.max_jobs))
    return chosen, reasons
