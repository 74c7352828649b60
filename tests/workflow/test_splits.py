"""Splits by group, and as a column says, on the local stack."""

from __future__ import annotations

import json

import pytest

from tests.workflow.workbench import Workbench

pytestmark = [pytest.mark.stack, pytest.mark.full]

FOLDS = ["train", "train", "val", "test"]
HEADER = "patient,fold,age,pressure,ill\n"
ROWS = [
    f"p{i // 3},{FOLDS[i // 3 % 4]},{20 + i % 61},{100 + i * 7 % 53}.5,{'yes' if i * 7 % 53 > 26 else 'no'}\n" for i in range(600)
]


@pytest.mark.parametrize(("by", "column"), [("group", "patient"), ("given", "fold")])
def test_rows_of_the_test_are_those_that_the_split_says(workbench: Workbench, by: str, column: str) -> None:
    name = f"split-by-{by}"
    spec = {
        "dataset": {"label": "ill"},
        "split": {"by": by, "column": column},
        "algorithm": {"name": "xgboost"},
        "deployment": None,
    }

    uploaded = workbench.submit(name, HEADER + "".join(ROWS), spec)
    run = workbench.wait(uploaded.run_id)

    assert run["status"] == "Succeeded", run["error"]
    key = f"runs/{run['run_id']}/data/test-raw/part-00000.jsonl"
    body = workbench.connection.s3.get_object(Bucket=uploaded.bucket, Key=key)["Body"].read().decode()
    tested = [json.loads(line)["others"] for line in body.splitlines()]
    if by == "given":
        assert {row["fold"] for row in tested} == {"test"}
    else:
        groups = {row["patient"] for row in tested}
        assert len(tested) == sum(row.split(",")[0] in groups for row in ROWS)
    assert run["details"]["schema"]["split"] == {"by": by, "column": column}
    assert column in run["details"]["schema"]["left_out"]
