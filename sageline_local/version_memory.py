"""Versions of S3 objects that are on disk, whose bytes MiniStack 1.5.33 keeps in memory too until it is started again."""

from __future__ import annotations

from typing import Any

from ministack.services import s3


def install() -> None:
    """Have MiniStack forget the bytes of a version when it has written them; it reads them from the file, as after a start."""
    persist_object = s3._persist_object

    def persist_and_forget(bucket: str, key: str, record: Any) -> None:  # Any: MiniStack's
        persist_object(bucket, key, record)
        # MiniStack's own sign that the file is there.
        if not isinstance(record, dict) or record.get("body") is not None:
            return
        for version in s3._object_versions.get((bucket, key), []):
            if version["version_id"] == record.get("version_id"):
                version["data"] = None

    s3._persist_object = persist_and_forget
