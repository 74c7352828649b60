"""What a function is given, checked against the types that its handler is written with.

An event that a state, a service or a person has put together wrongly is refused by name, and says where it is wrong; inside, a
handler may rely on what its types say. Keys that no type names are let through: services add to their events.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from types import NoneType, UnionType
from typing import Any, Literal, NotRequired, TypeVar, Union, get_args, get_origin, get_type_hints, is_typeddict

from sageline.errors import InvalidEvent

EventT = TypeVar("EventT")
ContextT = TypeVar("ContextT")
AnswerT = TypeVar("AnswerT")
Annotation = Any  # a type, as annotations have it

_WORDS: Mapping[Annotation, str] = {
    str: "a string", int: "a whole number", float: "a number", bool: "true or false", dict: "an object", list: "an array",
    NoneType: "null",
}  # fmt: skip


def checked(handler: Callable[[EventT, ContextT], AnswerT]) -> Callable[[EventT, ContextT], AnswerT]:
    """The handler, for events that are of the type of its parameter ``event``.

    Raises:
        InvalidEvent: from the handler, for any other event.
    """
    kind = get_type_hints(handler)["event"]

    @functools.wraps(handler)
    def checking(event: EventT, context: ContextT) -> AnswerT:
        if problem := find_problem(event, kind, ""):
            raise InvalidEvent(f"{problem}. The golden events of the function, in events/, show what it takes.")
        return handler(event, context)

    return checking


def find_problem(value: object, kind: Annotation, where: str) -> str | None:
    """Why a JSON value is not of a type, as the beginning of a sentence; None if it is.

    ``where``: the keys that lead to it, with dots between.
    """
    origin: Annotation = get_origin(kind)
    if kind in (Any, object) or isinstance(kind, TypeVar):
        return None
    if is_typeddict(kind):
        return _problem_of_object(value, kind, where)
    if origin in (Union, UnionType):
        return _problem_of_any(value, get_args(kind), where)
    if origin is Literal:
        known = " or ".join(repr(item) for item in get_args(kind))
        return None if value in get_args(kind) else f"{_subject(where)} is {value!r}, not {known}"
    plain: Annotation = origin or kind
    if not _is_a(value, plain):
        return f"{_subject(where)} is {_WORDS.get(type(value), 'something else')}, not {_WORDS.get(plain, 'an object')}"
    if plain is list and isinstance(value, list) and get_args(kind):
        found = (find_problem(item, get_args(kind)[0], f"{where}[{number}]") for number, item in enumerate(value))
        return next(filter(None, found), None)
    if plain is dict and isinstance(value, dict) and get_args(kind):
        found = (find_problem(item, get_args(kind)[1], _inside(where, key)) for key, item in value.items())
        return next(filter(None, found), None)
    return None


def _problem_of_object(value: object, kind: Annotation, where: str) -> str | None:
    if not isinstance(value, dict):
        return f"{_subject(where)} is {_WORDS.get(type(value), 'something else')}, not an object"
    for key, hint in get_type_hints(kind, include_extras=True).items():
        optional = get_origin(hint) is NotRequired or not kind.__total__
        if key not in value:
            if not optional:
                return f"{_subject(where)} lacks `{key}`"
            continue
        inner = get_args(hint)[0] if get_origin(hint) is NotRequired else hint
        if problem := find_problem(value[key], inner, _inside(where, key)):
            return problem
    return None


def _problem_of_any(value: object, kinds: tuple[Annotation, ...], where: str) -> str | None:
    """The problem with the alternative that is meant: the one with the same ``action``, or else the one that shares most keys."""
    problems = [(kind, find_problem(value, kind, where)) for kind in kinds]
    if any(problem is None for _, problem in problems):
        return None

    given = value if isinstance(value, dict) else {}

    def likeness(found: tuple[Annotation, str | None]) -> tuple[bool, int]:
        hints = get_type_hints(found[0]) if is_typeddict(found[0]) else {}
        is_its_action = "action" in hints and find_problem(given.get("action"), hints["action"], where) is None
        return is_its_action, len(hints.keys() & given.keys())

    return max(problems, key=likeness)[1]


def _is_a(value: object, kind: Annotation) -> bool:
    if kind is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, dict if isinstance(kind, type) and issubclass(kind, Mapping) else kind)


def _inside(where: str, key: object) -> str:
    return f"{where}.{key}" if where else str(key)


def _subject(where: str) -> str:
    return f"`{where}` of the event" if where else "The event"
