"""A training script of TensorFlow 2: digits from npy files, a SavedModel into SM_MODEL_DIR."""

import argparse
import json
import os

import numpy as np
import tensorflow as tf


def model(x_train, y_train, x_test, y_test):
    """A simple network, trained."""
    network = tf.keras.models.Sequential(
        [
            tf.keras.Input([784]),
            tf.keras.layers.Dense(1024, activation="relu"),
            tf.keras.layers.Dropout(0.4),
            tf.keras.layers.Dense(10, activation="softmax"),
        ]
    )
    network.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    network.fit(x_train, y_train, epochs=5, verbose=2)
    network.evaluate(x_test, y_test, verbose=2)
    return network


def _load(base_dir, name):
    """Images and labels of train or eval."""
    return np.load(os.path.join(base_dir, f"{name}_data.npy")), np.load(os.path.join(base_dir, f"{name}_labels.npy"))


def _parse_args():
    parser = argparse.ArgumentParser()
    # model_dir is always given by SageMaker, and is an S3 address. Here it is not used: SM_MODEL_DIR goes to S3 by itself.
    parser.add_argument("--model_dir", type=str)
    parser.add_argument("--sm-model-dir", type=str, default=os.environ.get("SM_MODEL_DIR"))
    parser.add_argument("--train", type=str, default=os.environ.get("SM_CHANNEL_TRAINING"))
    parser.add_argument("--hosts", type=list, default=json.loads(os.environ.get("SM_HOSTS", "[]")))
    parser.add_argument("--current-host", type=str, default=os.environ.get("SM_CURRENT_HOST"))
    return parser.parse_known_args()


if __name__ == "__main__":
    args, unknown = _parse_args()
    print("model_dir is", args.model_dir)
    train_data, train_labels = _load(args.train, "train")
    eval_data, eval_labels = _load(args.train, "eval")
    mnist_classifier = model(train_data, train_labels, eval_data, eval_labels)
    if args.current_host == args.hosts[0]:
        # A SavedModel, in a directory whose name is a version. Keras 3 calls it export; save writes another format.
        mnist_classifier.export(os.path.join(args.sm_model_dir, "000000001"))
