"""Every answer of the algorithms, byte by byte as their documentation and their containers' source give it."""

from __future__ import annotations

import json
import warnings
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sageline.arrays.matrix import FloatArray
from sageline.errors import PredictionFailed
from sageline.formats import npy, recordio
from sageline.formats.answers import CSV, JSON, JSON_LINES, read_answer
from sageline.formats.exchange import ANSWERS
from tests.unit.formats.recordio import plain_recordio as plain

RECORDIO = recordio.CONTENT_TYPE


def f4(values: object) -> FloatArray:
    return np.array(values, dtype=np.float32)


def same(one: FloatArray | None, other: object) -> bool:
    return one is None if other is None else one is not None and one.shape == f4(other).shape and bool((one == f4(other)).all())


def answer_record(**columns: list[float]) -> bytes:
    entries = [
        plain.field(2, plain.field(1, key.encode()) + plain.field(2, plain.field(2, plain.tensor(plain.floats(values)))))
        for key, values in columns.items()
    ]
    return plain.frame(b"".join(entries))


@pytest.mark.parametrize(
    ("body", "content_type", "scores"),
    [
        (b"0.43\n0.91\n", "text/csv; charset=utf-8", [[0.43], [0.91]]),
        (b"0.1,0.9\n0.7,0.3\n", "text/csv; charset=utf-8", [[0.1, 0.9], [0.7, 0.3]]),
        (b'{"predictions":[{"score":0.43},{"score":0.91}]}', JSON, [[0.43], [0.91]]),
        (b'{"predictions":[{"score":[0.1,0.9]},{"score":[0.7,0.3]}]}', JSON, [[0.1, 0.9], [0.7, 0.3]]),
        (b"", CSV, np.empty((0, 0))),
        (b'{"predictions":[]}', JSON, np.empty((0, 0))),
    ],
)
def test_xgboost_answers_scores(body: bytes, content_type: str, scores: object) -> None:
    assert same(read_answer("xgboost", body, content_type).scores, scores)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (
            b'{"predictions":[{"predicted_label":1,"probabilities":[0.4,0.6]},{"predicted_label":0,"probabilities":[0.9,0.1]}]}',
            JSON,
        ),
        (b'{"predicted_label":1,"probabilities":[0.4,0.6]}\n{"predicted_label":0,"probabilities":[0.9,0.1]}\n', JSON_LINES),
    ],
)
def test_xgboost_answers_what_was_selected(body: bytes, content_type: str) -> None:
    answer = read_answer("xgboost", body, content_type)

    assert same(answer.scores, [[0.4, 0.6], [0.9, 0.1]])
    assert same(answer.predicted, [1, 0])
    assert len(answer) == 2


@pytest.mark.parametrize("content_type", [CSV, JSON, "application/octet-stream"])
@pytest.mark.parametrize(
    ("body", "scores"),
    [
        (b"0.43\n0.91\n", [[0.43], [0.91]]),
        (b"[0.1, 0.2, 0.7]\n[0.5, 0.25, 0.25]\n", [[0.1, 0.2, 0.7], [0.5, 0.25, 0.25]]),
    ],
)
def test_xgboost_in_batch_transform_writes_python_lists_whatever_was_asked_for(
    body: bytes, scores: object, content_type: str
) -> None:
    assert same(read_answer("xgboost", body, content_type, batch=True).scores, scores)


@pytest.mark.parametrize("batch", [False, True])
@pytest.mark.parametrize(
    ("body", "content_type", "scores", "predicted"),
    [
        (b'{"predictions":[{"score":0.4,"predicted_label":0}]}', JSON, [[0.4]], [0]),
        (b'{"predictions":[{"score":[0.1,0.2,0.4,0.3],"predicted_label":2}]}', JSON, [[0.1, 0.2, 0.4, 0.3]], [2]),
        (b'{"predictions":[{"score":0.4}]}', JSON, [[0.4]], None),
        (b'{"score":0.4,"predicted_label":0}\n{"score":0.6,"predicted_label":1}', JSON_LINES, [[0.4], [0.6]], [0, 1]),
        (b'{"score":[0.1,0.2,0.4,0.3],"predicted_label":2}\n', JSON_LINES, [[0.1, 0.2, 0.4, 0.3]], [2]),
        (b'{"score":0.4}\n', JSON_LINES, [[0.4]], None),
        (answer_record(score=[0.4], predicted_label=[0]) * 2, RECORDIO, [[0.4], [0.4]], [0, 0]),
        (answer_record(score=[0.1, 0.2, 0.7], predicted_label=[2]), RECORDIO, [[0.1, 0.2, 0.7]], [2]),
        (answer_record(score=[-1.5]), RECORDIO, [[-1.5]], None),
    ],
)
def test_linear_learner_answers_scores_and_labels(
    body: bytes, content_type: str, scores: object, predicted: object, batch: bool
) -> None:
    answer = read_answer("linear-learner", body, content_type, batch=batch)

    assert same(answer.scores, scores)
    assert same(answer.predicted, predicted)


