"""The runs table: one item per run, one per task token that somebody waits for.

======  ===================  ========  =====================================================================
item    pk                   sk        attributes
======  ===================  ========  =====================================================================
run     ``RUN#<run_id>``     ``RUN``   those of :class:`RunRecord`, and ``kind``: ``run``, or ``candidate`` of another run
token   ``JOB#<arn>``        ``TOKEN`` ``task_token``, ``run_id``, ``expires_at`` (epoch seconds, the TTL)
======  ===================  ========  =====================================================================

Index ``ByKind``: ``kind`` (hash), ``created_at`` (range). Index ``ByName``: ``name`` (hash), ``created_at`` (range), of runs and
candidates. Everything is projected into both.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, TypeAlias

from botocore.exceptions import ClientError
from typing_extensions import TypedDict

from sageline.errors import AlreadyStarted, DamagedRecord, InvalidRequest, RunNotFound
from sageline.json_objects import Json
from sageline.runs.record_items import read_fields, to_item, unknown_fields

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

RunStatus: TypeAlias = Literal["Running", "Succeeded", "Rejected", "Failed", "Stopped", "Unknown"]
"""``Unknown`` is never stored: what a run is shown as whose record or execution does not tell."""

_TOKEN_SECONDS = 2 * 24 * 3600
_MOST_READ = 5_000  # records for one page of the runs of a name
_MOST_CANDIDATES = 3  # of a run; they have its name
_INDICES = {"kind": "ByKind", "name": "ByName"}
"""By the attribute that is hashed."""
_LISTED = (
    *("pk", "sk", "kind", "created_at"),
    *("run_id", "name", "execution_arn", "status", "state", "updated_at", "endpoint_name", "dataset_uri", "error"),
)
"""Of a record, what a list without details has."""
_MOST_STATES = 50
"""A record notes so many states; the longest way through the state machine enters 24 that are noted."""


def utc_now() -> datetime:
    return datetime.now(UTC)


def iso(moment: datetime) -> str:
    """``2026-11-20T10:00:00.123Z``: sorts as text in time order."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


class StateEntered(TypedDict):
    """A state, and when its function began to work; ``entered_at`` is a time as in :class:`RunRecord`."""

    state: str
    entered_at: str


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """What is known of a run. Times are ISO 8601, UTC.

    ``state`` is the last state entered, or the one that failed. ``states`` are those that were entered, in order, at most 50: a
    state that is tried again is one, a state that the run comes back to (``ShiftTraffic``, ``Bake``) is one each time. Choices,
    ``SmokeTest``, the states that clean up and those at the end are not among them. ``details`` is filled by the states as they
    go (the job, rows, metrics, seconds).
    ``error`` is set on a failed run: ``state``, ``error``, ``message``, ``job``, ``failure_reason``, ``log_lines``, ``advice``.
    """

    run_id: str
    name: str
    execution_arn: str
    status: RunStatus = "Running"
    state: str = "ConfigureRun"
    created_at: str = ""
    updated_at: str = ""
    states: list[StateEntered] = field(default_factory=list)
    endpoint_name: str | None = None
    dataset_uri: str | None = None
    details: Json = field(default_factory=dict)
    error: Json | None = None


@dataclass(frozen=True)
class RunPage:
    """Some runs, newest first, and how to ask for those after them."""

    runs: list[RunRecord]
    next_token: str | None


