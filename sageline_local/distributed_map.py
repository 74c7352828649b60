"""Distributed Maps of state machines in JSONata.

MiniStack 1.5.33 takes the fields of such a state for JSONPath: it evaluates no expression, and neither ``Output`` nor ``Assign``.
It knows no ``ItemBatcher``. What a map and its fields are in AWS:
https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html
"""

from __future__ import annotations

import json
from typing import Any

from ministack.core.responses import new_uuid
from ministack.services import s3, stepfunctions

from sageline_local.machine_role import denial
from sageline_local.map_runs import MapPlan, MapRun, Record

_LARGEST_BYTES = 256 * 1024
"""Of what goes into a state and comes out of it."""


def install() -> None:
    """Have MiniStack run Distributed Maps in JSONata as AWS does; those in JSONPath it runs as ever."""
    run_in_jsonpath = stepfunctions._run_distributed_map

    def run_distributed_map(state: Record, given: object, *others: Any) -> Any:  # MiniStack's; the output, and the next state
        _effective, processor, execution, context = others
        if stepfunctions._state_query_language(state, context) != "JSONata":
            return run_in_jsonpath(state, given, *others)
        results = MapRun(_plan(state, given, processor, execution, context), execution).results()
        _check_size(results, f"The state/task '{context['State']['Name']}' returned a result")
        output = stepfunctions._apply_jsonata_output(state, given, context, result=results, default=results)
        stepfunctions._apply_state_assign(state, given, context, result=results)
        return output, stepfunctions._next_or_end(state)

    stepfunctions._run_distributed_map = run_distributed_map


def _plan(state: Record, given: object, processor: Record, execution: Record, context: Record) -> MapPlan:
    """The map with its fields evaluated, as the parent has its variables.

    Raises:
        _ExecutionError: MiniStack's; a field can not be evaluated or is not honoured, or the role lacks a permission.
    """
    _refuse_what_is_not_done(state)

    def number(field: str) -> Any:  # a number, or None
        return stepfunctions._jsonata_state_field(state, field, "number", given, context) if field in state else None

    inputs = _inputs(state, given, execution, context)
    sizes = [1] * len(inputs)
    if "ItemBatcher" in state:
        batcher = stepfunctions._apply_jsonata_template(state["ItemBatcher"], given, context)
        inputs, sizes = _batches(inputs, batcher)
    for document in inputs:
        _check_size(document, "The input of a child workflow execution has")
    denied = denial(execution, "states:StartExecution", execution["stateMachineArn"].partition("/")[0])
    if denied is not None:
        raise stepfunctions._ExecutionError("States.Permissions", denied)
    return MapPlan(
        processor=processor,
        query_language=context["QueryLanguage"],
        label=state.get("Label") or new_uuid(),
        express=processor["ProcessorConfig"].get("ExecutionType") == "EXPRESS",
        inputs=inputs,
        sizes=sizes,
        concurrency=int(number("MaxConcurrency") or 0),
        tolerated_count=number("ToleratedFailureCount"),
        tolerated_percentage=number("ToleratedFailurePercentage"),
    )


def _refuse_what_is_not_done(state: Record) -> None:
    not_done = {"ResultWriter": state, "MaxInputBytesPerBatch": state.get("ItemBatcher", {})}
    for field, holder in not_done.items():
        if field in holder:
            raise stepfunctions._ExecutionError("States.Runtime", f"The local stack runs no Distributed Map with {field}.")


def _inputs(state: Record, given: object, execution: Record, context: Record) -> list[object]:
    """What each item is for a child, before it is batched."""
    if "ItemReader" in state:
        items = _read(stepfunctions._apply_jsonata_template(state["ItemReader"], given, context), execution, context)
    elif "Items" in state:
        items = stepfunctions._jsonata_state_field(state, "Items", "array", given, context)
    else:
        items = given if isinstance(given, list) else [given]
    if "ItemSelector" not in state:
        return [*items]
    return [
        stepfunctions._apply_jsonata_template(
            state["ItemSelector"], given, {**context, "Map": {"Item": {"Index": index, "Value": item}}}
        )
        for index, item in enumerate(items)
    ]


def _batches(inputs: list[object], batcher: Record) -> tuple[list[object], list[int]]:
    """The input of each child, and how many items are in it."""
    most = int(batcher["MaxItemsPerBatch"])
    shared = {"BatchInput": batcher["BatchInput"]} if "BatchInput" in batcher else {}
    batches = [inputs[start : start + most] for start in range(0, len(inputs), most)]
    return [{**shared, "Items": batch} for batch in batches], [len(batch) for batch in batches]


def _read(reader: Record, execution: Record, context: Record) -> Any:  # JSON
    """The items that an ItemReader finds in S3.

    Raises:
        _ExecutionError: MiniStack's; the role may not read them, they are not there, or they are not what the reader says.
    """
    arguments, settings = reader["Arguments"], reader.get("ReaderConfig") or {}
    bucket, version = arguments["Bucket"], arguments.get("VersionId")
    lists = reader["Resource"].endswith("s3:listObjectsV2")
    if lists:
        denied = denial(execution, "s3:ListBucket", f"arn:aws:s3:::{bucket}", {"s3:prefix": arguments.get("Prefix", "")})
    else:
        action = "s3:GetObjectVersion" if version else "s3:GetObject"
        denied = denial(execution, action, f"arn:aws:s3:::{bucket}/{arguments['Key']}")
    if denied is not None:
        raise stepfunctions._ExecutionError("States.ItemReaderFailed", denied)
    try:
        if lists or not version:
            return stepfunctions._read_map_items({**reader, "Parameters": arguments}, None, context)
        status, _, body = s3._get_object(bucket, arguments["Key"], {}, {"versionId": [version]})
        if status != 200:
            raise stepfunctions._ExecutionError("States.ItemReaderFailed", f"Not found: {arguments}")
        return stepfunctions._parse_reader_items(body.decode(), settings)[: settings.get("MaxItems")]
    except (ValueError, LookupError) as error:
        raise stepfunctions._ExecutionError("States.ItemReaderFailed", f"Cannot read {arguments}: {error}") from error


def _check_size(document: object, what: str) -> None:
    if len(json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()) > _LARGEST_BYTES:
        raise stepfunctions._ExecutionError(
            "States.DataLimitExceeded", f"{what} with a size exceeding the maximum number of bytes service limit."
        )
