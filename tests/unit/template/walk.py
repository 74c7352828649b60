"""A walk through the state machine's definition: expressions are evaluated, what functions answer is given.

It knows of the Amazon States Language what the pipeline uses: Task, Choice, Succeed and Fail in JSONata, with ``Assign``,
``Output`` and ``Catch``; of a distributed Map what its children are given.
A failure is one that retries did not help. (That Step Functions agrees is for the workflow tests.)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from jsonata import Jsonata  # type: ignore[import-untyped] # the package has no types

from tests.unit.template.documents import Document

EXECUTION_ARN = "arn:aws:states:us-east-1:123456789012:execution:pipeline:one"


@dataclass(frozen=True)
class Failure:
    """A state's error; a timeout has no cause."""

    error: str
    cause: str | None = None


@dataclass
class Walk:
    """How an execution went: the states entered, what each function was asked (last, and each time), what the children of each
    distributed Map were given and how many there were at once, how it ended."""

    states: list[str] = field(default_factory=list)
    payloads: dict[str, Document] = field(default_factory=dict)
    asked: list[tuple[str, Document]] = field(default_factory=list)
    functions: dict[str, str] = field(default_factory=dict)
    children: list[tuple[str, list[Document], int]] = field(default_factory=list)
    output: object = None
    error: str | None = None
    cause: str | None = None


def evaluate(template: object, bindings: Mapping[str, object]) -> Any:  # Any: an expression gives any JSON
    """A field of the definition with every ``{% expression %}`` evaluated; one without a value is an error, as in AWS."""
    if isinstance(template, dict):
        return {key: evaluate(value, bindings) for key, value in template.items()}
    if isinstance(template, str) and template.startswith("{%"):
        expression = Jsonata(template.removeprefix("{%").removesuffix("%}"))
        for name, value in bindings.items():
            expression.assign(name, value)
        result = expression.evaluate(None)
        if result is None:
            raise ValueError(f"States.QueryEvaluationError: {template} returned nothing")
        return result
    return template


def walk(machine: Document, answers: Mapping[str, object], trigger: Document) -> Walk:
    """From the first state to the end, with each Task answered by ``answers[state]``: a function's result or a Failure, or an
    iterator of such, one for each time."""
    done = Walk(output=trigger)
    variables: dict[str, object] = {}
    name = machine["StartAt"]
    while True:
        state = machine["States"][name]
        done.states.append(name)
        execution = {"Id": EXECUTION_ARN, "Input": trigger}
        context = {"Execution": execution, "State": {"Name": name}, "Task": {"Token": f"token-{name}"}}
        states: dict[str, object] = {"context": context, "input": done.output}
        if state["Type"] == "Succeed":
            return done
        if state["Type"] == "Fail":
            done.error = evaluate(state["Error"], variables)
            done.cause = evaluate(state["Cause"], variables)
            return done
        if state["Type"] == "Choice":
            chosen = (rule["Next"] for rule in state["Choices"] if evaluate(rule["Condition"], variables))
            name = next(chosen, state["Default"])
            continue
        if state["Type"] == "Map":
            bound = {**variables, "states": states}
            done.children.append((name, list(_inputs(state, bound)), evaluate(state["MaxConcurrency"], bound)))
            done.output = evaluate(state["Output"], bound)
            name = state["Next"]
            continue
        asked = evaluate(state["Arguments"], {**variables, "states": states})
        done.payloads[name], done.functions[name] = asked["Payload"], asked["FunctionName"]
        done.asked.append((name, asked["Payload"]))
        answer = answers[name]
        if isinstance(answer, Iterator):
            answer = next(answer)
        evaluate({"TimeoutSeconds": state["TimeoutSeconds"]}, {**variables, "states": states})
        if isinstance(answer, Failure):
            states["errorOutput"] = {"Error": answer.error} | ({"Cause": answer.cause} if answer.cause is not None else {})
            taken = next(catch for catch in state["Catch"] if {answer.error, "States.ALL"} & set(catch["ErrorEquals"]))
            done.output = states["errorOutput"]
        else:
            waits = state["Resource"].endswith(".waitForTaskToken")
            states["result"] = answer if waits else {"StatusCode": 200, "Payload": answer}
            taken = state
            done.output = evaluate(state["Output"], {**variables, "states": states}) if "Output" in state else states["result"]
        # All of a state's assignments see the variables as they were before it.
        variables |= evaluate(taken.get("Assign", {}), {**variables, "states": states})
        name = taken["Next"]


def _inputs(state: Document, bindings: Mapping[str, Any]) -> Iterator[Document]:  # Any: JSON
    """What each child of a Map is given."""
    for item in evaluate(state["Items"], bindings):
        context = {**bindings["states"]["context"], "Map": {"Item": {"Value": item}}}
        yield evaluate(state["ItemSelector"], {**bindings, "states": {**bindings["states"], "context": context}})
