"""Cells of an Excel workbook that have a formula and no value.

A file has of a formula both the formula and the value that it had when the workbook was last calculated (ECMA-376-1, 18.3.1.40
and 18.3.1.96). Programs that do not calculate write the formula alone, and whoever reads values finds an empty cell there.
"""

from __future__ import annotations

import html
import posixpath
import re
import zipfile
from collections.abc import Iterator

_WORKBOOK, _RELATIONS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
_CHUNK_BYTES = 1 << 20
_END_OF_ROW = b"row>"
_TAG = re.compile(r"<(?:\w+:)?(sheet|Relationship)\b([^>]*)>")
_ATTRIBUTE = re.compile(r"""([\w:]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_CELL = re.compile(
    rb"<(?:\w+:)?c\b([^>]*)>\s*"
    rb"<(?:\w+:)?f\b(?:[^>]*/>|[^>]*>[^<]*</(?:\w+:)?f>)\s*"
    rb"(<(?:\w+:)?v\s*/>|<(?:\w+:)?v\b[^>]*>\s*</(?:\w+:)?v>)?\s*"
    rb"</(?:\w+:)?c>"
)
"""A cell with a formula, and then no value or an empty one."""
_TEXT = re.compile(rb"""\bt\s*=\s*["']str["']""")
_ADDRESS = re.compile(rb"""\br\s*=\s*["']([A-Z]+\d+)["']""")


def uncalculated_cells(archive: zipfile.ZipFile, sheet: str) -> tuple[str, int]:
    """The address of the first cell of a sheet that has a formula without a value, and how many there are; ``("", 0)`` where
    there is none."""
    path = _path_of(archive, sheet)
    first, count = "", 0
    for text in _rows(archive, path) if path else ():
        if b"<f" not in text and b":f" not in text:
            continue
        # The value of a formula may be an empty text: then the cell says that it is a text.
        found = [its for its, value in _CELL.findall(text) if not (value and _TEXT.search(its))]
        if found and not count:
            address = _ADDRESS.search(found[0])
            first = address[1].decode() if address else "a cell"
        count += len(found)
    return first, count


def _path_of(archive: zipfile.ZipFile, sheet: str) -> str | None:
    """Where in the archive a sheet is."""
    there = set(archive.namelist())
    if not {_WORKBOOK, _RELATIONS} <= there:
        return None
    targets = {tag.get("Id", ""): tag.get("Target", "") for tag in _tags(archive, _RELATIONS)}
    relation = next((tag.get("r:id", tag.get("id", "")) for tag in _tags(archive, _WORKBOOK) if tag.get("name") == sheet), "")
    path = posixpath.normpath(posixpath.join("/xl", targets.get(relation, ""))).removeprefix("/")
    return path if path in there else None


def _tags(archive: zipfile.ZipFile, name: str) -> Iterator[dict[str, str]]:
    """The attributes of the sheets, or of their relations."""
    for _, attributes in _TAG.findall(archive.read(name).decode(errors="replace")):
        yield {key: html.unescape(double or single) for key, double, single in _ATTRIBUTE.findall(attributes)}


def _rows(archive: zipfile.ZipFile, path: str) -> Iterator[bytes]:
    """The text of a sheet, in pieces of whole rows."""
    rest = b""
    with archive.open(path) as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            complete, end, rest = (rest + chunk).rpartition(_END_OF_ROW)
            yield complete + end
    yield rest
