"""A job's objects in S3: its inputs below a prefix or from a manifest, its outputs, with the execution role's permission."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from botocore.exceptions import ClientError

from sagemaker_emulator.archives import Unacceptable, gunzip
from sagemaker_emulator.datasource import Allowed, InputObject, list_objects
from sagemaker_emulator.objects import Objects
from sagemaker_emulator.store import Request
from sagemaker_emulator.transform.problems import client_error


@dataclass(frozen=True)
class Storage:
    """S3 as the model's execution role sees it."""

    objects: Objects
    allowed: Allowed
    role_arn: str

    def list_objects(self, source: Request) -> list[InputObject]:
        """The objects of a data source; raises :class:`JobFailed`."""
        return list_objects(self.objects, self.allowed, source, self.role_arn)

    def fetch(self, item: InputObject, path: Path, compression: str) -> None:
        """Copy an object to a local file, decompressed when the job says Gzip; raises :class:`ObjectFailed`."""
        if not self.allowed("s3:GetObject", f"arn:aws:s3:::{item.bucket}/{item.key}"):
            raise client_error(
                "Failed to download data",
                f'AccessDenied (403): the role "{self.role_arn}" is not authorized to perform s3:GetObject on it.',
            )
        packed = path.with_name(f"{path.name}.gz") if compression == "Gzip" else path
        try:
            self.objects.download(item.bucket, item.key, packed)
            if packed != path:
                gunzip(packed, path)
        except ClientError as error:
            raise client_error("Failed to download data", error.response["Error"]["Message"]) from error
        except Unacceptable as error:
            raise client_error(
                "Fail to decompress", f"CompressionType is Gzip, but the object can not be unpacked: {error}."
            ) from error
        finally:
            if packed != path:
                packed.unlink(missing_ok=True)

    def may_write(self, bucket: str, key: str) -> bool:
        return self.allowed("s3:PutObject", f"arn:aws:s3:::{bucket}/{key}")

    def upload(self, path: Path, bucket: str, key: str) -> None:
        """Raises :class:`ObjectFailed`."""
        if not self.may_write(bucket, key):
            raise client_error("Failed to upload output", f"AccessDenied (403): the role may not write s3://{bucket}/{key}.")
        try:
            self.objects.upload(path, bucket, key)
        except Exception as error:  # boto3 wraps the client's error in one of its own
            raise client_error("Failed to upload output", str(error)) from error
