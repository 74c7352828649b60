"""The diagram of a run in docs/architecture.md: its arrows are those of the state machine."""

from __future__ import annotations

import re
from pathlib import Path

from tests.unit.template.documents import Document

PAGE = Path(__file__).parents[3] / "docs" / "architecture.md"


def drawn() -> set[tuple[str, str]]:
    [diagram] = re.findall(r"```mermaid\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    diagram = re.sub(r"^ +state \w+ \{.*?^ +\}\n", "", diagram, flags=re.DOTALL | re.MULTILINE)  # what is in a Map
    return {(start, end) for start, end in re.findall(r"^ +(\w+) --> (\w+)", diagram, re.MULTILINE)}


def test_the_diagram_has_every_way_that_a_run_may_go(machine: Document) -> None:
    ways = set()
    for name, state in machine["States"].items():
        ends = [state.get("Next"), state.get("Default"), *(rule["Next"] for rule in state.get("Choices", []))]
        ways |= {(name, end) for end in ends if end}
    assert ways <= drawn()


def test_the_diagram_has_no_way_that_is_none(machine: Document) -> None:
    for start, end in drawn():
        state = machine["States"][start]
        others = [*state.get("Choices", []), *state.get("Catch", [])]
        assert end in {state.get("Next"), state.get("Default"), *(other["Next"] for other in others)}, start
