"""SageMaker's k-nearest neighbours (``knn:1``), in numpy.

Every index type is answered by exact search, as ``faiss.Flat`` does it: ``faiss.IVFFlat`` and ``faiss.IVFPQ`` are faster and less
exact in SageMaker. The other hyperparameters have their effect.
"""

from __future__ import annotations

METRIC_DEFINITIONS = (
    ("test:accuracy", r"#test_score \(\S+\) : \('accuracy', (\S+)\)"),
    ("test:mse", r"#test_score \(\S+\) : \('mse', (\S+)\)"),
)
