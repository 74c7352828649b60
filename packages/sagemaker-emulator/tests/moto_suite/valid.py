"""What moto's tests ask for, made valid: with roles, images and data that are there."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import xgboost

ACCOUNT = "123456789012"  # moto's
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.2-0"
Json = dict[str, Any]


class Valid:
    """Requests made valid; ``folder`` stands for S3."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.names: set[str] = set()
        """Those that were asked for."""
        self.changes: list[tuple[object, object]] = []
        """What was sent, and what was given."""
        for channel in ("train", "validation"):
            rows = "".join(f"{row % 2},{','.join(str((row * column) % 7) for column in range(30))}\n" for row in range(200))
            self._put(f"sagemaker/DEMO-breast-cancer-prediction/{channel}/rows.csv", rows.encode(), bucket="my-bucket")
        booster = xgboost.train({"objective": "reg:squarederror"}, xgboost.DMatrix(np.eye(2), label=[0, 1]), 1)
        self._artifact = self._put("model.tar.gz", _archive("xgboost-model", bytes(booster.save_raw())))
        self._rows = self._put("rows.csv", b"1,2\n3,4\n")

    def create_model(self, request: Json) -> Json:
        container = {"PrimaryContainer": {"Image": IMAGE, "ModelDataUrl": self._artifact}}
        network = {"VpcConfig": {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]}} if "VpcConfig" in request else {}
        return {**request, **container, **network, "ExecutionRoleArn": any_role(request["ExecutionRoleArn"])}

    def list_endpoints(self, request: Json) -> Json:
        """In moto's order, which is that of creation, where it asks for none; and SortBy as the model has it."""
        order = {"SortBy": "CreationTime", "SortOrder": "Ascending"}
        return {**order, **request, **({"SortBy": "Name"} if request.get("SortBy") == "name" else {})}

    list_endpoint_configs = list_training_jobs = list_transform_jobs = list_models = list_endpoints

    def create_training_job(self, request: Json) -> Json:
        channels = [
            {
                **channel,
                "ContentType": "text/csv",
                "DataSource": {"S3DataSource": _single_slash(channel["DataSource"]["S3DataSource"])},
            }
            for channel in request["InputDataConfig"]
        ]
        output = _single_slash(request["OutputDataConfig"], "S3OutputPath")
        return {**request, "InputDataConfig": channels, "OutputDataConfig": output, "RoleArn": any_role(request["RoleArn"])}

    def create_transform_job(self, request: Json) -> Json:
        """XGBoost takes rows of CSV; data capture is not emulated."""
        source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": self._rows}}
        given, output = request["TransformInput"], request["TransformOutput"]
        kept = {name: value for name, value in request.items() if name != "DataCaptureConfig"}
        return {
            **kept,
            "ModelName": request["ModelName"].replace("_", "-"),
            "TransformInput": {**given, "DataSource": source, "ContentType": "text/csv"},
            "TransformOutput": {**output, "S3OutputPath": "s3://bucket-1/out/", "Accept": "text/csv"},
            "DataProcessing": {"InputFilter": "$", "OutputFilter": "$", "JoinSource": "None"},
        }

    def create_hyper_parameter_tuning_job(self, request: Json) -> Json:
        """One trial of XGBoost; the search and the definition of moto's test are not those of any algorithm."""
        config = request["HyperParameterTuningJobConfig"]
        definition = {
            "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
            "RoleArn": any_role(""),
            "InputDataConfig": [_channel("train", self._rows), _channel("validation", self._rows)],
            "OutputDataConfig": {"S3OutputPath": "s3://bucket-1/out/"},
            "ResourceConfig": {"InstanceType": "ml.m4.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 10},
            "StoppingCondition": {"MaxRuntimeInSeconds": 600},
            "StaticHyperParameters": {"num_round": "1", "objective": "reg:squarederror"},
        }
        search = {
            "Strategy": config["Strategy"],
            "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "validation:rmse"},
            "ParameterRanges": {"ContinuousParameterRanges": [{"Name": "eta", "MinValue": "0.1", "MaxValue": "0.9"}]},
            "ResourceLimits": {**config["ResourceLimits"], "MaxNumberOfTrainingJobs": 1, "MaxParallelTrainingJobs": 1},
        }
        kept: Json = {name: request[name] for name in ("HyperParameterTuningJobName", "Tags") if name in request}
        return {**kept, "HyperParameterTuningJobConfig": search, "TrainingJobDefinition": definition}

    def _put(self, key: str, body: bytes, bucket: str = "bucket-1") -> str:
        path = self._folder / bucket / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
        return f"s3://{bucket}/{key}"


def _archive(name: str, body: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        entry = tarfile.TarInfo(name)
        entry.size = len(body)
        tar.addfile(entry, io.BytesIO(body))
    return buffer.getvalue()


def any_role(arn: str) -> str:
    return arn if arn.startswith("arn:aws:iam::") else f"arn:aws:iam::{ACCOUNT}:role/any"


def _single_slash(request: Json, member: str = "S3Uri") -> Json:
    """A folder has no object whose key has an empty part."""
    return {**request, member: request[member].replace("//", "/").replace("s3:/", "s3://", 1)}


def _channel(name: str, uri: str) -> Json:
    source = {"S3DataType": "S3Prefix", "S3Uri": uri}
    return {"ChannelName": name, "ContentType": "text/csv", "DataSource": {"S3DataSource": source}}
