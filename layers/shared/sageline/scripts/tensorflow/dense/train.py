"""A dense neural network for rows of numbers: a classifier of three layers by default, or a regression."""

from __future__ import annotations

import argparse

import keras
from job_data import Array  # type: ignore[import-not-found]  # beside it in the archive
from training import Model, arguments, main, standardised  # type: ignore[import-not-found]  # as above


def build(options: argparse.Namespace, rows: Array) -> Model:
    """The layers in front of the last."""
    inputs = keras.Input(rows.shape[1:])
    layer = inputs
    moments = standardised(rows)
    if moments is not None:
        layer = keras.layers.Normalization(mean=moments[0], variance=moments[1])(layer)
    for units in options.hidden_units:
        layer = keras.layers.Dense(units, activation="relu")(layer)
        layer = keras.layers.Dropout(options.dropout)(layer)
    return keras.Model(inputs, layer)


if __name__ == "__main__":
    main(arguments().parse_args(), build)
