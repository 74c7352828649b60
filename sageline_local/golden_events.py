"""Golden events, ``events/<function>/<case>.json``: one for each case that a handler distinguishes.

What only a stack knows (its bucket, its account, a run that is there) stands in an event as ``${Name}``. ``make fixture`` leaves
in a stack what the events name, and :func:`variables` says how it is called.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sageline_local.errors import EventUnknown, VariableUnknown
from sageline_local.golden_names import VARIABLES
from sageline_local.home import Home
from sageline_local.status import StackStatus

EVENTS = Path(__file__).resolve().parent.parent / "events"

_VARIABLE = re.compile(r"\$\{([A-Za-z0-9]+)\}")


@dataclass(frozen=True, order=True)
class GoldenEvent:
    """``function``: as its folder is called in ``functions/``."""

    function: str
    case: str

    def __str__(self) -> str:
        return f"{self.function}/{self.case}"

    @property
    def path(self) -> Path:
        return EVENTS / self.function / f"{self.case}.json"


def golden_events() -> list[GoldenEvent]:
    """All that there are, by function and case."""
    return sorted(GoldenEvent(path.parent.name, path.stem) for path in EVENTS.glob("*/*.json"))


def find(function: str, case: str) -> GoldenEvent:
    """The event of that name.

    Raises:
        EventUnknown: naming those that there are.
    """
    event = GoldenEvent(function, case)
    if not event.path.is_file():
        cases = [known.case for known in golden_events() if known.function == function]
        known = ", ".join(cases or sorted({known.function for known in golden_events()}))
        raise EventUnknown(f"There is no event events/{event}.json. There are{'' if cases else ' events of'}: {known}.")
    return event


def fill(event: GoldenEvent, variables: Mapping[str, str]) -> Any:  # Any: an event is JSON
    """The event with the values of its variables.

    Raises:
        VariableUnknown: one has no value.
    """
    return fill_text(event.path.read_text(encoding="utf-8"), variables, f"events/{event}.json")


def fill_text(text: str, variables: Mapping[str, str], source: str) -> Any:  # Any: JSON
    """A JSON document with its variables replaced by values, wherever in its strings they are.

    Raises:
        VariableUnknown: one has no value. ``source`` says whose.
    """

    def value(found: re.Match[str]) -> str:
        if found[1] not in variables:
            raise VariableUnknown(
                f"{source} names ${{{found[1]}}}, which has no value in this stack: run `make fixture`. Names that have one: "
                f"{', '.join(sorted(variables))}."
            )
        # What stands in a string of JSON inside a string of JSON is free of quotes and backslashes in every value that there is.
        return json.dumps(variables[found[1]])[1:-1]

    return json.loads(_VARIABLE.sub(value, text))


def variables(status: StackStatus) -> dict[str, str]:
    """What events may name of a stack that is up: its outputs, what follows from them, and what the fixture has left."""
    outputs = status.outputs
    machine = outputs["StateMachineArn"]
    region, account = machine.split(":")[3:5]
    data = f"s3://{outputs['BucketName']}/datasets"
    return {
        **VARIABLES,
        **outputs,
        "AccountId": account,
        "Region": region,
        "FlowersUri": f"{data}/flowers/rows.csv",
        "WinesUri": f"{data}/wines/rows.csv",
        "ExecutionArnPrefix": machine.replace(":stateMachine:", ":execution:"),
        **left_by_fixture(Home(Path(status.home))),
    }


def left_by_fixture(home: Home) -> dict[str, str]:
    """The names of what the fixture has left, where it could not choose them; empty where it never ran."""
    try:
        left: dict[str, str] = json.loads(home.fixture_file.read_bytes())["variables"]
    except FileNotFoundError:
        return {}
    return left
