from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from sageline.errors import AlreadyStarted, InvalidRequest, RunNotFound
from sageline.runs.store import RunRecord, RunStore
from tests.unit.sessions import session
from tests.unit.world.fake_aws import FakeAws
from tests.unit.world.fake_dynamodb import INDICES
from tests.unit.world.world import EXECUTION, RUN_ID, TABLE, Clock, World

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


def make_table() -> Table:
    """As the template defines it."""
    return (
        session()
        .resource("dynamodb")
        .create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[
                {"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk", *INDICES.values(), "created_at")
            ],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": index,
                    "KeySchema": [
                        {"AttributeName": hashed, "KeyType": "HASH"},
                        {"AttributeName": "created_at", "KeyType": "RANGE"},
                    ],
                    "Projection": {"ProjectionType": "ALL"},
                }
                for index, hashed in INDICES.items()
            ],
        )
    )


@pytest.fixture(params=["in memory", "moto"])
def store(request: pytest.FixtureRequest) -> Iterator[RunStore]:
    """On the DynamoDB of all other tests and on moto's, which reads expressions as somebody else has understood them."""
    with mock_aws() if request.param == "moto" else FakeAws().behind_clients():
        table = make_table() if request.param == "moto" else session().resource("dynamodb").Table(TABLE)
        yield RunStore(table, Clock())


def claimed(store: RunStore, run_id: str = RUN_ID, name: str = "flowers", execution_arn: str = EXECUTION) -> RunRecord:
    return store.claim(RunRecord(run_id=run_id, name=name, execution_arn=execution_arn))


def test_a_claimed_run_is_running_in_its_first_state(store: RunStore) -> None:
    claimed(store)
    run = store.get(RUN_ID)
    assert (run.status, run.state, run.name, run.error) == ("Running", "ConfigureRun", "flowers", None)
    assert run.created_at == run.updated_at == "2026-11-20T10:00:01.000Z"


def test_another_execution_cannot_claim_a_run_again(store: RunStore) -> None:
    claimed(store)
    with pytest.raises(AlreadyStarted, match=RUN_ID):
        claimed(store, execution_arn=EXECUTION + "-two")


def test_the_same_execution_may_claim_its_run_again(store: RunStore) -> None:
    claimed(store)
    store.enter(RUN_ID, "ConfigureRun", dataset={"size": 1})
    claimed(store)
    assert store.get(RUN_ID).details == {}


@pytest.mark.slow
def test_a_state_adds_to_what_the_states_before_it_found_out(store: RunStore) -> None:
    claimed(store)
    store.note(RUN_ID, endpoint_name="flowers")
    store.enter(RUN_ID, "PrepareData", rows={"train": 80})
    store.enter(RUN_ID, "CheckTraining", training={"metrics": {"validation:error": 0.125, "bad": float("nan")}})
    run = store.get(RUN_ID)
    assert (run.state, run.endpoint_name) == ("CheckTraining", "flowers")
    assert run.details == {"rows": {"train": 80}, "training": {"metrics": {"validation:error": 0.125, "bad": "NaN"}}}
    assert run.updated_at > run.created_at


def test_each_state_is_noted_once_with_the_time_when_it_was_entered(store: RunStore) -> None:
    claimed(store)
    for state in ("ConfigureRun", "ShiftTraffic", "ShiftTraffic", "Bake", "ShiftTraffic", "Bake"):
        store.enter(RUN_ID, state, share=0.5)
    states = store.get(RUN_ID).states
    assert [state["state"] for state in states] == ["ConfigureRun", "ShiftTraffic", "Bake", "ShiftTraffic", "Bake"]
    assert states[0]["entered_at"] == store.get(RUN_ID).created_at
    times = [state["entered_at"] for state in states]
    assert times == sorted(set(times))


def test_a_state_that_is_tried_again_was_entered_the_first_time(store: RunStore) -> None:
    claimed(store)
    store.enter(RUN_ID, "DeployEndpoint")
    first = store.get(RUN_ID)
    store.enter(RUN_ID, "DeployEndpoint", deployment={"endpoint": "flowers"})
    again = store.get(RUN_ID)
    assert again.states == first.states
    assert (again.details, again.updated_at > first.updated_at) == ({"deployment": {"endpoint": "flowers"}}, True)


@pytest.mark.slow
def test_a_run_that_never_comes_to_an_end_has_a_record_that_does(store: RunStore) -> None:
    claimed(store)
    for number in range(60):
        store.enter(RUN_ID, f"State{number}", number=number)
    run = store.get(RUN_ID)
    assert (len(run.states), run.states[-1]["state"]) == (50, "State48")
    assert (run.state, run.details) == ("State59", {"number": 59})


def test_a_record_that_notes_no_states_can_be_written_on(store: RunStore) -> None:
    claimed(store)
    item = store._table.get_item(Key={"pk": f"RUN#{RUN_ID}", "sk": "RUN"})["Item"]
    store._table.put_item(Item={name: value for name, value in item.items() if name != "states"})
    store.enter(RUN_ID, "PrepareData", rows=3)
    assert (store.get(RUN_ID).state, store.get(RUN_ID).states, store.get(RUN_ID).details) == ("PrepareData", [], {"rows": 3})


def test_the_state_that_failed_is_the_runs_state_though_it_was_not_entered(store: RunStore) -> None:
    claimed(store)
    store.finish(RUN_ID, "Failed", state="SmokeTest", error={"message": "no answer"})
    run = store.get(RUN_ID)
    assert (run.state, [state["state"] for state in run.states]) == ("SmokeTest", ["ConfigureRun"])


