from __future__ import annotations

from typing import Any

import pytest

from sageline.dataset.profile import DatasetProfile
from sageline.errors import InvalidDataset, InvalidSpec
from sageline.resolve.resolve import resolve_spec
from sageline.spec.model import Spec, validate_spec
from tests.unit.dataset.reading import block_of

URI = "s3://bucket/datasets/posts/data.csv"
TEXTS = {"post": [f"a post about topic {index % 7} in many words {index}" for index in range(40)], "service": ["s3", "ec2"] * 20}
TABLE = {
    "id": [str(index) for index in range(40)],
    "age": [str(index * 0.5) for index in range(40)],
    "colour": ["red", "blue"] * 20,
    "price": [str(index * 3.25) for index in range(40)],
}
MIXED = {**TEXTS, **TABLE, "label": ["a", "b"] * 20}


def resolve(columns: dict[str, list[str]], **document: Any) -> Spec:
    return resolve_spec(validate_spec(document, "test"), DatasetProfile.of([block_of(columns)]), name="posts", uri=URI).spec


def test_everything_is_chosen_for_text_with_a_reason() -> None:
    spec = resolve(TEXTS)

    assert (spec.name, spec.task) == ("posts", "classification")
    assert spec.dataset.model_dump(exclude_defaults=True) == {"uri": URI, "label": "service", "features": {"post": "text"}}
    assert spec.encoder is not None
    assert spec.encoder.model_dump() == {"kind": "bag-of-words", "max_words": 2000, "mode": "count"}
    assert spec.deployment is not None
    assert spec.deployment.endpoint == "posts"
    assert spec.deployment.serverless is not None
    chosen = {"name", "task", "dataset.label", "dataset.features.post", "encoder", "deployment.endpoint", "deployment.serverless"}
    chosen |= {"evaluation.metric"}
    assert set(spec.reasons) == chosen
    assert spec.reasons["encoder"] == "bag-of-words, because of the text in 'post'"


def test_everything_is_chosen_for_a_table_with_a_reason() -> None:
    spec = resolve(TABLE)

    assert spec.task == "regression"
    assert (spec.dataset.label, spec.dataset.features) == ("price", {"age": "number", "colour": "category"})
    assert spec.encoder is not None
    assert spec.encoder.kind == "table"
    assert spec.reasons["dataset.features.id"].startswith("left out: it numbers the rows: it goes up by one")
    assert spec.reasons["dataset.features.age"] == "number: every value is a number"


def test_text_is_learnt_from_alone_and_what_is_left_out_is_named() -> None:
    spec = resolve(MIXED)

    assert spec.dataset.features == {"post": "text"}
    assert spec.reasons["dataset.features.age"] == "left out: it holds numbers, and the encoder bag-of-words reads text only"
    assert (
        spec.reasons["dataset.features.colour"] == "left out: it holds categories, and the encoder bag-of-words reads text only"
    )
    assert set(spec.left_out) == MIXED.keys() - {"post", spec.dataset.label}


def test_a_table_encoder_leaves_text_out() -> None:
    spec = resolve(MIXED, encoder={"kind": "table"})

    assert spec.dataset.features == {"service": "category", "age": "number", "colour": "category", "price": "number"}
    assert (
        spec.reasons["dataset.features.post"]
        == "left out: it holds text, and the encoder table reads numbers and categories only"
    )


def test_what_the_spec_says_is_kept_without_a_reason() -> None:
    given = {
        "name": "mine",
        "task": "regression",
        "dataset": {"label": "age", "features": {"price": "number"}},
        "encoder": {"kind": "table", "max_categories": 5},
        "split": {"train": 0.5, "validation": 0.0, "test": 0.5, "seed": 7},
        "algorithm": {"hyperparameters": {"num_round": 5}},
        "evaluation": {"metric": "mae"},
        "deployment": {"endpoint": "other", "instances": {"count": 2}},
    }

    spec = resolve(TABLE, **given)

    assert (spec.name, spec.task, spec.split.model_dump()) == (given["name"], given["task"], given["split"])
    assert spec.dataset.model_dump(exclude_defaults=True) == {"uri": URI, "label": "age", "features": {"price": "number"}}
    assert spec.encoder is not None
    assert spec.encoder.model_dump(exclude_unset=True).items() >= {"kind": "table", "max_categories": 5}.items()
    assert spec.deployment is not None
    assert (spec.deployment.endpoint, spec.deployment.serverless) == ("other", None)
    assert spec.algorithm.hyperparameters == {"num_round": 5}
    assert set(spec.reasons) == {"dataset.features.id", "dataset.features.colour"}
    assert set(spec.reasons.values()) == {"left out: dataset.features does not name it"}


