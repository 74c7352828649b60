"""Which algorithms `auto` trains for which data, and with which spec each."""

from __future__ import annotations

from typing import Any, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sageline.dataset.profile import DatasetProfile
from sageline.errors import InvalidDataset, InvalidSpec
from sageline.resolve.candidates import Candidate, ResolvedRun, resolve_run
from sageline.spec.encoder import ColumnsSpec
from sageline.spec.model import Spec, parse_spec, validate_spec
from tests.unit.dataset.reading import block_of
from tests.unit.resolve.test_matching import PIXELS
from tests.unit.resolve.test_resolve import MIXED, TABLE, URI
from tests.unit.resolve.test_resolve import TEXTS as SHORT_TEXTS

Columns: TypeAlias = dict[str, list[str]]

WEIGHTED = {**MIXED, "weight": [str(1 + row % 3) for row in range(40)]}
PIXELS_OF_NUMBERS = {**PIXELS, "label": [f"{row * 1.5}" for row in range(40)]}

TEXTS = {**SHORT_TEXTS, "post": [" ".join([text] * 15) for text in SHORT_TEXTS["post"]]}
"""Of over a hundred words each."""


def resolved(columns: Columns, **document: Any) -> ResolvedRun:
    return resolve_run(validate_spec(document, "test"), DatasetProfile.of([block_of(columns)]), name="posts", uri=URI)


def algorithms(run: ResolvedRun) -> list[str]:
    return [candidate.algorithm for candidate in run.candidates]


def of(run: ResolvedRun, algorithm: str) -> Candidate:
    return next(candidate for candidate in run.candidates if candidate.algorithm == algorithm)


def read_again(spec: Spec) -> Spec:
    """As PrepareData reads what ConfigureRun has written."""
    return parse_spec(spec.model_dump_json(exclude_unset=True), "given-spec.json")


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (TABLE, ["xgboost", "linear-learner"]),
        (MIXED, ["xgboost", "linear-learner"]),
        (SHORT_TEXTS, ["xgboost", "linear-learner"]),
        (TEXTS, ["xgboost", "linear-learner", "blazingtext"]),
        (PIXELS, ["knn", "tensorflow"]),
    ],
)
def test_what_the_columns_hold_decides_what_is_trained(columns: Columns, expected: list[str]) -> None:
    run = resolved(columns)

    assert algorithms(run) == expected
    assert run.refused == {}
    assert [candidate.resolution.spec.algorithm.name for candidate in run.candidates] == expected
    *others, last = expected
    assert run.resolution.spec.reasons["algorithm.name"].startswith(f"auto trains {', '.join(others)} and {last} side by side")


def test_texts_with_a_number_to_learn_are_nothing_for_blazingtext() -> None:
    run = resolved({"post": TEXTS["post"], "price": TABLE["price"]}, dataset={"label": "price"})

    assert (algorithms(run), run.resolution.spec.task) == (["xgboost", "linear-learner"], "regression")


def test_pixels_with_a_number_to_learn_have_both_algorithms_of_images() -> None:
    assert algorithms(resolved(PIXELS_OF_NUMBERS, task="regression")) == ["knn", "tensorflow"]


def test_the_encoder_tokens_leaves_blazingtext_alone() -> None:
    run = resolved(MIXED, encoder={"kind": "tokens"})

    assert algorithms(run) == ["blazingtext"]
    assert run.candidates[0].resolution.spec.dataset.features == {"post": "text"}
    assert (
        run.resolution.spec.reasons["algorithm.name"]
        == "auto trains blazingtext alone, as no other goes with the data and the spec"
    )


def test_an_algorithm_that_the_spec_names_is_trained_alone() -> None:
    run = resolved(TABLE, algorithm={"name": "linear-learner"})

    assert (run.candidates, [spec.algorithm.name for spec in run.trained]) == ((), ["linear-learner"])


# ---- What the spec says itself stays ----


def test_what_the_spec_says_of_the_training_is_said_to_each() -> None:
    said = {"instance_type": "ml.c5.2xlarge", "spot": True, "max_runtime_seconds": 1800, "class_weight": "balanced"}

    run = resolved(TABLE, dataset={"label": "colour"}, algorithm=said)

    for candidate in run.candidates:
        dumped = candidate.resolution.spec.algorithm.model_dump()
        assert {key: dumped[key] for key in said} == said, candidate.algorithm


