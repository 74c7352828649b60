"""The measurement: Sageline's models beside scikit-learn's and FLAML's, on twenty-five real datasets.

    python -m tests.quality --held-out        # what `make quality` runs: writes docs/quality.md and .local/quality.json
    python -m tests.quality                   # without the five that nobody looks at while defaults are developed; writes nothing
    python -m tests.quality --only churn      # one dataset (or several); writes nothing
    python -m tests.quality --held-out --preset quick good     # also what tunes; hours

What was measured is kept below .local/quality, by dataset and version of the code; a run that was broken off goes on.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import warnings
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from sageline.errors import SagelineError
from tests.benchmarks.report import describe_machine
from tests.quality.amlb import METRIC_OF
from tests.quality.answers import baseline_of
from tests.quality.arms import PRESETS
from tests.quality.datasets.tables import DATASETS, Dataset
from tests.quality.measure import Kept, Measured, mean_value, paired, splits_of
from tests.quality.peers import flaml
from tests.quality.report import line, to_json, to_markdown
from tests.quality.results import PAIRS, Difference, Result

PAGE = Path(__file__).parents[2] / "docs" / "quality.md"


def measure(dataset: Dataset, kept: Kept, presets: Sequence[str], *, with_flaml: bool) -> Result:
    """One dataset, on its splits. FLAML gets the seconds of each preset."""
    rows = kept.data(dataset).count(b"\n") - 1
    splits = range(splits_of(rows))
    found: dict[str, list[Measured]] = {}
    for preset in presets:
        ours = found[f"sageline_{preset}"] = [kept.sageline(dataset, PRESETS[preset], seed) for seed in splits]
        if with_flaml:
            name = "flaml" if preset == "quick" else f"flaml_{preset}"
            found[name] = [kept.flaml(dataset, run, preset) for run in ours]
    first = found[f"sageline_{presets[0]}"]
    found["hist_gradient_boosting"] = [kept.hist_gradient_boosting(dataset, run) for run in first]
    baselines = [baseline_of(run.judged) for run in first]
    pairs = [(ours, peer) for ours, peer in PAIRS if ours in found and peer in found]
    facts = [run.facts for run in first]
    return Result(
        dataset.name,
        first[0].judged.metric,
        rows,
        len(splits),
        dataset.held_out,
        {name: mean_value(runs) for name, runs in found.items()} | {"baseline": sum(baselines) / len(splits)},
        {(ours, peer): Difference(*paired(found[ours], found[peer])) for ours, peer in pairs},
        {name: sum(run.seconds for run in runs) / len(splits) for name, runs in found.items()},
        sum(each["dollars"] for each in facts) / len(splits),
        [next(each["algorithm"] for each in one["candidates"] if each["chosen"]) for one in facts],
        None if dataset.amlb is None else mean_value(first, METRIC_OF[dataset.amlb]),
    )


def _machine() -> str:
    load = os.getloadavg()[2]
    besides = f", busy with other work too ({load:.1f} processes at once), so the seconds are long" if load > 1.5 else ""
    return describe_machine() + besides


def _of_all(*, held_out: bool) -> list[Dataset]:
    return [dataset for dataset in DATASETS if held_out or not dataset.held_out]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.quality", description="Sageline's models beside others'.")
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=[dataset.name for dataset in DATASETS])
    parser.add_argument("--preset", nargs="+", choices=list(PRESETS), default=["quick"], help="quick, or quick good")
    parser.add_argument("--held-out", action="store_true", help="also those that are held out of development; writes the page")
    parser.add_argument("--no-flaml", action="store_true", help="leave out FLAML")
    given = parser.parse_args(arguments)
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    home = Path(os.environ.get("SAGELINE_HOME", ".local"))
    kept = Kept(home / "quality")
    wanted = [one for one in DATASETS if one.name in given.only] if given.only else _of_all(held_out=given.held_out)
    with_flaml = flaml.is_installed() and not given.no_flaml
    results: dict[str, Result] = {}
    failed = []
    for count in range(1, len(given.preset) + 1):
        # Of what takes hours the datasets of least work come first, and the page has them as soon as they are measured.
        for dataset in sorted(wanted, key=partial(_work, results)):
            try:
                result = measure(dataset, kept, given.preset[:count], with_flaml=with_flaml)
            except (SagelineError, RuntimeError) as error:
                failed.append(dataset.name)
                sys.stderr.write(f"{dataset.name}: {error}\n")
                continue
            results[dataset.name] = result
            told = line(result) if given.only or not dataset.held_out else f"{dataset.name}: measured, and told on the page"
            sys.stdout.write(f"{told}\n")
            sys.stdout.flush()
            if len(results) == len(DATASETS):
                _write([results[one.name] for one in DATASETS], home)
    if failed:
        sys.stderr.write(f"Failed: {', '.join(failed)}.\n")
        return 1
    return 0


def _work(results: Mapping[str, Result], dataset: Dataset) -> float:
    """Seconds of all splits as far as they are known: of none at first, so that the order stays."""
    result = results.get(dataset.name)
    return 0.0 if result is None else next(iter(result.seconds.values())) * result.splits


def _write(results: Sequence[Result], home: Path) -> None:
    (home / "quality.json").write_text(to_json(results), encoding="utf-8")
    PAGE.write_text(to_markdown(results, _machine()), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
