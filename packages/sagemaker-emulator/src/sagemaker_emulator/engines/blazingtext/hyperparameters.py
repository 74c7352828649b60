"""The hyperparameters of ``blazingtext:1``. Source: SageMaker developer guide, "BlazingText hyperparameters"."""

from __future__ import annotations

from collections.abc import Mapping

from sagemaker_emulator.engines.first_party import hyperparameters
from sagemaker_emulator.engines.first_party.hyperparameters import Table, Value, choice, flag, number, whole

_OF_EVERY_MODE: Table = {
    "mode": choice("supervised", "batch_skipgram", "skipgram", "cbow", required=True),
    "buckets": whole(default=2_000_000),
    "epochs": whole(default=5),
    "learning_rate": number(0, ends="()", default=0.05),
    "min_count": whole(0, default=5),
    "vector_dim": whole(default=100),
}
SUPERVISED: Table = {
    **_OF_EVERY_MODE,
    "early_stopping": flag(default="false"),
    "min_epochs": whole(default=5),
    "patience": whole(default=4),
    "word_ngrams": whole(default=2),
}
WORD_VECTORS: Table = {
    **_OF_EVERY_MODE,
    "batch_size": whole(default=11),
    "evaluation": flag(default="true"),
    "min_char": whole(0, default=3),
    "max_char": whole(0, default=6),
    "negative_samples": whole(default=5),
    "sampling_threshold": number(0, 1, ends="[)", default=0.0001),
    "subwords": flag(default="false"),
    "window_size": whole(default=5),
}


def read(strings: Mapping[str, str]) -> dict[str, Value]:
    """The values that a job trains with; raises CustomerError."""
    table = WORD_VECTORS if strings.get("mode") in ("batch_skipgram", "skipgram", "cbow") else SUPERVISED
    return hyperparameters.read(table, strings)