def test_options_of_the_encoder_stay_and_auto_adds_those_that_are_not_said() -> None:
    given_text = {"max_words": 77, "mode": "binary", "sublinear": False}

    run = resolved(TEXTS, encoder={"kind": "columns", "layout": "dense", "text": given_text})

    linear = of(run, "linear-learner").resolution.spec.encoder
    assert isinstance(linear, ColumnsSpec)
    assert linear.layout == "dense"
    assert linear.text.model_dump(include=set(given_text)) == given_text
    assert (linear.text.ngrams, linear.text.statistics) == (2, False)
    trees = of(run, "xgboost").resolution.spec.encoder
    assert isinstance(trees, ColumnsSpec)
    assert (trees.text.max_words, trees.text.ngrams) == (77, 1)


def test_options_of_one_column_stay() -> None:
    run = resolved(TEXTS, encoder={"kind": "columns", "columns": {"post": {"kind": "text", "ngrams": 3, "statistics": True}}})

    encoder = of(run, "linear-learner").resolution.spec.encoder
    assert isinstance(encoder, ColumnsSpec)
    options = encoder.text_of("post")
    assert (options.ngrams, options.statistics, options.mode) == (3, True, "tf-idf")


def test_an_encoder_of_the_version_before_keeps_its_options() -> None:
    run = resolved(TEXTS, encoder={"kind": "bag-of-words", "max_words": 7})

    for candidate in run.candidates:
        encoder = candidate.resolution.spec.encoder
        assert isinstance(encoder, ColumnsSpec)
        assert (encoder.text.max_words, encoder.join_texts) == (7, True)


# ---- What cannot learn from the data is left out, and said ----


@pytest.mark.parametrize(
    ("columns", "document", "left", "why"),
    [
        (
            WEIGHTED,
            {"dataset": {"label": "label", "weight": "weight"}},
            {"linear-learner"},
            "`dataset.weight` says how much each row counts, which the algorithm linear-learner cannot be told",
        ),
        (
            TEXTS,
            {"algorithm": {"class_weight": {"s3": 2}}},
            {"blazingtext"},
            "`algorithm.class_weight` says how much each class counts, which the algorithm blazingtext cannot be told",
        ),
        (
            TEXTS,
            {"algorithm": {"instance_count": 2}},
            {"blazingtext"},
            "`algorithm.instance_count` is 2; blazingtext classifies on one instance",
        ),
        (TEXTS, {"encoder": {"kind": "columns"}}, {"blazingtext"}, "blazingtext reads the encoder tokens only"),
        (
            TABLE,
            {"encoder": {"kind": "columns", "number": {"missing": "keep"}}},
            {"linear-learner"},
            '`encoder.number.missing` is "keep", and the algorithm linear-learner takes no missing numbers',
        ),
        (PIXELS, {"decision": {"threshold": 0.4}}, {"knn"}, "`decision` needs probabilities, and knn answers labels only"),
        (PIXELS, {"evaluation": {"metric": "roc_auc"}}, {"knn"}, "roc_auc"),
    ],
)
def test_an_algorithm_that_cannot_is_left_out_and_the_others_go_on(
    columns: Columns, document: dict[str, Any], left: set[str], why: str
) -> None:
    everything, run = algorithms(resolved(columns)), resolved(columns, **document)

    assert set(run.refused) == left
    assert algorithms(run) == [name for name in everything if name not in left]
    [name] = left
    assert why in run.refused[name]
    assert run.resolution.spec.reasons[f"algorithm.{name}"] == f"left out: {run.refused[name]}"
    assert name not in run.resolution.spec.reasons["algorithm.name"]


