"""Training jobs and models with code of their own, for the tests of script mode."""

from __future__ import annotations

import io
import json
import tarfile
import textwrap
from collections.abc import Mapping

from emulator_tests.support import BUCKET, ROLE, Api, Json, wait_until
from sagemaker_emulator.aws import Aws

SCIKIT_LEARN = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
TENSORFLOW = "763104351884.dkr.ecr.us-east-1.amazonaws.com/tensorflow-training:2.19.0-cpu-py312"
TENSORFLOW_SERVING = "763104351884.dkr.ecr.us-east-1.amazonaws.com/tensorflow-inference:2.19.0-cpu"
PYTORCH = "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.6.0-cpu-py312"
PYTORCH_SERVING = "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-inference:2.6.0-cpu-py312"
XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"


def put_source(aws: Aws, name: str, files: Mapping[str, str]) -> str:
    """A ``sourcedir.tar.gz`` in the bucket; returns its URI."""
    return put_archive(aws, name, packed({path: textwrap.dedent(text).encode() for path, text in files.items()}))


def packed(files: Mapping[str, bytes]) -> bytes:
    """A ``tar.gz`` of files by their path in it."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        for path, content in files.items():
            entry = tarfile.TarInfo(path)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return archive.getvalue()


def put_archive(aws: Aws, name: str, archive: bytes) -> str:
    aws.s3.put_object(Bucket=BUCKET, Key=f"{name}/source/sourcedir.tar.gz", Body=archive)
    return f"s3://{BUCKET}/{name}/source/sourcedir.tar.gz"


def script_job(name: str, source: str, image: str = SCIKIT_LEARN, program: str = "train.py", **changes: object) -> Json:
    """CreateTrainingJob's request as the SDK writes it: every hyperparameter is JSON."""
    hyperparameters = {
        "sagemaker_program": program,
        "sagemaker_submit_directory": source,
        "sagemaker_container_log_level": 20,
        "sagemaker_job_name": name,
        "sagemaker_region": "us-east-1",
    }
    more = changes.pop("HyperParameters", {})
    assert isinstance(more, dict)
    return Api.training_job(
        name,
        AlgorithmSpecification={
            "TrainingImage": image,
            "TrainingInputMode": "File",
            "MetricDefinitions": [{"Name": "score", "Regex": r"score=(\S+)"}],
        },
        HyperParameters={key: json.dumps(value) for key, value in {**hyperparameters, **more}.items()},
        **changes,
    )


def ran(api: Api, request: Json) -> Json:
    """The job when it has ended."""
    api.ok("CreateTrainingJob", **request)
    return wait_until(lambda: api.ended_job(request["TrainingJobName"]), 120)


def archived(aws: Aws, uri: str) -> dict[str, bytes]:
    """The files of an archive in the bucket."""
    body = aws.s3.get_object(Bucket=BUCKET, Key=uri.removeprefix(f"s3://{BUCKET}/"))["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(body)) as tar:
        files = {entry.name: tar.extractfile(entry) for entry in tar if entry.isfile()}
        return {name: file.read() for name, file in files.items() if file}


def model_of(name: str, artifact: str | None, image: str, **environment: str) -> Json:
    container: Json = {"Image": image, "Environment": environment}
    if artifact:
        container["ModelDataUrl"] = artifact
    return {"ModelName": name, "ExecutionRoleArn": ROLE, "PrimaryContainer": container}


def settled(api: Api, name: str, model: Json) -> Json:
    """The endpoint of a model when it is in service or has failed."""
    api.ok("CreateModel", **model)
    api.endpoint_config(name, api.variant("v1", model["ModelName"]))
    api.ok("CreateEndpoint", EndpointName=name, EndpointConfigName=name)
    return wait_until(lambda: api.settled_endpoint(name), 120)
