"""The container's check of the channels: names, content types, input modes, distributions."""

from __future__ import annotations

from collections.abc import Mapping
from email.message import Message

from sagemaker_emulator.engines.xgboost.failures import UserError
from sagemaker_emulator.engines.xgboost.versions import NEWEST, Version

Channel = Mapping[str, str]

CSV, LIBSVM, PARQUET, RECORDIO = "csv", "libsvm", "parquet", "recordio-protobuf"
FORMATS = {
    "csv": CSV,
    "libsvm": LIBSVM,
    "parquet": PARQUET,
    "recordio-protobuf": RECORDIO,
    "text/csv": CSV,
    "text/libsvm": LIBSVM,
    "text/x-libsvm": LIBSVM,
    "application/x-parquet": PARQUET,
    "application/x-recordio-protobuf": RECORDIO,
}
_DEFAULT = "text/libsvm"
_DISTRIBUTIONS = ("FullyReplicated", "ShardedByS3Key")


def formats_of(version: Version) -> dict[str, str]:
    """The content types that an image takes, with their formats."""
    return {kind: name for kind, name in FORMATS.items() if version.reads_records or name in (CSV, LIBSVM)}


def check_channels(channels: Mapping[str, Channel], version: Version = NEWEST) -> None:
    """Raise :class:`UserError` in the container's words."""
    if "train" not in channels:
        raise UserError("Missing required channel: train")
    for name, channel in channels.items():
        if name not in ("train", "validation", "code"):
            raise UserError(f"Extraneous channel found: {name}")
        config = {"ContentType": _DEFAULT, **channel}
        piped = config["TrainingInputMode"] == "Pipe"
        if name != "code" and piped and not version.takes_pipes:
            raise UserError("Pipe mode for CSV is no longer supported. Please use File mode or Fast File mode instead.")
        supported = (
            config["ContentType"] in (formats_of(version) if name != "code" else ("text/python",))
            and (not piped or (name != "code" and FORMATS.get(config["ContentType"]) != LIBSVM))
            and config["TrainingInputMode"] in ("File", "Pipe")
            and config["S3DistributionType"] in (_DISTRIBUTIONS if name != "code" else _DISTRIBUTIONS[:1])
        )
        if not supported:
            raise UserError(f"Channel configuration for '{name}' channel is not supported: {config}")


def channel_format(channel: Channel) -> str:
    return data_format(channel.get("ContentType", _DEFAULT))


def request_format(content_type: str | None, version: Version) -> str:
    """The format of a request; raises :class:`UserError`."""
    if not content_type and version.reads_csv_by_default:
        return CSV
    found = data_format(content_type)
    if found not in formats_of(version).values():
        raise UserError(f"{content_type} is not an accepted ContentType: {', '.join(formats_of(version))}.")
    return found


def data_format(content_type: str | None) -> str:
    """The format of a content type with its parameters; none at all counts as libsvm. Raises :class:`UserError`."""
    kind, _, parameters = (content_type or _DEFAULT).lower().partition(";")
    found = FORMATS.get(kind.strip())
    if found is None:
        raise UserError(f"{content_type} is not an accepted ContentType: {', '.join(FORMATS)}.")
    header = Message()
    header["content-type"] = f"text/csv;{parameters}"
    label_size = header.get_param("label_size")
    if found == CSV and label_size not in (None, "1"):
        raise UserError(f"{content_type} is not an accepted csv ContentType. Optional parameter label_size must be equal to 1")
    return found
