"""The hyperparameters of ``knn:1``. Source: SageMaker developer guide, "k-NN hyperparameters"."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sagemaker_emulator.engines.first_party import hyperparameters
from sagemaker_emulator.engines.first_party.hyperparameters import Hyperparameter, Table, Value, Values, choice, whole

_PQ_M = (1, 2, 3, 4, 8, 12, 16, 20, 24, 28, 32, 40, 48, 56, 64, 96)


def _pq_m(text: str) -> Value:
    return _PQ_M[_PQ_M.index(int(text))]


TABLE: Table = {
    "feature_dim": whole(required=True),
    "sample_size": whole(required=True),
    "k": whole(1, 1024, required=True),
    "predictor_type": choice("classifier", "regressor", required=True),
    "dimension_reduction_type": choice("sign", "fjlt"),
    "dimension_reduction_target": whole(),
    "index_type": choice("faiss.Flat", "faiss.IVFFlat", "faiss.IVFPQ", default="faiss.Flat"),
    "index_metric": choice("L2", "INNER_PRODUCT", "COSINE", default="L2"),
    "faiss_index_ivf_nlists": whole(default="auto", auto=True),
    "faiss_index_pq_m": Hyperparameter(_pq_m, tuple(map(str, _PQ_M))),
    "mini_batch_size": whole(default=5000),
}


def read(strings: Mapping[str, str]) -> dict[str, Value]:
    """The values that a job trains with; raises CustomerError."""
    return hyperparameters.read(TABLE, strings, _disagreements)


def _disagreements(values: Values) -> Iterator[str]:
    target, width = values.get("dimension_reduction_target"), int(values["feature_dim"])
    if "dimension_reduction_type" in values and target is None:
        yield "dimension_reduction_target is required with dimension_reduction_type"
    if target is not None and "dimension_reduction_type" not in values:
        yield "dimension_reduction_type is required with dimension_reduction_target"
    if target is not None and int(target) >= width:
        yield f"dimension_reduction_target ({target}) must be less than feature_dim ({width})"
    if values["index_type"] == "faiss.IVFPQ":
        if values["index_metric"] != "L2":
            yield "index_metric must be L2 with the index_type faiss.IVFPQ"
        if "faiss_index_pq_m" not in values:
            yield "faiss_index_pq_m is required with the index_type faiss.IVFPQ"
    if int(values["k"]) > int(values["sample_size"]):
        yield f"k ({values['k']}) must not be more than sample_size ({values['sample_size']})"
