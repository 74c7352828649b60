"""Golden events: found by name, filled with what a stack calls things, and answers that are compared with what is expected."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sageline_local import golden_events
from sageline_local.errors import EventUnknown, VariableUnknown
from sageline_local.golden_events import GoldenEvent, fill, fill_text, find
from tests import golden
from tests.golden import differences


def test_an_event_is_filled_wherever_a_variable_stands() -> None:
    text = json.dumps({"a": "${Name}-b", "body": json.dumps({"of": ["${Name}"]})})
    assert fill_text(text, {"Name": "wines"}, "text") == {"a": "wines-b", "body": '{"of": ["wines"]}'}


def test_a_variable_without_a_value_is_named_and_what_to_do() -> None:
    with pytest.raises(VariableUnknown, match=r"events/encode_batch/encode\.json names \$\{BatchRunId\}.*make fixture"):
        fill(find("encode_batch", "encode"), {})


def test_an_event_that_is_not_there_names_those_that_are() -> None:
    with pytest.raises(EventUnknown, match=r"compare.*evaluate"):
        find("evaluate_model", "no-such-case")
    with pytest.raises(EventUnknown, match=r"check_status.*write_predictions"):
        find("no_such_function", "case")


def test_every_event_is_json_with_variables_and_names_no_account() -> None:
    for event in golden_events.golden_events():
        text = event.path.read_text(encoding="utf-8")
        assert json.loads(text) is not None
        assert "123456789012" not in text, event


def test_every_event_has_an_expectation_and_every_expectation_an_event() -> None:
    assert golden.without_event() == []
    assert golden.without_expectation() == []


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"a": 1}, {"a": 1, "b": 2}),
        ({"a": "*"}, {"a": [3]}),
        ("run *: done", "run 7: done"),
        ("[x]*", "[x] y"),
        ([1, {"a": "*"}], [1, {"a": 2}]),
        (["...", {"name": "b"}], [{"name": "a"}, {"name": "b"}]),
        (None, None),
    ],
)
def test_an_answer_that_is_as_expected(wanted: object, found: object) -> None:
    assert differences(wanted, found) == []


@pytest.mark.parametrize(
    ("wanted", "found", "where"),
    [
        ({"a": {"b": 1}}, {"a": {}}, "answer.a.b is missing"),
        ({"a": "*"}, {"a": None}, "answer.a is null"),
        ("run *: done", "run 7: failed", "answer is 'run 7: failed', not 'run *: done'"),
        (["..."], None, "answer is None, not ['...']"),
        (["...", 3], [1, 2], "answer holds no 3"),
        ([1], [1, 2], "answer has 2 items, not 1"),
        ({"a": 1}, {"a": True}, "answer.a is True, not 1"),
    ],
)
def test_an_answer_that_is_not_as_expected(wanted: object, found: object, where: str) -> None:
    assert differences(wanted, found) == [where]


def test_an_answer_is_compared_with_its_body_as_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(golden, "EVENTS", tmp_path)
    (tmp_path / "f.answers.json").write_text('{"c": {"statusCode": 200, "body": {"run_id": "${Run}"}}}')

    def answer(run: str) -> object:
        return {"statusCode": 200, "body": json.dumps({"run_id": run, "more": 1})}

    golden.check(GoldenEvent("f", "c"), answer("r-1"), {"Run": "r-1"})
    with pytest.raises(AssertionError, match=r"answer\.body\.run_id is 'r-2', not 'r-1'"):
        golden.check(GoldenEvent("f", "c"), answer("r-2"), {"Run": "r-1"})