def test_a_run_that_is_not_there_can_be_neither_read_nor_changed(store: RunStore) -> None:
    for call in (lambda: store.get("no"), lambda: store.enter("no", "PrepareData"), lambda: store.finish("no", "Failed")):
        with pytest.raises(RunNotFound, match="'no'"):
            call()


def test_a_run_ends_once(store: RunStore) -> None:
    claimed(store)
    assert store.finish(RUN_ID, "Stopped")
    assert not store.finish(RUN_ID, "Failed", error={"message": "too late"})
    assert store.finish(RUN_ID, "Stopped")
    run = store.get(RUN_ID)
    assert (run.status, run.error) == ("Stopped", None)


def test_a_failure_is_kept_with_the_run(store: RunStore) -> None:
    claimed(store)
    store.finish(RUN_ID, "Failed", error={"message": "no label column", "log_lines": ["a", "b"]}, rows={"train": 1})
    run = store.get(RUN_ID)
    assert run.error == {"message": "no label column", "log_lines": ["a", "b"]}
    assert run.details == {"rows": {"train": 1}}


def test_runs_are_listed_newest_first_page_by_page(store: RunStore) -> None:
    for number in range(5):
        claimed(store, f"flowers-{number}")
    first = store.list(limit=2)
    second = store.list(limit=2, next_token=first.next_token)
    third = store.list(limit=2, next_token=second.next_token)
    pages = [[run.run_id for run in page.runs] for page in (first, second, third)]
    assert pages == [["flowers-4", "flowers-3"], ["flowers-2", "flowers-1"], ["flowers-0"]]
    assert third.next_token is None


def test_runs_of_one_name_fill_their_pages_whatever_lies_between(store: RunStore) -> None:
    for number in range(6):
        claimed(store, f"run-{number}", name="wines" if number % 2 else "flowers")
    first = store.list(limit=2, name="wines")
    second = store.list(limit=2, name="wines", next_token=first.next_token)
    assert [run.run_id for run in first.runs] == ["run-5", "run-3"]
    assert [run.run_id for run in second.runs] == ["run-1"]


def test_candidates_fill_no_page_of_the_runs_of_their_name(store: RunStore) -> None:
    for number in range(6):
        claimed(store, f"run-{number}", name="wines")
        for algorithm in ("knn", "linear", "xgboost"):
            store.claim(RunRecord(run_id=f"run-{number}-{algorithm}", name="wines", execution_arn=EXECUTION), listed=False)
    first = store.list(limit=4, name="wines")
    second = store.list(limit=4, name="wines", next_token=first.next_token)
    assert [run.run_id for run in first.runs] == ["run-5", "run-4", "run-3", "run-2"]
    assert [run.run_id for run in second.runs] == ["run-1", "run-0"]
    assert second.next_token is None


def test_a_page_of_a_name_ends_where_too_much_was_read_and_the_next_goes_on(
    store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sageline.runs.store._MOST_READ", 4)
    claimed(store, "run", name="wines")
    for number in range(5):
        store.claim(RunRecord(run_id=f"candidate-{number}", name="wines", execution_arn=EXECUTION), listed=False)
    first = store.list(limit=1, name="wines")
    assert (first.runs, first.next_token is None) == ([], False)
    second = store.list(limit=1, name="wines", next_token=first.next_token)
    assert ([run.run_id for run in second.runs], second.next_token) == (["run"], None)


@pytest.mark.parametrize(("given_by", "taken_by"), [("wines", "flowers"), ("wines", None), (None, "wines")])
def test_a_page_token_of_other_runs_is_refused(store: RunStore, given_by: str | None, taken_by: str | None) -> None:
    for number in range(2):
        claimed(store, f"run-{number}", name="wines")
    token = store.list(limit=1, name=given_by).next_token
    with pytest.raises(InvalidRequest, match="next_token"):
        store.list(limit=1, name=taken_by, next_token=token)


@pytest.mark.parametrize("token", ["rubbish!", "e30=", "W10=", "é"])
def test_a_made_up_page_token_is_refused(store: RunStore, token: str) -> None:
    with pytest.raises(InvalidRequest, match="next_token"):
        store.list(next_token=token)


def test_the_newest_token_of_a_job_counts(store: RunStore) -> None:
    store.put_token("arn", "first", RUN_ID)
    store.put_token("arn", "second", RUN_ID)
    store.delete_token("arn", "first")
    assert store.get_token("arn") == ("second", RUN_ID)
    store.delete_token("arn", "second")
    store.delete_token("arn", "second")
    assert store.get_token("arn") is None


def test_a_token_expires_by_itself(world: World) -> None:
    world.run.store.put_token("arn", "token", RUN_ID)
    item = world.run.store._table.get_item(Key={"pk": "JOB#arn", "sk": "TOKEN"})["Item"]
    assert int(str(item["expires_at"])) - world.clock.now.timestamp() == 2 * 24 * 3600


def test_other_refusals_of_dynamodb_are_not_taken_for_a_lost_race(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    class Denied:
        def __getattr__(self, operation: str) -> object:
            def refuse(**_: object) -> None:
                raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, operation)

            return refuse

    monkeypatch.setattr(world.run.store, "_table", Denied())
    for call in (
        lambda: claimed(world.run.store),
        lambda: world.run.store.enter(RUN_ID, "PrepareData"),
        lambda: world.run.store.delete_token("arn", "token"),
    ):
        with pytest.raises(ClientError, match="AccessDenied"):
            call()
