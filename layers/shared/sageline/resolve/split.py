"""How the rows of a dataset are split: what the spec says against what the data have, and what may be more honest."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta

import numpy as np

from sageline.arrays.dates import read_dates
from sageline.arrays.numbers import MISSING, BadNumber, parse_doubles, shown
from sageline.arrays.strings import StringArray
from sageline.dataset import column_names
from sageline.dataset.profile import ColumnProfile, DatasetProfile
from sageline.dataset.split import PositionArray
from sageline.dataset.splits.standing import GIVEN_WORDS
from sageline.errors import InvalidDataset, InvalidSpec
from sageline.json_objects import Json
from sageline.spec.model import Spec, SplitSpec

NOT_LEARNT_FROM = {
    "group": "the split goes by it, so that the test rows have none of the values that train has",
    "given": "the split goes by it",
}
"""Why a split's column is no feature, by what the split goes by."""

_USUAL = "by hash, the usual one: any row may test"
_FEWEST_TIMES, _FEWEST_GROUPS = 20, 10
_SORTED_FROM = 0.95
_PRESENT_FROM = 0.9


def resolved_split(spec: Spec, profile: DatasetProfile, label: str, source: str, reasons: dict[str, str]) -> SplitSpec:
    """The split of the spec, checked against the data; the reasons get what was chosen, and what may be better.

    Raises:
        InvalidSpec: the data do not have what the split goes by.
        InvalidDataset: they do not have enough of it.
    """
    split = spec.split
    if profile.has_sides:
        if split.by in ("time", "group") or split.column is not None:
            raise InvalidSpec(
                f'`split.by` is "{split.by}", and the files of {source} say which rows test: train* and test*. Leave `split.by` '
                "out, or name the files data*."
            )
        reasons["split.by"] = "the files train* and test* say which rows test"
        return split.model_copy(update={"by": "given"})
    if split.by == "given" and split.column is None:
        raise InvalidSpec(
            f'`split.by` is "given", and {source} has no files train* and test*. Name the column that says which rows train and '
            "which test in `split.column`, or upload such files."
        )
    if split.column is not None:
        _check_column(spec, profile, split.column, label, source)
    elif "by" not in split.model_fields_set and not profile.is_of_images:
        reasons["split.by"] = "; ".join([_USUAL, *_proposals(profile, split, label)])
    return split


def time_kind(spec: Spec, profile: DatasetProfile, features: Mapping[str, str], source: str) -> str | None:
    """``date`` or ``number``: what the column of times holds; None for a split by anything else.

    Raises:
        InvalidSpec: neither.
    """
    name = spec.split.column
    if spec.split.by != "time" or name is None:
        return None
    column = profile.columns[name]
    if features.get(name) in ("date", "number"):
        return features[name]
    if column.is_date or column.is_numeric:
        return "date" if column.is_date else "number"
    some = [*map(str, column.dates.odd_values), *(shown(example.text) for example in column.numbers.odd_values)][:1]
    such = f", such as {some[0]}" if some else ""
    raise InvalidSpec(
        f"`split.column` names {name!r}, and a split by time needs a column of dates or numbers; {source} has others there{such}."
        " Write dates as 2021-05-30, or name another column."
    )


def about_time(spec: Spec, features: Mapping[str, str], reasons: dict[str, str]) -> None:
    """Note what it means that the time is a feature too."""
    name = spec.split.column
    if spec.split.by == "time" and name in features:
        reasons["split.column"] = (
            f"{name!r} is learnt from too, and in the test rows it goes beyond what train has, where trees answer as for the "
            f"last time that they know; {_json({'dataset': {'exclude': [name]}})} leaves it out"
        )


def says_validation(profile: DatasetProfile, split: SplitSpec) -> bool:
    """Whether the column of a split that is given has validation rows, whatever the shares of the spec."""
    if split.by != "given" or split.column is None:
        return False
    return any(GIVEN_WORDS.get(value.lower()) == 1 for value in profile.columns[split.column].values)


def about_validation(profile: DatasetProfile, split: SplitSpec) -> list[str]:
    """That a column which names no validation rows has some taken out of its train rows."""
    if split.by != "given" or split.column is None or not split.validation or says_validation(profile, split):
        return []
    return [
        f"No row is called a validation row in {shown(split.column)}: some are taken out of its train rows, by the shares of "
        "`split` without `test`."
    ]


def about_groups(profile: DatasetProfile, split: SplitSpec) -> list[str]:
    """Rows that are of no group."""
    if split.by != "group" or split.column is None:
        return []
    column = profile.columns[split.column]
    missing = column.missing
    if not column.is_numeric:
        missing += sum(count for value, count in column.values.items() if value.lower() in MISSING)
    if not missing:
        return []
    what = "1 row has nothing" if missing == 1 else f"{missing:,} rows have nothing"
    return [f"{what} in {shown(column.name)}, by which the split goes; each is taken for a group of its own."]


