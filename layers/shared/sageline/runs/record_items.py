"""Items of the runs table as Python has them, and whether an item is a run's record. Somebody may have changed one by hand."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal

from sageline.json_objects import Json

STORED_STATUSES = ("Running", "Succeeded", "Rejected", "Failed", "Stopped")


# DynamoDB's client takes and gives numbers as Decimal and refuses float; NaN and infinity it has not, so they become text.
def to_item(item: Mapping[str, object]) -> Json:
    """An item as DynamoDB's client takes it."""
    converted: Json = json.loads(json.dumps(item), parse_float=Decimal, parse_constant=str)
    return converted


def from_item(value: object) -> object:
    """A value of an item as JSON has it. What Sageline never writes, sets and bytes, becomes a list and a text."""
    match value:
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case dict():
            return {key: from_item(item) for key, item in value.items()}
        case list():
            return [from_item(item) for item in value]
        case set():
            return sorted((from_item(item) for item in value), key=repr)
        case str() | bool() | None:
            return value
        case _:
            return repr(value)


def read_fields(item: Mapping[str, object]) -> tuple[Json, list[str]]:
    """The fields of a run's record that are what they must be, and the names of those that are not, or are missing.

    Older records lack fields that have a default.
    """
    values = {name: from_item(value) for name, value in item.items() if name in _IS_RIGHT}
    wrong = [name for name, value in values.items() if not _IS_RIGHT[name](value)]
    missing = [name for name in ("run_id", "name", "execution_arn") if name not in values]
    return {name: value for name, value in values.items() if name not in wrong}, sorted([*wrong, *missing])


def unknown_fields(item: Mapping[str, object], right: Json, wrong: list[str]) -> Json:
    """The fields of a damaged record as it is shown: Unknown, and why. What is missing is taken from the item's key."""
    run_id = str(item.get("pk", "")).removeprefix("RUN#")
    name, _, moment = run_id.rpartition("-")[0].rpartition("-")
    try:
        made = datetime.strptime(f"{moment}+0000", "%Y%m%d%H%M%S%z")
    except ValueError:
        made = datetime.fromtimestamp(0, UTC)
    created_at = f"{made:%Y-%m-%dT%H:%M:%S}.000Z"
    known = {"run_id": run_id, "name": name or run_id, "execution_arn": "", "created_at": created_at, "updated_at": created_at}
    error = {
        "state": right.get("state", "ConfigureRun"),
        "error": "DamagedRecord",
        "message": f"The run's record is damaged: {', '.join(wrong)} missing, or not what it must be.",
        "job": None,
        "failure_reason": None,
        "log_lines": [],
        "advice": "Correct the record in the runs table, or delete it there.",
    }
    return {**known, **right, "status": "Unknown", "error": error}


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _is_text_or_none(value: object) -> bool:
    return value is None or isinstance(value, str)


def _is_moment(value: object) -> bool:
    if not isinstance(value, str):
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def _are_states(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(item, dict) and _is_text(item.get("state")) and _is_moment(item.get("entered_at")) for item in value
    )


_IS_RIGHT: Mapping[str, Callable[[object], bool]] = {
    "run_id": _is_text,
    "name": _is_text,
    "execution_arn": _is_text,
    "status": lambda value: value in STORED_STATUSES,
    "state": _is_text,
    "created_at": _is_moment,
    "updated_at": _is_moment,
    "states": _are_states,
    "endpoint_name": _is_text_or_none,
    "dataset_uri": _is_text_or_none,
    "details": lambda value: isinstance(value, dict),
    "error": lambda value: value is None or isinstance(value, dict),
}
