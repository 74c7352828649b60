"""What a spec may ask of a new model: metrics by name, in their own direction, of the task at hand."""

from __future__ import annotations

from typing import Any

import pytest

from sageline.dataset.profile import DatasetProfile
from sageline.errors import InvalidSpec
from sageline.resolve.resolve import resolve_spec
from sageline.spec.evaluation import check_classes
from sageline.spec.metrics import METRICS
from sageline.spec.model import Spec, validate_spec
from tests.unit.dataset.reading import block_of

CLASSES = {"size": [str(index * 0.5) for index in range(40)], "kind": ["rose", "iris"] * 20}
NUMBERS = {"age": [str(index * 0.5) for index in range(40)], "price": [str(index * 3.25) for index in range(40)]}


def resolve(columns: dict[str, list[str]], evaluation: dict[str, Any], **document: Any) -> Spec:
    spec = validate_spec({"evaluation": evaluation, **document}, "test")
    return resolve_spec(spec, DatasetProfile.of([block_of(columns)]), name="posts", uri="s3://b/datasets/posts/data.csv").spec


def test_what_models_are_judged_by_is_left_to_be_chosen_when_all_rows_are_known() -> None:
    evaluation = resolve(CLASSES, {}).evaluation
    assert (evaluation.metric, evaluation.positive) == (None, None)
    assert resolve(CLASSES, {"metric": "macro_f1", "positive": "iris"}).evaluation.positive == "iris"


def test_a_regression_has_no_positive_class() -> None:
    with pytest.raises(
        InvalidSpec, match=r"`evaluation\.positive` names the class '3.25', and a regression has no classes; take it"
    ):
        resolve(NUMBERS, {"positive": "3.25"})


def test_macro_recall_is_what_balanced_accuracy_was_called() -> None:
    evaluation = validate_spec({"evaluation": {"metric": "macro_recall", "at_least": {"macro_recall": 0.5}}}, "test").evaluation
    assert (evaluation.metric, evaluation.at_least) == ("balanced_accuracy", {"balanced_accuracy": 0.5})
    with pytest.raises(InvalidSpec, match="has macro_recall and balanced_accuracy, which are one metric by two names"):
        validate_spec({"evaluation": {"at_least": {"macro_recall": 0.5, "balanced_accuracy": 0.6}}}, "test")
    with pytest.raises(InvalidSpec, match="`at_most` has balanced_accuracy, of which higher values are better"):
        validate_spec({"evaluation": {"at_most": {"macro_recall": 0.5}}}, "test")


def test_by_default_a_model_must_be_better_than_the_baseline_and_nothing_else_is_asked() -> None:
    evaluation = resolve(CLASSES, {}).evaluation
    assert (evaluation.at_least, evaluation.at_most, evaluation.beat_champion) == (None, None, False)
    assert evaluation.better_than_baseline
    assert not resolve(CLASSES, {"better_than_baseline": False}).evaluation.better_than_baseline


def test_a_resolved_spec_is_a_spec_again() -> None:
    spec = resolve(CLASSES, {"at_least": {"accuracy": 0.8, "macro_f1": 1}, "at_most": {"log_loss": 0.5}, "beat_champion": True})
    assert validate_spec(spec.model_dump(), "test").evaluation == spec.evaluation


@pytest.mark.parametrize("name", METRICS)
def test_each_metric_is_taken_in_its_own_direction_only(name: str) -> None:
    metric = METRICS[name]
    right, wrong = ("at_least", "at_most") if metric.better == "higher" else ("at_most", "at_least")
    validate_spec({"evaluation": {right: {name: 0.5}}}, "test")
    with pytest.raises(InvalidSpec, match=rf'`{wrong}` has {name}, of which {metric.better} .*say "{right}": {{"{name}": 0.5}}'):
        validate_spec({"evaluation": {wrong: {name: 0.5}}}, "test")


