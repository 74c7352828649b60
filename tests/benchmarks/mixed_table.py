"""A table of text, numbers, categories and dates: fitting and encoding it, and encoding one row for a prediction."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from sageline.arrays.blocks import Block
from sageline.arrays.dates import DateFormat
from sageline.arrays.strings import ByteArray, StringArray
from sageline.encoder.fitted import FittedEncoder
from sageline.encoder.fitting import finish_fit, start_fit
from sageline.preparation.encoding.train_words import TrainWords
from sageline.preparation.packing import pack, unpack
from sageline.spec.model import Spec, validate_spec
from tests.benchmarks import inputs
from tests.benchmarks.one_prediction import times_of_each
from tests.benchmarks.peers import peer
from tests.benchmarks.results import SAGELINE, Goal, Result
from tests.benchmarks.rounds import speeds_by_round
from tests.benchmarks.sizes import Sizes
from tests.benchmarks.text import SCIKIT_LEARN, WORD

ONE_TEXT = "one text alone"

_BLOCK_ROWS = 16384  # about as many as the readers yield at a time
_NUMBERS = [f"number{place}" for place in range(8)]
_CATEGORIES = {"category0": 2, "category1": 8, "category2": 40, "category3": 90}
_DATES = ["date0", "date1"]


@dataclass(frozen=True)
class Table:
    """The columns, as they are in a CSV file."""

    columns: dict[str, list[str]]

    @property
    def rows(self) -> int:
        return len(self.columns["text"])

    def blocks(self) -> Iterator[Block]:
        """As the readers yield them; nobody has read anything of these."""
        for block in _blocks_of(self):
            yield replace(
                block, columns={name: StringArray(column.data, column.offsets) for name, column in block.columns.items()}
            )


def run(sizes: Sizes) -> Iterator[Result]:
    table = table_of(sizes.mixed_rows)
    yield Result(
        job="encode_mixed_table",
        title=f"fit and encode 1 text, 8 numbers, 4 categories, 2 dates ({table.rows:,} rows)",
        unit="rows/s",
        samples=speeds_by_round(_encoding(table), sizes.rounds, table.rows),
        goals=[Goal(than=SCIKIT_LEARN, speed=8)],
        bound="reading numbers and dates out of their text, and the words",
        note="scikit-learn's ColumnTransformer with CountVectorizer (the same vocabulary), OneHotEncoder, StandardScaler and the "
        "parts of the dates by pandas, which it gets as texts; the numbers it gets as numbers, Sageline as text. Sageline reads "
        "numbers, categories and words once, in the fit, as `prepare_data` does, and dates again to encode them; the words are "
        "packed in between as they are for the disk, the block stays as it is.",
    )
    encoder, row = fitted(table), row_of(table)
    texts = fitted(table, text_only=True)
    contestants: dict[str, Callable[[str], object]] = {
        SAGELINE: lambda _: encoder.body_of([row], []),
        ONE_TEXT: lambda _: texts.body_of([row["text"]], []),
    }
    times = times_of_each(contestants, [""] * sizes.predictions, sizes.rounds)
    for job, title, percentile in (("one_mixed_row", "median", 50), ("one_mixed_row_p95", "95th percentile", 95)):
        yield Result(
            job=job,
            title=f"encode one row of that table for a prediction, {title} of {sizes.predictions:,}",
            unit="ms",
            samples={name: [float(np.percentile(taken, percentile)) for taken in rounds] for name, rounds in times.items()},
            limits=(ONE_TEXT,),
            goals=[Goal(than=ONE_TEXT, speed=1 / 3)],
            bound="Python's calls, of which there are some for each column",
            note="From the instance of a request to its body, as a prediction does; `one text alone` is its text, by an encoder "
            "of texts.",
        )


@cache
def table_of(rows: int) -> Table:
    """Random rows; the texts are those of the sample."""
    draw = np.random.default_rng(0)
    sentences = inputs.sample_sentences()
    days = np.datetime64("1999-01-01") + draw.integers(0, 9000, (len(_DATES), rows))
    columns = {"text": [sentences[place] for place in draw.integers(0, len(sentences), rows).tolist()]}
    columns |= {name: [f"{number:.4f}" for number in draw.normal(50, 20, rows).tolist()] for name in _NUMBERS}
    for name, values in _CATEGORIES.items():
        columns[name] = [f"value {value}" for value in draw.integers(0, values, rows).tolist()]
    columns |= {name: np.datetime_as_string(days[place]).tolist() for place, name in enumerate(_DATES)}
    return Table(columns | {"label": [str(label) for label in draw.integers(0, 2, rows).tolist()]})


@cache
def _by_table() -> dict[int, list[Block]]:
    return {}


def _blocks_of(table: Table) -> list[Block]:
    known = _by_table()
    if table.rows not in known:
        whole = Block.of({name: StringArray.from_list(values) for name, values in table.columns.items()})
        starts = range(0, table.rows, _BLOCK_ROWS)
        known[table.rows] = [whole.take(np.arange(start, min(start + _BLOCK_ROWS, table.rows))) for start in starts]
    return known[table.rows]


def _spec(*, text_only: bool = False) -> Spec:
    features = {"text": "text"}
    if not text_only:
        features |= dict.fromkeys(_NUMBERS, "number") | dict.fromkeys(_CATEGORIES, "category") | dict.fromkeys(_DATES, "date")
    text = {"max_words": inputs.WORDS, "statistics": False}
    document = {
        "task": "classification",
        "dataset": {"label": "label", "features": features},
        "algorithm": {"name": "xgboost"},
    }
    return validate_spec(document | {"encoder": {"kind": "columns", "layout": "sparse", "text": text}}, "benchmark")


def fitted(table: Table, *, text_only: bool = False) -> FittedEncoder:
    """The encoder of the table, or of its texts alone."""
    return _fitted(list(table.blocks()), _spec(text_only=text_only))


def _fitted(blocks: list[Block], spec: Spec) -> FittedEncoder:
    return _fitted_with_words(blocks, spec)[0]


def _fitted_with_words(blocks: list[Block], spec: Spec) -> tuple[FittedEncoder, list[list[ByteArray]]]:
    """The encoder, and the words of each block, packed."""
    fit = start_fit(spec, {}, dict.fromkeys(_DATES, DateFormat("ymd")), keep_words=True)
    packed = []
    for block in blocks:
        folded = replace(block, folds=np.arange(block.rows) % 5)
        words = fit.update(folded, np.ones(block.rows, dtype=np.bool_), block.columns["label"])
        packed.append(pack(TrainWords(block.row_numbers, words)))
    return finish_fit(fit, spec, ["0", "1"], "benchmark"), packed


def row_of(table: Table) -> dict[str, object]:
    """The first row, as an application sends it."""
    row: dict[str, object] = {name: values[0] for name, values in table.columns.items() if name != "label"}
    return row | {name: float(table.columns[name][0]) for name in _NUMBERS}


def _encoding(table: Table) -> dict[str, Callable[[], object]]:
    def sageline() -> None:
        blocks = list(table.blocks())
        encoder, words = _fitted_with_words(blocks, _spec())
        for block, packed in zip(blocks, words, strict=True):
            its_words: TrainWords = unpack(packed)
            encoder.encode(its_words.joined_to(block))

    contestants: dict[str, Callable[[], object]] = {SAGELINE: sageline}
    compose, pandas = peer("sklearn.compose"), peer("pandas")
    if compose is not None and pandas is not None:
        frame = pandas.DataFrame({name: values for name, values in table.columns.items() if name != "label"})
        frame[_NUMBERS] = frame[_NUMBERS].astype(np.float64)
        contestants[SCIKIT_LEARN] = lambda: _transformer(pandas).fit_transform(frame)
    return contestants


# Any: scikit-learn and pandas have no types.
def _transformer(pandas: Any) -> Any:
    compose, preprocessing = peer("sklearn.compose"), peer("sklearn.preprocessing")
    text = peer("sklearn.feature_extraction.text")

    def date_parts(dates: Any) -> Any:
        parts = []
        for name in dates.columns:
            read = pandas.to_datetime(dates[name], format="%Y-%m-%d").dt
            parts += [read.year, read.month, read.day, read.day_of_week]
        return np.stack(parts, axis=1)

    return compose.ColumnTransformer(
        [
            ("text", text.CountVectorizer(max_features=inputs.WORDS, token_pattern=WORD), "text"),
            ("numbers", preprocessing.StandardScaler(), _NUMBERS),
            ("categories", preprocessing.OneHotEncoder(handle_unknown="ignore"), list(_CATEGORIES)),
            ("dates", preprocessing.FunctionTransformer(date_parts), _DATES),
        ]
    )
