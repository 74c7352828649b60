"""What a person should know of how their data were read, in sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sageline.dataset.profile import ColumnProfile, DatasetProfile
from sageline.encoder.numbers import is_missing, shown
from sageline.encoder.spelling import Spelling
from sageline.encoder.values import alike
from sageline.spec.model import Spec

_SOME = 3
_MOST = 0.5


def about_label(label: ColumnProfile, task: str, *, is_number: bool) -> list[str]:
    """Rows without a label, labels that were joined, and labels that look alike.

    Args:
        is_number: words for a missing number are no labels.
    """
    warnings = []
    words = list(label.numbers.missing) if is_number or task == "regression" else []
    missing = label.empty + sum(label.numbers.missing[word] for word in words)
    if missing:
        spelled = f" ({_listed([shown(word) for word in words])})" if words else ""
        where = f"no label in {shown(label.name)}{spelled}"
        warnings.append(
            f"1 row has {where}; it is not used." if missing == 1 else f"{missing:,} rows have {where}; they are not used."
        )
    if task != "classification":
        return warnings
    return warnings + ([] if is_number else _about_missing_classes(label)) + _about_values(label)


def about_columns(spec: Spec, profile: DatasetProfile, spellings: Mapping[str, Spelling], ambiguous: Sequence[str]) -> list[str]:
    """What was left out for the sake of the text, how numbers are spelled, what stands for a missing one, and which categories
    were joined or look alike.

    Args:
        spec: resolved.
        spellings: of the columns that are read, where they are not plain.
        ambiguous: columns whose numbers may be spelled in two ways.
    """
    features = spec.dataset.features or {}
    warnings = _about_encoder(spec)
    for spelling in dict.fromkeys(spellings.values()):
        spelled = [shown(name) for name in spellings if spellings[name] == spelling]
        warnings.append(f"The numbers of {_listed(spelled)} are read {spelling.words}.")
    unclear = [name for name in ambiguous if name in spellings]
    if unclear:
        other = "," if spellings[unclear[0]].decimal == "." else "."
        warnings.append(
            f"All numbers of {_listed(list(map(shown, unclear)))} would also fit the decimal sign {other!r}; "
            f'{{"dataset": {{"decimal": "{other}"}}}} says that it is this one.'
        )
    for name, kind in features.items():
        column = profile.columns[name]
        if kind == "number" and column.numbers.missing:
            words = [f"{shown(word)} ({count:,})" for word, count in column.numbers.missing.most_common()]
            count = column.numbers.missing.total()
            values = "1 value is" if count == 1 else f"{count:,} values are"
            warnings.append(f"In {shown(name)}, {values} taken for missing: {_listed(words)}.")
        elif kind in ("category", "text"):
            warnings += _about_numbers_among(column, kind) + (_about_values(column) if kind == "category" else [])
    return warnings


def _about_encoder(spec: Spec) -> list[str]:
    features = spec.dataset.features or {}
    kind = spec.encoder.kind if spec.encoder else ""
    others = [name for name in spec.left_out if "reads text only" in spec.reasons[f"dataset.features.{name}"]]
    if others:
        say = '{"encoder": {"kind": "table"}}'
        return [
            f"Only the text in {_listed(list(map(shown, features)))} is learnt from. Left out, because a model learns from texts "
            f"or from other columns: {_listed(list(map(shown, others)))}. {say} learns from these instead."
        ]
    return (
        [f"Learnt from as a {spec.reasons['encoder']}."]
        if kind == "table" and "quick look" in spec.reasons.get("encoder", "")
        else []
    )


def _about_numbers_among(column: ColumnProfile, kind: str) -> list[str]:
    """That most of a column are numbers, which are not read as such."""
    numbers = column.numbers
    if numbers.share <= _MOST:
        return []
    others = _listed([shown(text) for text in dict.fromkeys(numbers.odd_values)])
    return [
        f"{numbers.share:.0%} of the values in {shown(column.name)} are numbers. Because of others, such as {others}, it is taken for "
        f"a {kind}; correct these if it is to be a number."
    ]


def _about_missing_classes(label: ColumnProfile) -> list[str]:
    """Which classes are words that often stand for a missing value; ``none`` is a usual class."""
    counts = {text: count for text, count in label.values.most_common() if is_missing(text) and text.lower() != "none"}
    words = [f"{shown(text)} ({count:,})" for text, count in counts.items()]
    if not words:
        return []
    return [
        f"In {shown(label.name)}, {_listed(words)} {'is a class' if len(words) == 1 else 'are classes'} like the others. Leave "
        "the label empty where there is none: these rows are not used then."
    ]


def _about_values(column: ColumnProfile) -> list[str]:
    """Which spellings of a column are one value, and which values look alike."""
    warnings = []
    if joined := column.joined:
        warnings.append(f"In {shown(column.name)}, {_together(joined)} are one value.")
    if groups := alike(column.values):
        warnings.append(
            f"In {shown(column.name)}, {_together(groups)} look alike and are different values; make them equal if they are one."
        )
    return warnings


def _together(groups: Sequence[Sequence[str]]) -> str:
    return _listed([" and ".join(map(shown, group[:4])) for group in groups], "; ")


def _listed(texts: Sequence[str], between: str = ", ") -> str:
    more = len(texts) - _SOME
    return between.join(texts[:_SOME]) + (f" and {more} more" if more > 0 else "")
