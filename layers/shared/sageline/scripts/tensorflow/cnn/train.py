"""A small convolutional network for images whose pixels are between 0 and 1."""

from __future__ import annotations

import argparse
import math

import keras
from job_data import Array  # type: ignore[import-not-found]  # beside it in the archive
from training import Model, arguments, main, sizes  # type: ignore[import-not-found]  # as above


def build(options: argparse.Namespace, rows: Array) -> Model:
    """The layers in front of the last. The rows may come without the axis of the channels, or flat: as they will be sent."""
    if math.prod(options.image_shape) != options.feature_dim:
        raise ValueError(f"image_shape is {options.image_shape}, which is not {options.feature_dim} numbers")
    inputs = keras.Input(rows.shape[1:])
    layer = keras.layers.Reshape(options.image_shape)(inputs)
    for filters in options.filters:
        layer = keras.layers.Conv2D(filters, options.kernel_size, padding="same", activation="relu")(layer)
        layer = keras.layers.MaxPooling2D(padding="same")(layer)
    layer = keras.layers.Flatten()(layer)
    for units in options.hidden_units:
        layer = keras.layers.Dropout(options.dropout)(layer)
        layer = keras.layers.Dense(units, activation="relu")(layer)
    return keras.Model(inputs, layer)


if __name__ == "__main__":
    parser = arguments()
    parser.add_argument("--image_shape", type=sizes, required=True, help="height,width,channels")
    parser.add_argument("--filters", type=sizes, default=[32, 64])
    parser.add_argument("--kernel_size", type=int, default=3)
    parser.set_defaults(hidden_units=[128])
    main(parser.parse_args(), build)
