"""Small fitted encoders of each kind."""

from __future__ import annotations

import numpy as np

from sageline.encoder.fitted import FittedEncoder
from sageline.encoder.table import TableEncoder
from sageline.encoder.text.words import TextEncoder


def text_encoder(classes: list[str] | None = None, mode: str = "count") -> FittedEncoder:
    idf = np.array([1.5, 2.5]) if mode == "tf-idf" else None
    labels = ["ham", "spam"] if classes is None else classes
    return FittedEncoder("classification", {"post": "text"}, "label", labels, TextEncoder(["hello", "wörld"], mode, idf))


def table_encoder(classes: list[str] | None = None) -> FittedEncoder:
    table = TableEncoder({"age": None, "colour": ["red", "3.0", "True"], "income": None})
    task = "regression" if classes is None else "classification"
    return FittedEncoder(task, {"age": "number", "colour": "category", "income": "number"}, "price", classes, table)


def one_number_encoder() -> FittedEncoder:
    return FittedEncoder("regression", {"x": "number"}, "y", None, TableEncoder({"x": None}))
