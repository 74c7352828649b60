"""A training job's directory, laid out as ``/opt/ml`` in the container."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from sagemaker_emulator.errors import JobFailed
from sagemaker_emulator.own_files import is_own_directory, read_own
from sagemaker_emulator.store import Document


class Layout:
    """Paths below the directory that stands for ``/opt/ml``."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def model(self) -> Path:
        return self.root / "model"

    @property
    def code(self) -> Path:
        return self.root / "code"

    @property
    def output_data(self) -> Path:
        return self.root / "output" / "data"

    @property
    def failure(self) -> Path:
        return self.root / "output" / "failure"

    def channel(self, name: str) -> Path:
        return self.root / "input" / "data" / name

    def prepare(self, job: Document, host: str) -> None:
        """Make the directories and write the three configuration files for one host."""
        for path in (self.model, self.output_data, self.root / "input" / "config", self.code):
            path.mkdir(parents=True, exist_ok=True)
        for name, content in (
            ("hyperparameters", job.get("HyperParameters", {})),
            ("inputdataconfig", input_data_config(job)),
            ("resourceconfig", resource_config(job, host)),
        ):
            (self.root / "input" / "config" / f"{name}.json").write_text(json.dumps(content))
        if checkpoints := job.get("CheckpointConfig"):
            local = {"LocalPath": checkpoints.get("LocalPath", "/opt/ml/checkpoints")}
            (self.root / "input" / "config" / "checkpointconfig.json").write_text(json.dumps(local))

    def failure_text(self) -> str:
        """The first 1,024 characters that the container left as its reason."""
        return read_own(self.root, self.failure, 4096)[:1024]

    def artifacts(self, directory: Path) -> Path | None:
        """``model`` or ``output/data`` if it is there; raises :class:`JobFailed` when the program has put a link in its place."""
        if is_own_directory(self.root, directory):
            return directory
        if not directory.exists():
            return None
        raise JobFailed(
            f"ClientError: Artifact upload failed:/opt/ml/{directory.relative_to(self.root)} is not a directory any more"
        )


def hosts(job: Document) -> list[str]:
    return [f"algo-{number}" for number in range(1, int(job["ResourceConfig"].get("InstanceCount", 1)) + 1)]


def input_data_config(job: Document) -> Mapping[str, Document]:
    config = {}
    for channel in job.get("InputDataConfig", []):
        entry = {"ContentType": channel["ContentType"]} if channel.get("ContentType") else {}
        entry |= {
            "TrainingInputMode": channel.get("InputMode") or job["AlgorithmSpecification"]["TrainingInputMode"],
            "S3DistributionType": channel["DataSource"]["S3DataSource"].get("S3DataDistributionType", "FullyReplicated"),
            "RecordWrapperType": channel.get("RecordWrapperType", "None"),
        }
        config[channel["ChannelName"]] = entry
    return config


def resource_config(job: Document, host: str) -> Document:
    instance_type = job["ResourceConfig"].get("InstanceType", "ml.m5.xlarge")
    group = "homogeneousCluster"
    return {
        "current_host": host,
        "current_instance_type": instance_type,
        "current_group_name": group,
        "hosts": hosts(job),
        "instance_groups": [{"instance_group_name": group, "instance_type": instance_type, "hosts": hosts(job)}],
        "network_interface_name": "lo",
    }
