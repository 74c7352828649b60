"""What a function answers to each golden event: ``events/<function>.answers.json``, a document of case and answer.

An expectation names what matters of an answer: an object may have more keys than are expected of it, a ``*`` in a string stands
for any text, and a string that is ``*`` alone for any value but null. A list that begins with ``...`` names items that are to be
among those that are found, in any order. The body of an HTTP answer is compared as JSON where it is JSON. A function that failed
has answered ``{"errorType", "errorMessage"}``.
"""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Mapping
from typing import Any

from sageline_local.golden_events import EVENTS, GoldenEvent, fill_text, golden_events
from tests.contract import complaint

Json = Any  # what a function answers


def expected(event: GoldenEvent, variables: Mapping[str, str]) -> Json:
    """What is expected of the answer to an event, with the values of its variables.

    Raises:
        AssertionError: nobody has written it down.
    """
    answers = _answers(event.function)
    assert event.case in answers, f"events/{event.function}.answers.json says nothing of {event.case}"
    return fill_text(json.dumps(answers[event.case]), variables, f"events/{event.function}.answers.json")


def check(event: GoldenEvent, answer: Json, variables: Mapping[str, str]) -> None:
    """AssertionError, saying where, unless the answer to an event is as expected."""
    found = answer
    if isinstance(answer, dict) and isinstance(answer.get("body"), str) and _is_json(answer):
        found = {**answer, "body": json.loads(answer["body"])}
    problems = differences(expected(event, variables), found)
    assert not problems, f"{event}: {'; '.join(problems)}. The answer is {json.dumps(found)}"
    asked = json.loads(event.path.read_text()).get("requestContext", {}).get("http") if event.path.is_file() else None
    if asked is not None:  # whatever HTTP answers is as the OpenAPI document says
        assert complaint(asked["method"], asked["path"], answer["statusCode"], answer["headers"], answer["body"]) is None


def _is_json(answer: Mapping[str, Json]) -> bool:
    return str(answer.get("headers", {}).get("content-type", "application/json")).startswith("application/json")


def without_event() -> list[str]:
    """Expectations of events that are not there."""
    known = {str(event) for event in golden_events()}
    functions = [path.name.removesuffix(".answers.json") for path in EVENTS.glob("*.answers.json")]
    written = [f"{function}/{case}" for function in functions for case in _answers(function)]
    return sorted(case for case in written if case not in known)


def without_expectation() -> list[str]:
    """Events of whose answer nobody has written down what is expected."""
    return [str(event) for event in golden_events() if event.case not in _answers(event.function)]


def differences(wanted: Json, found: Json, where: str = "answer") -> list[str]:
    """Where what is found is not as wanted."""
    if wanted == "*":
        return [] if found is not None else [f"{where} is null"]
    if isinstance(wanted, dict) and isinstance(found, dict):
        absent = [f"{where}.{key} is missing" for key in wanted if key not in found]
        there = [key for key in wanted if key in found]
        return absent + [line for key in there for line in differences(wanted[key], found[key], f"{where}.{key}")]
    if isinstance(wanted, list) and isinstance(found, list):
        if wanted[:1] == ["..."]:
            return [f"{where} holds no {item!r}" for item in wanted[1:] if all(differences(item, other) for other in found)]
        if len(wanted) != len(found):
            return [f"{where} has {len(found)} items, not {len(wanted)}"]
        pairs = enumerate(zip(wanted, found, strict=True))
        return [line for number, (one, other) in pairs for line in differences(one, other, f"{where}[{number}]")]
    if isinstance(wanted, str) and isinstance(found, str) and "*" in wanted:
        return [] if fnmatch.fnmatchcase(found, wanted.replace("[", "[[]")) else [f"{where} is {found!r}, not {wanted!r}"]
    same = type(wanted) is type(found) and wanted == found
    return [] if same else [f"{where} is {found!r}, not {wanted!r}"]


def _answers(function: str) -> dict[str, Json]:
    path = EVENTS / f"{function}.answers.json"
    answers: dict[str, Json] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return answers
