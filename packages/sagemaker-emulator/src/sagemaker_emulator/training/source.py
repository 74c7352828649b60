"""The customer's code, ``sourcedir.tar.gz``: fetched for the container, with the execution role's permission."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path

from botocore.exceptions import ClientError

from sagemaker_emulator.archives import CODE, Unacceptable, unpack
from sagemaker_emulator.objects import Objects

NO_DOWNLOAD = (
    "with EnableNetworkIsolation the container can not download its code. Give a training job its code by a channel "
    "(sagemaker_submit_directory /opt/ml/input/data/code/sourcedir.tar.gz), a model in the folder code of its archive."
)
_PROGRAM, _DIRECTORY = "sagemaker_program", "sagemaker_submit_directory"


class NoSource(Exception):
    """The code can not be had; the message is what the toolkit in the container writes of it."""

    def __init__(self, uri: str, error: str) -> None:
        super().__init__(
            f'Framework Error: \nTraceback (most recent call last):\n  File "files.py", in download_and_extract: {uri}\n{error}'
        )


def is_scripted(hyperparameters: Mapping[str, str], environment: Mapping[str, str]) -> bool:
    """Whether a training job or a model names a script of its own."""
    return bool(hyperparameters.get(_PROGRAM) or environment.get(_PROGRAM.upper()))


def source_uri(hyperparameters: Mapping[str, str], environment: Mapping[str, str]) -> str | None:
    """The archive's S3 URI, from the environment or the hyperparameters; None when the code is somewhere else."""
    value = environment.get(_DIRECTORY.upper()) or hyperparameters.get(_DIRECTORY, "")
    with contextlib.suppress(ValueError):  # the SDK writes JSON, but people do not always
        value = json.loads(value)
    return value if isinstance(value, str) and value.startswith("s3://") else None


def fetch_source(objects: Objects, allowed: Callable[[str, str], bool], uri: str, target: Path) -> None:
    """Unpack the archive at ``uri`` into ``target``; raises :class:`NoSource`."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if not allowed("s3:GetObject", f"arn:aws:s3:::{bucket}/{key}"):
        raise NoSource(uri, _client_error("403", "Forbidden"))
    target.mkdir(parents=True, exist_ok=True)
    archive = target.with_name(f"{target.name}.tar.gz")
    try:
        objects.download(bucket, key, archive)
        unpack(archive, target, CODE)
    except ClientError as error:
        details = error.response["Error"]
        raise NoSource(uri, _client_error(details["Code"], details["Message"])) from error
    except (Unacceptable, OSError) as error:
        raise NoSource(uri, f"tarfile.ReadError: {error}") from error
    finally:
        archive.unlink(missing_ok=True)


def refuse_source(uri: str) -> NoSource:
    """What becomes of an archive in S3 when the container that would download it is isolated: it has no credentials to do so."""
    return NoSource(uri, "botocore.exceptions.NoCredentialsError: Unable to locate credentials")


def _client_error(code: str, message: str) -> str:
    return f"botocore.exceptions.ClientError: An error occurred ({code}) when calling the HeadObject operation: {message}"
