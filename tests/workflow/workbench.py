"""What a workflow test does by hand: put data in the bucket, follow the run, look at what is left."""

from __future__ import annotations

import csv
import io
import json
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import boto3
from botocore.config import Config

from sageline.json_objects import Json
from sageline_cli.connection import Connection, connect_to_local
from sageline_cli.errors import CommandFailed
from sageline_cli.upload import UploadedDataset, upload
from sageline_local.stack import LocalStack
from tests.workflow.inventory import Inventory

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_sagemaker import SageMakerClient
    from mypy_boto3_sagemaker_runtime import SageMakerRuntimeClient
    from mypy_boto3_stepfunctions.type_defs import HistoryEventTypeDef

Found = TypeVar("Found")

_PATIENCE_SECONDS = 180


@dataclass(frozen=True)
class Workbench:
    """One local stack that is up, and clients of what is on it."""

    connection: Connection
    sagemaker: SageMakerClient
    runtime: SageMakerRuntimeClient
    events: EventBridgeClient
    logs: CloudWatchLogsClient
    state_machine_arn: str
    inventory: Inventory
    directory: Path

    @classmethod
    def on(cls, stack: LocalStack, directory: Path) -> Workbench:
        status = stack.require_up()
        variables = status.environment
        session = boto3.Session(
            aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
            region_name=status.region,
        )
        return cls(
            connection=connect_to_local({"SAGELINE_HOME": str(stack.home)}),
            sagemaker=session.client("sagemaker", endpoint_url=status.sagemaker_url),
            runtime=session.client(
                "sagemaker-runtime",
                endpoint_url=status.sagemaker_url,
                config=Config(max_pool_connections=64, retries={"mode": "standard", "max_attempts": 1}),
            ),
            events=session.client("events", endpoint_url=status.endpoint_url),
            logs=session.client("logs", endpoint_url=status.endpoint_url),
            state_machine_arn=status.outputs["StateMachineArn"],
            inventory=Inventory.on(status),
            directory=directory,
        )

    def submit(self, name: str, data: str | bytes, spec: Json | None = None) -> UploadedDataset:
        """Upload a CSV document under a name, which starts a run."""
        path = self.directory / f"{name}.csv"
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        document = None if spec is None else json.dumps(spec).encode()
        return upload(self.connection.s3, self.connection.bucket, path, name, spec=document, advance=lambda _: None)

    def run(self, run_id: str) -> Json | None:
        """The record of a run; None until it has claimed its id."""
        try:
            return self.connection.api.run(run_id)
        except CommandFailed as error:
            if error.code != "RunNotFound":
                raise
            return None

    def wait(self, run_id: str, state: str | None = None) -> Json:
        """The record of a run that has ended, or has come to a state.

        It has ended when its execution has: what served before is removed after the record says Succeeded. Of one that has not
        succeeded nothing is left.
        """

        def found(good: Callable[[Json], bool]) -> Json:
            return until(
                lambda: run if (run := self.run(run_id)) is not None and good(run) else None, lambda: f"Run: {self.run(run_id)}"
            )

        run = found(lambda run: state is None or run["state"] == state or run["status"] != "Running")
        if state is None or run["status"] != "Running":
            # Asking for the execution costs the machine a tenth of what asking the API for the run does.
            until(lambda: not self.is_going_on(run["execution_arn"]) or None, lambda: f"Run: {self.run(run_id)}")
            run = found(lambda run: run["status"] != "Running")
        if run["status"] not in ("Running", "Succeeded"):
            until(lambda: self.inventory.left_of(run) == [] or None, lambda: f"left of {run_id}: {self.inventory.left_of(run)}")
        return run

    def is_going_on(self, execution_arn: str) -> bool:
        return self.connection.stepfunctions.describe_execution(executionArn=execution_arn)["status"] == "RUNNING"

    def history(self, execution_arn: str) -> list[HistoryEventTypeDef]:
        """Every event of an execution."""
        pages = self.connection.stepfunctions.get_paginator("get_execution_history").paginate(executionArn=execution_arn)
        return [event for page in pages for event in page["events"]]

    def states(self, execution_arn: str) -> list[str]:
        """The states that an execution has entered; each is one transition."""
        return [
            event["stateEnteredEventDetails"]["name"]
            for event in self.history(execution_arn)
            if event["type"].endswith("StateEntered")
        ]

    def log_retention(self, group: str) -> int | None:
        """For how many days a log group keeps its lines; None where there is no such group."""
        found = self.logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
        return next((item["retentionInDays"] for item in found if item["logGroupName"] == group), None)

    def delete(self, endpoint: str) -> None:
        """Delete an endpoint; nothing of it is left."""
        self.connection.api.delete_endpoint(endpoint)
        until(lambda: self.inventory.of(endpoint) == [] or None, lambda: f"left of {endpoint}: {self.inventory.of(endpoint)}")


def until(look: Callable[[], Found | None], otherwise: Callable[[], str] = str) -> Found:
    """What ``look`` finds, as soon as it finds something; ``otherwise`` says what there is instead."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if (found := look()) is not None:
            return found
        time.sleep(0.2)
    raise TimeoutError(f"not there after {_PATIENCE_SECONDS} s. {otherwise()}".rstrip())


def csv_text(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A CSV document."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    return text.getvalue()


def flowers(rows: int = 240, seed: int = 0) -> str:
    """Three kinds that two numbers and a category tell apart, with an empty cell here and there."""
    draw = random.Random(seed)
    kinds = {"iris": (5.0, 1.5, "wet"), "rose": (9.0, 4.0, "dry"), "tulip": (14.0, 7.0, "wet")}
    table = []
    for number in range(rows):
        kind = list(kinds)[number % 3]
        length, width, ground = kinds[kind]
        cells = [f"{draw.gauss(length, 0.8):.2f}", f"{draw.gauss(width, 0.5):.2f}", ground, kind]
        if number % 20 == 7:
            cells[1] = ""
        table.append(cells)
    return csv_text(["length", "width", "ground", "kind"], table)


def houses(rows: int = 240, seed: int = 0) -> str:
    """Prices that follow from the area and the number of rooms, nearly."""
    draw = random.Random(seed)
    table = []
    for _ in range(rows):
        area, rooms = draw.uniform(40, 200), draw.randint(1, 6)
        table.append([f"{area:.1f}", rooms, f"{1000 * area + 5000 * rooms + draw.gauss(0, 2000):.0f}"])
    return csv_text(["area", "rooms", "price"], table)