def test_json_documents_that_batch_transform_put_together_are_read_one_after_the_other() -> None:
    body = b'{"predictions":[{"score":1.0}]}{"predictions":[{"score":2.0},{"score":3.0}]}\n{"predictions":[]}'

    assert same(read_answer("linear-learner", body, JSON, batch=True).scores, [[1], [2], [3]])


@pytest.mark.slow
def test_as_many_documents_are_read_as_a_transform_job_may_answer() -> None:
    """Copying what is left of the answers for each of them would take minutes."""
    lines = b'{"score": 0.25, "predicted_label": 0}\n' * 100_000

    assert same(read_answer("linear-learner", lines, JSON_LINES).scores, [[0.25]] * 100_000)


@pytest.mark.parametrize("batch", [False, True])
@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        (b'{"predictions":[{"predicted_label":0.0},{"predicted_label":2.0}]}', JSON, ([0, 2], None, None)),
        (b'{"predicted_label":0.0}\n{"predicted_label":2.0}\n', JSON_LINES, ([0, 2], None, None)),
        (answer_record(predicted_label=[0]), RECORDIO, ([0], None, None)),
        (
            b'{"predictions":[{"predicted_label":0.0,"distances":[3.1,3.9,6.3],"labels":[0.0,1.0,0.0]}]}',
            "application/json; verbose=true",
            ([0], [[0, 1, 0]], [[3.1, 3.9, 6.3]]),
        ),
        (
            b'{"predicted_label":0.0,"distances":[3.1,3.9],"labels":[0.0,1.0]}\n',
            "application/jsonlines; verbose=true",
            ([0], [[0, 1]], [[3.1, 3.9]]),
        ),
        (answer_record(predicted_label=[1], distances=[3.5, 4], labels=[1, 0]), RECORDIO, ([1], [[1, 0]], [[3.5, 4]])),
    ],
)
def test_knn_answers_labels_and_when_asked_to_its_neighbours(
    body: bytes, content_type: str, expected: tuple[object, object, object], batch: bool
) -> None:
    answer = read_answer("knn", body, content_type, batch=batch)

    predicted, neighbours, distances = expected
    assert answer.scores is None
    assert same(answer.predicted, predicted)
    assert same(answer.neighbours, neighbours)
    assert same(answer.distances, distances)
    assert len(answer) == len(f4(predicted))


@pytest.mark.parametrize(
    ("body", "content_type", "batch"),
    [
        (b'[{"label":["__label__1","__label__0"],"prob":[1.00001,0.02]},{"prob":[0.5],"label":["__label__a b"]}]', JSON, False),
        (
            b'{"prob":[1.00001,0.02],"label":["__label__1","__label__0"]}\n{"prob":[0.5],"label":["__label__a b"]}\n',
            JSON_LINES,
            True,
        ),
    ],
)
def test_blazingtext_answers_labels_with_probabilities_as_they_are(body: bytes, content_type: str, batch: bool) -> None:
    answer = read_answer("blazingtext", body, content_type, batch=batch)

    assert answer.labels == [["1", "0"], ["a b"]]
    assert answer.scores is not None
    assert same(np.nan_to_num(answer.scores, nan=-1), [[1.00001, 0.02], [0.5, -1]])


@pytest.mark.parametrize(
    ("body", "content_type", "scores"),
    [
        (b'{"predictions":[[0.1,0.9],[0.5,0.5]]}', JSON, [[0.1, 0.9], [0.5, 0.5]]),
        (b'{"predictions": [1.5, 2.5]}', JSON, [[1.5], [2.5]]),
        (b'{"outputs":[[0.1,0.9]]}', JSON, [[0.1, 0.9]]),
        (b'{    "predictions": [[0.1, 0.9]    ]}{    "predictions": [[0.5, 0.5]    ]}', JSON, [[0.1, 0.9], [0.5, 0.5]]),
        (b'{"predictions":[[0.1,0.9]]}\n{"predictions":[[0.5,0.5]]}\n', JSON_LINES, [[0.1, 0.9], [0.5, 0.5]]),
    ],
)
def test_tensorflow_serving_answers_rows_of_the_output_tensor(body: bytes, content_type: str, scores: object) -> None:
    for batch in False, True:
        assert same(read_answer("tensorflow", body, content_type, batch=batch).scores, scores)


