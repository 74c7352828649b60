"""SageMaker's BlazingText (``blazingtext:1``), by floret, which is fastText maintained."""

from __future__ import annotations

_NUMBER = r"([-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?)"
METRIC_DEFINITIONS = (
    ("train:accuracy", rf"#train_accuracy: {_NUMBER}"),
    ("validation:accuracy", rf"#validation_accuracy: {_NUMBER}"),
)
