"""Timeouts of states. The first test guards the place where this leans on MiniStack's inside."""

from __future__ import annotations

import inspect

import pytest
from ministack.services import stepfunctions

from sageline_local.state_timeouts import install

STATE = {"Type": "Task", "QueryLanguage": "JSONata"}


def test_ministack_still_takes_a_timeout_as_it_is_written() -> None:
    assert 'state_def.get("TimeoutSeconds", 99999)' in inspect.getsource(stepfunctions._invoke_with_callback)


@pytest.mark.parametrize(("written", "taken"), [("{% $bake.seconds * 2 %}", 14), (300, 300)])
def test_a_timeout_is_evaluated_when_the_state_is_entered(monkeypatch: pytest.MonkeyPatch, written: object, taken: int) -> None:
    entered: list[object] = []
    monkeypatch.setattr(stepfunctions, "_execute_task", lambda state, *_: entered.append(state["TimeoutSeconds"]))
    install()

    context = {"QueryLanguage": "JSONata", "variables": {"bake": {"seconds": 7}}}
    stepfunctions._execute_task({**STATE, "TimeoutSeconds": written}, {}, None, context)

    assert entered == [taken]
