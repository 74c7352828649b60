"""The spec of a run as it was resolved, from the stack's bucket."""

from __future__ import annotations

import json

from botocore.exceptions import ClientError

from sageline.json_objects import Json
from sageline.names import RunLayout
from sageline_cli.connection import Connection


def resolved_spec(connection: Connection, run_id: str) -> Json | None:
    """The spec with its reasons; None if the run did not come so far, or the bucket may not be read."""
    layout = RunLayout(connection.bucket, run_id)
    try:
        body = connection.s3.get_object(Bucket=layout.bucket, Key=layout.spec_key)["Body"]
    except ClientError as error:
        if error.response["Error"]["Code"] in ("NoSuchKey", "AccessDenied"):
            return None
        raise
    spec: Json = json.loads(body.read())
    return spec
