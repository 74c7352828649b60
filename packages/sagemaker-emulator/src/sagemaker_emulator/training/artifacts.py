"""A job's output: the model and output directories become archives in S3, with the execution role's permission."""

from __future__ import annotations

import tarfile
from collections.abc import Callable
from pathlib import Path

from botocore.exceptions import ClientError

from sagemaker_emulator.errors import JobFailed
from sagemaker_emulator.objects import Objects


def output_uri(s3_output_path: str, job_name: str, file_name: str) -> str:
    return f"{s3_output_path.rstrip('/')}/{job_name}/output/{file_name}"


def has_files(directory: Path) -> bool:
    return any(path.is_file() for path in directory.rglob("*"))


def upload(objects: Objects, allowed: Callable[[str, str], bool], directories: list[Path], uri: str, scratch: Path) -> None:
    """Pack the files of ``directories`` (one per host) into one gzip tar with no leading directory, and put it at ``uri``."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if not allowed("s3:PutObject", f"arn:aws:s3:::{bucket}/{key}"):
        raise JobFailed("ClientError: Artifact upload failed:Error 7: AccessDenied (403): Access Denied")
    archive = scratch / Path(key).name
    with tarfile.open(archive, "w:gz", compresslevel=6) as tar:
        for directory in directories:
            for path in sorted(directory.iterdir()):
                tar.add(path, arcname=path.name)
    try:
        objects.upload(archive, bucket, key)
    except ClientError as error:
        details = error.response["Error"]
        raise JobFailed(f"ClientError: Artifact upload failed:{details['Code']}: {details['Message']}") from error
    except Exception as error:  # boto3 wraps the client's error in one of its own
        raise JobFailed(f"ClientError: Artifact upload failed:{error}") from error
    finally:
        archive.unlink()
