from __future__ import annotations

import io
from typing import Any

import pytest

from sageline.dataset.profile import DatasetProfile
from sageline.dataset.readers.source import open_blocks
from sageline.errors import InvalidDataset, InvalidHyperparameter, InvalidSpec
from sageline.resolve.resolve import resolve_spec
from sageline.spec.encoder import ColumnsSpec
from sageline.spec.model import Spec, validate_spec
from tests.unit.dataset.reading import block_of
from tests.unit.dataset.tables import as_json_lines, as_parquet

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
    assert spec.encoder.model_dump(include={"kind", "layout"}) == {"kind": "columns", "layout": "sparse"}
    assert spec.deployment is not None
    assert spec.deployment.endpoint == "posts"
    assert spec.deployment.serverless is not None
    chosen = {"name", "task", "dataset.label", "dataset.features.post", "encoder", "deployment.endpoint", "deployment.serverless"}
    chosen |= {"encoder.layout", "split.by"}
    assert set(spec.reasons) == chosen
    assert spec.reasons["encoder"] == "columns: each column as its kind is"


def test_everything_is_chosen_for_a_table_with_a_reason() -> None:
    spec = resolve(TABLE)

    assert spec.task == "regression"
    assert (spec.dataset.label, spec.dataset.features) == ("price", {"age": "number", "colour": "category"})
    assert spec.encoder is not None
    assert spec.encoder.kind == "columns"
    assert spec.reasons["dataset.features.id"].startswith("left out: it numbers the rows: it goes up by one")
    assert spec.reasons["dataset.features.age"] == "number: every value is a number"


def test_text_numbers_and_categories_are_learnt_from_together() -> None:
    spec = resolve(MIXED)

    assert spec.dataset.features == {
        "post": "text",
        "service": "category",
        "age": "number",
        "colour": "category",
        "price": "number",
    }
    assert spec.reasons["encoder"] == "columns: each column as its kind is"
    assert isinstance(spec.encoder, ColumnsSpec)
    assert spec.encoder.layout == "sparse"
    assert spec.reasons["encoder.layout"].startswith("sparse: of at most 2,009 cells of a row about ")
    assert spec.left_out == ["id"]


def test_what_blazingtext_cannot_read_is_left_out_and_said() -> None:
    spec = resolve(MIXED, algorithm={"name": "blazingtext"})

    assert spec.dataset.features == {"post": "text"}
    assert spec.reasons["dataset.features.age"] == "left out: it holds numbers, and the encoder tokens reads text only"


def test_a_spec_of_the_version_before_means_what_it_meant() -> None:
    words = resolve(TEXTS, encoder={"kind": "bag-of-words", "max_words": 7, "mode": "binary"}).encoder
    table = resolve(TABLE, encoder={"kind": "table", "missing": "mean", "categories": "ordinal", "max_categories": 3}).encoder

    assert isinstance(words, ColumnsSpec)
    assert (words.text.max_words, words.text.mode, words.text.statistics, words.join_texts) == (7, "binary", False, True)
    assert isinstance(table, ColumnsSpec)
    assert (table.number.missing, table.number.indicator) == ("mean", False)
    assert (table.category.encoding, table.category.max_categories) == ("ordinal", 3)


def test_a_column_has_options_of_its_own_and_the_others_of_its_kind() -> None:
    given = {"kind": "columns", "number": {"missing": "median"}, "columns": {"age": {"kind": "number", "scale": "standard"}}}

    encoder = resolve(TABLE, encoder=given).encoder

    assert isinstance(encoder, ColumnsSpec)
    assert encoder.columns["age"].model_dump() == {
        "kind": "number",
        "missing": "median",
        "missing_value": 0.0,
        "indicator": True,
        "scale": "standard",
    }


@pytest.mark.parametrize(
    ("name", "expected"), [("colour", "the column is one of kind category"), ("id", "the column is not learnt from")]
)
def test_options_of_a_column_of_another_kind_are_refused(name: str, expected: str) -> None:
    with pytest.raises(InvalidSpec, match=f"`encoder.columns.{name}` has options of the kind number, and {expected}"):
        resolve(TABLE, encoder={"kind": "columns", "columns": {name: {"kind": "number"}}})