class RunStore:
    """Reads and writes the runs table."""

    def __init__(self, table: Table, clock: Callable[[], datetime] = utc_now) -> None:
        self._table = table
        self._clock = clock

    def claim(self, run: RunRecord, *, listed: bool = True) -> RunRecord:
        """Make the record of a run, if no other execution has. Claiming again in the same execution starts over.

        Args:
            listed: whether :meth:`list` has it; it has no candidates of other runs.

        Raises:
            AlreadyStarted: another execution has claimed this run id.
        """
        now = iso(self._clock())
        states: list[StateEntered] = [{"state": run.state, "entered_at": now}]
        run = replace(run, created_at=run.created_at or now, updated_at=now, states=states)
        item = {**asdict(run), **_run_key(run.run_id), "kind": "run" if listed else "candidate"}
        try:
            self._table.put_item(
                Item=to_item(item),
                ConditionExpression="attribute_not_exists(pk) OR execution_arn = :mine",
                ExpressionAttributeValues={":mine": run.execution_arn},
            )
        except ClientError as error:
            if _is_condition_failure(error):
                raise AlreadyStarted(f"Run {run.run_id} is under way or done in another execution; nothing to do.") from None
            raise
        return run

    def get(self, run_id: str) -> RunRecord:
        """The record of a run, read consistently.

        Raises:
            RunNotFound: no such run.
            DamagedRecord: the record is not what it must be.
        """
        item = self._table.get_item(Key=_run_key(run_id), ConsistentRead=True).get("Item")
        if item is None:
            raise RunNotFound(f"No run {run_id!r} is known; `sageline runs` lists them.")
        return _to_record(item)

    def list(self, limit: int = 20, next_token: str | None = None, name: str | None = None, *, details: bool = True) -> RunPage:
        """Up to ``limit`` runs, newest first, of one name if given. The index follows writes within a second or so.

        With a name, there may be fewer than ``limit`` and still a token: the next page looks among the older records. A damaged
        record is shown as Unknown. Without ``details``, which are most of a record, ``states`` and ``details`` are empty.

        Raises:
            InvalidRequest: ``next_token`` is not one that an earlier page gave of the same runs.
        """
        hashed, value = ("kind", "run") if name is None else ("name", name)
        names = {"#hashed": hashed}
        request: Json = {
            "IndexName": _INDICES[hashed],
            "KeyConditionExpression": "#hashed = :hashed",
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": {":hashed": value},
            "ScanIndexForward": False,
        }
        if name is not None:
            request["FilterExpression"] = "kind = :kind"
            request["ExpressionAttributeValues"][":kind"] = "run"
        if not details:
            names |= {f"#{listed}": listed for listed in _LISTED}
            request["ProjectionExpression"] = ", ".join(f"#{listed}" for listed in _LISTED)
        start = _decode_token(next_token, hashed, value) if next_token else None
        items: list[Mapping[str, object]] = []
        read = 0
        while True:
            # Where candidates were among the records, they are among the next ones too.
            request["Limit"] = (limit - len(items)) * (1 + _MOST_CANDIDATES if read > len(items) else 1)
            if start:
                request["ExclusiveStartKey"] = start
            page = self._table.query(**request)
            items += page["Items"]
            read += page["ScannedCount"]
            start = page.get("LastEvaluatedKey")
            if len(items) >= limit or read >= _MOST_READ or not start:
                break
        if len(items) > limit:
            # The page was larger than asked for, so go on after the last run that is returned, not after the page.
            items = items[:limit]
            start = {key: items[-1][key] for key in ("pk", "sk", hashed, "created_at")}
        left_out: dict[str, object] = {} if details else {"states": [], "details": {}}
        return RunPage([_shown({**item, **left_out}) for item in items], _encode_token(start) if start else None)

    def enter(self, run_id: str, state: str, **details: object) -> None:
        """Note the state that a run is in, since when, and what that state found out. A state that is tried again keeps the time
        of its first try.

        Raises:
            RunNotFound: no such run.
        """
        now = iso(self._clock())
        top = {"state": state, "updated_at": now}
        is_new = "attribute_exists(#states) AND #state <> :state AND size(#states) < :most"
        try:
            self._update(run_id, top, details, is_new, entered={"state": state, "entered_at": now})
        except RunNotFound:
            self._update(run_id, top, details, "attribute_exists(pk)")

    def finish(
        self,
        run_id: str,
        status: RunStatus,
        *,
        state: str | None = None,
        error: Mapping[str, object] | None = None,
        unless_ended: bool = False,
        **details: object,
    ) -> bool:
        """Note how a run ended. Returns False and changes nothing when it had ended another way before (a person stopped it).

        Args:
            state: the one that failed, if it may not be the last that was entered.
            unless_ended: change nothing either when it had ended the same way: whoever noted that first knew why.
        """
        top: Json = {"status": status, "updated_at": iso(self._clock())}
        if state is not None:
            top["state"] = state
        if error is not None:
            top["error"] = dict(error)
        try:
            ended_so = "" if unless_ended else " OR #status = :status"
            self._update(run_id, top, details, f"attribute_exists(pk) AND (#status = :running{ended_so})")
        except RunNotFound:
            self.get(run_id)
            return False
        return True

    def note(self, run_id: str, *, endpoint_name: str | None = None, dataset_uri: str | None = None, **details: object) -> None:
        """Add details to a run's record, whatever its state and however it ended.

        Raises:
            RunNotFound: no such run.
        """
        fields = {"endpoint_name": endpoint_name, "dataset_uri": dataset_uri}
        top = {name: value for name, value in fields.items() if value is not None}
        self._update(run_id, top, details, "attribute_exists(pk)")

    def put_token(self, arn: str, task_token: str, run_id: str) -> None:
        """Keep the task token of whoever waits for the job or endpoint of that ARN; a newer token replaces an older one."""
        expires_at = int(self._clock().timestamp()) + _TOKEN_SECONDS
        self._table.put_item(Item={**_token_key(arn), "task_token": task_token, "run_id": run_id, "expires_at": expires_at})

    def get_token(self, arn: str) -> tuple[str, str] | None:
        """``(task_token, run_id)`` of whoever waits for that ARN, or None."""
        item = self._table.get_item(Key=_token_key(arn), ConsistentRead=True).get("Item")
        return None if item is None else (str(item["task_token"]), str(item["run_id"]))

    def delete_token(self, arn: str, task_token: str) -> None:
        """Forget a token that was answered; a newer one under the same ARN stays."""
        try:
            self._table.delete_item(
                Key=_token_key(arn),
                ConditionExpression="attribute_not_exists(pk) OR task_token = :mine",
                ExpressionAttributeValues={":mine": task_token},
            )
        except ClientError as error:
            if not _is_condition_failure(error):
                raise

    def _update(
        self,
        run_id: str,
        top: Mapping[str, object],
        details: Mapping[str, object],
        condition: str,
        entered: StateEntered | None = None,
    ) -> None:
        sets = [f"#{name} = :{name}" for name in top] + [f"details.#d_{name} = :d_{name}" for name in details]
        names = {f"#{name}": name for name in top} | {f"#d_{name}": name for name in details}
        arguments = {f":{name}": value for name, value in top.items()} | {f":d_{k}": v for k, v in details.items()}
        if "status" in top:
            arguments[":running"] = "Running"
        if entered is not None:
            sets.append("#states = list_append(#states, :entered)")
            names["#states"] = "states"
            arguments |= {":entered": [entered], ":most": _MOST_STATES}
        try:
            self._table.update_item(
                Key=_run_key(run_id),
                UpdateExpression="SET " + ", ".join(sets),
                ConditionExpression=condition,
                ExpressionAttributeNames=names,
                ExpressionAttributeValues=to_item(arguments),
            )
        except ClientError as error:
            if _is_condition_failure(error):
                raise RunNotFound(f"No run {run_id!r} is known; `sageline runs` lists them.") from None
            raise


