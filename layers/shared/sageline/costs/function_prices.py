"""What the functions and states cost that work on shards, and how large the functions are.

On-demand list prices of us-east-1, for Lambda on arm64, standard workflows and S3 Standard, as https://aws.amazon.com/lambda/pricing/,
https://aws.amazon.com/step-functions/pricing/ and https://aws.amazon.com/s3/pricing/ are quoted alike by public documents of 2024
to 2026.
"""

from __future__ import annotations

USD_PER_GB_SECOND = 0.0000133334
USD_PER_INVOCATION = 0.20 / 1_000_000
USD_PER_TRANSITION = 0.025 / 1_000
USD_PER_GET = 0.0004 / 1_000
USD_PER_PUT = 0.005 / 1_000

ATTEMPTS = 3
"""At each reading of a shard, of which the last ones are rare."""

SHARD_GB = 1769 / 1024
"""Memory of a function that reads a shard, which gives it one core."""

WHOLE_GB = 3008 / 1024
"""Memory of PrepareData and MergeFit."""

WHOLE_CORES = 1.7

TRANSITIONS_OF_SHARD = 2
"""A child's start, and its state."""

FIXED_TRANSITIONS = 12
"""Of the states that a preparation in shards has besides those of its shards, in one round."""