def test_a_resolved_spec_resolves_to_itself() -> None:
    spec = resolve(MIXED)

    again = resolve_spec(spec, DatasetProfile.of([block_of(MIXED)]), name="other", uri="s3://other/data.csv").spec

    assert again.model_dump(exclude={"reasons"}) == spec.model_dump(exclude={"reasons"})


def test_a_label_that_is_no_column_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(InvalidSpec) as caught:
        resolve(TEXTS, dataset={"label": "servce"})
    assert caught.value.message == (
        f"spec: `dataset.label` names 'servce', and {URI} has no such column; the columns are post, service. "
        "Did you mean 'service'?"
    )


def test_a_feature_that_is_no_column_is_refused() -> None:
    with pytest.raises(InvalidSpec, match=r"`dataset.features` names 'zzz', and .* the columns are post, service\.$"):
        resolve(TEXTS, dataset={"features": {"zzz": "text"}})


@pytest.mark.parametrize(
    ("columns", "document", "expected"),
    [
        (
            TEXTS,
            {"dataset": {"label": "post", "features": {"post": "text"}}},
            "dataset.features names 'post', which is the label",
        ),
        (
            MIXED,
            {"dataset": {"features": {"post": "text", "age": "number"}}},
            "dataset.features says that 'age' holds numbers, and the encoder bag-of-words reads text only. Leave the column out",
        ),
        (
            MIXED,
            {"dataset": {"features": {"post": "text"}}, "encoder": {"kind": "table"}},
            "dataset.features says that 'post' holds text, and the encoder table reads numbers and categories only.",
        ),
        (
            TABLE,
            {"encoder": {"kind": "bag-of-words"}},
            "the encoder bag-of-words reads text, and no column holds these: 'age' holds numbers; 'colour' holds categories.",
        ),
    ],
)
def test_choices_that_do_not_go_together_are_refused(
    columns: dict[str, list[str]], document: dict[str, Any], expected: str
) -> None:
    with pytest.raises(InvalidSpec) as caught:
        resolve(columns, **document)
    assert expected in caught.value.message


def test_a_name_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidSpec, match='`name` is "My Posts"; use lower-case letters'):
        resolve_spec(Spec(), DatasetProfile.of([block_of(TEXTS)]), name="My Posts", uri=URI)


def test_a_single_column_is_refused() -> None:
    with pytest.raises(InvalidDataset, match="has one column, 'post'; a dataset has a label and at least one feature"):
        resolve({"post": TEXTS["post"]})


def test_columns_of_which_none_can_be_learnt_from_are_refused() -> None:
    with pytest.raises(
        InvalidDataset,
        match=r"the label is 'label', and there is no column to learn from\. 'id' is left out: it numbers the rows",
    ):
        resolve({"id": TABLE["id"], "label": TEXTS["service"]})


def test_a_constant_column_called_label_leaves_no_doubt_which_one_was_taken() -> None:
    with pytest.raises(
        InvalidDataset, match=r"the label is 'age', .*'label' is left out: every row holds 'a'\. .*in dataset\.label"
    ):
        resolve({"age": TABLE["age"], "label": ["a"] * 40})


def test_one_number_is_enough_to_learn_from() -> None:
    spec = resolve({"x": [str(index * 2) for index in range(40)], "y": TABLE["price"]})

    assert (spec.task, spec.dataset.features) == ("regression", {"x": "number"})


def test_tokens_are_not_for_xgboost() -> None:
    with pytest.raises(InvalidSpec, match="choose the encoder bag-of-words"):
        resolve_spec(Spec.model_validate({"encoder": {"kind": "tokens"}}), DatasetProfile(), name="x", uri="s3://b/k")
