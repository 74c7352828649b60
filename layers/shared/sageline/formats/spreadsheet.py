"""Cells of a CSV file that a spreadsheet would run.

A spreadsheet takes a cell that begins so for a formula, which may call programs and addresses when the file is opened
(https://owasp.org/www-community/attacks/CSV_Injection). With an apostrophe before it, it is a text.
"""

from __future__ import annotations

import re
from typing import Final

_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")  # the last four: full width
_NUMBER = re.compile(r"[+-]?(?=[\d.,]*\d)[\d.,]+([eE][+-]?\d+)?%?", re.ASCII)
"""Nothing but digits, separators and an exponent, whichever the decimal sign."""


def without_formula(cell: object) -> object:
    """The cell as a text that a spreadsheet shows and does not run; numbers, and texts that are numbers, stay as they are."""
    if not isinstance(cell, str) or not cell.startswith(_STARTS) or _NUMBER.fullmatch(cell):
        return cell
    return f"'{cell}"
