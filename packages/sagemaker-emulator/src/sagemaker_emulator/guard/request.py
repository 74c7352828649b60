"""A request as the guard looks at it: its head, as it was sent."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from urllib.parse import parse_qsl, unquote


@dataclass(frozen=True)
class Request:
    """``path`` and ``query`` are percent-encoded, as they were sent; names of headers are in lower case."""

    method: str
    path: str
    query: str
    headers: tuple[tuple[str, str], ...]

    def header(self, name: str) -> str:
        """A header's value; empty without one. Of several the first: the guard refuses those that would matter."""
        return self._first.get(name, "")

    def has(self, name: str) -> bool:
        return name in self._first

    @cached_property
    def _first(self) -> dict[str, str]:
        return dict(reversed(self.headers))

    @cached_property
    def decoded_path(self) -> str:
        """As servers route it."""
        return unquote(self.path)

    @cached_property
    def parameters(self) -> list[tuple[str, str]]:
        """Of the query, decoded as servers decode them (``+`` is a space)."""
        return parse_qsl(self.query, keep_blank_values=True) if self.query else []


def decoded(value: bytes) -> str:
    """A header's value: UTF-8, or Latin-1 where it is not."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")
