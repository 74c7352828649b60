"""What the model was trained on: rows, labels and columns, from ``data/profile.json``."""

from __future__ import annotations

from collections.abc import Mapping

from sageline.report.data import ReportData
from sageline.report.drawing.figures import as_number, count, number, part
from sageline.report.drawing.markup import Child, Markup, element
from sageline.report.drawing.tables import Section, bar, facts, folded_table, section, table

_CHANNELS = ("train", "validation", "test")
_SHOWN_CLASSES, _SHOWN_COLUMNS, _SHOWN_VALUES = 12, 25, 20
_MOST_ROWS = 500
_STATISTICS = ("minimum", "mean", "maximum", "std")


def dataset_section(data: ReportData) -> Section | None:
    if not data.profile:
        return None
    rows = part(data.profile, "rows")
    label = part(data.profile, "label")
    left_out = as_number(rows.get("left_out"))
    split = {channel: as_number(rows.get(channel)) for channel in _CHANNELS}
    written = sum(value or 0 for value in split.values())
    return section(
        "dataset",
        "Dataset",
        facts(
            {
                "data": data.dataset_uri,
                "rows": number(as_number(rows.get("total"))),
                "label": _text(label.get("column")),
                "columns of an encoded row": _number_or_none(data.profile.get("feature_dim")),
                "left out": f"{count(int(left_out), 'row')} whose class has no row in train" if left_out else None,
            }
        ),
        table(
            "How the rows were split",
            ("part", "rows", "share"),
            [(channel, number(value), _share_bar(value or 0, written)) for channel, value in split.items()],
            numeric=(1,),
        ),
        _classes(part(label, "classes")),
        _label_numbers(label),
        _columns(part(data.profile, "columns")),
        _most_frequent(data),
    )


def _share_bar(value: float, whole: float) -> Markup:
    share = value / whole if whole else 0.0
    return bar(share, f"{100 * share:.1f} %")


def _classes(classes: Mapping[str, object]) -> Markup | None:
    """Rows of each class, the most frequent first, with its share of the train rows."""
    by_channel = {channel: part(classes, channel) for channel in _CHANNELS}
    labels = list(dict.fromkeys(label for channel in by_channel.values() for label in channel))
    if not labels:
        return None
    train = by_channel["train"]
    total = sum(as_number(value) or 0 for value in train.values())

    def row(label: str) -> tuple[Child, ...]:
        counts = (as_number(by_channel[channel].get(label)) or 0 for channel in _CHANNELS)
        return label, *map(number, counts), _share_bar(as_number(train.get(label)) or 0, total)

    columns = ("class", *_CHANNELS, "share of train")
    rows = [row(label) for label in labels[:_MOST_ROWS]]
    return folded_table("Rows of each class", "classes", columns, rows, _SHOWN_CLASSES, total=len(labels), numeric=(1, 2, 3))


def _label_numbers(label: Mapping[str, object]) -> Markup | None:
    """The values of a regression's label."""
    known = {name: as_number(label.get(name)) for name in (*_STATISTICS, "missing")}
    if all(value is None for value in known.values()):
        return None
    return table(
        "Values of the label",
        ["label", *known],
        [[_text(label.get("column")), *map(number, known.values())]],
        numeric=range(1, 6),
    )


def _columns(columns: Mapping[str, object]) -> Markup | None:
    if not columns:
        return None
    rows = [_column(name, part(columns, name)) for name in list(columns)[:_MOST_ROWS]]
    heads = ("column", "kind", "missing", "different values", *_STATISTICS)
    return folded_table("Columns of the dataset", "columns", heads, rows, _SHOWN_COLUMNS, total=len(columns), numeric=range(2, 8))


def _column(name: str, profile: Mapping[str, object]) -> list[Child]:
    """The statistics of a column; those of a text are of its length."""
    length = part(profile, "characters")
    estimate = as_number(profile.get("distinct_estimate"))
    different = f"about {number(estimate)}" if estimate is not None else number(as_number(profile.get("distinct")))
    unit = " char." if length else ""
    statistics = [as_number((length or profile).get(key)) for key in _STATISTICS]
    return [
        name,
        _text(profile.get("kind")),
        number(as_number(profile.get("missing"))),
        different,
        *(number(value) + (unit if value is not None else "") for value in statistics),
    ]


def _most_frequent(data: ReportData) -> Markup | None:
    """The most frequent words of a text."""
    features = part(data.profile or {}, "features")
    words = features.get("most_frequent")
    pairs = list(words.items()) if isinstance(words, Mapping) else words if isinstance(words, list) else []
    found = [pair for pair in pairs if isinstance(pair, (list, tuple)) and len(pair) == 2][:_SHOWN_VALUES]
    if not found:
        return None
    said = ", ".join(f"{word} ({number(as_number(times))})" for word, times in found)
    different = as_number(features.get("different_words"))
    return element(
        "p",
        element("strong", "Most frequent words of train: "),
        said,
        f"; {number(different)} different words." if different else ".",
    )


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _number_or_none(value: object) -> str | None:
    known = as_number(value)
    return None if not known else number(known)
