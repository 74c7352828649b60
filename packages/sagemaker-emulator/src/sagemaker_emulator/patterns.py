"""The regular expressions of botocore's models, which are Java's."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

import re2

# Java's \p{…} that mean ASCII characters only, as they stand in brackets; the others are Unicode's, which RE2 has.
_ASCII = {"ASCII": r"\x00-\x7f", "Print": r"\x20-\x7e", "Alnum": "a-zA-Z0-9"}
# RE2 counts to 1000; the length of such a text is a constraint of its own in the model.
_MORE_THAN_RE2_COUNTS = re.compile(r"\{(\d+),\d{4,}\}")
_TOKEN = re.compile(r"\\p\{(?P<name>\w+)\}|\\.|.", re.DOTALL)


@cache
def matcher(java: str) -> Callable[[str], bool]:
    """Whether a whole text fits. An expression that neither Python nor RE2 knows fits everything."""
    text = _translated(java)
    try:
        if r"\p{" in text:
            unicode = re2.compile(_MORE_THAN_RE2_COUNTS.sub(r"{\1,}", text), _quiet())
            return lambda value: unicode.fullmatch(value) is not None
        # As in Java, \d, \s and \w are of ASCII.
        plain = re.compile(text, re.ASCII)
    except (re.error, re2.error):
        return lambda _value: True
    return lambda value: plain.fullmatch(value) is not None


def _quiet() -> re2.Options:
    options = re2.Options()
    options.log_errors = False
    return options


def _translated(java: str) -> str:
    """With what Java alone has in other words."""
    parts: list[str] = []
    in_brackets = False
    for token in _TOKEN.finditer(java):
        text = token[0]
        if token["name"] in _ASCII:
            characters = _ASCII[token["name"]]
            text = characters if in_brackets else f"[{characters}]"
        elif text == r"\z":
            text = r"\Z"
        elif text in "[]":
            in_brackets = text == "["
        parts.append(text)
    return "".join(parts)
