"""An event that a function does not take is refused by name, and the message says where it is wrong."""

from __future__ import annotations

import importlib
import json
from typing import Any, Literal, NotRequired, TypedDict

import pytest

from sageline.aws.events import find_problem
from sageline.errors import InvalidEvent
from sageline_local.golden_events import GoldenEvent, golden_events
from tests.unit.functions.test_handlers import CONTEXT
from tests.unit.golden import golden_event

TAKES_ANYTHING = "sweep"
FIRST = {event.function: event for event in reversed(golden_events()) if event.function != TAKES_ANYTHING}


def handler_of(function: str) -> Any:
    return importlib.import_module(f"functions.{function}.app").handler


@pytest.mark.parametrize("event", [{}, [], None, "text", {"action": "dance"}, {"run_id": 7}], ids=json.dumps)
@pytest.mark.parametrize("function", FIRST)
def test_what_is_no_event_of_a_function_is_refused_by_name(function: str, event: object) -> None:
    with pytest.raises(InvalidEvent, match=r"event.*events/"):
        handler_of(function)(event, CONTEXT)


@pytest.mark.parametrize("event", [event for event in golden_events() if "run_id" in golden_event(str(event))], ids=str)
def test_a_run_without_its_id_is_named(event: GoldenEvent) -> None:
    given = golden_event(str(event))
    del given["run_id"]
    with pytest.raises(InvalidEvent, match="The event lacks `run_id`"):
        handler_of(event.function)(given, CONTEXT)


def test_the_place_of_what_is_wrong_is_named() -> None:
    event = golden_event("start_training/start")
    event["prepared"]["channels"]["train"]["rows"] = "80"
    with pytest.raises(InvalidEvent, match=r"`prepared\.channels\.train\.rows` of the event is a string, not a whole number"):
        handler_of("start_training")(event, CONTEXT)


class Turn(TypedDict):
    action: Literal["turn"]
    degrees: float
    sides: NotRequired[list[Literal["left", "right"]]]


class Go(TypedDict):
    action: Literal["go"]
    speed: int | None


@pytest.mark.parametrize(
    ("event", "problem"),
    [
        ({"action": "turn", "degrees": 9, "more": "than is known"}, None),
        ({"action": "turn", "degrees": 9.5, "sides": ["left"]}, None),
        ({"action": "go", "speed": None}, None),
        ({"action": "turn"}, "The event lacks `degrees`"),
        ({"action": "go", "degrees": 9}, "The event lacks `speed`"),
        ({"action": "turn", "degrees": True}, "`degrees` of the event is true or false, not a number"),
        ({"action": "turn", "degrees": 9, "sides": ["up"]}, "`sides[0]` of the event is 'up', not 'left' or 'right'"),
        ([], "The event is an array, not an object"),
    ],
)
def test_the_alternative_that_is_meant_says_what_is_wrong(event: object, problem: str | None) -> None:
    assert find_problem(event, Turn | Go, "") == problem
