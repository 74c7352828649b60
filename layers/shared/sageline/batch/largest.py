"""How many rows one function can score, of EncodeBatch and WritePredictions whichever takes longer."""

from __future__ import annotations

from sageline.spec.model import Spec

_GB = 1_000_000_000
LARGEST_BYTES = {"texts": 6 * _GB, "tokens": 5 * _GB, "columns": 2 * _GB, "image": 1_500_000_000}
"""Bytes of text of the rows that one function encodes in its 15 minutes, and another writes, by the encoder of the model's spec.

Measured with one process on one core, by tests/benchmarks/batch_speed.py: mostly writing takes longer, 17 MB/s of text alone, 13
for tokens, 8 of 20 numbers, 9 of 300, 5 of 6 categories; of 784 pixels encoding does, 3.7. Counted with 0.6 of that for a core of
Lambda and 70 MB/s for reading from S3, these take 9 to 12 minutes.
"""

SHORTEST_ROW_BYTES = 64
"""A row is counted as so many bytes at least: some 120,000 a second are written, however short they are."""


def largest_batch_bytes(spec: Spec) -> int:
    """Bytes of text of the rows that one function encodes, and another writes, for a model of a resolved spec."""
    encoder = spec.encoder.kind if spec.encoder else "columns"
    all_texts = encoder == "columns" and set((spec.dataset.features or {}).values()) == {"text"}
    return LARGEST_BYTES["texts" if all_texts else encoder]