def _run_key(run_id: str) -> dict[str, str]:
    return {"pk": f"RUN#{run_id}", "sk": "RUN"}


def _token_key(arn: str) -> dict[str, str]:
    return {"pk": f"JOB#{arn}", "sk": "TOKEN"}


def _is_condition_failure(error: ClientError) -> bool:
    return error.response["Error"]["Code"] == "ConditionalCheckFailedException"


def _to_record(item: Mapping[str, object]) -> RunRecord:
    values, wrong = read_fields(item)
    if wrong:
        shown = unknown_fields(item, values, wrong)
        damaged = DamagedRecord(f"Run {shown['run_id']}: {shown['error']['message']}")
        damaged.shown = shown
        raise damaged
    return RunRecord(**values)


def _shown(item: Mapping[str, object]) -> RunRecord:
    try:
        return _to_record(item)
    except DamagedRecord as damaged:
        return RunRecord(**damaged.shown)


def _encode_token(key: Mapping[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(key, separators=(",", ":")).encode()).decode()


def _decode_token(token: str, hashed: str, value: str) -> Json:
    """The place in the index of ``hashed``, among the records that have that ``value``."""
    try:
        key = json.loads(base64.urlsafe_b64decode(token.encode()))
    except (binascii.Error, ValueError, RecursionError):
        key = None
    match key:
        case {"pk": str(pk), "sk": "RUN", "created_at": str(created_at), **rest} if rest == {hashed: value}:
            # DynamoDB takes no longer ones.
            if pk.startswith("RUN#") and _bytes(pk) <= 2048 and 0 < _bytes(created_at) <= 1024:
                return {**key}
    raise InvalidRequest(
        "next_token is not one that an earlier page of the same runs gave; leave it out to start with the newest run."
    )


def _bytes(text: str) -> int:
    return len(text.encode(errors="surrogatepass"))
