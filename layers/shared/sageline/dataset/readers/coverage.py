"""How much of a dataset a sample has read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Coverage:
    """Filled in while a sample is read.

    Attributes:
        is_all: no row was left out, so far; what is found out from the rows holds for the whole dataset.
    """

    is_all: bool = True
