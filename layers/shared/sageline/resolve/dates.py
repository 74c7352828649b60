"""How columns of dates spell them: as the spec says, or else as their values do."""

from __future__ import annotations

import json
from collections.abc import Mapping

from sageline.arrays.dates import DateFormat
from sageline.arrays.numbers import shown
from sageline.dataset.date_profile import DateProfile
from sageline.dataset.profile import DatasetProfile
from sageline.errors import InvalidDataset, InvalidSpec
from sageline.spec.encoder import ColumnsSpec, EncoderSpec

_ORDERS = {"day-first": "dmy", "month-first": "mdy"}
"""The orders by their names in the spec."""


def dates_of(profile: DatasetProfile, name: str, encoder: EncoderSpec | None) -> DateProfile:
    """What is known of a column's dates when days and months are in the order that the spec says, if it says one."""
    order = encoder.date_of(name).order if isinstance(encoder, ColumnsSpec) else None
    return profile.columns[name].dates.read_as(None if order is None else _ORDERS[order])


def date_formats_of(
    profile: DatasetProfile, features: Mapping[str, str], encoder: EncoderSpec | None, source: str
) -> dict[str, DateFormat]:
    """How the columns of dates spell them.

    Raises:
        InvalidSpec: a column that the spec calls one of dates holds none.
        InvalidDataset: day and month change places within columns, or are not in the order that the spec says; names the rows.
    """
    formats, contradictions = {}, dict[str, str]()
    for name in [name for name, kind in features.items() if kind == "date"]:
        dates = dates_of(profile, name, encoder)
        if not dates.may_be_dates:
            raise InvalidSpec(
                f"the spec says that {name!r} holds dates, and {source} has none there that can be read; say `category` or "
                f"`ignore`, or write them as 2021-05-30."
            )
        if dates.contradiction is not None:
            contradictions[name] = f"column {name!r}: {dates.contradiction}"
        formats[name] = dates.format()
    if contradictions:
        without = json.dumps({"dataset": {"exclude": list(contradictions)}}, ensure_ascii=False)
        said = f"{'; '.join(contradictions.values())}. Or leave out of the features what stays so: {without}."
        raise InvalidDataset(f"{source}: {said}", column=next(iter(contradictions)))
    return formats


def about_order(profile: DatasetProfile, name: str, encoder: EncoderSpec | None) -> list[str]:
    """That the order of day and month is a guess, and how to say the other one."""
    dates = dates_of(profile, name, encoder)
    if not dates.is_ambiguous:
        return []
    other = next(said for said, order in _ORDERS.items() if order != dates.format().order)
    spec = {"encoder": {"kind": "columns", "columns": {name: {"kind": "date", "order": other}}}}
    return [
        f"In {shown(name)} no date tells whether the day or the month comes first: {dates.example}. If that is wrong, say "
        f"{json.dumps(spec, ensure_ascii=False)} in the spec, or write them as 2021-05-30."
    ]
