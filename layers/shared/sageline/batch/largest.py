"""How many rows one function can score, of EncodeBatch and WritePredictions whichever takes longer."""

from __future__ import annotations

from sageline.spec.model import Spec

_GB = 1_000_000_000
LARGEST_BYTES = {"texts": 6 * _GB, "tokens": 5 * _GB, "columns": 1_200_000_000, "image": 700_000_000}


def largest_batch_bytes(spec: Spec) -> int:
    """Bytes of text of the rows that one function encodes, and another writes, for a model of a resolved spec."""
    encoder = spec.encoder.kind if spec.encoder else "columns"
    all_texts = encoder == "columns" and set((spec.dataset.features or {}).values()) == {"text"}
    return LARGEST_BYTES["texts" if all_texts else encoder]
