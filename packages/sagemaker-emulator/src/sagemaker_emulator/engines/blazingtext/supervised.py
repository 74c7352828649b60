"""Text classification: fastText's, with BlazingText's hyperparameters, log lines and early stopping."""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import floret

from sagemaker_emulator.engines.first_party.failures import CustomerError

# Threads of fastText race with each other: below this size the time is little and the same data makes the same model.
_BYTES_FOR_THREADS = 32 * 1024**2
# fastText cannot go on with a model, so each look at the validation data trains anew, with a quarter more epochs.
_LOOK_EVERY = 1.25


@dataclass(frozen=True)
class Settings:
    """BlazingText's hyperparameters of the mode ``supervised``."""

    epochs: int
    learning_rate: float
    buckets: int
    min_count: int
    vector_dim: int
    word_ngrams: int
    early_stopping: bool
    min_epochs: int
    patience: int

    @classmethod
    def of(cls, values: Mapping[str, object]) -> Settings:
        """From parsed values, the container's defaults among them."""
        whole = {name: int(str(values[name])) for name in cls.__annotations__ if name not in ("learning_rate", "early_stopping")}
        return cls(**whole, learning_rate=float(str(values["learning_rate"])), early_stopping=values["early_stopping"] == "true")


def train(settings: Settings, data: Path, validation: Path | None) -> floret.floret._floret:
    """The model; with early stopping the one of the number of epochs that has the best accuracy on the validation data."""
    if not settings.early_stopping:
        return _fit(settings, data, settings.epochs)
    if validation is None:
        raise CustomerError("early_stopping needs a validation channel.")
    best, best_accuracy, best_epochs = None, -1.0, 0
    for epochs in looks(settings):
        model = _fit(settings, data, epochs)
        _say(f"-------------- End of epoch: {epochs}", f"Using {_threads(data)} threads for prediction!")
        accuracy = accuracy_on(model, validation)[1]
        _say(f"Validation accuracy: {accuracy:.6f}")
        if accuracy > best_accuracy:
            _say("Validation accuracy improved! Storing best weights...")
            best, best_accuracy, best_epochs = model, accuracy, epochs
        elif epochs - best_epochs >= settings.patience:
            _say(f"Validation accuracy has not improved for last {epochs - best_epochs} epochs. Stopping training...")
            break
        else:
            _say("Validation accuracy has not improved.")
    return best


def looks(settings: Settings) -> Iterator[int]:
    """The numbers of epochs after which the validation data is looked at: from ``min_epochs`` up to ``epochs``."""
    epochs = min(settings.min_epochs, settings.epochs)
    while epochs < settings.epochs:
        yield epochs
        epochs = max(epochs + 1, math.ceil(epochs * _LOOK_EVERY))
    yield settings.epochs


def _fit(settings: Settings, data: Path, epochs: int) -> floret.floret._floret:
    started = time.monotonic()
    try:
        model = floret.train_supervised(
            str(data),
            lr=settings.learning_rate,
            dim=settings.vector_dim,
            epoch=epochs,
            minCount=settings.min_count,
            bucket=settings.buckets,
            wordNgrams=settings.word_ngrams,
            thread=_threads(data),
            verbose=0,
        )
    except (ValueError, RuntimeError) as error:  # fastText's own words, such as "Empty vocabulary"
        raise CustomerError(f"{error}") from error
    seconds = max(time.monotonic() - started, 1e-3)
    words = sum(model.get_words(include_freq=True)[1]) * epochs / 1e6
    _say(
        f"##### Alpha: 0.0000  Progress: 100.00%  Million Words/sec: {words / seconds:.2f} #####",
        "Training finished.",
        f"Average throughput in Million words/sec: {words / seconds:.2f}",
        f"Total training time in seconds: {seconds:.2f}",
    )
    return model


def accuracy_on(model: floret.floret._floret, data: Path) -> tuple[int, float]:
    """How many lines there are, and the share of them whose likeliest label is one of theirs.

    As fastText's test: lines without a word, or without a label, that the model knows are not counted.
    """
    examples, precision, _ = model.f.test(str(data), 1, 0.0)
    return examples, 0.0 if math.isnan(precision) else precision


def report(model: floret.floret._floret, channel: str, data: Path) -> None:
    """The lines from which the metrics are read."""
    examples, accuracy = accuracy_on(model, data)
    _say(f"#{channel}_accuracy: {accuracy:.4f}", f"Number of {channel} examples: {examples}")


def _threads(data: Path) -> int:
    return 1 if data.stat().st_size < _BYTES_FOR_THREADS else os.cpu_count() or 1


def _say(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