def test_what_the_spec_says_is_kept_without_a_reason() -> None:
    given = {
        "name": "mine",
        "task": "regression",
        "dataset": {"label": "age", "features": {"price": "number"}},
        "encoder": {"kind": "columns", "category": {"max_categories": 5}, "layout": "sparse"},
        "split": {"by": "hash", "column": None, "train": 0.5, "validation": 0.0, "test": 0.5, "seed": 7},
        "algorithm": {"name": "xgboost", "hyperparameters": {"num_round": 5}},
        "evaluation": {"metric": "mae"},
        "target": {"transform": "none"},
        "deployment": {"endpoint": "other", "instances": {"count": 2}},
    }

    spec = resolve(TABLE, **given)

    assert (spec.name, spec.task, spec.split.model_dump()) == (given["name"], given["task"], given["split"])
    assert spec.dataset.model_dump(exclude_defaults=True) == {"uri": URI, "label": "age", "features": {"price": "number"}}
    assert spec.encoder is not None
    assert spec.encoder.model_dump(include={"layout": True, "category": {"max_categories"}}) == {
        "layout": "sparse",
        "category": {"max_categories": 5},
    }
    assert spec.deployment is not None
    assert (spec.deployment.endpoint, spec.deployment.serverless) == ("other", None)
    assert spec.algorithm.hyperparameters == {"num_round": 5}
    assert set(spec.reasons) == {"dataset.features.id", "dataset.features.colour"}
    assert set(spec.reasons.values()) == {"left out: dataset.features does not name it"}


def test_rows_that_no_request_could_hold_are_refused_before_the_training() -> None:
    encoder = {"kind": "columns", "text": {"hash_bits": 20}}

    with pytest.raises(InvalidSpec, match=r"an encoded row would have 1,048,585 numbers, 1,048,579 of them of 'post'"):
        resolve(MIXED, encoder=encoder, algorithm={"name": "tensorflow"})
    assert resolve(MIXED, encoder=encoder).encoder is not None  # sparse


def test_several_labels_a_row_are_refused_by_name() -> None:
    labels = ["red", "blue", "red|blue", "green"] * 10

    with pytest.raises(InvalidDataset, match=r"'label' holds several labels a row, such as 'red\|blue', and Sageline learns one"):
        resolve({**TEXTS, "label": labels})


def test_a_class_that_looks_like_several_labels_is_said_with_how_many_rows_have_it() -> None:
    columns = {**TEXTS, "label": [*["red", "blue"] * 18, *["green|tall"] * 4]}

    resolution = resolve_spec(Spec(), DatasetProfile.of([block_of(columns)]), name="posts", uri=URI)

    assert (
        "In 'label', 4 rows have labels that look like several, such as 'green|tall': it is taken for a class of its own. "
        "A row has one label in Sageline; keep one of them where they are several."
    ) in resolution.warnings
    assert resolution.spec.reasons["task"].endswith("; 4 rows have one that looks like several labels, such as 'green|tall'")


@pytest.mark.parametrize("as_format", ["jsonl", "parquet"])
def test_a_column_of_lists_is_never_announced_as_the_label(as_format: str) -> None:
    table: dict[str, list[Any]] = {
        "size": [f"{row}.5" for row in range(40)],
        "colour": ["red", "blue"] * 20,
        "tags": [["a"], ["a", "b"]] * 20,
    }
    data = as_json_lines(table) if as_format == "jsonl" else as_parquet(table)
    profile = DatasetProfile.of(open_blocks(io.BytesIO(data), URI, as_format))

    with pytest.raises(
        InvalidDataset, match=r"column 'tags' holds lists, and so several labels .* name another column in dataset"
    ):
        resolve_spec(Spec(), profile, name="posts", uri=URI)

    spec = resolve_spec(validate_spec({"dataset": {"label": "colour"}}, "test"), profile, name="posts", uri=URI).spec
    assert spec.dataset.label == "colour"


