"""Golden events with the names that the unit tests use: in moto one run and one endpoint stand for all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sageline.names import candidate_run_id
from sageline_local.golden_events import fill, find
from sageline_local.golden_names import VARIABLES

RUN_ID = "flowers-20261120100000-0a1b2c"
_ACCOUNT, _BUCKET = "123456789012", "sageline-data"

_OTHERWISE: Mapping[str, str] = {
    "AccountId": _ACCOUNT,
    "ApiId": "a1b2c3d4e5",
    "JwtApiId": "f6g7h8i9j0",
    "BucketName": _BUCKET,
    "ExecutionArnPrefix": f"arn:aws:states:us-east-1:{_ACCOUNT}:execution:sageline",
    "StateMachineArn": f"arn:aws:states:us-east-1:{_ACCOUNT}:stateMachine:sageline",
    "FlowersUri": f"s3://{_BUCKET}/datasets/flowers/data.csv",
    "WinesUri": f"s3://{_BUCKET}/datasets/wines/data.csv",
    "UploadVersionId": "IYV3p45BT0ac8hjHg1houSdS1a.Mro8e",
    "TaskToken": "AAAAKgAAAAIAAAAAAAAAAbGtq1Zk",
    "CandidateRunId": candidate_run_id(RUN_ID, "xgboost"),
    "NewCandidateRunId": candidate_run_id(RUN_ID, "xgboost"),
    "ChangeRunId": "flowers-20261121100000-3d4e5f",
    "NewName": "flowers",
    "UploadedName": "flowers",
    "PartedName": "parted",
    "ServedVariant": "flowers-20261119100000-9f8e7d",
    "PromotedEndpoint": "wines",
    "PromotedVariant": "wines-20261120100000-0a1b2c",
    "RolledBackEndpoint": "wines",
    "StoppableRunId": "wines-20261120100000-0a1b2c",
}
NAMES: Mapping[str, str] = {name: RUN_ID if name.endswith("RunId") else "flowers" for name in VARIABLES} | dict(_OTHERWISE)


def golden_event(name: str) -> Any:  # an event is JSON
    """The golden event ``events/<function>/<case>.json``."""
    return fill(find(*name.split("/")), NAMES)
