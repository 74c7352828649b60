"""What Sageline's TensorFlow scripts have in common: arguments, training, the model that is saved.

Runs in SageMaker's TensorFlow container, beside the script that imports it.
"""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow
from checkpoint import Epoch, keep, restore  # type: ignore[import-not-found]  # beside it in the archive
from hosts import Hosts  # type: ignore[import-not-found]  # as above
from job_data import Array, check_labels, read_channel  # type: ignore[import-not-found]  # as above

Model = Any  # a keras.Model, whose package has no types


_SPARSE_SHARE = 0.7
"""With so many zeros, numbers are counts of words: each column's zero means something, so none is moved."""


def sizes(text: str) -> list[int]:
    """``128,64`` as numbers."""
    return [int(part) for part in text.split(",")]


def arguments() -> argparse.ArgumentParser:
    """The hyperparameters that all scripts take."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--task", choices=["classification", "regression"], required=True)
    parser.add_argument("--num_class", type=int)
    parser.add_argument("--feature_dim", type=int, required=True)
    parser.add_argument("--epochs", type=int, default=50)
    parser.add_argument("--batch_size", type=int, default=32)
    parser.add_argument("--learning_rate", type=float, default=0.001)
    parser.add_argument("--optimizer", choices=["adam", "sgd", "rmsprop"], default="adam")
    parser.add_argument("--dropout", type=float, default=0.2)
    parser.add_argument("--patience", type=int, help="stop after so many epochs that do not lower the validation loss")
    parser.add_argument("--hidden_units", type=sizes, default=[128, 64])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--model_dir", help="an argument of the SageMaker Python SDK, not used")
    return parser


def main(options: argparse.Namespace, build: Callable[[argparse.Namespace, Array], Model]) -> None:
    """Train what ``build`` makes of the options and the train rows, and save it.

    The model that ``build`` makes ends with the layer in front of the last: the last one, softmax or a single number, is added
    here.
    """
    environment = os.environ
    hosts = Hosts(environment)
    if hosts.index is None:
        print("The first host trains the model; there is nothing to do for this one.", flush=True)
        return
    train = read_channel("train", environment, options.feature_dim)
    if train is None:
        raise ValueError("there is no channel train: SM_CHANNEL_TRAIN is not set")
    validation = read_channel("validation", environment, options.feature_dim)
    check_labels(train[1], validation and validation[1], options.task, options.num_class)
    checkpoints = environment.get("SAGELINE_CHECKPOINTS")
    network, unit = fit(options, train, validation, build, hosts, checkpoints=Path(checkpoints) if checkpoints else None)
    if hosts.index == 0:
        save(network, unit, Path(environment["SM_MODEL_DIR"]) / "1")


def fit(
    options: argparse.Namespace,
    train: tuple[Array, Array],
    validation: tuple[Array, Array] | None,
    build: Callable[[argparse.Namespace, Array], Model],
    hosts: Hosts,
    *,
    checkpoints: Path | None,
) -> tuple[Model, tuple[float, float] | None]:
    """The trained model with the weights of its best epoch; and of a regression the mean and the deviation of the values.

    With a directory for ``checkpoints`` it goes on after the last epoch that an earlier job has left there. The first host
    leaves them; what the optimizers of the others knew besides is lost.

    Raises:
        ValueError: the loss became infinite or no number at all.
    """
    keras.utils.set_random_seed(options.seed)
    tensorflow.config.experimental.enable_op_determinism()
    unit = None if options.task == "classification" else (float(train[1].mean()), float(train[1].std()) or 1.0)
    network = compiled(options, build(options, train[0]))
    rows, labels = hosts.share(train[0]), in_units(hosts.share(train[1]), unit)
    scale = 1.0 if unit is None else unit[1]
    last, best = 0, Epoch(0, {}, [], float("inf"))
    if checkpoints is not None and (restored := restore(checkpoints, network)) is not None:
        last, best = restored
        print(f"Going on from the checkpoint of epoch {last}.", flush=True)
    for number in range(last + 1, options.epochs + 1):
        history = network.fit(rows, labels, batch_size=options.batch_size, verbose=0).history
        values = {f"train_{name}": values[0] for name, values in history.items()}
        network.set_weights(hosts.mean(network.get_weights()))
        if validation is not None:
            measured = network.evaluate(
                validation[0], in_units(validation[1], unit), batch_size=1024, return_dict=True, verbose=0
            )
            values |= {f"validation_{name}": value for name, value in measured.items()}
        # The hosts stop together, so what they go by is the same for all.
        loss = float(hosts.mean([values["train_loss" if validation is None else "validation_loss"]])[0])
        if not math.isfinite(loss) or not math.isfinite(values["train_loss"]):
            raise ValueError("the loss is no finite number any more; lower learning_rate, or scale the data")
        log(number, values, scale)
        if validation is None or loss < best.loss:
            best = Epoch(number, values, network.get_weights(), loss)
        elif options.patience is not None and number - best.number >= options.patience:
            break
        if checkpoints is not None and hosts.index == 0:
            keep(checkpoints, network, number, best)
    network.set_weights(best.weights)
    print("The model that is saved:", flush=True)
    log(best.number, best.values, scale)
    return network, unit


def compiled(options: argparse.Namespace, body: Model) -> Model:
    """The whole network: what ``build`` has made, and the last layer."""
    classification = options.task == "classification"
    last = keras.layers.Dense(options.num_class if classification else 1, activation="softmax" if classification else None)
    network = keras.Model(body.inputs, last(body.output))
    network.compile(
        optimizer=keras.optimizers.get({"class_name": options.optimizer, "config": {"learning_rate": options.learning_rate}}),
        loss="sparse_categorical_crossentropy" if classification else "mse",
        metrics=["accuracy" if classification else keras.metrics.RootMeanSquaredError(name="rmse")],
    )
    return network


def in_units(labels: Array, unit: tuple[float, float] | None) -> Array:
    """Values as the network learns them: around 0, about 1 large. Classes stay as they are."""
    return labels if unit is None else (labels - unit[0]) / unit[1]


def log(epoch: int, values: Mapping[str, float], scale: float) -> None:
    """Print the metrics of an epoch, errors of a regression in the units of its values."""
    units = {"loss": scale**2, "rmse": scale}
    named = {name: value * units.get(name.partition("_")[2], 1) for name, value in values.items()}
    print(f"epoch={epoch} " + " ".join(f"{name}={value:.6g}" for name, value in named.items()), flush=True)


def save(network: Model, unit: tuple[float, float] | None, path: Path) -> None:
    """Save what TensorFlow Serving serves: rows in; probabilities of the classes, or a value, out."""
    model = network
    if unit is not None:
        model = keras.Model(network.inputs, keras.layers.Rescaling(unit[1], offset=unit[0])(network.output))
    model.export(str(path), format="tf_saved_model", verbose=False)
    print(f"Saved the model to {path}.", flush=True)


def standardised(rows: Array) -> tuple[Array, Array] | None:
    """Mean and variance of each column, to bring it around 0; None for counts of words, which stay as they are."""
    if np.count_nonzero(rows) < (1 - _SPARSE_SHARE) * rows.size:
        return None
    variance = rows.var(axis=0, dtype=np.float64)
    # A column of one value may hold another one some day, which must not become huge.
    return rows.mean(axis=0, dtype=np.float64), np.where(variance > 0, variance, 1)
