"""Resolving a spec against the data: every default filled in, with the reason for each choice."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from sageline.algorithms.catalog import DataFacts, check
from sageline.algorithms.tuning import check_tuning
from sageline.dataset.blocks import Block
from sageline.dataset.sniff import ColumnSample, Guess, guess_features, guess_label, guess_task, sample_columns
from sageline.encoder.image import is_pixel_name, shape_of
from sageline.encoder.numbers import is_number
from sageline.errors import InvalidDataset, InvalidSpec
from sageline.evaluation.names import default_metric
from sageline.formats.exchange import answering
from sageline.spec.evaluation import check_evaluation
from sageline.spec.matching import check_algorithm, check_encoder, table_defaults, tuning_defaults
from sageline.spec.model import Image, Spec, Table, validate_spec

_READS = {"bag-of-words": ("text",), "tokens": ("text",), "table": ("number", "category"), "image": ("pixel",)}
_FEWEST_PIXELS = 16  # columns that are called so


def resolve_spec(spec: Spec, sample: Iterable[Block], *, name: str, uri: str) -> Spec:
    """The spec with every default filled in; ``reasons`` says why, by key (``task``, ``dataset.label``,
    ``dataset.features.<column>``, ``encoder``, ...). Columns that are left out have their reason too.

    Args:
        sample: the dataset's blocks; only the first rows are read (:data:`sageline.dataset.sniff.SAMPLE_ROWS`).
        name: name for the run when the spec has none; also the endpoint's.
        uri: where the dataset is, when the spec does not say.

    Raises:
        InvalidDataset: a column that the spec names is not there, or no column can be learnt from.
        InvalidSpec: the spec's own values do not go together.
        InvalidHyperparameter: the algorithm would refuse a hyperparameter.
    """
    source = spec.dataset.uri or uri
    check_encoder(spec)
    columns = sample_columns(sample)
    resolving = _Resolving(spec, columns, source)
    label = resolving.label()
    task = resolving.task(columns[label])
    features, encoder = resolving.features(label)
    document = spec.model_dump(exclude_none=True)
    document["name"] = resolving.choose("name", spec.name, name, "the name of the dataset")
    document["task"] = task
    document["dataset"] = {"uri": source, "label": label, "features": features}
    check_algorithm(spec.algorithm, task)
    if spec.algorithm.name == "tensorflow" and spec.algorithm.script is not None:
        document["algorithm"]["script"]["framework"] = "tensorflow"
    if encoder["kind"] == "table":
        given = spec.encoder if isinstance(spec.encoder, Table) else None
        encoder |= resolving.noted(table_defaults(given, spec.algorithm))
    document["encoder"] = encoder
    if spec.tuning is not None:
        document["tuning"] |= resolving.noted(tuning_defaults(spec.tuning, spec.algorithm, encoder["kind"]))
    document["evaluation"]["metric"] = resolving.choose(
        "evaluation.metric", spec.evaluation.metric, default_metric(task), f"the usual one for a {task}"
    )
    document["deployment"] = resolving.deployment(document["name"])
    document["reasons"] = resolving.reasons
    resolved = validate_spec(document, f"{source}: the spec")
    framework = resolved.algorithm.script.framework if resolved.algorithm.script else None
    check_evaluation(resolved.evaluation, task, answering(resolved.algorithm.name, framework))
    # What only the whole data can tell is not known yet; completing the spec checks again.
    facts = DataFacts(task, has_validation=resolved.split.validation > 0, encoder=encoder["kind"])
    check(resolved.algorithm, facts, list(resolved.tuning.ranges) if resolved.tuning else [])
    if resolved.tuning is not None:
        check_tuning(resolved.tuning, resolved.algorithm, facts)
    return resolved


class _Resolving:
    """Chooses value by value, and notes the reasons."""

    def __init__(self, spec: Spec, columns: Mapping[str, ColumnSample], source: str) -> None:
        self.reasons: dict[str, str] = {}
        self._spec = spec
        self._columns = columns
        self._source = source

    def choose(self, key: str, given: str | None, default: str, reason: str) -> str:
        if given is not None:
            return given
        self.reasons[key] = reason
        return default

    def noted(self, chosen: tuple[dict[str, Any], dict[str, str]]) -> dict[str, Any]:  # Any: a part of a JSON document
        values, reasons = chosen
        self.reasons |= reasons
        return values

    def deployment(self, name: str) -> dict[str, Any] | None:  # Any: a JSON document
        given = self._spec.deployment
        if given is None:
            return None
        document = given.model_dump()
        document["endpoint"] = self.choose("deployment.endpoint", given.endpoint, name, "the name of the dataset")
        if given.serverless is None and given.instances is None:
            if given.needs_instances:
                document["instances"] = {}
                self.reasons["deployment.instances"] = f"{given.needs_instances} needs them: a serverless endpoint cannot have it"
            else:
                document["serverless"] = {}
                self.reasons["deployment.serverless"] = "the default: it costs nothing while nobody asks"
        return document

    def label(self) -> str:
        given = self._spec.dataset.label
        if given is not None:
            self._check_column(given, "dataset.label")
            return given
        if len(self._columns) < 2:
            raise InvalidDataset(
                f"{self._source} has one column, {next(iter(self._columns))!r}; a dataset has a label and at least one feature. "
                f"If it has more, separate them with a comma, semicolon, tab or |."
            )
        label, self.reasons["dataset.label"] = guess_label(self._columns)
        return label

    def task(self, label: ColumnSample) -> str:
        if self._spec.task is not None:
            return self._spec.task
        task, self.reasons["task"] = guess_task(label)
        return task

    def features(self, label: str) -> tuple[dict[str, str], dict[str, Any]]:  # Any: a JSON document
        """The feature columns with their kinds, and the encoder that reads them."""
        pixels = self._pixels(label)
        if pixels:
            return pixels, self._encoder(pixels)
        if self._spec.dataset.features is not None:
            return self._given_features(dict(self._spec.dataset.features), label)
        guesses = guess_features(self._columns, label)
        kinds = {name: guess.kind for name, guess in guesses.items() if guess.kind is not None}
        if not kinds:
            raise InvalidDataset(f"{self._source}: no column to learn from. {_why_not(guesses)}Name columns in dataset.features.")
        encoder = self._encoder(kinds)
        reads = _READS[encoder["kind"]]
        features = {name: kind for name, kind in kinds.items() if kind in reads}
        for name, guess in guesses.items():
            reason = f"{guess.kind}: {guess.reason}" if name in features else f"left out: {guess.reason}"
            if guess.kind is not None and name not in features:
                reason = f"left out: it holds {_plural(guess.kind)}, and the encoder {encoder['kind']} reads {_and(reads)} only"
            self.reasons[f"dataset.features.{name}"] = reason
        if not features:
            found = "; ".join(f"{name!r} holds {_plural(kind)}" for name, kind in kinds.items())
            raise InvalidSpec(
                f"the encoder {encoder['kind']} reads {_and(reads)}, and no column holds these: {found}. "
                f"Leave `encoder` out, or say what the columns hold in dataset.features."
            )
        return features, encoder

    def _given_features(self, features: dict[str, str], label: str) -> tuple[dict[str, str], dict[str, Any]]:  # Any: JSON
        for name in features:
            self._check_column(name, "dataset.features")
        if label in features:
            raise InvalidSpec(f"dataset.features names {label!r}, which is the label; name another label or leave it out.")
        encoder = self._encoder(features)
        reads = _READS[encoder["kind"]]
        unread = next((name for name, kind in features.items() if kind not in reads), None)
        if unread is not None:
            raise InvalidSpec(
                f"dataset.features says that {unread!r} holds {_plural(features[unread])}, and the encoder {encoder['kind']} "
                f"reads {_and(reads)} only. Leave the column out, or choose the encoder and the kinds so that they go together."
            )
        for name in self._columns:
            if name not in features and name != label:
                self.reasons[f"dataset.features.{name}"] = "left out: dataset.features does not name it"
        return features, encoder

    def _encoder(self, kinds: Mapping[str, str]) -> dict[str, Any]:  # Any: a JSON document
        if isinstance(self._spec.encoder, Image):
            return self._image(self._spec.encoder, kinds)
        if self._spec.encoder is not None:
            return self._spec.encoder.model_dump()
        texts = [name for name, kind in kinds.items() if kind == "text"]
        if self._spec.algorithm.name == "blazingtext":
            if not texts:
                raise InvalidSpec(f"the algorithm blazingtext learns from text, and {self._source} has no column of text.")
            self.reasons["encoder"] = "tokens, which is what blazingtext reads"
            return {"kind": "tokens"}
        if "pixel" in kinds.values():
            self.reasons["encoder"] = f"image, because of {sum(kind == 'pixel' for kind in kinds.values())} columns of pixels"
            return self._image(Image(), kinds)
        if texts:
            self.reasons["encoder"] = f"bag-of-words, because of the text in {_and([repr(name) for name in texts])}"
            return {"kind": "bag-of-words"}
        self.reasons["encoder"] = "table, because there is no column of text"
        return {"kind": "table"}

    def _pixels(self, label: str) -> dict[str, str]:
        """The columns of pixels, if these are images: enough columns that are called so, all of them numbers."""
        encoder = self._spec.encoder
        if self._spec.dataset.features is not None or not (encoder is None or encoder.kind == "image"):
            return {}
        pixels = [name for name, column in self._columns.items() if name != label and column.numeric and is_pixel_name(name)]
        if len(pixels) < (_FEWEST_PIXELS if encoder is None else 1):
            return {}
        self.reasons["dataset.features"] = f"pixel: {len(pixels)} columns, called {pixels[0]!r} to {pixels[-1]!r}"
        for name in self._columns:
            if name != label and name not in pixels:
                self.reasons[f"dataset.features.{name}"] = "left out: the other columns are the pixels of an image"
        return dict.fromkeys(pixels, "pixel")

    def _image(self, image: Image, kinds: Mapping[str, str]) -> dict[str, Any]:  # Any: a JSON document
        pixels = [name for name, kind in kinds.items() if kind == "pixel"]
        shape = shape_of(pixels, tuple(image.shape) if image.shape else None)
        if image.shape is None:
            self.reasons["encoder.shape"] = f"as the {len(pixels)} columns of pixels are called and counted"
        scale = image.scale
        if scale is None:
            values = [value for name in pixels for value in self._columns[name].distinct]
            large = any(is_number(value) and abs(float(value)) > 1 for value in values)
            scale = 1 / 255 if large else 1.0
            self.reasons["encoder.scale"] = "pixels go from 0 to 255" if large else "no pixel exceeds 1"
        return {"kind": "image", "shape": list(shape), "scale": scale}

    def _check_column(self, name: str, key: str) -> None:
        if name not in self._columns:
            near = difflib.get_close_matches(name, self._columns, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise InvalidDataset(
                f"{self._source}: no column {name!r}, which {key} names; the columns are {', '.join(self._columns)}.{hint}"
            )


def _why_not(guesses: Mapping[str, Guess]) -> str:
    return "".join(f"{name!r} is left out: {guess.reason}. " for name, guess in guesses.items())


def _plural(kind: str) -> str:
    return {"text": "text", "number": "numbers", "category": "categories", "pixel": "pixels"}[kind]


def _and(words: Iterable[str]) -> str:
    return " and ".join(_plural(word) if word in ("text", "number", "category", "pixel") else word for word in words)
