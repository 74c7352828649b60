"""The first lines about a run: what it predicts, from which columns, what it leaves out and why."""

from __future__ import annotations

import json

from rich.text import Text

from sageline.json_objects import Json
from sageline_cli.warning_lines import warning

_SOME = 8  # columns, or reasons to leave some out
PLURALS = {
    "number": "numbers",
    "category": "categories",
    "date": "dates",
    "text": "texts",
    "pixel": "pixels",
    "image": "image files",
}


def schema_lines(run: Json) -> list[Text]:
    """What a run predicts from which columns, each note and warning, and how to say otherwise; nothing before the data were
    read."""
    schema: Json | None = (run.get("details") or {}).get("schema")
    if not schema:
        return []
    name = next(iter(schema["features"]), "COLUMN")
    other: Json = {"exclude": [name]} if len(schema["features"]) > 1 else {"kinds": {name: "category"}}
    say = json.dumps({"dataset": other}, ensure_ascii=False)
    how = f"--label COLUMN, or --spec FILE with a line such as {say}"
    if list(schema["features"].values()) == ["image"]:
        how = '--spec FILE with a line such as {"encoder": {"kind": "image", "shape": [64, 64, 3]}}'
    return [
        *reading_lines(schema),
        *map(warning, schema.get("warnings") or []),
        Text(f"To say otherwise: {how} (docs/spec.md).", style="dim"),
    ]


def reading_lines(schema: Json) -> list[Text]:
    """A paragraph for the label, the columns, each reason to leave some out, which rows test unless any may, what is noted of how
    they are read, and each change that reading all rows has made."""
    return [
        Text.assemble("Predicts ", (schema["label"], "bold"), f" ({schema['task']}): {schema['why']}."),
        Text(f"From {_columns(schema)}."),
        *(Text(f"Left out: {line}.") for line in _left_out(schema)),
        *(Text(f"Tests on {line}.") for line in _tested(schema.get("split") or {"by": "hash"})),
        *(Text.assemble(("Note: ", "bold"), note) for note in schema.get("notes") or []),
        *(Text(f"Changed when every row was read: {change}") for change in schema.get("changes") or []),
    ]


def _columns(schema: Json) -> str:
    kinds: Json = schema["kinds"]
    names = list(schema["features"])
    if len(names) == 1:
        return f"the column {names[0]} ({schema['features'][names[0]]})"
    return counted(kinds) + (f": {_listed(names)}" if names else "")


def counted(kinds: Json) -> str:
    """How many columns there are, and how many of each kind: ``3 columns (2 numbers, 1 text)``."""
    total = sum(kinds.values())
    of_kind = ", ".join(f"{count:,} {PLURALS[kind] if count > 1 else kind}" for kind, count in kinds.items())
    return f"{total:,} column{'s' if total > 1 else ''} ({of_kind})"


def _left_out(schema: Json) -> list[str]:
    """Columns with the reason that they have in common."""
    by_reason: dict[str, list[str]] = {}
    for name, reason in schema["left_out"].items():
        by_reason.setdefault(reason, []).append(name)
    lines = [
        f"{_listed(names)}, {'each ' if len(names) > 1 else ''}because {reason}"
        for reason, names in list(by_reason.items())[:_SOME]
    ]
    more = schema["left_out_in_all"] - sum(len(names) for names in list(by_reason.values())[:_SOME])
    return [*lines, f"{more:,} more columns (sageline show has the reasons)"] if more else lines


def _tested(split: Json) -> list[str]:
    """Which rows test, where it is not by hash."""
    by, column = split["by"], split.get("column")
    said = f"that {column!r} says" if column else "of the test files"
    lines = {
        "time": f"the rows with the latest {column!r}",
        "group": f"the rows of some values of {column!r}, of which none trains",
        "given": f"the rows {said}",
    }
    return [lines[by]] if by in lines else []


def _listed(names: list[str]) -> str:
    more = len(names) - _SOME
    return ", ".join(map(_told_apart, names[:_SOME])) + (f" and {more} more" if more > 0 else "")


def _told_apart(name: str) -> str:
    return repr(name) if "," in name else name
