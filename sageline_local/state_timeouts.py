"""Timeouts of states that are JSONata expressions, which MiniStack 1.5.33 takes for numbers.

A rollout bakes as long as its spec says: ``"TimeoutSeconds": "{% $shifted.bake_seconds %}"``.
"""

from __future__ import annotations

from typing import Any

from ministack.services import stepfunctions


def install() -> None:
    """Have MiniStack evaluate the timeout of a state when the state is entered."""
    execute_task = stepfunctions._execute_task

    def execute_with_timeout(state: dict[str, Any], raw_input: Any, execution: Any, ctx: Any) -> Any:  # Any: MiniStack's
        if isinstance(state.get("TimeoutSeconds"), str):
            seconds = stepfunctions._jsonata_state_field(state, "TimeoutSeconds", "number", raw_input, ctx)
            state = {**state, "TimeoutSeconds": seconds}
        return execute_task(state, raw_input, execution, ctx)

    stepfunctions._execute_task = execute_with_timeout
