"""HTML and SVG as text in which everything is escaped that is not markup of ours."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import TypeAlias


class Markup(str):
    """Text that is markup already: what :func:`element` makes, or a literal of this package. Never a user's text."""

    __slots__ = ()


Child: TypeAlias = "Markup | str | int | float | Iterable[Child] | None"
"""Text is escaped, None is left out."""

_VOID = frozenset({"meta", "br"})
_LEFT_OUT_OF_XML = {code: "\N{REPLACEMENT CHARACTER}" for code in range(32) if chr(code) not in "\t\n\r"}


def element(tag: str, *children: Child, **attributes: str | float | None) -> Markup:
    """``<tag …>children</tag>``. Attributes that are None are left out; ``class_`` is class, ``data_x`` is ``data-x``.

    SVG's own attributes are the same in a stylesheet and in the text, so ``stroke_width`` is ``stroke-width``.
    """
    names = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items() if value is not None}
    opening = "".join(f' {name}="{_escape(_text(value))}"' for name, value in names.items())
    if tag in _VOID:
        return Markup(f"<{tag}{opening}>")
    return Markup(f"<{tag}{opening}>{join(children)}</{tag}>")


def join(children: Child) -> Markup:
    """Children as one text, each escaped unless it is markup."""
    match children:
        case None:
            return Markup()
        case Markup():
            return children
        case str() | int() | float():
            return Markup(_escape(_text(children)))
        case _:
            return Markup("".join(map(join, children)))


def _text(value: str | float) -> str:
    """Coordinates to a tenth: the pages are shorter, and nobody sees a hundredth of a pixel."""
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else str(value)


def _escape(text: str) -> str:
    """Control characters and lone surrogates are in no XML document, escaped or not."""
    return escape(text).translate(_LEFT_OUT_OF_XML).encode("utf-8", "replace").decode()
