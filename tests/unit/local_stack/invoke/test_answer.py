"""Which answers are failures."""

from __future__ import annotations

import json

import pytest

from sageline_local.invoke.answer import failure, pretty


@pytest.mark.parametrize(
    "answer",
    [
        {"statusCode": 200, "body": "{}"},
        {"statusCode": 404, "body": '{"error": "EndpointNotFound"}'},
        {"statusCode": 422, "body": ""},
        {"prepared": True},
        # Not the document of an error: it has keys of its own.
        {"run_id": "wine-1", "errorMessage": "the job failed"},
        {"statusCode": "500 or so"},
        [1, 2],
        None,
        "done",
    ],
)
def test_an_answer_is_none(answer: object) -> None:
    assert failure(json.dumps(answer)) is None


@pytest.mark.parametrize(
    ("answered", "why"),
    [
        ('{"errorType": "RunNotFound", "errorMessage": "No run is known", "stackTrace": []}', "RunNotFound: No run is known"),
        ('{"errorMessage": "Task timed out after 3.00 seconds"}', "Error: Task timed out after 3.00 seconds"),
        ('{"statusCode": 500, "body": "{\\"message\\": \\"Internal\\"}"}', 'HTTP 500: {"message": "Internal"}'),
        ('{"statusCode": 503}', "HTTP 503: "),
        ("", "no answer: the function ended or ran out of time"),
        ("\n", "no answer: the function ended or ran out of time"),
        ("<html>", "an answer that is not JSON: <html>"),
    ],
)
def test_a_failure_says_why(answered: str, why: str) -> None:
    assert failure(answered) == why


def test_an_answer_is_printed_as_json_of_several_lines_whatever_its_letters() -> None:
    assert pretty('{"label": "Größe"}') == '{\n  "label": "Größe"\n}'
    assert pretty("<html>\n") == "<html>"
