"""A training script in a local folder: checked, packed, and uploaded beside the dataset that it learns from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from sageline.errors import InvalidSpec
from sageline.json_objects import Json
from sageline.names import source_key
from sageline.training.source import MAX_ARCHIVE_BYTES, REQUIREMENTS, check_requirements, pack, read_files
from sageline_cli.errors import CommandFailed

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_DEFAULT_ENTRY_POINT = "train.py"


def local_script(document: object) -> Json | None:
    """The part ``algorithm.script`` of a spec whose ``source_dir`` is a local folder; None if it is in S3 or not there."""
    script: object = document
    for key in ("algorithm", "script"):
        script = script.get(key) if isinstance(script, dict) else None
    if not isinstance(script, dict) or not isinstance(script.get("source_dir"), str):
        return None
    return None if script["source_dir"].startswith("s3://") else script


def find_folder(script: Json, beside: Path) -> Path:
    """The folder that ``source_dir`` names, from the folder of the spec file.

    Raises:
        InvalidSpec: no such folder, the entry point is not in it, or it has requirements and may not use the network.
    """
    named = script["source_dir"]
    folder = (beside / Path(named).expanduser()).resolve()
    if not folder.is_dir():
        what = "a file: name the folder that it is in" if folder.exists() else "not there"
        raise InvalidSpec(
            f"`algorithm.script.source_dir` is {named!r}, which is {folder}, and that is {what}. A path counts from the spec's "
            "folder; an archive that is in S3 is named s3://bucket/…/name.tar.gz."
        )
    entry_point = script.get("entry_point", _DEFAULT_ENTRY_POINT)
    if not (folder / str(entry_point)).is_file():
        found = ", ".join(sorted(path.name for path in folder.glob("*.py"))) or "none"
        raise InvalidSpec(f"`algorithm.script.entry_point`: {folder} has no {entry_point}; its Python files: {found}.")
    requirements = folder / REQUIREMENTS
    if requirements.is_file() and not script.get("network"):
        check_requirements(requirements.read_bytes(), str(folder))
    return folder


def upload_source(s3: S3Client, bucket: str, name: str, spec: bytes) -> bytes:
    """The spec as the run gets it: a local ``source_dir`` is packed and uploaded, and the spec says where to.

    Raises:
        CommandFailed: the folder holds more than a script may.
    """
    document = json.loads(spec)
    script = local_script(document)
    if script is None:
        return spec
    folder = Path(script["source_dir"])
    archive = pack(read_files(folder))
    if len(archive) > MAX_ARCHIVE_BYTES:
        raise CommandFailed(
            f"{folder} packs to {len(archive):,} bytes, and a script may have {MAX_ARCHIVE_BYTES:,}. Move out what is no script: "
            "data belong into the dataset."
        )
    key = source_key(name)
    s3.put_object(Bucket=bucket, Key=key, Body=archive, ContentType="application/gzip")
    script["source_dir"] = f"s3://{bucket}/{key}"
    return json.dumps(document, indent=2).encode()
