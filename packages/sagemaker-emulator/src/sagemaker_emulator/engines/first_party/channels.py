"""A first-party algorithm's channels: which there may be, their content types, and their rows."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Collection
from dataclasses import dataclass
from email.message import Message
from functools import partial
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix, vstack

from sagemaker_emulator.engines.first_party.failures import CustomerError
from sagemaker_emulator.engines.first_party.tables import read_csv
from sagemaker_emulator.engines.shell.arrays import FloatArray
from sagemaker_emulator.engines.shell.records import FLOAT32, RECORDIO, Rows, read_rows

logger = logging.getLogger(__name__)

CSV = "text/csv"


@dataclass(frozen=True)
class Data:
    """The rows of a channel: ``float32[rows, columns]``, sparse if the records are; ``float32[rows]`` labels."""

    features: FloatArray | csr_matrix
    labels: FloatArray

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def width(self) -> int:
        return int(self.features.shape[1])


def read_channels(root: Path, optional: Collection[str], tensors: Collection[str] = (FLOAT32,)) -> dict[str, Data] | None:
    """The channels of a job, ``train`` and what there is of ``optional``; None on the hosts that have nothing to do.

    ``tensors`` are the kinds of numbers that the algorithm takes in RecordIO-protobuf.

    One process of this machine can read the shards of all hosts, so the first host trains on the data of all of them.

    Raises:
        CustomerError: a channel that is missing, not known, empty, of another content type, or not what its type says.
    """
    config = root / "input" / "config"
    channels = json.loads((config / "inputdataconfig.json").read_text())
    cluster = json.loads((config / "resourceconfig.json").read_text())
    _check_names(channels, optional)
    hosts = cluster["hosts"]
    if cluster["current_host"] != hosts[0]:
        logger.info("%s trains on the data of this host, too.", hosts[0])
        return None
    read = {}
    for name in ("train", *(name for name in optional if name in channels)):
        sharded = channels[name].get("S3DistributionType") == "ShardedByS3Key"
        roots = [root.parent / host for host in hosts] if sharded and len(hosts) > 1 else [root]
        directories = [path / "input" / "data" / name for path in roots]
        content_type = channels[name].get("ContentType", RECORDIO)
        read[name] = _read(directories, name, content_type, _reader(content_type, tensors))
        logger.info("Channel %s has %d rows of %d features.", name, len(read[name]), read[name].width)
    return read


def _check_names(channels: Collection[str], optional: Collection[str]) -> None:
    unknown = [name for name in channels if name not in ("train", *optional)]
    problem = "'train' is a required property" if "train" not in channels else None
    if unknown:
        names = ", ".join(f"'{name}'" for name in unknown)
        problem = f"Additional properties are not allowed ({names} {'was' if len(unknown) == 1 else 'were'} unexpected)"
    if problem:
        raise CustomerError(
            "Unable to initialize the algorithm. Failed to validate input data configuration.", ("ValidationError", problem)
        )


def _read(directories: list[Path], name: str, content_type: str, read: Callable[[bytes], Rows] | None) -> Data:
    if read is None:
        raise CustomerError(
            f"Unable to initialize the algorithm. Content type '{content_type}' of channel '{name}' is not supported. "
            f"Supported content types are {RECORDIO}, {CSV} and {CSV};label_size=1."
        )
    files = [path for directory in directories for path in _files(directory)]
    parts = []
    for path in files:
        try:
            rows = read(path.read_bytes())
        except ValueError as error:
            raise _unreadable(name, content_type, f"{path.name}: {error}") from error
        if rows.labels is None:
            raise _unreadable(name, content_type, f"{path.name}: the records have no label")
        if len(rows.labels):
            parts.append(Data(rows.matrix, rows.labels))
    if not parts:
        raise CustomerError(f"Unable to read data channel '{name}'. The channel has no data.")
    if len({part.width for part in parts}) > 1:
        widths = sorted({part.width for part in parts})
        raise _unreadable(name, content_type, f"the files have rows of {widths} features")
    data = parts[0] if len(parts) == 1 else _joined(parts)
    _check_finite(data, name)
    return data


def _unreadable(name: str, content_type: str, why: str) -> CustomerError:
    return CustomerError(
        f"Unable to read data channel '{name}'. Requested content-type is '{content_type}'. "
        "Please verify the data matches the requested content-type.",
        ("MXNetError", f"(Input Error) {why}"),
    )


def _reader(content_type: str, tensors: Collection[str]) -> Callable[[bytes], Rows] | None:
    header = Message()
    header["content-type"] = content_type.lower()
    kind, label_size = header.get_content_type(), header.get_param("label_size", "1")
    if kind == CSV and label_size == "1":
        return _read_labelled
    return partial(read_rows, tensors=tensors) if kind == RECORDIO else None


def _read_labelled(data: bytes) -> Rows:
    """CSV with the label in the first column."""
    table = read_csv(data)
    return Rows(table[:, 1:], table[:, 0])


def _files(directory: Path) -> list[Path]:
    paths = (Path(folder) / name for folder, _, names in os.walk(directory) for name in names)
    return sorted(path for path in paths if path.stat().st_size > 0)


def _joined(parts: list[Data]) -> Data:
    labels = np.concatenate([part.labels for part in parts])
    features = [part.features for part in parts]
    if all(isinstance(matrix, np.ndarray) for matrix in features):
        return Data(np.concatenate(features), labels)
    return Data(vstack([csr_matrix(matrix) for matrix in features], format="csr"), labels)


def _check_finite(data: Data, name: str) -> None:
    values = data.features if isinstance(data.features, np.ndarray) else data.features.data
    for found, kind, words in (
        (np.isnan(values).any() or np.isnan(data.labels).any(), "NaN", "missing (NaN) values"),
        (np.isinf(values).any() or np.isinf(data.labels).any(), "Inf", "infinite floating point values"),
    ):
        if found:
            raise CustomerError(
                f"Unable to read data channel '{name}'. Found {words}. Please remove any {words} in the input data.",
                ("MXNetError", f"(Input Error) ({kind})"),
            )
