"""How a large batch goes through the state machine: in shards, as many at once as ConfigureRun has planned."""

from __future__ import annotations

import pytest

from tests.unit.template.documents import Document
from tests.unit.template.test_sharded_run import children
from tests.unit.template.test_state_machine import (
    CONFIGURED,
    FAILED,
    OF_A_BATCH,
    RUN_ID,
    SHARDED,
    SHARDED_BATCH,
    TO_THE_MODEL,
    TRANSFORM,
    WRITTEN,
    run,
)
from tests.unit.template.walk import Failure, Walk

FUNCTIONS = {"ScanBatchShards": "ScanShard", "EncodeBatchShards": "EncodeBatch", "WriteBatchShards": "WritePredictions"}
SCAN = ["BatchNeedsScan", "ScanBatchShards", "SettleBatchShards"]
WRITE = ["RunTransform", "IsBatchSharded", "WriteBatchShards", "WritePredictions", "Succeeded"]


def sharded(machine: Document, **answers: object) -> Walk:
    return run(machine, **{"ConfigureRun": {**OF_A_BATCH, "batch_sharded": True}, **SHARDED_BATCH, **answers})


def test_text_that_is_cut_is_scanned_encoded_scored_and_written(machine: Document) -> None:
    walk = sharded(machine)

    assert walk.states[2:] == ["PlanBatchShards", *SCAN, "EncodeBatchShards", "MergeBatch", *WRITE]
    assert walk.output == WRITTEN
    assert walk.payloads["PlanBatchShards"] == {"run_id": RUN_ID, "action": "plan"}
    assert walk.payloads["SettleBatchShards"] == {"run_id": RUN_ID, "action": "settle"}
    assert walk.payloads["MergeBatch"] == {"run_id": RUN_ID, "action": "merge"}
    assert walk.payloads["RunTransform"]["transform"] == TRANSFORM
    assert walk.payloads["WritePredictions"] == {"run_id": RUN_ID, "sharded": True}


def test_what_begins_where_it_is_known_is_not_scanned(machine: Document) -> None:
    walk = sharded(machine, PlanBatchShards={"shards": 3, "workers": 2, "scan": False})

    assert walk.states[2:5] == ["PlanBatchShards", "BatchNeedsScan", "EncodeBatchShards"]


def test_each_shard_is_a_child_and_so_many_work_at_once(machine: Document) -> None:
    walk = sharded(machine)
    of_shards = [{"run_id": RUN_ID, "shard": shard} for shard in range(3)]

    assert children(walk, "ScanBatchShards") == [[{**shard, "folder": "batch/"} for shard in of_shards]]
    assert children(walk, "EncodeBatchShards") == [[{**shard, "action": "encode"} for shard in of_shards]]
    assert children(walk, "WriteBatchShards") == [of_shards]
    assert {workers for _, _, workers in walk.children} == {2}


def test_a_run_in_shards_scores_its_batch_in_shards_of_its_own(machine: Document) -> None:
    configured = {**CONFIGURED, "endpoint_name": None, "then": "batch", "sharded": True, "batch_sharded": True}
    planned = {"shards": 5, "workers": 4, "scan": False}

    walk = sharded(machine, ConfigureRun=configured, PlanBatchShards=planned, **SHARDED)

    assert walk.states[-8:] == ["PlanBatchShards", "BatchNeedsScan", "EncodeBatchShards", "MergeBatch", *WRITE][-8:]
    assert [len(inputs) for inputs in children(walk, "EncodeShards")] == [3]
    assert [len(inputs) for inputs in children(walk, "EncodeBatchShards")] == [5]


def test_a_small_batch_after_a_training_in_shards_is_scored_by_one_function(machine: Document) -> None:
    configured = {**CONFIGURED, "endpoint_name": None, "then": "batch", "batch_sharded": False}

    walk = sharded(machine, ConfigureRun=configured)

    assert walk.states == [*TO_THE_MODEL, "EncodeBatch", "RunTransform", "IsBatchSharded", "WritePredictions", "Succeeded"]


@pytest.mark.parametrize("state", ["PlanBatchShards", "SettleBatchShards", "MergeBatch"])
def test_what_fails_between_the_shards_leaves_no_model_and_is_recorded(machine: Document, state: str) -> None:
    walk = sharded(machine, **{state: Failure("InvalidDataset", "row 7: no number")})

    assert walk.states[-5:] == [state, "DiscardDeployment", *FAILED]


@pytest.mark.parametrize("state", FUNCTIONS)
def test_a_map_tolerates_no_failure_and_its_children_are_tried_three_times(machine: Document, state: str) -> None:
    definition = machine["States"][state]
    [(name, child)] = definition["ItemProcessor"]["States"].items()
    of_preparation = machine["States"]["EncodeShards"]

    assert not {"ToleratedFailureCount", "ToleratedFailurePercentage"} & definition.keys()
    assert definition["ItemProcessor"]["ProcessorConfig"] == of_preparation["ItemProcessor"]["ProcessorConfig"]
    assert definition["Catch"] == machine["States"]["WritePredictions"]["Catch"]
    assert name == state.removesuffix("s")
    assert child["Retry"] == of_preparation["ItemProcessor"]["States"]["EncodeShard"]["Retry"]
    assert child["Arguments"] == {"FunctionName": f"{FUNCTIONS[state]}Function", "Payload": "{% $states.input %}"}
