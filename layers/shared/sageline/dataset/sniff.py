"""Guessing what the columns of a dataset hold, from its first rows; every guess comes with its reason."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from sageline.dataset.blocks import Block
from sageline.encoder.numbers import DATE, is_missing, is_number, shown
from sageline.encoder.tokenizer import words_of
from sageline.errors import InvalidDataset

SAMPLE_ROWS = 20_000
_SAMPLE_CELLS = 4_000_000  # of tables with many columns fewer rows are looked at

LABEL_NAMES = (
    *("label", "labels", "target", "class", "y", "outcome", "tag", "tags", "category", "categories"),
    *("sentiment", "topic", "intent", "species"),
)
"""Names that label columns usually have, the surest first."""

TEXT_NAMES = {
    *("abstract", "body", "comment", "content", "description", "document", "headline", "message", "post", "query"),
    *("question", "review", "sentence", "subject", "summary", "text", "title", "tweet", "utterance"),
}
"""Names that text columns usually have."""

_MANY_WORDS = 5  # per value on average: more than a name or a category has
_WORDS_FROM = 500  # values
_FEW_CLASSES = 20
_ROWS_PER_CLASS = 3

_ID_NAME = re.compile(r"(^|[_\- .])(id|ids|uid|uuid|guid|key|index|idx|row|rowid|unnamed: 0)$", re.IGNORECASE)
_CAMEL_ID_NAME = re.compile(r"[a-z](Id|ID)$")
_UUID = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}", re.IGNORECASE)
_COMMA_NUMBER = re.compile(r"\s*[+-]?\d[\d.]*,\d+\s*", re.ASCII)


class Guess(NamedTuple):
    """What a column holds, or None when it is best left out, and why.

    Attributes:
        unsure: a text column that may as well be a name or a code.
    """

    kind: str | None
    reason: str
    unsure: bool = False


@dataclass(frozen=True)
class ColumnSample:
    """What the first values of a column look like.

    Attributes:
        rows: values looked at.
        distinct: different values, those that are missing aside.
        missing: values that a number column would take for missing.
    """

    name: str
    rows: int
    distinct: frozenset[str]
    missing: int
    numeric: bool
    whole: bool
    mean_words: float

    @classmethod
    def of(cls, name: str, values: list[str]) -> ColumnSample:
        numeric = all(is_number(value) or is_missing(value) for value in set(values))
        present = [value for value in values if not (is_missing(value) if numeric else value == "")]
        distinct = frozenset(present)
        whole = numeric and all(float(value).is_integer() for value in distinct)
        some = present[:_WORDS_FROM]
        mean_words = sum(len(words_of(value)) for value in some) / len(some) if some else 0.0
        return cls(name, len(values), distinct, len(values) - len(present), numeric and bool(distinct), whole, mean_words)

    @property
    def present(self) -> int:
        return self.rows - self.missing

    @property
    def is_unique(self) -> bool:
        return len(self.distinct) == self.present > 1

    @property
    def is_id(self) -> bool:
        """Names a row rather than describing it."""
        named = _ID_NAME.search(self.name) or _CAMEL_ID_NAME.search(self.name)
        if not self.is_unique or (self.numeric and not self.whole):
            return False
        return (named is not None and self.mean_words < _MANY_WORDS) or all(map(_UUID.fullmatch, self.distinct))

    @property
    def is_date(self) -> bool:
        return bool(self.distinct) and all(DATE.fullmatch(value.strip()) for value in self.distinct)

    @property
    def is_comma_number(self) -> bool:
        """Numbers in a spelling that is not read: 1,5 or 1,234."""
        spelled = [value for value in self.distinct if _COMMA_NUMBER.fullmatch(value)]
        return bool(spelled) and all(value in spelled or is_number(value) for value in self.distinct)

    def guess(self) -> Guess:
        """The kind of feature that the column is."""
        count = len(self.distinct)
        if not self.distinct:
            return Guess(None, "it is empty")
        if count == 1 and self.missing == 0 and self.rows > 1:
            return Guess(None, f"every row holds {shown(next(iter(self.distinct)))}")
        if self.is_id:
            return Guess(None, "it names the row: every value is different, and it is named or spelled like an id")
        if self.numeric:
            return Guess("number", "every value is a number")
        if self.is_date:
            return Guess(None, "it holds dates; make numbers of them (year, month, days since ...) to learn from them")
        if self.is_comma_number:
            return Guess(None, "its numbers hold commas; write 1.5 for 1,5 and 1234 for 1,234")
        about = f"{count} different values in {self.present} rows, {self.mean_words:.1f} words each"
        is_named_text = self.name.strip().lower() in TEXT_NAMES
        if self.mean_words >= _MANY_WORDS:
            return Guess("text", about)
        if count <= self.present / 2 and not (is_named_text and self.mean_words >= 2):
            return Guess("category", about)
        return Guess("text", f"{about}, and its name" if is_named_text else about, unsure=not is_named_text)


def sample_columns(blocks: Iterable[Block]) -> dict[str, ColumnSample]:
    """The columns of the first :data:`SAMPLE_ROWS` rows; reads no further than it must."""
    values: dict[str, list[str]] = {}
    rows = 0
    for block in blocks:
        wanted = min(SAMPLE_ROWS, max(1, _SAMPLE_CELLS // max(1, len(block.columns)))) - rows
        for name, column in block.columns.items():
            values.setdefault(name, []).extend(islice(column, wanted))
        rows += block.rows
        if block.rows >= wanted:
            break
    if rows == 0:
        raise InvalidDataset("the dataset has no rows.")
    return {name: ColumnSample.of(name, column) for name, column in values.items()}


def guess_label(columns: Mapping[str, ColumnSample]) -> tuple[str, str]:
    """The column to predict, and why."""
    by_name = {name.strip().lower(): name for name in reversed(list(columns))}
    for usual in LABEL_NAMES:
        if usual in by_name:
            return by_name[usual], f"its name is a usual one for labels ({usual})"
    none = "no column has a usual name for labels (label, target, class, ...)"
    guesses = {name: column.guess() for name, column in columns.items()}
    suitable = [name for name, guess in guesses.items() if guess.kind in ("number", "category") or guess.unsure]
    last = list(columns)[-1]
    if last in suitable or not suitable:
        return last, f"the last column; {none}"
    return suitable[-1], f"the last column that is neither text nor an id nor a date; {none}"


def guess_task(label: ColumnSample) -> tuple[str, str]:
    """``classification`` or ``regression``, and why."""
    count = len(label.distinct)
    about = f"the label {label.name!r} has {count} different values in {label.present} rows"
    if not label.numeric:
        return "classification", f"{about}, and not all are numbers"
    if not label.whole:
        return "regression", f"{about}, all numbers, some with a fraction"
    if count <= 2 or (count <= _FEW_CLASSES and label.present >= _ROWS_PER_CLASS * count):
        return "classification", f"{about}, all whole numbers: few enough to be classes"
    return "regression", f"{about}, all whole numbers: too many to be classes"


def guess_features(columns: Mapping[str, ColumnSample], label: str) -> dict[str, Guess]:
    """What each column but the label holds; unsure text counts where nothing better is there."""
    guesses = {name: column.guess() for name, column in columns.items() if name != label}
    sure = any(guess.kind is not None and not guess.unsure for guess in guesses.values())
    if not sure:
        return guesses
    why = "it is short text and nearly every value is different, like a name or a code"
    return {name: Guess(None, why) if guess.unsure else guess for name, guess in guesses.items()}