def _check_column(spec: Spec, profile: DatasetProfile, name: str, label: str, source: str) -> None:
    by, dataset = spec.split.by, spec.dataset
    if name == label:
        raise InvalidSpec(f"`split.column` names {name!r}, which is the label; name another column, or split by hash.")
    if by in NOT_LEARNT_FROM and (name in (dataset.features or {}) or dataset.kinds.get(name, "ignore") != "ignore"):
        key = "features" if name in (dataset.features or {}) else "kinds"
        raise InvalidSpec(
            f'`dataset.{key}` names {name!r}, and with `"by": "{by}"` it is not learnt from: {NOT_LEARNT_FROM[by]}. Take it out '
            f"of `{key}`."
        )
    column = profile.columns[name]
    if not profile.is_sample and column.distinct < 2:
        holds = f"only {shown(next(iter(column.values)))}" if column.values else "nothing"
        raise InvalidDataset(
            f"{source}: the split goes by the column {name!r}, which holds {holds}, so there is nothing to part. Name another "
            "column in split.column, or split by hash."
        )


def _proposals(profile: DatasetProfile, split: SplitSpec, label: str) -> list[str]:
    """Splits that would be more honest, if the columns are what they look like; nobody but a person knows."""
    columns = [column for name, column in profile.columns.items() if name != label]
    times = [(column, _times(column, profile)) for column in columns if _may_be_time(column)]
    sorted_first = sorted(times, key=lambda item: not _is_sorted(item[1]))
    found = []
    for column, seconds in sorted_first[:1]:
        if column.is_date or _is_sorted(seconds):
            found.append(_about_time(column, seconds, split))
    groups = [column for column in columns if _may_be_group(column)]
    if groups:
        found.append(_about_group(min(groups, key=lambda column: not column_names.is_owner(column.name))))
    return found


def _may_be_time(column: ColumnProfile) -> bool:
    """Whether it may say when each row was: a date, or a number that is called a time, in nearly every row."""
    if column_names.is_birth(column.name) or column.distinct < _FEWEST_TIMES:
        return False
    if column.is_date and column.dates.contradiction is not None:
        return False  # a split by it would be refused
    is_time = column.is_numeric and column_names.is_time(column.name) and not column.numbers.counts_rows
    return (column.is_date or is_time) and column.present >= _PRESENT_FROM * column.rows


def _times(column: ColumnProfile, profile: DatasetProfile) -> PositionArray:
    """Those of the sample, in the order of the file."""
    texts = StringArray.from_list(profile.sample.columns[column.name])
    if column.is_date:
        times = read_dates(texts, column.dates.format()).seconds
    else:
        try:
            times = parse_doubles(texts)
        except BadNumber:
            return np.zeros(0)
    return times[~np.isnan(times)]


def _is_sorted(times: PositionArray) -> bool:
    steps = np.diff(times)
    return len(np.unique(times)) >= _FEWEST_TIMES and bool(max((steps >= 0).mean(), (steps <= 0).mean()) >= _SORTED_FROM)


def _about_time(column: ColumnProfile, times: PositionArray, split: SplitSpec) -> str:
    sorted_by = "the rows are in the order of" if _is_sorted(times) else "each row has a date,"
    since = ""
    if column.is_date and len(times):
        first = datetime(1970, 1, 1) + timedelta(seconds=float(np.quantile(times, 1 - split.test)))
        since = f", those from about {first:%Y-%m-%d} on"
    return (
        f"{sorted_by} {column.name!r}: if the model is to answer about later rows, {_say('time', column.name)} trains on the "
        f"earlier rows and tests on the last {split.test:.0%}{since}, and tells better what it will be worth"
    )


def _may_be_group(column: ColumnProfile) -> bool:
    """Whether it may say whose each row is: a name or number, by what it is called, of which most come several times."""
    is_called_so = column_names.is_id(column.name) or column_names.is_owner(column.name)
    is_name = not column.is_numeric or column.is_whole
    repeats = _FEWEST_GROUPS <= column.distinct <= column.present / 2
    return is_called_so and is_name and repeats and not column_names.is_code(column.name) and not column.is_date


def _about_group(column: ColumnProfile) -> str:
    each = column.present / column.distinct
    return (
        f"{column.distinct:,} values of {column.name!r} come {each:.1f} times each: rows of one are in train and in test, so the "
        f"model is judged by what it has met; {_say('group', column.name)} keeps each on one side, and does not learn from it"
    )


def _say(by: str, column: str) -> str:
    return _json({"split": {"by": by, "column": column}})


def _json(document: Json) -> str:
    return json.dumps(document, ensure_ascii=False)