def test_a_series_in_time_is_refused_by_name() -> None:
    days = [f"2024-{index // 28 + 1:02}-{index % 28 + 1:02}" for index in range(40)]

    with pytest.raises(InvalidDataset, match=r"there is nothing but 'day' to learn 'price' from: a forecast from the past"):
        resolve({"day": days, "price": TABLE["price"]})


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
            {"dataset": {"features": {"post": "text", "age": "number"}}, "algorithm": {"name": "blazingtext"}},
            "dataset.features says that 'age' holds numbers, and the encoder tokens reads text only. Leave the column out",
        ),
        (
            TABLE,
            {"dataset": {"features": {"age": "date"}}},
            "the spec says that 'age' holds dates, and s3://bucket/datasets/posts/data.csv has none there that can be read",
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
    spec = Spec.model_validate({"encoder": {"kind": "tokens"}, "algorithm": {"name": "xgboost"}})
    with pytest.raises(InvalidSpec, match="choose the encoder columns"):
        resolve_spec(spec, DatasetProfile(), name="x", uri="s3://b/k")


@pytest.mark.parametrize(
    ("name", "values", "held"), [("label", ["x"] * 40, "'x' in every row"), ("target", [""] * 40, "nothing")]
)
def test_a_column_that_is_called_as_a_label_and_is_passed_over_is_a_warning(name: str, values: list[str], held: str) -> None:
    profile = DatasetProfile.of([block_of({**TABLE, name: values})])

    resolution = resolve_spec(Spec(), profile, name="posts", uri=URI)

    assert resolution.spec.dataset.label == "price"
    assert resolution.warnings[0].startswith(
        f"'{name}' is called as a label is and holds {held}, so 'price' is predicted instead."
    )


@pytest.mark.parametrize(
    ("more", "document"),
    [
        ({"label": ["x"] * 40}, {"dataset": {"label": "price"}}),
        ({"label": ["x"] * 40}, {"dataset": {"exclude": ["label"]}}),
        ({"status": ["sold"] * 40, "target": ["a", "b"] * 20}, {}),
        ({"remark": ["x"] * 40}, {}),
    ],
)
def test_a_label_that_is_named_and_a_column_that_would_not_be_taken_are_no_warning(more: Any, document: Any) -> None:
    profile = DatasetProfile.of([block_of({**TABLE, **more})])

    resolution = resolve_spec(validate_spec(document, "test"), profile, name="posts", uri=URI)

    assert not [text for text in resolution.warnings if "called as a label" in text]


COUNTS = {"size": [str(index % 9) for index in range(60)], "sold": [str(index * 7 % 60 - 3) for index in range(60)]}
THREE = {"size": [str(index % 9) for index in range(60)], "kind": [("a", "b", "c")[index % 3] for index in range(60)]}


@pytest.mark.parametrize(
    ("columns", "algorithm", "expected"),
    [
        (
            COUNTS,
            {"name": "xgboost", "hyperparameters": {"objective": "count:poisson"}},
            "labels from 0, and the smallest label is",
        ),
        (COUNTS, {"name": "xgboost", "hyperparameters": {"eval_metric": "rmsle"}}, "eval_metric rmsle does not fit a regression"),
        (THREE, {"name": "xgboost", "hyperparameters": {"eval_metric": "logloss"}}, "eval_metric logloss does not fit 3 classes"),
        (THREE, {"name": "linear-learner", "hyperparameters": {"f_beta": 1}}, "f_beta is for two classes"),
    ],
)
def test_what_the_labels_do_not_go_with_is_refused_before_the_rows_are_prepared(
    columns: dict[str, list[str]], algorithm: Any, expected: str
) -> None:
    with pytest.raises(InvalidHyperparameter, match=expected):
        resolve(columns, algorithm=algorithm)


def test_classes_that_train_rows_may_lack_are_left_to_the_preparation() -> None:
    columns = {**THREE, "fold": ["test" if kind == "c" else "train" for kind in THREE["kind"]]}
    algorithm = {"name": "xgboost", "hyperparameters": {"eval_metric": "logloss"}}

    spec = resolve(columns, algorithm=algorithm, dataset={"label": "kind"}, split={"by": "given", "column": "fold"})

    assert spec.algorithm.hyperparameters["eval_metric"] == "logloss"
