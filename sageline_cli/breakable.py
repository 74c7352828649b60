"""Text whose words may be longer than a line: URIs, names of jobs and columns."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.text import Text

_MARKS = "/.-_,"


@dataclass(frozen=True)
class BreakableText:
    """Text of which a word that is longer than a line is broken behind a ``/``, or another mark, where it has one."""

    text: str

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Text(break_words(self.text, options.max_width))

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement.get(console, options, Text(self.text))


def break_words(text: str, width: int) -> str:
    """The text with a line break in each word of more than ``width`` characters."""
    return re.sub(rf"\S{{{width + 1},}}", lambda word: _break(word[0], width), text)


def _break(word: str, width: int) -> str:
    lines = []
    while len(word) > width:
        end = word.rfind("/", width // 2, width) + 1 or max(word.rfind(mark, 0, width) for mark in _MARKS) + 1 or width
        lines.append(word[:end])
        word = word[end:]
    return "\n".join([*lines, word])
