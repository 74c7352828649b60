"""The benchmark: Sageline and its peers on the same input in the same run.

    python -m tests.benchmarks           # what `make bench` runs: minutes; writes docs/benchmarks.md and .local/bench.json
    python -m tests.benchmarks --quick   # small inputs, seconds: shows that everything runs, writes nothing

A peer that is not installed is left out.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

from tests.benchmarks import (
    cold_start,
    control_plane,
    csv_rows,
    guard,
    http_predictions,
    invocations,
    judge_model,
    mixed_table,
    one_prediction,
    prepare_data,
    recordio_rows,
    text,
)
from tests.benchmarks.peers import installed_versions
from tests.benchmarks.report import describe_machine, terminal_table, to_json, to_markdown
from tests.benchmarks.results import Result
from tests.benchmarks.sizes import FULL, QUICK, Sizes

PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"
GROUPS = (
    text,
    one_prediction,
    mixed_table,
    recordio_rows,
    csv_rows,
    cold_start,
    prepare_data,
    judge_model,
    guard,
    control_plane,
    invocations,
    http_predictions,
)


def measure(sizes: Sizes) -> Iterator[Result]:
    """Every job, one after the other."""
    for group in GROUPS:
        yield from group.run(sizes)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description="Sageline and its peers, side by side.")
    parser.add_argument("--quick", action="store_true", help="small inputs, seconds; writes nothing")
    quick = parser.parse_args(arguments).quick
    console = Console()
    if not console.is_terminal:
        console.width = 150
    results = []
    for result in measure(QUICK if quick else FULL):
        console.print(f"{result.title}: {result.value:,.4g} {result.unit}", highlight=False)
        results.append(result)
    console.print(terminal_table(results))
    if not quick:
        numbers = Path(os.environ.get("SAGELINE_HOME", ".local")) / "bench.json"
        numbers.parent.mkdir(parents=True, exist_ok=True)
        numbers.write_text(to_json(results), encoding="utf-8")
        PAGE.write_text(to_markdown(results, describe_machine(), installed_versions()), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
