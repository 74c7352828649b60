"""Reads a report as a browser does: its elements, its tables, its texts."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import combinations
from xml.etree import ElementTree as ET

from sageline.report.data import ReportData
from sageline.report.page import render
from tests.unit.report import samples

_VOID = {"meta", "br"}


@dataclass
class Element:
    tag: str
    attributes: dict[str, str | None]
    children: list[Element | str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(child if isinstance(child, str) else child.text for child in self.children)

    def all(self, tag: str) -> list[Element]:
        """The elements of this name below, in order."""
        inner = [child for child in self.children if isinstance(child, Element)]
        return [found for child in inner for found in [*([child] if child.tag == tag else []), *child.all(tag)]]

    def everything(self) -> list[Element]:
        inner = [child for child in self.children if isinstance(child, Element)]
        return [self, *(found for child in inner for found in child.everything())]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = Element("", {})
        self._open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, dict(attrs))
        assert len(element.attributes) == len(attrs), f"<{tag}> has an attribute twice"
        self._open[-1].children.append(element)
        if tag not in _VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self._open[-1].tag == tag, f"</{tag}> closes <{self._open[-1].tag}>"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        self._open[-1].children.append(data)

    def close(self) -> None:
        super().close()
        assert self._open == [self.root], f"<{self._open[-1].tag}> is not closed"


def read(report: ReportData) -> Element:
    """The page; fails where a tag is not closed in its place."""
    reader = _Reader()
    reader.feed(render(report).decode())
    reader.close()
    return reader.root


def sections(page: Element) -> dict[str, Element]:
    return {section.attributes["id"] or "": section for section in page.all("section")}


def table(page: Element, caption: str) -> list[list[str]]:
    """The texts of a table's cells, with its heads."""
    found = next(table for table in page.all("table") if table.all("caption")[0].text == caption)
    return [[cell.text for cell in row.all_cells] for row in map(_Row, found.all("tr"))]


@dataclass
class _Row:
    element: Element

    @property
    def all_cells(self) -> list[Element]:
        return [child for child in self.element.children if isinstance(child, Element) and child.tag in ("th", "td")]


def pictures(page: str) -> list[ET.Element]:
    """The SVGs of a page, parsed as XML; fails where one is not well-formed."""
    parts = page.split("<svg")[1:]
    return [ET.fromstring("<svg" + part.partition("</svg>")[0] + "</svg>") for part in parts]  # noqa: S314 - a page of our own


def overlapping(picture: ET.Element) -> list[tuple[str, str]]:
    """Texts of a plot whose boxes meet, at 6 pixels a character and 11 a line."""
    boxes = [_box(text) for text in picture.iter("text")]
    return [
        (one[0], other[0])
        for one, other in combinations(boxes, 2)
        if one[1] < other[2] and other[1] < one[2] and abs(one[3] - other[3]) < 11
    ]


def _box(text: ET.Element) -> tuple[str, float, float, float]:
    """Text, left, right, baseline."""
    said, x, y = text.text or "", float(text.attrib["x"]), float(text.attrib["y"])
    width = 6.0 * len(said)
    kinds = text.attrib.get("class", "").split()
    left = x - width if "end" in kinds else x - width / 2 if "middle" in kinds else x
    return said, left, left + width, y


def section(evaluation: samples.Document | None, name: str, **changes: object) -> Element:
    return sections(read(samples.report(evaluation, **changes)))[name]


def numbers(texts: list[str]) -> list[float]:
    return [float(text.replace(",", "").replace("\N{MINUS SIGN}", "-").lstrip("±+ ")) for text in texts]
