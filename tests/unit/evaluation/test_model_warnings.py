"""What is to be known of a model before it is used."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from sageline.evaluation.answer_arrays import ClassAnswers
from sageline.evaluation.baseline import compare_with_baseline
from sageline.evaluation.classification import ClassificationSums
from sageline.evaluation.comparison import Sums
from sageline.evaluation.model_warnings import model_warnings
from sageline.spec.model import SplitSpec
from tests.unit.evaluation.cases import summed


def answered(expected: str, chosen: str, known: str) -> ClassificationSums:
    """A letter for each row's label and each answer."""
    sums = ClassificationSums(list(known))
    numbers = [np.array([known.index(letter) for letter in row]) for row in (expected, chosen)]
    sums.update(numbers[0], ClassAnswers(numbers[1], None, are_probabilities=False))
    return sums


def warned(
    sums: Sums, metric: str = "accuracy", *, refused: bool = True, known: Sequence[str] = "", split: SplitSpec | None = None
) -> list[str]:
    baseline = compare_with_baseline(metric, sums)
    return model_warnings(
        sums, [metric], baseline=baseline, refused=refused, labels=list(known), split=split or SplitSpec.model_validate({})
    )


@pytest.mark.parametrize(("rows", "few"), [(49, True), (50, False)])
def test_fewer_than_fifty_rows_are_few(rows: int, few: bool) -> None:
    letters = "ab" * (rows // 2) + "a" * (rows % 2)
    warnings = warned(answered(letters, letters, "ab"), known="ab")
    assert [warning.startswith("Judged by 49 test rows only: ") for warning in warnings] == [True] * few


@pytest.mark.parametrize(
    ("right", "likely"),
    [
        (12, "accuracy is 1, and on other rows it may be anything from 0.71 to 1.00"),
        (6, "0.5, and on other rows it may be anything from 0.25 to 0.75"),
    ],
)
def test_how_far_a_share_of_few_rows_may_be_off_is_said_even_where_all_were_right(right: int, likely: str) -> None:
    [warning] = warned(answered("ab" * 6, ("ab" * 6)[:right] + ("ba" * 6)[right:], "ab"), known="ab")
    assert warning.startswith("Judged by 12 test rows only: ")
    assert likely in warning
    assert warning.endswith('more of them out of training: {"split": {"train": 0.6, "validation": 0.1, "test": 0.3}}.')


def test_an_error_that_is_but_one_of_adding_up_is_not_said() -> None:
    expected = np.array([0] * 27 + [1] * 3)
    scores = np.column_stack([1 - expected, expected]).astype(np.float32)
    sums = ClassificationSums(["no", "yes"], 1)
    sums.update(expected, ClassAnswers(expected, scores, are_probabilities=True))

    [warning] = warned(sums, "average_precision", known=["no", "yes"])

    assert 0 < (sums.standard_errors()["average_precision"] or 0) < 1e-12
    assert "average_precision is 1, and how far that may be off cannot be told" in warning


@pytest.mark.parametrize(
    ("split", "advice"),
    [
        (
            {"by": "time", "column": "when"},
            '{"split": {"by": "time", "column": "when", "train": 0.6, "validation": 0.1, "test": 0.3}}.',
        ),
        ({"by": "given", "column": "part"}, "out of training: say so in the column 'part'."),
        ({"by": "given"}, "out of training: put them into the test files."),
    ],
)
def test_the_advice_to_test_on_more_rows_keeps_what_the_split_goes_by(split: dict[str, str], advice: str) -> None:
    [warning] = warned(answered("ab" * 6, "ab" * 6, "ab"), known="ab", split=SplitSpec.model_validate(split))
    assert warning.endswith(advice)


def test_that_a_model_is_no_better_than_the_baseline_is_said_of_few_rows_too() -> None:
    [of_classes] = warned(answered("aaabb", "bbabb", "ab"), known="ab")
    [of_numbers] = warned(summed(np.arange(6.0), np.arange(6.0, dtype=np.float32) + 9), "rmse")
    [better] = warned(answered("aaabb", "aaabb", "ab"), known="ab")

    assert ". That is no better than always answering 'a', which reaches 0.6. Add rows" in of_classes
    assert ". That is no better than always answering the mean (2.5), which reaches 1.708. Add rows" in of_numbers
    assert "no better" not in better


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        (
            "bbb",
            "That is no better than always answering 'a', which reaches 1. Add rows",
        ),
        ("aab", "That is no better than always answering 'a', which reaches 1. Add rows"),
        ("aaa", "Always answering 'a' reaches 1; whether the model is better takes 50 test rows to tell."),
    ],
)
def test_a_model_that_is_worse_than_a_perfect_baseline_is_told_so(chosen: str, said: str) -> None:
    warnings = warned(answered("aaa", chosen, "ab"), known="ab")

    [few] = [warning for warning in warnings if warning.startswith("Judged by 3 test rows only")]
    assert said in few