@pytest.mark.parametrize(
    ("algorithm", "body", "content_type", "expected"),
    [
        ("linear-learner", b"0.5\n", CSV, "the model answered 'text/csv'; expected application/json or application/jsonlines or"),
        ("linear-learner", b"[1]", JSON, "the model's answer cannot be read as application/json"),
        ("linear-learner", b'{"error": "x"}', JSON, "cannot be read as application/json: 'predictions' is missing."),
        ("linear-learner", b'{"predictions":[{"colour":1}]}', JSON, "a prediction has the keys colour."),
        ("linear-learner", b'{"predictions":[{"score":1},{}]}', JSON, "'score' is missing."),
        ("linear-learner", b'{"predictions":[{"score":[1,2]},{"score":[1]}]}', JSON, "rows of differing width."),
        ("linear-learner", b'{"predictions":[{"score":"1"}]}', JSON, "text where a number is expected."),
        ("linear-learner", b'{"predictions":[{"score":NaN}]}', JSON, "holds a score that is not a finite number."),
        ("linear-learner", b'{"score":1', JSON_LINES, "cannot be read as application/jsonlines"),
        ("linear-learner", answer_record(score=[1])[:-9], RECORDIO, "record 1 at byte 0: the frame says"),
        ("knn", answer_record(predicted_label=[1]) + answer_record(score=[1]), RECORDIO, "is not in all of the 2 records"),
        ("knn", answer_record(labels=[1], distances=[1]) + answer_record(labels=[1, 2], distances=[1]), RECORDIO, "equally wide"),
        ("blazingtext", b'[{"label":["__label__1"],"prob":[]}]', JSON, "row 1 has 1 labels and 0 probabilities."),
        ("blazingtext", b'{"error":"no"}', JSON, "cannot be read as application/json"),
        ("tensorflow", b'{"error": "Could not parse"}', JSON, "TensorFlow Serving says 'Could not parse'."),
        ("tensorflow", b'{"predictions":[{"a":[1],"b":[2]}]}', JSON, "the model has several outputs: a, b."),
        ("knn", b'{"predictions":[{"predicted_label":[]}]}', JSON, "predicted_label has 0 values, one is expected."),
        ("knn", b'{"predictions":[{"predicted_label":3.4028235677973366e+38}]}', JSON, "a score that is not a finite number."),
        ("linear-learner", b'{"predictions":[{"score":1e39}]}', JSON, "holds a score that is not a finite number."),
        (
            "blazingtext",
            b'[{"label":["__label__1"],"prob":[1e39]}]',
            JSON,
            "row 1 has a probability that is not a finite number.",
        ),
        ("blazingtext", b'[{"label":["__label__1"],"prob":[NaN]}]', JSON, "row 1 has a probability that is not a finite number."),
        ("pytorch", b"[[" * 5000, JSON, "cannot be read as application/json"),
        ("scikit-learn", b"\x93NUMPY", npy.CONTENT_TYPE, "not a .npy file of numbers or text"),
        ("xgboost", b"[0.1, 0.9]\n", CSV, "is not a number"),
    ],
)
def test_what_is_no_such_answer_is_refused_with_a_reason(algorithm: str, body: bytes, content_type: str, expected: str) -> None:
    with pytest.raises(PredictionFailed) as caught:
        read_answer(algorithm, body, content_type)
    assert expected in caught.value.message


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["predictions", "score", "predicted_label", "label", "prob", "outputs"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)


@given(
    JSON_VALUES.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=30),
    st.sampled_from(ANSWERS),
    st.sampled_from([CSV, JSON, JSON_LINES, RECORDIO, npy.CONTENT_TYPE]),
    st.booleans(),
)
@example(b'{"predictions": [{"predicted_label": []}]}', "knn", JSON, False)
@example(b'{"predictions": [{"score": 3.4028235677973366e+38}]}', "xgboost", JSON, False)
def test_any_answer_is_read_or_refused(body: bytes, algorithm: str, content_type: str, batch: bool) -> None:
    with warnings.catch_warnings(action="error"), suppress(PredictionFailed):
        assert len(read_answer(algorithm, body, content_type, batch=batch)) >= 0
