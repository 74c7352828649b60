"""Tests, and what tests and benchmarks share. A package, so that no other distribution's `tests` is imported in its place."""
