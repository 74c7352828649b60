"""Tables, sections and the other pieces that a page is put together from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sageline.report.drawing.markup import Child, Markup, element, join

_LONGEST_NAME, _LONGEST_CELL, _LONGEST_TITLE = 80, 300, 1000  # characters


@dataclass(frozen=True)
class Section:
    """A part of the page, to which the list at its top leads by the ``identifier``."""

    identifier: str
    title: str
    content: Markup

    @property
    def markup(self) -> Markup:
        heading = f"{self.identifier}-heading"
        title = element("h2", self.title, id=heading)
        return element("section", title, self.content, id=self.identifier, aria_labelledby=heading)


def section(identifier: str, title: str, *children: Child) -> Section:
    return Section(identifier, title, join(children))


def table(
    caption: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[Child]],
    *,
    numeric: Iterable[int] = (),
    marked: Iterable[int] = (),
) -> Markup:
    """A table whose first column names its rows. It scrolls by itself where the page is too narrow for it.

    Args:
        numeric: columns of numbers, aligned to the right.
        marked: rows (from 0) that are set apart.
    """
    right, set_apart = set(numeric), set(marked)

    def cells(row: Sequence[Child]) -> list[Markup]:
        return [_cell(index, cell, "number" if index in right else None) for index, cell in enumerate(row)]

    head = [
        element("th", column, scope="col", class_="number" if index in right else None) for index, column in enumerate(columns)
    ]
    body = [element("tr", cells(row), class_="marked" if index in set_apart else None) for index, row in enumerate(rows)]
    return scrolling(
        caption,
        element("table", element("caption", caption), element("thead", element("tr", head)), element("tbody", body)),
    )


def folded_table(
    caption: str,
    things: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[Child]],
    shown: int,
    *,
    total: int,
    numeric: Iterable[int] = (),
) -> Markup:
    """A table of the first ``shown`` rows, and one of the others that opens when asked for.

    Args:
        things: what a row is, in the plural.
        total: of how many rows those given are the first.
    """
    numbers = tuple(numeric)
    first = table(caption, columns, rows[:shown], numeric=numbers)
    rest = rows[shown:]
    if not rest:
        return first
    omitted = f" ({total - shown - len(rest):,} more are not shown)" if total > len(rows) else ""
    summary = f"{len(rest):,} more {things}{omitted}"
    return join([first, more(summary, table(f"{caption}: the others", columns, rest, numeric=numbers))])


def scrolling(label: str, *children: Child) -> Markup:
    """What may be wider than the page; ``tabindex`` lets a keyboard scroll it."""
    return element("div", *children, class_="scrolling", role="region", aria_label=label, tabindex="0")


def unbroken(text: str) -> Markup:
    """Text that stays on one line, such as a name with hyphens."""
    return element("span", text, class_="unbroken")


def facts(pairs: Mapping[str, Child]) -> Markup:
    """Names and what they are, without those that are unknown."""
    known = [(name, value) for name, value in pairs.items() if value is not None and value != ""]
    return element("dl", [element("div", element("dt", name), element("dd", value)) for name, value in known], class_="facts")


def tiles(pairs: Iterable[tuple[str, str, str | None]]) -> Markup:
    """Large numbers: name, value, and what is to be known about it."""
    return element(
        "dl",
        [
            element("div", element("dt", name), element("dd", value), element("dd", remark, class_="remark") if remark else None)
            for name, value, remark in pairs
        ],
        class_="tiles",
    )


def bar(share: float | None, text: str) -> Markup:
    """A number, and a bar as long as its share of the whole."""
    if share is None:
        return element("span", text)
    width = min(max(share, 0.0), 1.0)
    return element("span", element("span", text), element("span", class_="bar", style=f"--share:{width:.4f}"), class_="barred")


def more(summary: str, *children: Child) -> Markup:
    """What is folded away until somebody asks for it; paper shows it."""
    return element("details", element("summary", summary), *children)


def beside(*children: Child) -> Markup:
    """Tables and plots of any width in a row, below each other where there is no room."""
    return element("div", *children, class_="beside")


def figures(*plots: Child) -> Markup:
    """Plots side by side, where there is room."""
    return element("div", *plots, class_="figures")


def _cell(index: int, content: Child, kind: str | None) -> Markup:
    """A label or a value may be as long as a book."""
    most = _LONGEST_CELL if index else _LONGEST_NAME
    if not isinstance(content, str) or isinstance(content, Markup) or len(content) <= most:
        return element("td", content, class_=kind) if index else element("th", content, scope="row", class_=kind)
    cut = f"{content[:most]}…"
    title = content[:_LONGEST_TITLE]
    return element("td", cut, class_=kind) if index else element("th", cut, scope="row", class_=kind, title=title)