@pytest.mark.parametrize(
    ("columns", "document", "problem"),
    [
        ({**PIXELS, "weight": ["1", "2"] * 20}, {"dataset": {"label": "label", "weight": "weight"}}, "the algorithm knn cannot"),
        (
            {**TEXTS, **TABLE},
            {"dataset": {"label": "price"}, "encoder": {"kind": "tokens"}},
            "blazingtext does classification only",
        ),
        (TABLE, {"algorithm": {"class_weight": "balanced"}}, "`algorithm.class_weight` is for a classification"),
    ],
)
def test_where_every_algorithm_is_refused_the_run_is(columns: Columns, document: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidSpec, match=problem):
        resolved(columns, **document)


def test_data_that_nothing_can_learn_from_are_refused_once() -> None:
    with pytest.raises(InvalidDataset, match="nothing but 'day' to learn 'price' from"):
        resolved({"day": [f"2024-{row // 28 + 1:02}-{row % 28 + 1:02}" for row in range(40)], "price": TABLE["price"]})


# ---- Validation rows, by which the model is chosen ----


@pytest.mark.parametrize("columns", [TABLE, TEXTS, PIXELS])
def test_no_validation_rows_are_refused_with_what_to_do(columns: Columns) -> None:
    with pytest.raises(
        InvalidSpec,
        match=r"`split\.validation` is 0, and the algorithm auto chooses among models by the validation rows\. Give "
        r"`split\.validation` a share, such as 0\.1, or name an algorithm in `algorithm\.name`\.",
    ):
        resolved(columns, split={"train": 0.8, "validation": 0, "test": 0.2})


def test_a_column_that_names_validation_rows_has_them_whatever_the_shares() -> None:
    sides = ["train"] * 30 + ["validation"] * 5 + ["test"] * 5
    split = {"by": "given", "column": "side", "train": 0.8, "validation": 0, "test": 0.2}

    assert len(resolved({**TABLE, "side": sides}, split=split, dataset={"label": "price"}).candidates) == 2
    with pytest.raises(InvalidSpec, match=r"`split\.validation` is 0"):
        resolved(
            {**TABLE, "side": ["train" if side == "validation" else side for side in sides]},
            split=split,
            dataset={"label": "price"},
        )


def test_a_named_algorithm_needs_no_validation_rows() -> None:
    assert resolved(TABLE, algorithm={"name": "xgboost"}, split={"train": 0.8, "validation": 0, "test": 0.2}).candidates == ()


# ---- A candidate's own spec ----

WHOLE = {
    "evaluation": {"beat_champion": True, "metric": "mae", "at_most": {"mae": 900}},
    "deployment": {"endpoint": "prices", "instances": {"count": 2}},
    "budget_usd": 50,
    "budget_minutes": 45,
    "reasons": {"name": "the name of the dataset"},
    "algorithm": {"preset": "good", "max_runtime_seconds": 600},
}


def test_a_candidate_ends_with_its_model() -> None:
    run = resolved(TABLE, **WHOLE)

    for candidate in run.candidates:
        for spec in (candidate.given, read_again(candidate.given), candidate.resolution.spec):
            assert (spec.deployment, spec.batch, spec.budget_usd, spec.budget_minutes) == (None, None, None, None)
            assert spec.evaluation.beat_champion is False
            assert (spec.evaluation.metric, spec.evaluation.at_most) == ("mae", {"mae": 900})
            assert spec.algorithm.preset is None
        assert candidate.given.reasons == {}


def test_a_candidate_scores_no_batch() -> None:
    run = resolved(TABLE, batch={"input": "s3://bucket/datasets/posts/rows.csv"}, deployment=None)

    assert run.resolution.spec.batch is not None
    assert [candidate.resolution.spec.batch for candidate in run.candidates] == [None, None]


def test_the_run_itself_keeps_what_it_does_with_the_model() -> None:
    spec = resolved(TABLE, **WHOLE).resolution.spec

    assert spec.deployment is not None
    assert (spec.deployment.endpoint, spec.budget_usd, spec.budget_minutes) == ("prices", 50, 45)
    assert spec.evaluation.beat_champion is True
    assert (spec.algorithm.name, spec.algorithm.preset, spec.tuning, spec.encoder) == ("auto", "good", None, None)


def test_the_preset_of_a_run_is_quick_where_the_spec_says_none() -> None:
    assert resolved(TABLE).resolution.spec.algorithm.preset == "quick"


