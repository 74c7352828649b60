"""What a person should know of how their data were read, in sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from sageline.arrays.number_spelling import Spelling
from sageline.arrays.numbers import MISSING, shown
from sageline.dataset.profile import ColumnProfile, DatasetProfile
from sageline.dataset.sniff import partly_dates
from sageline.encoder.values import alike, is_truth
from sageline.resolve.dates import about_order
from sageline.spec.encoder import ImageSpec
from sageline.spec.model import Spec

_SOME = 3
_MOST = 0.5
_MOST_CLASSES = 20


def about_label(label: ColumnProfile, task: str, no_label: Collection[str], *, is_number: bool) -> list[str]:
    """Rows without a label, words that may mean that there is none, and labels that look alike.

    Args:
        no_label: words in lower case that stand for no label, where labels are no numbers.
        is_number: words for a missing number are no labels.
    """
    warnings = []
    if is_number or task == "regression":
        words = dict(label.numbers.missing)
    else:
        words = {value: count for value, count in sorted(label.values.items()) if value.lower() in no_label}
    missing = label.empty + sum(words.values())
    if missing:
        spelled = f" ({_listed([shown(word) for word in words])})" if words else ""
        where = f"no label in {shown(label.name)}{spelled}"
        warnings.append(
            f"1 row has {where}; it is not used." if missing == 1 else f"{missing:,} rows have {where}; they are not used."
        )
    if task == "classification" and not is_number:
        doubtful = {
            value: count
            for value, count in sorted(label.values.items())
            if value.lower() in MISSING - {"none"} and value not in words
        }
        if doubtful:
            listed = _listed([f"{shown(value)} ({count:,})" for value, count in doubtful.items()])
            warnings.append(
                f"In {shown(label.name)}, {listed} are taken for labels; where they mean that none is known, empty them."
            )
    if task != "classification":
        return warnings
    return warnings + ([] if is_number else _about_several(label)) + _look_alike(label)


def about_passed_over(names: Sequence[str], columns: Mapping[str, ColumnProfile], label: str) -> list[str]:
    """Columns that are called as labels are, and of which there is nothing to learn."""
    warnings = []
    for name in names:
        held = f"{shown(next(iter(columns[name].values)))} in every row" if columns[name].values else "nothing"
        warnings.append(
            f"{shown(name)} is called as a label is and holds {held}, so {shown(label)} is predicted instead. If that is not "
            "what you want, upload rows of more than one label, or name the column to predict in `dataset.label`."
        )
    return warnings


def several_in_one(label: ColumnProfile) -> list[str]:
    """The labels that look like several: ``red|blue``."""
    return [value for value in label.values if "|" in value.strip("|")]


def _about_several(label: ColumnProfile) -> list[str]:
    joined = several_in_one(label)
    if not joined:
        return []
    rows = sum(label.values[value] for value in joined)
    have = "1 row has a label that looks" if rows == 1 else f"{rows:,} rows have labels that look"
    classes = "it is taken for a class of its own" if len(joined) == 1 else f"{len(joined):,} such labels are taken for classes"
    return [
        f"In {shown(label.name)}, {have} like several, such as {shown(joined[0])}: {classes}. A row has one label in "
        "Sageline; keep one of them where they are several."
    ]


def about_split(profile: DatasetProfile) -> list[str]:
    """Rows that are in the train files and in the test files of a dataset. They stay in both: whether equal rows are a mistake or
    are to be expected, as in a table of few answers, only a person knows."""
    shared = profile.shared.count()
    if profile.is_sample or not shared.rows:
        return []
    of_all = f"{'about ' if shared.estimated else ''}{shared.rows:,} of the {shared.test_rows:,}"
    return [
        f"{of_all} rows of the test files ({shared.rows / shared.test_rows:.1%}) are in "
        "the train files too, equal in every column. They are used in both, so the model is judged by rows that it has learnt: "
        "unless equal rows are to be expected, remove them from the train files."
    ]


def about_unknown_classes(left_out: Mapping[str, Counter[str]], *, files_say: bool) -> list[str]:
    """Classes that no train row has: the model does not know them, and their rows are not used.

    Args:
        left_out: rows of each such class, by channel.
        files_say: the dataset's files say which rows are held out.
    """
    counts: Counter[str] = sum(left_out.values(), Counter())
    if not counts:
        return []
    named = _listed([f"{shown(name)} ({count:,})" for name, count in counts.most_common()], most=_MOST_CLASSES)
    rows = "1 row is" if counts.total() == 1 else f"{counts.total():,} rows are"
    what = "A class is" if len(counts) == 1 else f"{len(counts):,} classes are"
    them = "it" if len(counts) == 1 else "them"
    advice = " to the train files" if files_say else " (equal rows stay together, so different ones), or change `split.seed`"
    return [
        f"{what} in no train row, so the model never answers {them}, and {rows} not used: {named}. Add rows of {them}{advice}."
    ]


def about_columns(spec: Spec, profile: DatasetProfile, spellings: Mapping[str, Spelling], ambiguous: Sequence[str]) -> list[str]:
    """What was left out for the sake of the text, numbers that may mean two things, and categories that look alike.

    Args:
        spec: resolved.
        spellings: of the columns that are read, where they are not plain.
        ambiguous: columns whose numbers may be spelled in two ways.
    """
    features = spec.dataset.features or {}
    warnings = _about_encoder(spec)
    unclear = [name for name in ambiguous if name in spellings]
    if unclear:
        other = "," if spellings[unclear[0]].decimal == "." else "."
        warnings.append(
            f"All numbers of {_listed(list(map(shown, unclear)))} would also fit the decimal sign {other!r}; "
            f'{{"dataset": {{"decimal": "{other}"}}}} says that it is this one.'
        )
    for name in [name for name, kind in features.items() if kind == "number" and profile.columns[name].numbers.leading_zeros]:
        count = profile.columns[name].numbers.leading_zeros
        begin = "begins with a zero, as a code does" if count == 1 else "begin with zeros, as codes do"
        say = f'{{"dataset": {{"kinds": {{"{name}": "category"}}}}}}'
        warnings.append(f"{count:,} of the numbers of {shown(name)} {begin}; {say} says that they are codes.")
    for name, kind in features.items():
        if kind == "date":
            warnings += about_order(profile, name, spec.encoder)
        if kind in ("category", "text"):
            warnings += _dates_among(profile.columns[name], kind) or _numbers_among(profile.columns[name], kind)
        if kind == "category" and not is_truth(profile.columns[name].values):
            warnings += _look_alike(profile.columns[name])
    return warnings


def how_columns_are_read(spec: Spec, profile: DatasetProfile, spellings: Mapping[str, Spelling]) -> list[str]:
    """What was read as it was meant, most likely: spellings of numbers, words for missing ones, spellings of one value."""
    notes = [*_how_images_are_read(spec), *dict.fromkeys(profile.notes)]
    few = {name: found for name in spellings if (found := profile.columns[name].numbers.few_spelled) is not None}
    for spelling in dict.fromkeys(spellings.values()):
        spelled = [shown(name) for name in spellings if spellings[name] == spelling and name not in few]
        if spelled:
            notes.append(f"The numbers of {_listed(spelled)} are read {spelling.words}.")
    for name, (count, example) in few.items():
        some = f"{shown(example.text.strip())}{profile.columns[name].located(example).place}"
        what = f"1 number, {some}, is" if count == 1 else f"{count:,} numbers, such as {some}, are"
        notes.append(f"In {shown(name)}, {what} read {spellings[name].words}; the others are plain.")
    kinds = {**(spec.dataset.features or {}), spec.dataset.label or "": "category" if spec.task == "classification" else ""}
    for name, kind in kinds.items():
        column = profile.columns[name]
        missing = column.missing_words if kind in ("number", "date") else None
        if missing:
            words = [f"{shown(word)} ({count:,})" for word, count in missing.most_common()]
            total = missing.total()
            values = "1 value is" if total == 1 else f"{total:,} values are"
            besides = f", besides {column.empty:,} empty ones" if column.empty else ""
            notes.append(f"In {shown(name)}, {values} taken for missing{besides}: {_listed(words)}.")
        elif kind == "category" and name != spec.dataset.label and is_truth(column.values) and len(column.values) > 2:
            values = _listed([shown(value) for value in column.values])
            notes.append(f"In {shown(name)}, {values} are read as one yes and one no, however they are spelled.")
        elif kind == "category" and column.joined:
            notes.append(f"In {shown(name)}, {_together(column.joined)} are one value.")
    return notes


def about_target(spec: Spec) -> list[str]:
    """That a regression learns logarithms, in which training's own metrics are."""
    if spec.target.transform != "log":
        return []
    return [
        f"The logarithms of {shown(spec.dataset.label or '')} are learnt, and the answers transformed back: evaluation and "
        "predictions are on its own scale, and training's own metrics are of the logarithms."
    ]


