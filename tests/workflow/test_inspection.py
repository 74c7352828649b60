"""An inspection by the HTTP API of the local stack, under the permissions of its function, and the run that follows it."""

from __future__ import annotations

import json
from datetime import datetime

import pytest

from sageline_cli.errors import CommandFailed
from tests.workflow.workbench import Workbench

pytestmark = pytest.mark.stack

ROWS = "".join(
    f"A{100 + i},{['Ulm', 'Bonn'][i % 2]},{i % 28 + 1:02}.{i % 12 + 1:02}.2024,{i % 7}.5,{'yes' if i % 7 > 3 else 'no'}\n"
    for i in range(120)
)


def test_a_dataset_in_the_bucket_is_inspected_and_a_run_makes_of_it_what_was_said(workbench: Workbench) -> None:
    data = f"order_id,city,ordered_at,price,returned\n{ROWS}"
    split = {"by": "time", "column": "ordered_at"}
    uploaded = workbench.submit("inspected", data, {"algorithm": {"name": "xgboost"}, "deployment": None, "split": split})
    by_uri = {"uri": f"s3://{uploaded.bucket}/{uploaded.key}"}

    said = workbench.connection.api.inspect_dataset({"name": "inspected"})
    run = workbench.wait(uploaded.run_id)
    schema = run["details"]["schema"]

    assert (
        said["spec"]["dataset"]["features"] == schema["features"] == {"city": "category", "ordered_at": "date", "price": "number"}
    )
    assert (said["label"]["name"], said["task"]) == (schema["label"], schema["task"])
    assert said["warnings"] == schema["warnings"]
    assert workbench.connection.api.inspect_dataset(by_uri)["columns"] == said["columns"]
    with pytest.raises(CommandFailed) as refused:
        workbench.connection.api.inspect_dataset({"name": "not-uploaded"})
    assert refused.value.code == "DatasetNotFound"
    key = f"runs/{run['run_id']}/data/test-raw/part-00000.jsonl"
    raw = workbench.connection.s3.get_object(Bucket=uploaded.bucket, Key=key)["Body"].read().decode().splitlines()
    tested = [_day(json.loads(row)["features"]["ordered_at"]) for row in raw]
    assert sorted(tested) == sorted(_day(row.split(",")[2]) for row in ROWS.splitlines())[-run["details"]["rows"]["test"] :]


def _day(text: str) -> datetime:
    return datetime.strptime(text, "%d.%m.%Y")