@st.composite
def specs(draw: st.DrawFn) -> dict[str, Any]:
    """Documents that may go with a table."""
    document: dict[str, Any] = {}
    algorithm: dict[str, Any] = {}
    if draw(st.booleans()):
        algorithm["preset"] = draw(st.sampled_from(["quick", "good", "best"]))
    if draw(st.booleans()):
        algorithm |= {"spot": draw(st.booleans()), "instance_count": draw(st.integers(1, 3))}
    if draw(st.booleans()):
        algorithm["name"] = "auto"
    if algorithm:
        document["algorithm"] = algorithm
    if draw(st.booleans()):
        document["evaluation"] = {"beat_champion": draw(st.booleans()), "better_than_baseline": draw(st.booleans())}
    if draw(st.booleans()):
        document["deployment"] = draw(
            st.sampled_from([{}, {"endpoint": "mine"}, {"instances": {}}, {"serverless": {"memory_mb": 1024}}])
        )
    if draw(st.booleans()):
        document |= {"budget_usd": draw(st.floats(0.01, 100)), "budget_minutes": draw(st.floats(1, 1000))}
    if draw(st.booleans()):
        document["encoder"] = draw(
            st.sampled_from(
                [
                    {"kind": "columns"},
                    {"kind": "columns", "text": {"hash_bits": 10}},
                    {"kind": "columns", "number": {"missing": "mean"}},
                    {"kind": "table", "categories": "ordinal"},
                ]
            )
        )
    if draw(st.booleans()):
        document["target"] = {"transform": "none"}
    return document


@given(specs(), st.sampled_from([TABLE, TEXTS, MIXED]))
def test_a_candidates_spec_says_the_same_when_it_is_read_again(document: dict[str, Any], columns: Columns) -> None:
    run = resolved(columns, **document)

    assert run.candidates
    profile = DatasetProfile.of([block_of(columns)])
    for candidate in run.candidates:
        again = read_again(candidate.given)
        assert again == candidate.given
        [alone] = resolve_run(again, profile, name="posts", uri=URI).trained
        assert alone == candidate.resolution.spec
        assert parse_spec(candidate.resolution.spec.model_dump_json(), "spec.json") == candidate.resolution.spec
    assert parse_spec(run.resolution.spec.model_dump_json(), "spec.json") == run.resolution.spec


# ---- Presets ----


def trials(run: ResolvedRun) -> dict[str, int]:
    return {spec.algorithm.name: spec.tuning.max_jobs if spec.tuning else 0 for spec in run.trained}


@pytest.mark.parametrize(
    ("preset", "columns", "expected"),
    [
        ("quick", TABLE, {"xgboost": 0, "linear-learner": 0}),
        ("good", TABLE, {"xgboost": 8, "linear-learner": 4}),
        ("good", TEXTS, {"xgboost": 6, "linear-learner": 3, "blazingtext": 3}),
        ("good", PIXELS, {"knn": 6, "tensorflow": 6}),
        ("best", TABLE, {"xgboost": 33, "linear-learner": 17}),
        ("best", PIXELS, {"knn": 25, "tensorflow": 25}),
    ],
)
def test_the_algorithms_share_the_trials_of_a_preset(preset: str, columns: Columns, expected: dict[str, int]) -> None:
    assert trials(resolved(columns, algorithm={"preset": preset})) == expected


def test_the_trials_of_an_algorithm_that_is_left_out_go_to_the_others() -> None:
    run = resolved(WEIGHTED, dataset={"label": "label", "weight": "weight"}, algorithm={"preset": "good"})

    assert trials(run) == {"xgboost": 12}


def test_hyperband_is_for_xgboost_of_the_preset_best_alone() -> None:
    strategies = {
        preset: {spec.algorithm.name: spec.tuning.strategy for spec in run.trained if spec.tuning}
        for preset in ("good", "best")
        for run in [resolved(TEXTS, algorithm={"preset": preset})]
    }

    assert set(strategies["good"].values()) == {"Bayesian"}
    assert strategies["best"] == {"xgboost": "Hyperband", "linear-learner": "Bayesian", "blazingtext": "Bayesian"}
