"""The regular expression by which a metric is found in the lines of a training job's log.

Expressions are the user's, and Python's own engine takes exponential time for some of them. RE2 takes a time that grows with the
line's length, whatever the expression; it leaves out what it could not do so: references to groups and looking around.
"""

from __future__ import annotations

import math
from typing import Any

import re2

MAX_LENGTH = 500
"""Characters of an expression, as SageMaker limits them."""

_MAX_INSTRUCTIONS = 1000  # of RE2's program: a character of a line takes as many steps at most, some 20 ns each
_LONGEST_LINE = 4096  # a line that reports a metric is short

_UNSUPPORTED = {
    "(?=": "it looks ahead, which cannot be searched for in a bounded time; match what follows instead",
    "(?!": "it looks ahead, which cannot be searched for in a bounded time; leave it out, or match what may follow",
    "(?<=": "it looks behind, which cannot be searched for in a bounded time; match what goes before, outside the group",
    "(?<!": "it looks behind, which cannot be searched for in a bounded time; leave it out, or match what may go before",
    "(?>": "atomic groups are not supported; a plain group (?:...) does the same here, in a bounded time",
    "(?#": "comments are not supported; leave it out",
    "\\Z": "\\Z is not supported; the end of a line is $",
}


class NoMetricPattern(ValueError):
    """The expression cannot be used; the message says why, as a clause."""


class MetricPattern:
    """An expression, compiled.

    Raises:
        NoMetricPattern: it is none, or cannot be searched for in a bounded time.
    """

    def __init__(self, expression: str) -> None:
        if len(expression) > MAX_LENGTH:
            raise NoMetricPattern(f"has {len(expression)} characters; SageMaker takes {MAX_LENGTH}")
        options = re2.Options()
        options.log_errors = False  # to the standard error output, besides raising them
        try:
            self._pattern: Any = re2.compile(expression, options)  # Any: the package has no types
        except re2.error as error:
            raise NoMetricPattern(_reason(error)) from None
        except UnicodeEncodeError:
            raise NoMetricPattern("holds half of a character (a lone surrogate)") from None
        if self._pattern.programsize > _MAX_INSTRUCTIONS:
            raise NoMetricPattern("repeats too much to be searched for in a short time; use smaller counts, or + and *")

    @property
    def groups(self) -> int:
        return int(self._pattern.groups)

    def value(self, line: str) -> float | None:
        """The first group's number; None where the line has none."""
        try:
            match = self._pattern.search(line) if len(line) <= _LONGEST_LINE else None
            value = float(match[1]) if match else math.nan
        except (ValueError, IndexError, TypeError):
            return None
        return value if math.isfinite(value) else None


def _reason(error: Exception) -> str:
    said = error.args[0].decode(errors="replace") if error.args and isinstance(error.args[0], bytes) else str(error)
    what, _, where = said.partition(": ")
    if what == "invalid escape sequence" and where[1:].isdigit():
        return f"cannot be used: {where} refers to a group, which cannot be searched for in a bounded time; repeat its expression"
    if where in _UNSUPPORTED:
        return f"cannot be used: {_UNSUPPORTED[where]}"
    if what in ("invalid perl operator", "invalid escape sequence"):
        return f"cannot be used: {where} is not supported (by RE2, which searches in a bounded time)"
    if "too large" in said or what == "invalid repetition size":
        return f"repeats too much to be searched for in a short time ({said}); use smaller counts, or + and *"
    return f"is not a regular expression: {said}"
