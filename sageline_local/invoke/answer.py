"""Whether a function's answer is a failure: ``sam local invoke`` exits 0 either way."""

from __future__ import annotations

import json

_OF_AN_ERROR = {"errorType", "errorMessage", "stackTrace", "requestId", "cause"}
_SHOWN_CHARACTERS = 200


def failure(answered: str) -> str | None:
    """Why an answer counts as a failure, in a line; None if it does not.

    A function has failed if it raised, ended, ran out of time, or answered a request of the HTTP API with 500 or more: it could
    not do what it was asked. An HTTP status below 500 is an answer: the event asked for something that is not to be had.
    """
    if not answered.strip():
        return "no answer: the function ended or ran out of time"
    try:
        answer: object = json.loads(answered)
    except ValueError:
        return f"an answer that is not JSON: {answered.strip()[:_SHOWN_CHARACTERS]}"
    if not isinstance(answer, dict):
        return None
    if "errorMessage" in answer and answer.keys() <= _OF_AN_ERROR:
        return f"{answer.get('errorType', 'Error')}: {answer['errorMessage']}"
    status = answer.get("statusCode")
    if isinstance(status, int) and status >= 500:
        return f"HTTP {status}: {str(answer.get('body', ''))[:_SHOWN_CHARACTERS]}"
    return None


def pretty(answered: str) -> str:
    """An answer for people, and still JSON; what is not JSON as it is."""
    try:
        return json.dumps(json.loads(answered), indent=2, ensure_ascii=False)
    except ValueError:
        return answered.strip()
