"""Walks through the state machine's definition where an execution starts others of the same machine.

Beside what :mod:`tests.unit.template.walk` knows: Map with its item, Pass, and ``startExecution.sync:2``, which waits for the
execution that it starts. Items are gone through one after the other.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.unit.template.documents import Document
from tests.unit.template.walk import Failure, Walk, evaluate

MACHINE_ARN = "arn:aws:states:us-east-1:123456789012:stateMachine:pipeline"
EXECUTIONS = MACHINE_ARN.replace(":stateMachine:", ":execution:")
_LONGEST_NAME = 80  # of an execution, in Step Functions


@dataclass
class Account:
    """The state machine, and the executions that there were of it.

    Attributes:
        answers: by the execution's name, and by ``""`` for any other, what each state's function answers.
        walks: by the execution's name, in the order in which they were started.
    """

    machine: Document
    answers: Mapping[str, Mapping[str, object]]
    walks: dict[str, Walk] = field(default_factory=dict)

    def start(self, name: str, trigger: Document) -> Walk:
        """An execution, from its first state to its end."""
        assert name not in self.walks
        assert len(name) <= _LONGEST_NAME
        self.walks[name] = done = Walk(output=trigger)
        execution = {"Id": f"{EXECUTIONS}:{name}", "Name": name, "Input": trigger}
        context = {"Execution": execution, "StateMachine": {"Id": MACHINE_ARN}}
        answers = {**self.answers.get("", {}), **self.answers.get(name, {})}
        failure = _Branch(self, done, answers, context).go(self.machine, trigger, {})
        if failure is not None:
            done.error, done.cause = failure.error, failure.cause
        return done


@dataclass
class _Branch:
    """A part of an execution that goes through states one after the other: all of it, or that of an item."""

    account: Account
    done: Walk
    answers: Mapping[str, object]
    context: Document

    def go(self, definition: Document, given: object, variables: dict[str, object]) -> Failure | None:
        """Through the states of a definition to the end of one; what it has failed of."""
        self.done.output, name = given, definition["StartAt"]
        while True:
            state = definition["States"][name]
            self.done.states.append(name)
            context = {**self.context, "State": {"Name": name}, "Task": {"Token": f"token-{name}"}}
            bindings = {**variables, "states": {"context": context, "input": self.done.output}}
            match state["Type"]:
                case "Succeed":
                    return None
                case "Fail":
                    return Failure(evaluate(state["Error"], bindings), evaluate(state["Cause"], bindings))
                case "Choice":
                    chosen = (rule["Next"] for rule in state["Choices"] if evaluate(rule["Condition"], bindings))
                    name = next(chosen, state["Default"])
                    continue
                case "Pass":
                    result: object = self.done.output
                case "Map":
                    result = self._items(state, bindings)
                case kind:
                    assert kind == "Task", kind
                    result = self._task(name, state, bindings)
            taken = self._after(state, result, bindings, variables)
            if isinstance(taken, Failure) or taken.get("End"):
                return taken if isinstance(taken, Failure) else None
            name = taken["Next"]

    def _after(self, state: Document, result: object, bindings: Document, variables: dict[str, object]) -> Document | Failure:
        """Where it goes on: the state itself, or the Catch that takes its failure; the failure where none does."""
        taken, default = state, result
        if isinstance(result, Failure):
            output = {"Error": result.error} | ({"Cause": result.cause} if result.cause is not None else {})
            bindings["states"]["errorOutput"] = output
            catches = [catch for catch in state.get("Catch", []) if {result.error, "States.ALL"} & set(catch["ErrorEquals"])]
            if not catches:
                return result
            taken, default = catches[0], output
        else:
            bindings["states"]["result"] = result
        self.done.output = evaluate(taken["Output"], bindings) if "Output" in taken else default
        variables |= evaluate(taken.get("Assign", {}), bindings)
        return taken

    def _items(self, state: Document, bindings: Document) -> object:
        items, outputs = evaluate(state["Items"], bindings), []
        if not isinstance(items, list):
            return Failure("States.QueryEvaluationError", f"Items is {items!r}, and no array")
        for number, item in enumerate(items):
            context = {**bindings["states"]["context"], "Map": {"Item": {"Index": number, "Value": item}}}
            selected = evaluate(state["ItemSelector"], {**bindings, "states": {**bindings["states"], "context": context}})
            variables = {name: value for name, value in bindings.items() if name != "states"}
            branch = _Branch(self.account, self.done, self.answers, {**self.context, "Map": context["Map"]})
            failure = branch.go(state["ItemProcessor"], selected, variables)
            if failure is not None:
                return failure
            outputs.append(self.done.output)
        return outputs

    def _task(self, name: str, state: Document, bindings: Document) -> object:
        asked = evaluate(state["Arguments"], bindings)
        if state["Resource"] == "arn:aws:states:::states:startExecution.sync:2":
            return self._nested(asked)
        self.done.payloads[name], self.done.functions[name] = asked["Payload"], asked["FunctionName"]
        self.done.asked.append((name, asked["Payload"]))
        answer = self.answers[name]
        if isinstance(answer, Failure) or state["Resource"].endswith(".waitForTaskToken"):
            return answer
        return {"StatusCode": 200, "Payload": answer}

    def _nested(self, asked: Document) -> object:
        assert asked["StateMachineArn"] == MACHINE_ARN
        name, given = asked["Name"], asked["Input"]
        refused = self.answers.get("RunCandidate")
        if name in self.account.walks:
            return Failure("StepFunctions.ExecutionAlreadyExistsException", f"Execution Already Exists: '{name}'")
        if isinstance(refused, Failure):
            return refused
        ended = self.account.start(name, json.loads(json.dumps(given)))
        told = {"ExecutionArn": f"{EXECUTIONS}:{name}", "Status": "SUCCEEDED" if ended.error is None else "FAILED"}
        if ended.error is not None:
            return Failure("States.TaskFailed", json.dumps({**told, "Error": ended.error, "Cause": ended.cause}))
        return {**told, "Output": ended.output}
