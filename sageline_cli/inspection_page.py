"""What would be made of a dataset, for a person: sentences, a table of the columns, and the spec to edit."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from shlex import quote

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from sageline.json_objects import Document, Json
from sageline.resolve.inspection import some_of_each_kind
from sageline_cli.algorithm_lines import sentence, without
from sageline_cli.schema_lines import PLURALS, counted
from sageline_cli.warning_lines import warning

_SHOWN_COLUMNS = 40
_SHOWN_FEATURES = 20  # in a spec
_WIDE = 110  # characters: enough for examples and reasons side by side
_NAME_WIDTHS = {True: 26, False: 16}
_EXAMPLES_WIDTH = 36
_BETWEEN = 14  # characters between and beside the columns of a narrow table
_PLAIN = "every value is a number"


def page(document: Document, spec_file: Path | None, asked: Sequence[str] = ()) -> RenderableType:
    """The document of :func:`sageline.resolve.inspection.inspect`.

    Args:
        spec_file: where the spec was written to.
        asked: the options by which the same is asked of a run.
    """
    parts: list[RenderableType] = [*_beginning(document), _Columns(document), *_columns_not_shown(document)]
    parts += [Text.assemble(("Mistake: ", "bold red"), text) for text in document["mistakes"]]
    parts += [warning(text) for text in document["warnings"]]
    parts += [Text.assemble(("Note: ", "bold"), text) for text in document["notes"]]
    return Group(*parts, *_to_edit(document, spec_file, asked))


def _beginning(document: Document) -> list[Text]:
    label, reasons = document["label"], document["reasons"]
    rows = f"{document['rows']:,} row{'s' if document['rows'] != 1 else ''}"
    lines = [
        Text.assemble((document["source"], "bold"), f": {rows}, {document['column_count']:,} columns"),
        Text.assemble("Predicts ", (label["name"], "bold"), f" ({document['task']}): {label['reason']}."),
    ]
    if task := reasons.get("task"):
        lines.append(Text(f"A {document['task']}, because {task}."))
    if label["classes"] is not None:
        lines.append(Text(f"{_classes(document)}."))
    left_out = f"; {document['left_out']:,} left out" if document["left_out"] else ""
    lines.append(Text(f"Learns from {counted(document['kinds'])}{left_out}."))
    lines += [Text(line) for line in _algorithms(document)]
    if by := reasons.get("split.by"):
        lines.append(Text(f"Splits the rows {by}." if by.startswith("by hash") else f"Split: {by}."))
    return lines


def _algorithms(document: Document) -> list[str]:
    """What is trained, and how each algorithm reads the columns."""
    trained, reasons = document["algorithms"], document["reasons"]
    lines = [f"{sentence(reasons['algorithm.name'])}.", *without(reasons)] if "algorithm.name" in reasons else []
    encoded: dict[str, list[str]] = {}
    for each in trained:
        if each["encoder"]:
            encoded.setdefault(_encoded(each), []).append(each["algorithm"])
    for how, names in encoded.items():
        lines.append(f"Encodes them {how}." if len(encoded) == 1 else f"Encodes them for {' and '.join(names)} {how}.")
    return lines + [f"{each['algorithm']} has {each['trials']} trials." for each in trained if each["trials"]]


def _encoded(algorithm: Json) -> str:
    how = algorithm["reasons"].get("encoder.layout") or f"as {algorithm['reasons'].get('encoder', algorithm['encoder'])}"
    return how + "".join(f"; {PLURALS.get(kind, kind)} with {_listed(given)}" for kind, given in algorithm["options"].items())


def _listed(options: Json) -> str:
    return ", ".join(f"{name} {str(value).lower() if isinstance(value, bool) else value}" for name, value in options.items())


def _classes(document: Document) -> str:
    label = document["label"]
    total = round(document["rows"] * (1 - label["missing"])) or 1
    shares = [f"{name} {count / total:.0%}" for name, count in label["classes"].items()]
    more = label["distinct"] - len(shares)
    classes = "1 class" if label["distinct"] == 1 else f"{label['distinct']:,} classes"
    return f"{classes}: {', '.join(shares)}" + (f" and {more:,} more" if more > 0 else "")


class _Columns:
    """A table with a row for each column; where the page is narrow, a reason stands below the examples."""

    def __init__(self, document: Document) -> None:
        self._columns: list[Json] = _shown(document["columns"])

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        is_wide = options.max_width >= _WIDE
        table = Table(box=SIMPLE_HEAD, pad_edge=False)
        table.add_column("column", overflow="fold", max_width=_NAME_WIDTHS[is_wide])
        table.add_column("taken for", no_wrap=True)
        table.add_column("missing", justify="right", no_wrap=True)
        table.add_column("different", justify="right", no_wrap=True)
        if is_wide:
            table.add_column("for example", no_wrap=True)
            table.add_column("why")
        else:
            table.add_column("for example, and why")
        width = _EXAMPLES_WIDTH if is_wide else max(_EXAMPLES_WIDTH // 2, options.max_width - self._others_width())
        for column in self._columns:
            table.add_row(*_cells(column, width, is_wide=is_wide))
        yield table

    def _others_width(self) -> int:
        """What the columns in front of the examples take on a narrow page, with what parts them."""
        names = max((cell_len(column["name"]) for column in self._columns), default=0)
        counts = max((len(_count(column)) for column in self._columns), default=0)
        return (
            min(max(names, len("column")), _NAME_WIDTHS[False])
            + len("taken for" + "missing")
            + max(counts, len("different"))
            + _BETWEEN
        )


def _shown(columns: list[Json]) -> list[Json]:
    """Some of each kind; of pixels, which are all alike, only the first."""
    pixels = [column for column in columns if column["kind"] == "pixel"]
    others = [column for column in columns if column not in pixels[1:]]
    return some_of_each_kind(others, lambda column: column["kind"], _SHOWN_COLUMNS)


def _cells(column: Json, width: int, *, is_wide: bool) -> list[RenderableType]:
    kind = column["kind"]
    why = "" if column["reason"] == _PLAIN else column["reason"]
    between = "; " if any("," in example for example in column["examples"]) else ", "
    examples = Text(between.join(column["examples"]))
    examples.truncate(width, overflow="ellipsis")
    lines = [text for text in (examples, Text(why, "dim")) if text]
    about: list[RenderableType] = [examples, Text(why)] if is_wide else [Group(*lines)]
    return [
        Text(column["name"], "bold" if kind else "dim"),
        Text(kind) if kind else Text("left out", "dim"),
        Text(_share(column["missing"])),
        Text(_count(column)),
        *about,
    ]


def _count(column: Json) -> str:
    return f"{'~' if column['is_estimate'] else ''}{column['distinct']:,}"


def _share(missing: float) -> str:
    """A share that is not zero is not shown as such."""
    if missing == 0:
        return ""
    return "< 1%" if missing < 0.005 else f"{missing:.0%}"


def _columns_not_shown(document: Document) -> list[Text]:
    more = document["column_count"] - 1 - len(_shown(document["columns"]))
    listed = f"--json lists {len(document['columns']):,}, --spec-out FILE all of them"
    return [Text(f"{more:,} more columns are not shown; {listed}.")] if more > 0 else []


def _to_edit(document: Document, spec_file: Path | None, asked: Sequence[str]) -> list[Text]:
    spec = dict(document["spec"])
    features = spec["dataset"].get("features", {})
    if len(features) > _SHOWN_FEATURES:
        spec["dataset"] = {key: value for key, value in spec["dataset"].items() if key != "features"}
    submit = f"sageline submit {quote(document['source'])}"
    if spec_file is not None:
        again = f"{submit} --spec {quote(str(spec_file))}"
        return [Text(f"The spec, with all that was filled in, is in {spec_file}; edit it, then: {again}")]
    lines = [
        Text("The spec to edit where this is wrong; --spec-out FILE writes it with all that was chosen, --spec FILE takes it:"),
        Text(json.dumps(spec, ensure_ascii=False), style="dim"),
    ]
    return lines if document["mistakes"] else [*lines, Text(f"If all is well: {' '.join([submit, *map(quote, asked)])} --wait")]