def about_weights(spec: Spec) -> list[str]:
    """Where rows count for more or less."""
    notes = []
    if spec.dataset.weight is not None:
        notes.append(f"Each row counts as {shown(spec.dataset.weight)} says, in training and in the metrics.")
    if spec.algorithm.class_weight is not None:
        notes.append("Classes are weighed in training only, and all alike in the metrics.")
    return notes


def _how_images_are_read(spec: Spec) -> list[str]:
    why = spec.reasons.get("encoder.shape")
    if not isinstance(spec.encoder, ImageSpec) or why is None or "image" not in (spec.dataset.features or {}).values():
        return []
    height, width, *channels = spec.encoder.shape or (0, 0)
    return [f"Images are resized to {height} x {width} pixels in {'colours' if channels == [3] else 'grey'}: {why}."]


def _about_encoder(spec: Spec) -> list[str]:
    others = [name for name in spec.left_out if "reads text only" in spec.reasons[f"dataset.features.{name}"]]
    if not others:
        return []
    left_out = _listed(list(map(shown, others)))
    return [f"Only the text is learnt from, because {spec.algorithm.name} reads nothing else; {left_out} are left out."]


def _dates_among(column: ColumnProfile, kind: str) -> list[str]:
    """That most of a column are dates, which are not read as such."""
    if column.dates.share <= _MOST or column.is_date:  # of which somebody has said that they are none
        return []
    return [
        f"In {shown(column.name)}, {partly_dates(column)}. Because of these it is taken for a {kind}; correct or empty them if "
        "it is to be a date."
    ]


def _numbers_among(column: ColumnProfile, kind: str) -> list[str]:
    """That most of a column are numbers, which are not read as such."""
    numbers = column.numbers
    if numbers.share <= _MOST or column.is_numeric:  # of which all are codes
        return []
    others = _listed([shown(text) for text in dict.fromkeys(example.text for example in numbers.odd_values)])
    return [
        f"{numbers.share:.0%} of the values in {shown(column.name)} are numbers. Because of others, such as {others}, it is "
        f"taken for a {kind}; correct these if it is to be a number."
    ]


def _look_alike(column: ColumnProfile) -> list[str]:
    groups = alike(column.values)
    if not groups:
        return []
    return [f"In {shown(column.name)}, {_together(groups)} look alike and are different values; make them equal if they are one."]


def _together(groups: Sequence[Sequence[str]]) -> str:
    return _listed([", ".join(map(shown, group[:4])) for group in groups], "; ")


def _listed(texts: Sequence[str], between: str = ", ", most: int = _SOME) -> str:
    more = len(texts) - most
    return between.join(texts[:most]) + (f" and {more} more" if more > 0 else "")
