"""S3 URIs, and where an answer goes."""

from __future__ import annotations

import uuid
from typing import NamedTuple

from sagemaker_emulator.store import Request


class Locations(NamedTuple):
    """The URIs of an answer and of a failure; the second is None where the config has no S3FailurePath."""

    output: str
    failure: str | None


def split(uri: str) -> tuple[str, str]:
    """Bucket and key of an S3 URI."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


def locations(output_config: Request, extension: str | None, filename: str | None) -> Locations:
    """The objects of one request [sources: botocore's model of the runtime; object names that users of AWS have published].

    Args:
        output_config: the endpoint config's AsyncInferenceConfig.OutputConfig.
        extension: the request's S3OutputPathExtension.
        filename: its Filename; without one, a name of its own.
    """
    name = str(uuid.uuid4())
    failure = output_config.get("S3FailurePath")
    return Locations(
        _joined(output_config["S3OutputPath"], extension, filename or f"{name}.out"),
        _joined(failure, None, f"{name}-error.out") if failure else None,
    )


def _joined(*parts: str | None) -> str:
    first, *rest = (part for part in parts if part)
    return "/".join([first.rstrip("/"), *(part.strip("/") for part in rest)])
