"""What the documents list is what the code has."""

from __future__ import annotations

import re
from inspect import signature
from pathlib import Path
from unittest.mock import Mock

from sagemaker_emulator.engines import ENGINES
from sagemaker_emulator.operations import operations

DOCS = Path(__file__).parents[2] / "docs"
RUNTIME = {"InvokeEndpoint", "InvokeEndpointAsync"}


def test_every_operation_is_in_the_table_and_no_other() -> None:
    known = operations(*[Mock() for _ in signature(operations).parameters])
    rows = [line for line in (DOCS / "operations.md").read_text().splitlines() if line.startswith("| ")]
    listed = [name for row in rows for name in re.findall(r"`([A-Z][A-Za-z]+)`", row.split("|")[2])]

    assert sorted(listed) == sorted({*known, *RUNTIME})


def test_every_image_is_in_the_table_and_no_other() -> None:
    rows = re.findall(r"^\| (`.*?) \| ", (DOCS / "algorithms.md").read_text().partition("\n## ")[0], re.MULTILINE)
    listed = {name for row in rows for name in re.findall(r"`([a-z-]+)`", row)} - {"latest"}

    assert listed == {engine.repository for engine in ENGINES}
