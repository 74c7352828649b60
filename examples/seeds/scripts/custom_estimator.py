"""Two hidden layers on a bag of 500 words: a model function of TensorFlow 1, as a Keras script."""

import argparse
import os

import numpy as np
import tensorflow as tf

INPUT_TENSOR_NAME = "inputs"
CLASSES = 20


def model_fn(learning_rate):
    """The network that the estimator's model_fn builds: it answers logits."""
    features = tf.keras.Input([500], name=INPUT_TENSOR_NAME)
    first_hidden_layer = tf.keras.layers.Dense(128, activation="relu", name="first-layer")(features)
    second_hidden_layer = tf.keras.layers.Dense(256, activation="relu")(first_hidden_layer)
    logits = tf.keras.layers.Dense(CLASSES)(second_hidden_layer)
    model = tf.keras.Model(features, logits)
    loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(tf.keras.optimizers.Adam(learning_rate), loss=loss, metrics=["accuracy"])
    return model


def train_input_fn(training_dir):
    features, labels = _load(training_dir, "post_train.csv")
    return tf.data.Dataset.from_tensor_slices((features, labels)).shuffle(len(labels)).repeat().batch(128)


def eval_input_fn(training_dir):
    return tf.data.Dataset.from_tensor_slices(_load(training_dir, "post_test.csv")).batch(128)


def _load(training_dir, training_filename):
    """The label is the last column, as tf.contrib's load_csv_without_header took it."""
    table = np.loadtxt(os.path.join(training_dir, training_filename), delimiter=",", dtype=np.float32)
    return table[:, :-1], table[:, -1].astype(np.int64)


class Serving(tf.Module):
    """What the endpoint answers: the class of each row, under the name jobs."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    @tf.function(input_signature=[tf.TensorSpec([None, 500], tf.float32, name=INPUT_TENSOR_NAME)])
    def serve(self, inputs):
        return {"jobs": tf.argmax(self.model(inputs), axis=1)}


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--learning_rate", type=float)
    parser.add_argument("--training_steps", type=int)
    parser.add_argument("--evaluation_steps", type=int)
    parser.add_argument("--model_dir")
    args = parser.parse_args()
    training = os.environ["SM_CHANNEL_TRAINING"]
    classifier = model_fn(args.learning_rate)
    classifier.fit(train_input_fn(training), steps_per_epoch=args.training_steps, verbose=2)
    classifier.evaluate(eval_input_fn(training), steps=args.evaluation_steps, verbose=2)
    serving = Serving(classifier)
    tf.saved_model.save(serving, os.path.join(os.environ["SM_MODEL_DIR"], "1"), signatures=serving.serve)
