"""k nearest neighbours: the hyperparameters of the ``knn:1`` container, and how Sageline uses it.

Source: SageMaker developer guide, "k-NN hyperparameters" and "Tune a k-NN model".
"""

from __future__ import annotations

from collections.abc import Mapping

from sageline.algorithms import hyperparameters
from sageline.algorithms.facts import DataFacts, Direction, Hyperparameters, Rules
from sageline.algorithms.hyperparameters import Choice, Hyperparameter, HyperparameterTable, Parsed, Problem, choice, integer

PQ_M = (1, 2, 3, 4, 8, 12, 16, 20, 24, 28, 32, 40, 48, 56, 64, 96)

HYPERPARAMETERS: HyperparameterTable = {
    "feature_dim": integer(required=True),
    "sample_size": integer(required=True),
    "k": integer(1, 1024, required=True),
    "predictor_type": choice("classifier", "regressor", required=True),
    "dimension_reduction_type": choice("sign", "fjlt"),
    "dimension_reduction_target": integer(),
    "index_type": choice("faiss.Flat", "faiss.IVFFlat", "faiss.IVFPQ", default="faiss.Flat"),
    "index_metric": choice("L2", "INNER_PRODUCT", "COSINE", default="L2"),
    "faiss_index_ivf_nlists": integer(auto=True, default="auto"),
    "faiss_index_pq_m": Hyperparameter(int, Choice(PQ_M)),
    "mini_batch_size": integer(default=5000),
}


def parse(strings: Mapping[str, str]) -> Parsed:
    """The values that the container trains with, its defaults filled in, and everything that it refuses."""
    parsed = hyperparameters.parse(HYPERPARAMETERS, strings)
    return Parsed(parsed.values, [*parsed.problems, *_disagreements(parsed, strings)])


def validate(strings: Mapping[str, str]) -> list[str]:
    """The container's messages for everything that it would refuse; an empty list when it would train."""
    return parse(strings).messages


def _disagreements(parsed: Parsed, strings: Mapping[str, str]) -> list[Problem]:
    values = parsed.values
    texts = []
    target, width = values.get("dimension_reduction_target"), values.get("feature_dim")
    if "dimension_reduction_type" in values and "dimension_reduction_target" not in strings:
        texts.append("dimension_reduction_target is required with dimension_reduction_type")
    if "dimension_reduction_target" in strings and "dimension_reduction_type" not in strings:
        texts.append("dimension_reduction_type is required with dimension_reduction_target")
    if isinstance(target, int) and isinstance(width, int) and target >= width:
        texts.append(f"dimension_reduction_target ({target}) must be less than feature_dim ({width})")
    if values.get("index_type") == "faiss.IVFPQ":
        if values.get("index_metric") != "L2":
            texts.append("index_metric must be L2 with the index_type faiss.IVFPQ")
        if "faiss_index_pq_m" not in strings:
            texts.append("faiss_index_pq_m is required with the index_type faiss.IVFPQ")
    k, sample = values.get("k"), values.get("sample_size")
    if isinstance(k, int) and isinstance(sample, int) and k > sample:
        texts.append(f"k ({k}) must not be more than sample_size ({sample})")
    return [Problem(text, f"{text}.") for text in texts]


def _refused(strings: Mapping[str, str]) -> list[str]:
    return [problem.plain for problem in parse(strings).problems]


def _defaults(given: Mapping[str, str | int | float | bool], facts: DataFacts) -> Hyperparameters:
    """All rows are kept as neighbours; five of them vote on a class, ten make a mean: a few wrong ones then count less."""
    defaults: Hyperparameters = {
        "predictor_type": "regressor" if facts.task == "regression" else "classifier",
        "k": 10 if facts.task == "regression" else 5,
    }
    if facts.feature_dim is not None:
        defaults["feature_dim"] = facts.feature_dim
    if facts.train_rows is not None:
        defaults["sample_size"] = facts.train_rows
        defaults["k"] = min(int(defaults["k"]), facts.train_rows)
    return defaults


def _misfits(strings: Mapping[str, str], facts: DataFacts) -> list[str]:
    problems = []
    wanted = "regressor" if facts.task == "regression" else "classifier"
    if strings.get("predictor_type", wanted) != wanted:
        problems.append(f"predictor_type {strings['predictor_type']} does not fit a {facts.task}; leave it out.")
    if "feature_dim" in strings and facts.feature_dim is not None and strings["feature_dim"] != str(facts.feature_dim):
        problems.append(f"feature_dim is {strings['feature_dim']}, the data has {facts.feature_dim} columns; leave it out.")
    if facts.train_rows is not None:
        for name in ("k", "sample_size"):
            if strings.get(name, "").isdigit() and int(strings[name]) > facts.train_rows:
                problems.append(f"{name} is {strings[name]}, and there are {facts.train_rows} rows to train on; give less.")
    return problems


def _metrics(strings: Mapping[str, str], facts: DataFacts) -> dict[str, Direction]:
    return {"test:mse": "Minimize"} if facts.task == "regression" else {"test:accuracy": "Maximize"}


RULES = Rules(
    table=HYPERPARAMETERS,
    refused=_refused,
    defaults=_defaults,
    misfits=_misfits,
    metrics=_metrics,
    from_data=frozenset({"predictor_type", "feature_dim"}),
    ranges={"k": {"type": "integer", "min": 1, "max": 64, "scaling": "Logarithmic"}},
    iterations=None,
    aliases={},
    validation_channel="test",
)