@pytest.mark.parametrize(
    ("evaluation", "expected"),
    [
        (
            {"metric": "acuracy"},
            "`evaluation`: `metric` names 'acuracy', and there is no such metric (did you mean `accuracy`?).",
        ),
        ({"at_least": {"Macro-F1": 0.5}}, "`at_least` names 'Macro-F1', and there is no such metric (did you mean `macro_f1`?)"),
        (
            {"at_least": {"recal:fraud": 0.5}},
            "`at_least` names 'recal:fraud', and there is no such metric (did you mean `recall:fraud`?)",
        ),
        ({"at_least": {"recall:": 0.5}}, "(of one class there are precision:<label>, recall:<label>, f1:<label>)"),
        ({"at_most": {"recall:fraud": 0.5}}, "`at_most` has recall:fraud, of which higher values are better"),
        (
            {"at_least": {"recall:fraud": 50}},
            "`at_least.recall:fraud` is 50, and recall:fraud goes from 0 to 1; 50 percent is 0.5.",
        ),
        ({"metric": "recall:fraud"}, "`metric` names 'recall:fraud', a metric of one class; ask for those with `at_least`"),
        ({"at_most": {"zzz": 0.5}}, "(known metrics: accuracy, top_3_accuracy, balanced_accuracy,"),
        ({"at_least": {"accuracy": 80}}, "`at_least.accuracy` is 80, and accuracy goes from 0 to 1; 80 percent is 0.8."),
        ({"at_least": {"accuracy": -0.5}}, "`at_least.accuracy` is -0.5, and accuracy goes from 0 to 1."),
        ({"at_least": {"r2": 1.5}}, "`at_least.r2` is 1.5, and no model has a r2 better than 1."),
        ({"at_most": {"rmse": -1}}, "`at_most.rmse` is -1, and no model has a rmse better than 0."),
        ({"at_most": {"rmse": float("nan")}}, "`evaluation.at_most.rmse` is NaN; expected a finite number."),
        ({"at_least": {"accuracy": "high"}}, '`evaluation.at_least.accuracy` is "high"; expected a valid number.'),
        ({"atleast": {}}, "unknown key `evaluation.atleast`; did you mean `at_least`?"),
    ],
)
def test_what_is_wrong_with_a_metric_is_said(evaluation: dict[str, Any], expected: str) -> None:
    with pytest.raises(InvalidSpec) as caught:
        validate_spec({"evaluation": evaluation}, "spec")
    assert expected in str(caught.value)


def test_a_metric_of_one_class_may_be_asked_for() -> None:
    evaluation = resolve(CLASSES, {"at_least": {"recall:a": 0.5, "f1:b: c": 0.5}}, algorithm={"name": "knn"}).evaluation
    assert evaluation.at_least == {"recall:a": 0.5, "f1:b: c": 0.5}


def test_what_is_asked_of_a_class_that_no_test_row_has_is_refused_with_those_that_there_are() -> None:
    check_classes(
        validate_spec({"evaluation": {"at_least": {"recall:fraud": 0.5, "accuracy": 0.5}}}, "t").evaluation, {"fraud": 3}
    )
    asked = validate_spec({"evaluation": {"at_least": {"recall:Fraud": 0.5}}}, "test").evaluation
    with pytest.raises(InvalidSpec) as caught:
        check_classes(asked, {"fraud": 3, "fine": 90})
    assert caught.value.message == (
        "`evaluation.at_least` names recall:Fraud, and no test row has the label 'Fraud' (did you mean `recall:fraud`?); they "
        "have 'fraud', 'fine'. A larger `split.test` holds more of them."
    )
    with pytest.raises(InvalidSpec, match=r"'class 9' and 2 more\."):
        check_classes(asked, {f"class {number}": 1 for number in range(12)})


@pytest.mark.parametrize(
    ("columns", "evaluation", "key"),
    [
        (CLASSES, {"metric": "rmse"}, "evaluation.metric"),
        (CLASSES, {"at_most": {"mae": 3}}, "evaluation.at_most"),
        (NUMBERS, {"at_least": {"accuracy": 0.5}}, "evaluation.at_least"),
        (NUMBERS, {"at_least": {"recall:a": 0.5}}, "evaluation.at_least"),
    ],
)
def test_a_metric_of_the_other_task_is_refused(columns: dict[str, list[str]], evaluation: dict[str, Any], key: str) -> None:
    with pytest.raises(
        InvalidSpec, match=rf"`{key}` names [a-z0-9:_]+, which is for a \w+, and the task is \w+; its metrics are "
    ):
        resolve(columns, evaluation)


def test_what_takes_probabilities_is_refused_for_an_algorithm_that_answers_labels_only() -> None:
    with pytest.raises(
        InvalidSpec, match="names log_loss, which takes more than the labels that knn answers; take accuracy, balanced"
    ):
        resolve(CLASSES, {"at_most": {"log_loss": 0.5}}, algorithm={"name": "knn"})
    with pytest.raises(InvalidSpec, match="names roc_auc, which takes more than the labels that knn answers"):
        resolve(CLASSES, {"metric": "roc_auc"}, algorithm={"name": "knn"})
    assert resolve(CLASSES, {"metric": "balanced_accuracy"}, algorithm={"name": "knn"}).evaluation.metric == "balanced_accuracy"


def test_a_champion_cannot_be_beaten_without_an_endpoint() -> None:
    with pytest.raises(InvalidSpec, match="compares with the model that the endpoint serves"):
        validate_spec({"evaluation": {"beat_champion": True}, "deployment": None}, "test")
