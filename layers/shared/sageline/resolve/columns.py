"""What a run predicts and from which columns: what the spec says, and where it is silent, what the data look like."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping

from sageline.arrays.number_spelling import PLAIN, Spelling
from sageline.arrays.numbers import is_number, shown
from sageline.dataset.label import in_doubt, likely_labels, without_a_choice
from sageline.dataset.label_column import several_labels
from sageline.dataset.profile import ColumnProfile, DatasetProfile
from sageline.dataset.sniff import ColumnGuess, guess_features, guess_task
from sageline.encoder.image import is_pixel_name, shape_of
from sageline.errors import InvalidDataset, InvalidSpec
from sageline.formats.image_files import check_shape
from sageline.json_objects import Json
from sageline.resolve.dates import dates_of
from sageline.resolve.split import NOT_LEARNT_FROM
from sageline.resolve.warnings import several_in_one
from sageline.spec.encoder import ImageSpec
from sageline.spec.model import Spec

READS = {"columns": ("number", "category", "date", "text"), "tokens": ("text",), "image": ("pixel", "image")}
"""The kinds of columns that each kind of encoder reads."""

_PLURALS = {
    "text": "text",
    "number": "numbers",
    "category": "categories",
    "date": "dates",
    "pixel": "pixels",
    "image": "image files",
}
_IS_WEIGHT = "dataset.weight names it: it says how much a row counts"
_FEWEST_PIXELS = 16  # columns that are called so


class ColumnChoices:
    """Chooses label, task, features and encoder, and notes the reasons.

    Attributes:
        reasons: by key of the spec.
        passed_over: columns that are called as a label is, and hold the same in every row.
    """

    def __init__(self, spec: Spec, profile: DatasetProfile, source: str, name: str) -> None:
        self.reasons: dict[str, str] = {}
        self.passed_over: list[str] = []
        self._spec = spec
        self._profile = profile
        self._columns = profile.columns
        self._source = source
        self._name = name

    def label(self) -> str:
        """The column to predict.

        Raises:
            InvalidSpec: the spec names one that is not there.
            InvalidDataset: there is one column only, or two are about as likely.
        """
        given = self._spec.dataset.label
        if given is not None:
            self.check_column(given, "dataset.label")
            return given
        possible = {name: column for name, column in self._columns.items() if name not in self._not_label()}
        if len(self._columns) < 2 or not possible:
            raise InvalidDataset(
                f"{self._source} has one column, {next(iter(self._columns))!r}; a dataset has a label and at least one feature. "
                f"If it has more, separate them with a comma, semicolon, tab or |."
            )
        likely = likely_labels(possible, self._name)
        if in_doubt(likely) and self._spec.dataset.on_doubt == "refuse":
            first, second = likely[:2]
            say = json.dumps({"dataset": {"label": first.name}}, ensure_ascii=False)
            raise InvalidDataset(
                f"{self._source}: two columns are about as likely to be the label: {first.name!r} ({first.reason}), and "
                f"{second.name!r} ({second.reason}). Say which one: {say} as spec.json beside the data, or "
                f'`sageline submit --label`; `dataset.on_doubt: "likeliest"` would take {first.name!r}.'
            )
        if likely[0].name in self._profile.lists:
            problem = several_labels(self._source, likely[0].name).message
            raise InvalidDataset(
                f"{problem} It is taken for the label, as {likely[0].reason}; name another column in dataset.label if it is none."
            )
        self.passed_over = without_a_choice(possible, self._name, likely[0])
        self.reasons["dataset.label"] = "the folder that an image lies in" if self._profile.is_of_images else likely[0].reason
        if in_doubt(likely):
            self.reasons["dataset.label"] += f"; {likely[1].name!r} is about as likely ({likely[1].reason})"
        return likely[0].name

    def _not_label(self) -> set[str | None]:
        dataset = self._spec.dataset
        others = {self._spec.split.column, dataset.weight}
        return {*dataset.exclude, *dataset.kinds, *(dataset.features or {}), *others}

    def task(self, label: str) -> str:
        """``classification`` or ``regression``."""
        if self._spec.task is not None:
            return self._spec.task
        if self._profile.is_of_images:
            self.reasons["task"] = "the label is a folder"
            return "classification"
        column = self._columns[label]
        task, self.reasons["task"] = guess_task(column)
        joined = several_in_one(column) if task == "classification" else []
        if joined:
            rows = sum(column.values[value] for value in joined)
            self.reasons["task"] += f"; {rows:,} rows have one that looks like several labels, such as {shown(joined[0])}"
        return task

    def features(self, label: str, task: str) -> tuple[dict[str, str], Json]:
        """The feature columns with their kinds, and the encoder that reads them.

        Raises:
            InvalidSpec: the spec names a column that is not there, or that the encoder does not read.
            InvalidDataset: no column can be learnt from.
        """
        dataset = self._spec.dataset
        if dataset.weight is not None:
            self._check_weight(dataset.weight, label)
        for key, given in (("exclude", dataset.exclude), ("kinds", dataset.kinds), ("features", dataset.features or {})):
            for name in given:
                self.check_column(name, f"dataset.{key}")
        pixels = self._pixels(label)
        if pixels:
            return pixels, self._encoder(pixels, label, task)
        if dataset.features is not None:
            return self._given_features(dict(dataset.features), label, task)
        return self._guessed_features(label, task)

    def _guessed_features(self, label: str, task: str) -> tuple[dict[str, str], Json]:
        guesses = self._guesses(label)
        kinds = {name: guess.kind for name, guess in guesses.items() if guess.kind is not None}
        if not kinds:
            raise InvalidDataset(
                f"{self._source}: the label is {label!r}, and there is no column to learn from. {_why_not(guesses)}"
                "Name columns in dataset.features, or another label in dataset.label."
            )
        encoder = self._encoder(kinds, label, task)
        reads = READS[encoder["kind"]]
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

    def _guesses(self, label: str) -> dict[str, ColumnGuess]:
        dataset = self._spec.dataset
        split = self._spec.split
        no_features = {*dataset.exclude, dataset.weight, split.column if split.by in NOT_LEARNT_FROM else None}
        guessed = guess_features({name: column for name, column in self._columns.items() if name not in no_features}, label)
        guesses = {}
        for name in self._columns:
            if name == dataset.weight:
                guesses[name] = ColumnGuess(None, _IS_WEIGHT)
            elif name in dataset.exclude:
                guesses[name] = ColumnGuess(None, "dataset.exclude names it")
            elif name in no_features:
                guesses[name] = ColumnGuess(None, NOT_LEARNT_FROM[split.by])
            elif name in dataset.kinds:
                kind = dataset.kinds[name]
                how = f"; {dates_of(self._profile, name, self._spec.encoder).how}" if kind == "date" else ""
                guesses[name] = ColumnGuess(None if kind == "ignore" else kind, f"dataset.kinds says so{how}")
            elif name in guessed:
                guesses[name] = self._in_order(name, guessed[name])
        return guesses

    def _in_order(self, name: str, guess: ColumnGuess) -> ColumnGuess:
        """The guess, by the order of day and month that the spec says."""
        found, given = self._columns[name].dates, dates_of(self._profile, name, self._spec.encoder)
        is_other = guess.kind == "date" and found.reason != given.reason
        return guess._replace(reason=guess.reason.replace(found.reason, given.reason, 1)) if is_other else guess

    def _given_features(self, features: dict[str, str], label: str, task: str) -> tuple[dict[str, str], Json]:
        if label in features:
            raise InvalidSpec(f"dataset.features names {label!r}, which is the label; name another label or leave it out.")
        encoder = self._encoder(features, label, task)
        reads = READS[encoder["kind"]]
        unread = next((name for name, kind in features.items() if kind not in reads), None)
        if unread is not None:
            raise InvalidSpec(
                f"dataset.features says that {unread!r} holds {_plural(features[unread])}, and the encoder {encoder['kind']} "
                f"reads {_and(reads)} only. Leave the column out, or choose the encoder and the kinds so that they go together."
            )
        for name in self._columns:
            if name not in features and name != label:
                excluded = name in self._spec.dataset.exclude
                why = "dataset.exclude names it" if excluded else "dataset.features does not name it"
                why = _IS_WEIGHT if name == self._spec.dataset.weight else why
                self.reasons[f"dataset.features.{name}"] = f"left out: {why}"
        return features, encoder

    def _encoder(self, kinds: Mapping[str, str], label: str, task: str) -> Json:
        if isinstance(self._spec.encoder, ImageSpec):
            return self._image(self._spec.encoder, kinds)
        if self._spec.encoder is not None:
            return self._spec.encoder.model_dump()
        if self._spec.algorithm.name == "blazingtext":
            if "text" not in kinds.values():
                raise InvalidSpec(f"the algorithm blazingtext learns from text, and {self._source} has no column of text.")
            self.reasons["encoder"] = "tokens, which is what blazingtext reads"
            return {"kind": "tokens"}
        if "pixel" in kinds.values():
            self.reasons["encoder"] = f"image, because of {sum(kind == 'pixel' for kind in kinds.values())} columns of pixels"
            return self._image(ImageSpec(), kinds)
        if "image" in kinds.values():
            self.reasons["encoder"] = "image, because every row is an image file"
            return self._image(ImageSpec(), kinds)
        self.reasons["encoder"] = "columns: each column as its kind is"
        return {"kind": "columns"}

    def _pixels(self, label: str) -> dict[str, str]:
        """The columns of pixels, if these are images: enough columns that are called so, all of them numbers."""
        encoder = self._spec.encoder
        if self._spec.dataset.features is not None or not (encoder is None or encoder.kind == "image"):
            return {}
        pixels = [name for name, column in self._columns.items() if self._is_pixel(column, label)]
        if len(pixels) < (_FEWEST_PIXELS if encoder is None else 1):
            return {}
        self.reasons["dataset.features"] = f"pixel: {len(pixels)} columns, called {pixels[0]!r} to {pixels[-1]!r}"
        for name in self._columns:
            if name != label and name not in pixels:
                why = _IS_WEIGHT if name == self._spec.dataset.weight else "the other columns are the pixels of an image"
                self.reasons[f"dataset.features.{name}"] = f"left out: {why}"
        return dict.fromkeys(pixels, "pixel")

    def _is_pixel(self, column: ColumnProfile, label: str) -> bool:
        name = column.name
        dataset = self._spec.dataset
        return name not in (label, dataset.weight, *dataset.exclude) and column.is_numeric and is_pixel_name(name)

    def _image(self, image: ImageSpec, kinds: Mapping[str, str]) -> Json:
        files = [name for name, kind in kinds.items() if kind == "image"]
        if files:
            return self._image_files(image, files, kinds)
        pixels = [name for name, kind in kinds.items() if kind == "pixel"]
        shape = shape_of(pixels, tuple(image.shape) if image.shape else None)
        if image.shape is None:
            self.reasons["encoder.shape"] = f"as the {len(pixels)} columns of pixels are called and counted"
        scale = image.scale
        if scale is None:
            values = [value for name in pixels for value in self._columns[name].values]
            large = any(is_number(value) and abs(float(value)) > 1 for value in values)
            scale = 1 / 255 if large else 1.0
            self.reasons["encoder.scale"] = "pixels go from 0 to 255" if large else "no pixel exceeds 1"
        return {"kind": "image", "shape": list(shape), "scale": scale}

    def _image_files(self, image: ImageSpec, files: list[str], kinds: Mapping[str, str]) -> Json:
        if len(kinds) > 1:
            raise InvalidSpec(
                f"the encoder image reads one column of image files, and there are {_and(map(repr, kinds))}; leave all but one "
                "out with `dataset.exclude` or `dataset.features`."
            )
        shape, why = self._columns[files[0]].images or (tuple(image.shape or ()), None)
        if image.shape is None and not shape:
            raise InvalidSpec(
                f"`encoder.shape` is missing: say [height, width], or [height, width, 3] for colours, which the images in "
                f"{files[0]!r} are resized to."
            )
        check_shape(shape)
        if why is not None:
            self.reasons["encoder.shape"] = why
        if image.scale is None:
            self.reasons["encoder.scale"] = "the pixels of image files go from 0 to 255"
        return {"kind": "image", "shape": list(shape), "scale": image.scale or 1 / 255}

    def _check_weight(self, name: str, label: str) -> None:
        self.check_column(name, "dataset.weight")
        if name == label:
            raise InvalidSpec(f"`dataset.weight` names {name!r}, which is the label; take it out of one of the two.")
        column = self._columns[name]
        if not column.is_numeric:
            some = ", ".join(shown(example.text) for example in column.numbers.odd_values)
            raise InvalidDataset(
                f"{self._source}: `dataset.weight` names {name!r}, which holds no numbers{f' but {some}' if some else ''}. "
                "Name a column of numbers from 0 on."
            )

    def check_column(self, name: str, key: str) -> None:
        """Raise InvalidSpec where there is no such column; ``key`` of the spec names it."""
        if name not in self._columns:
            near = difflib.get_close_matches(name, self._columns, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise InvalidSpec(
                f"spec: `{key}` names {name!r}, and {self._source} has no such column; the columns are "
                f"{', '.join(self._columns)}.{hint}"
            )


def spellings_of(profile: DatasetProfile, decimal: str | None) -> tuple[dict[str, Spelling], list[str]]:
    """The spellings of number columns that are not plain; and the columns whose values can be read in two ways.

    What fits all values of a column is its spelling. Where both decimal signs do, the file's other columns decide; where these do
    not, the column is one of plain numbers, or of numbers in groups of three digits.

    Args:
        decimal: the sign that the spec says.
    """
    found = {name: column.numbers.spellings() for name, column in profile.columns.items() if column.is_numeric}
    certain = {spellings[0].decimal for spellings in found.values() if len(spellings) == 1 and spellings[0].decimal == ","}
    sign = decimal or ("," if certain else None)
    chosen: dict[str, Spelling] = {}
    ambiguous = []
    for name, spellings in found.items():
        if not spellings:
            continue
        of_sign = [spelling for spelling in spellings if spelling.decimal == sign]
        spelling = of_sign[0] if of_sign else Spelling(decimal) if decimal else spellings[0]
        if len(spellings) > 1 and decimal is None and spelling != PLAIN:
            ambiguous.append(name)
        if spelling != PLAIN:
            chosen[name] = spelling
    return chosen, ambiguous


def _why_not(guesses: Mapping[str, ColumnGuess]) -> str:
    return "".join(f"{name!r} is left out: {guess.reason}. " for name, guess in guesses.items())


def _plural(kind: str) -> str:
    return _PLURALS[kind]


def _and(words: Iterable[str]) -> str:
    *others, last = [_plural(word) if word in _PLURALS else word for word in words]
    return f"{', '.join(others)} and {last}" if others else last
