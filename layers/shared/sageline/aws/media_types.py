"""The headers ``Content-Type`` and ``Accept``, as RFC 9110 has them (8.3 and 12.5.1).

Lists and parameters are read by the standard library, by modules that boto3 has imported anyway.
"""

from __future__ import annotations

from collections.abc import Sequence
from email.message import Message
from email.utils import collapse_rfc2231_value
from urllib.request import parse_http_list


def media_type(value: str) -> str:
    """The type that a header names, in lower case, without its parameters."""
    return value.partition(";")[0].strip().lower()


def parameter(value: str, name: str) -> str | None:
    """A parameter of a media type in lower case (``present`` of ``text/csv; header=present``), None if it is not there."""
    message = Message()
    message["content-type"] = value
    found = message.get_param(name)
    return None if found is None else collapse_rfc2231_value(found).strip().lower()


def preferred(accept: str, offered: Sequence[str]) -> tuple[str, str] | None:
    """The offered type that a client would rather have than the others, and the item of its ``Accept`` that says so.

    What is said of a type by its name holds, not what a range says that it is in (``text/*``, ``*/*``). Of types that are wanted
    alike it is the one that the client names first; within a range, the one that is offered first.

    Args:
        accept: the header; empty for anything.
        offered: names in lower case; the first is that for a client which says nothing.

    Returns:
        None if the client wants none of them.
    """
    items = [item for item in parse_http_list(accept) if item] or ["*/*"]
    ranges = [media_type(item) for item in items]
    found: list[tuple[float, int, int]] = []
    for number, name in enumerate(offered):
        matching = next((of for of in (name, f"{name.partition('/')[0]}/*", "*/*") if of in ranges), None)
        if matching is not None:
            place = ranges.index(matching)
            found.append((-_quality(items[place]), place, number))
    if not found or min(found)[0] == 0:
        return None
    _, place, number = min(found)
    return offered[number], items[place]


def _quality(item: str) -> float:
    """The weight of an item of ``Accept``: 1 where it has none, or none that is a weight."""
    try:
        quality = float(parameter(item, "q") or 1)
    except ValueError:
        return 1
    return quality if 0 <= quality <= 1 else 1
