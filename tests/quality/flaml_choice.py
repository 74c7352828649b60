"""What FLAML takes for a dataset in so many seconds: ``python -m tests.quality.flaml_choice NAME SECONDS``.

It is for after `make quality`. Printed are the estimator, its hyperparameters, and the least loss found of each estimator.
"""

from __future__ import annotations

import logging
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.quality.arms import PRESETS
from tests.quality.datasets.tables import DATASETS
from tests.quality.measure import Kept
from tests.quality.peers import flaml
from tests.quality.peers.table import read_table


def main(arguments: Sequence[str]) -> None:
    logging.disable(logging.WARNING)
    name, seconds = arguments
    kept = Kept(Path(os.environ.get("SAGELINE_HOME", ".local")) / "quality")
    dataset = next(dataset for dataset in DATASETS if dataset.name == name)
    run = kept.sageline(dataset, PRESETS["quick"], seed=0)
    values = run.judged.classes is None
    table = read_table(kept.data(dataset), dataset.label, list(dataset.exclude), run.rows, values=values)
    with tempfile.TemporaryDirectory() as folder:
        flaml.search(table, run.judged, float(seconds), Path(folder))
        sys.stdout.write(f"{(Path(folder) / 'found.json').read_text()}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
