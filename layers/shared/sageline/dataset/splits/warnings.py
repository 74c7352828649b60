"""What a person should know of how a split came out, in sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from sageline.arrays.numbers import shown
from sageline.dataset.split import CHANNELS
from sageline.spec.model import SplitSpec

_SOME = 5
_FAR = 0.5  # of the share that was asked for


def about_rows(split: SplitSpec, without_place: int, copies: Mapping[str, int], *, is_exact: bool) -> list[str]:
    """Rows that are not used because they say no time, or no channel, and those that an earlier share has too.

    Args:
        copies: rows of the latter kind, by channel.
        is_exact: whether rows were compared one by one.
    """
    warnings, column = [], shown(split.column or "")
    if without_place:
        have, used = ("row has", "it is") if without_place == 1 else ("rows have", "they are")
        what = f"{have} no time in {column}" if split.by == "time" else f"{have} neither train, validation nor test in {column}"
        warnings.append(f"{without_place:,} {what}; {used} not used.")
    parts = [f"{count:,} of {channel}" for channel, count in copies.items() if count]
    if not parts:
        return warnings
    total = sum(copies.values())
    some, equal, are = ("1 row", "equals a row", "is") if total == 1 else (f"{total:,} rows", "equal rows", "are")
    copied = f"{some} ({' and '.join(parts)}) {equal} of an earlier share in all columns but {column}"
    filtered = "" if is_exact else " Some may only be taken for equal: there are too many rows to compare each with each."
    if split.by == "given":
        warnings.append(
            f"{copied}. They are used in both, so the model is judged by rows that it has learnt: unless equal rows are to be "
            f"expected, remove them.{filtered}"
        )
    else:
        warnings.append(f"{copied}, and {are} not used: a model is not to be judged by rows that it has learnt.{filtered}")
    return warnings


def about_shares(split: SplitSpec, rows: Mapping[str, int]) -> list[str]:
    """Shares that are far from those asked for, because groups, or the rows of one time, are large.

    Args:
        rows: by channel, those included that are not used because an earlier share has them.
    """
    wanted = [getattr(split, channel) for channel in CHANNELS]
    total = sum(rows.values())
    if split.by not in ("time", "group") or not total:
        return []
    found = [rows[channel] / total for channel in CHANNELS]
    if all(abs(share - asked) <= _FAR * asked for share, asked in zip(found, wanted, strict=True)):
        return []
    of_each = "some of its values have many rows" if split.by == "group" else "many rows have the same one"
    return [
        f"Of the rows {_shares(found)} train, validate and test, and {_shares(wanted)} were asked for: the split goes by "
        f"{shown(split.column or '')}, and {of_each}."
    ]


def _shares(shares: Sequence[float]) -> str:
    *others, last = [f"{share:.1%}" for share in shares]
    return f"{', '.join(others)} and {last}"


def about_classes(split: SplitSpec, classes: Mapping[str, Counter[str]]) -> list[str]:
    """Classes of train that are not in each other share.

    Args:
        classes: channel to the rows of each class.
    """
    shares = [channel for channel in CHANNELS if getattr(split, channel) > 0]
    everywhere: Counter[str] = sum(classes.values(), Counter())
    lacking = {label: [share for share in shares if not classes[share][label]] for label in sorted(classes["train"])}
    lacking = {label: missing for label, missing in lacking.items() if missing}
    if not lacking:
        return []
    are = "class is" if len(lacking) == 1 else "classes are"
    said = [f"{shown(label)} ({_rows(everywhere[label])}, none in {' and '.join(lacking[label])})" for label in lacking]
    why = f"; it takes {len(shares)} different rows to be in each" if split.by == "hash" else ""
    return [f"{len(lacking):,} {are} not in each share of the split{why}: {_listed(said)}."]


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"


def _listed(texts: Sequence[str]) -> str:
    more = len(texts) - _SOME
    return ", ".join(texts[:_SOME]) + (f" and {more:,} more" if more > 0 else "")
