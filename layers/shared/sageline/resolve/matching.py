"""Which algorithms, tasks and encoders go together, and the defaults of one that depend on another."""

from __future__ import annotations

from sageline.algorithms.catalog import rules
from sageline.algorithms.tuning import combinations
from sageline.errors import InvalidSpec
from sageline.formats.exchange import answering
from sageline.json_objects import Json
from sageline.spec.model import Spec, TableSpec
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
        raise InvalidSpec(f"the encoder tokens is for blazingtext; for the algorithm {name} choose the encoder bag-of-words.")
    if encoder.kind != "tokens" and name == "blazingtext":
        raise InvalidSpec(f"the algorithm blazingtext reads the encoder tokens only, not {encoder.kind}; leave `encoder` out.")
    keeps = isinstance(encoder, TableSpec) and "missing" in encoder.model_fields_set and encoder.missing == "keep"
    framework = spec.algorithm.script.framework if spec.algorithm.script else None
    if keeps and answering(name, framework) not in _TAKE_MISSING:
        raise InvalidSpec(
            f'`encoder.missing` is "keep", and the algorithm {name} takes no missing numbers; say "mean", "median" or "value".'
        )


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


def table_defaults(given: TableSpec | None, algorithm: AlgorithmSpec) -> tuple[Json, dict[str, str]]:
    """What a table encoder leaves to the algorithm, with the reasons by key.

    Only XGBoost is sure to learn from missing numbers. Of the algorithms that mind how large a column's numbers are,
    linear-learner and Sageline's neural networks scale columns themselves; a user's script may want them as they are.
    """
    said = given.model_fields_set if given else set()
    chosen: Json = {}
    reasons = {}
    if algorithm.name != "xgboost" and "missing" not in said:
        chosen["missing"] = "mean"
        reasons["encoder.missing"] = "mean: only xgboost learns from missing numbers"
    if "scale" not in said and algorithm.name == "knn":
        chosen["scale"] = "standard"
        reasons["encoder.scale"] = "standard: knn compares distances, in which every column should count alike"
    return chosen, reasons


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