def test_how_far_another_metric_may_be_off_is_two_standard_errors() -> None:
    errors = np.array([3.0, -1.0, 2.0, -2.0, 1.0, -3.0])
    sums = summed(np.arange(6.0), (np.arange(6.0) + errors).astype(np.float32))
    error = sums.standard_errors()["mae"]
    assert error is not None
    assert warned(sums, "mae")[0].startswith(f"Judged by 6 test rows only: mae is 2, and may be off by ±{2 * error:.2g} (two ")


def test_where_the_few_rows_say_nothing_of_the_error_that_is_said() -> None:
    [one] = warned(summed(np.ones(1), np.ones(1, dtype=np.float32)), "rmse")
    assert one.startswith("Judged by 1 test row only: rmse is 0, and how far that may be off cannot be told from so few.")
    [unknown] = warned(summed(np.ones(3), np.full(3, np.nan, dtype=np.float32)), "rmse")
    assert unknown.startswith("Judged by 3 test rows only. ")


def test_a_metric_that_the_model_does_not_answer_is_replaced_by_the_usual_one() -> None:
    [warning] = warned(answered("abab", "abab", "ab"), "log_loss", known="ab")
    assert "accuracy is 1" in warning


def test_a_label_that_is_never_answered_is_named_with_its_rows() -> None:
    [warning] = warned(answered("a" * 40 + "b" * 40 + "c" * 7, "a" * 40 + "b" * 47, "abc"), known="abc")
    assert warning.startswith("The model never answers 'c' (7 test rows have it). Add rows of such labels")


def test_of_many_labels_that_are_never_answered_those_of_most_rows_are_named() -> None:
    letters = "abcdefgh"
    expected = "a" * 60 + "".join(letter * (place + 1) for place, letter in enumerate(letters[1:]))
    [warning] = warned(answered(expected, "a" * len(expected), letters), known=letters)
    assert warning.startswith("The model never answers 7 of 8 labels: 'h' (7 test rows have it), 'g' (6 ")
    assert "'d' (3 test rows have it) and 2 more." in warning


def test_a_label_of_train_that_no_test_row_has_is_another_matter_than_one_that_is_missed() -> None:
    letters = "ab" * 30
    [warning] = warned(answered(letters, letters, "abc"), known="abc")
    assert warning.startswith("Whether the model ever answers 'c' is not known: no test row has it or was given it.")
    assert warned(answered(letters, letters[:-1] + "c", "abc"), known="abc") == []


def test_a_label_that_the_model_does_not_know_is_not_missed() -> None:
    letters = "ab" * 30
    assert warned(answered(letters, letters, "abc"), known="ab") == []


def test_a_worthless_model_that_is_not_refused_is_said_to_be_one_first() -> None:
    sums = answered("a" * 40 + "b" * 30, "a" * 70, "ab")
    refused, deployed = warned(sums, known="ab"), warned(sums, refused=False, known="ab")
    assert deployed[0].startswith(
        "The model is not better than always answering 'a': its accuracy is 0.5714, and that of the one answer 0.5714"
    )
    assert deployed[1:] == refused
    assert [warning[:30] for warning in refused] == ["The model never answers 'b' (3"]


def test_a_good_model_is_not_warned_of() -> None:
    letters = "ab" * 30
    assert warned(answered(letters, letters, "ab"), refused=False, known="ab") == []
    values = np.arange(60.0)
    assert warned(summed(values, (values + 0.5).astype(np.float32)), "rmse", refused=False) == []


def test_a_model_that_never_answers_the_label_that_is_looked_for_is_named_first_even_of_few_rows() -> None:
    sums = ClassificationSums(["no", "yes"], 1)
    sums.update(np.array([0] * 30 + [1] * 3), ClassAnswers(np.zeros(33, dtype=np.int64), None, are_probabilities=False))
    first, second = model_warnings(
        sums, ["accuracy"], baseline=None, refused=True, labels=["no", "yes"], split=SplitSpec.model_validate({})
    )
    assert first.startswith(
        "The model never answers 'yes', the label that is looked for (3 test rows have it): its scores may rank"
    )
    assert second.startswith("Judged by 33 test rows only")


def test_that_a_metric_is_of_a_choice_of_the_rows_is_said_where_it_is_asked_for() -> None:
    sums = ClassificationSums(["a", "b"], 1, most_scores=50)
    expected = np.arange(80) % 2
    scores = np.column_stack([1 - expected, expected]).astype(np.float32)
    sums.update(expected, ClassAnswers(expected, scores, are_probabilities=True))
    assert warned(sums, "roc_auc", known="ab") == ["roc_auc is of 50 of the 80 test rows, a random choice."]
    assert warned(sums, "accuracy", known="ab") == []


def test_that_mape_is_not_known_is_said_where_it_is_asked_for() -> None:
    sums = summed(np.arange(60.0), np.arange(60, dtype=np.float32))
    [warning] = warned(sums, "mape")
    assert warning.startswith("mape is not known: 1 test row has the value 0, of which no error is a share. Judge by mae")
    assert warned(sums, "rmse") == []
