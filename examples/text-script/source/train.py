"""A user's own Keras model in the TensorFlow container: two hidden layers over a bag of words."""

import argparse
import os
from pathlib import Path

import keras
import numpy as np


def read_channel(name):
    """Features and class indexes of a channel: pairs of files, part-00000-x.npy and part-00000-y.npy."""
    folder = Path(os.environ[f"SM_CHANNEL_{name.upper()}"])
    x = np.concatenate([np.load(path) for path in sorted(folder.glob("*-x.npy"))])
    y = np.concatenate([np.load(path) for path in sorted(folder.glob("*-y.npy"))])
    return x, y


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--learning-rate", type=float, default=0.001)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--model_dir")  # of no use here: the model goes to SM_MODEL_DIR
    arguments = parser.parse_args()
    keras.utils.set_random_seed(0)
    classes = int(os.environ["SAGELINE_NUM_CLASS"])
    model = keras.Sequential(
        [
            keras.Input([int(os.environ["SAGELINE_FEATURE_DIM"])]),
            keras.layers.Dense(128, activation="relu", name="first-layer"),
            keras.layers.Dense(256, activation="relu"),
            keras.layers.Dense(classes, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(arguments.learning_rate), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    validation = read_channel("validation")
    model.fit(*read_channel("train"), validation_data=validation, epochs=arguments.epochs, batch_size=64, verbose=2)
    model.export(Path(os.environ["SM_MODEL_DIR"]) / "1")
