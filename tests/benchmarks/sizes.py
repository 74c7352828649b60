"""How much the benchmark does."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Sizes:
    """Of the inputs, and how often each contestant runs.

    Attributes:
        text_megabytes: of text that vocabularies are fitted to and that is encoded.
        dense_rows, sparse_rows, count_rows, float_rows: of the matrices that are written.
        mixed_rows: of the table of text, numbers, categories and dates.
        predictions: documents that are encoded one at a time.
        prepare_megabytes: of the CSV files that ``prepare_data`` prepares.
        judged_rows: test rows by whose answers a model is judged.
        processes: how many are started for each cold start.
        control_calls: to create and to describe models, in each round.
        invoked: the algorithms of the endpoints that are asked.
        invocations: requests to each of them, in each round.
        clients: of the HTTP API, that ask at once.
        http_requests: of all of them together, in each round.
    """

    text_megabytes: float
    dense_rows: int
    sparse_rows: int
    count_rows: int
    float_rows: int
    mixed_rows: int
    predictions: int
    prepare_megabytes: tuple[int, ...]
    judged_rows: int
    processes: int
    control_calls: int
    invoked: tuple[str, ...]
    invocations: int
    clients: tuple[int, ...]
    http_requests: int
    rounds: int


FULL = Sizes(
    text_megabytes=100,
    dense_rows=50_000,
    sparse_rows=50_000,
    count_rows=20_000,
    float_rows=5_000,
    mixed_rows=300_000,
    predictions=2_000,
    prepare_megabytes=(10, 100, 1000),
    judged_rows=100_000,
    processes=9,
    control_calls=200,
    invoked=("xgboost", "linear-learner"),
    invocations=1_000,
    clients=(1, 16, 64),
    http_requests=640,
    rounds=5,
)

QUICK = Sizes(
    text_megabytes=1,
    dense_rows=200,
    sparse_rows=200,
    count_rows=100,
    float_rows=20,
    mixed_rows=500,
    predictions=50,
    prepare_megabytes=(1,),
    judged_rows=500,
    processes=1,
    control_calls=5,
    invoked=("linear-learner",),
    invocations=32,
    clients=(2,),
    http_requests=16,
    rounds=2,
)
