"""What a sample of a dataset has found of its columns, so that a reading of all rows decides nothing on its way.

What a reading decided at some row would depend on where it begins; and all rows may be read in pieces, whose counts are merged.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sageline.json_objects import Json


class ColumnFindings(NamedTuple):
    """What need not be looked for in a column. Of one that nothing is known of, everything is.

    Attributes:
        of_words: most of its values are words: those that are no plain numbers are taken for none, whatever they are.
        no_dates: it is not one of dates, and none are looked for.
        no_compact_dates: numbers such as ``20210530`` are not read as dates.
    """

    of_words: bool = False
    no_dates: bool = False
    no_compact_dates: bool = False


@dataclass(frozen=True)
class Findings:
    """Those of all columns, in few characters: a table may have thousands, and a run's record is bounded.

    Attributes:
        names: a digest of the columns' names in their order; of a dataset that has others, nothing is known.
        codes: for each column a digit, in which its findings are bits.
    """

    names: str = ""
    codes: str = ""

    @classmethod
    def of(cls, columns: Mapping[str, ColumnFindings]) -> Findings:
        return cls(_digest(list(columns)), "".join(map(_code, columns.values())))

    def by_column(self, names: Sequence[str]) -> dict[str, ColumnFindings]:
        """The findings of each column of a dataset that has these, in this order."""
        if _digest(names) != self.names or len(names) != len(self.codes):
            return dict.fromkeys(names, ColumnFindings())
        return {name: _decoded(code) for name, code in zip(names, self.codes, strict=True)}

    def to_json(self) -> Json:
        """As a run's record has it."""
        return {"names": self.names, "codes": self.codes}

    @classmethod
    def of_schema(cls, schema: Mapping[str, Any]) -> Findings | None:  # Any: a JSON document
        """Those in the schema of a run's record; None where an earlier version has written it."""
        found = schema.get("findings")
        return None if found is None else cls(found["names"], found["codes"])


def _digest(names: Sequence[str]) -> str:
    return hashlib.sha256(json.dumps(list(names)).encode()).hexdigest()[:16]


def _code(found: ColumnFindings) -> str:
    return str(sum(1 << bit for bit, is_so in enumerate(found) if is_so))


def _decoded(code: str) -> ColumnFindings:
    return ColumnFindings(*(int(code) >> bit & 1 == 1 for bit in range(len(ColumnFindings._fields))))
