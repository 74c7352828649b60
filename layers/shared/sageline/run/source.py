"""The script that a training job runs, as the archive that its container unpacks."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable

from botocore.exceptions import ClientError

from sageline.algorithms.catalog import own_script
from sageline.errors import InvalidSpec
from sageline.names import split_s3_uri
from sageline.run.archives import list_files
from sageline.run.aws_errors import is_denied, is_missing_object
from sageline.run.files import RunFiles
from sageline.spec.model import Spec
from sageline.spec.training import Algorithm, Script

MAX_ARCHIVE_BYTES = 64 << 20
"""A script and what it imports; what is larger belongs into a requirements.txt, or into the data."""

_LEFT_OUT = (".git", "__pycache__")

_OWN_ENTRY_POINT = "train.py"

_PYTORCH_ENTRY_POINT = "sageline_entry.py"


def framework_of(algorithm: Algorithm) -> str | None:
    """Whose container runs the algorithm's script; None for an algorithm that is none."""
    if algorithm.script is not None and algorithm.script.framework is not None:
        return algorithm.script.framework
    return "tensorflow" if algorithm.name == "tensorflow" else None


def entry_point(spec: Spec) -> str:
    """The script: the file that trains, and that serving containers ask for the model."""
    return spec.algorithm.script.entry_point if spec.algorithm.script else _OWN_ENTRY_POINT


def training_program(spec: Spec) -> str:
    """The file that the training container runs: the script, or for PyTorch what runs it and leaves its code with the model."""
    return _PYTORCH_ENTRY_POINT if leaves_code(spec.algorithm) else entry_point(spec)


def leaves_code(algorithm: Algorithm) -> bool:
    """Whether the model's archive has to hold the script. One in another language than Python sees to that itself."""
    script = algorithm.script
    return script is not None and framework_of(algorithm) == "pytorch" and script.entry_point.endswith(".py")


def store_source(run_id: str, spec: Spec, run_files: RunFiles) -> str | None:
    """Put the run's script beside its data, where it stays as it was; the archive's URI. None when no script runs.

    Raises:
        InvalidSpec: the archive of the user's script cannot be used.
    """
    if framework_of(spec.algorithm) is None:
        return None
    layout = run_files.layout(run_id)
    script = spec.algorithm.script
    archive = pack(read_own_script(spec)) if script is None else read_source(script, run_files)
    if leaves_code(spec.algorithm):
        archive = launched(archive)
    run_files.put(layout.source_key, archive, "application/gzip")
    return layout.uri(layout.source_key)


def read_own_script(spec: Spec) -> dict[str, bytes]:
    """Sageline's own TensorFlow script for the data: a small convolutional network for images, else a dense one."""
    kind = own_script(spec.algorithm, spec.encoder.kind if spec.encoder else "table")
    scripts = files("sageline") / "scripts" / "tensorflow"
    return read_files(scripts / "shared") | read_files(scripts / str(kind))


def launched(archive: bytes) -> bytes:
    """The archive of a user's script with what runs the script and leaves its code with the model."""
    launcher = files("sageline") / "scripts" / "pytorch" / _PYTORCH_ENTRY_POINT
    buffer = io.BytesIO(gzip.decompress(archive))
    with tarfile.open(fileobj=buffer, mode="a", format=tarfile.PAX_FORMAT) as opened:
        _add(opened, _PYTORCH_ENTRY_POINT, launcher.read_bytes())
    return gzip.compress(buffer.getvalue(), mtime=0)


def read_source(script: Script, run_files: RunFiles) -> bytes:
    """The archive of a user's script.

    Raises:
        InvalidSpec: it is not in the stack's bucket, not there, too large, no tar.gz, has what does not belong into one
            (:mod:`sageline.run.archives`), or lacks the entry point at its root.
    """
    uri = script.source_dir
    bucket, key = split_s3_uri(uri)
    if bucket != run_files.bucket:
        raise InvalidSpec(
            f"`algorithm.script.source_dir` is {uri}; put the archive into the stack's own bucket {run_files.bucket}."
        )
    try:
        answer = run_files.s3.get_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if is_missing_object(error) or is_denied(error):
            raise InvalidSpec(f"`algorithm.script.source_dir`: there is no {uri}, or it may not be read.") from None
        raise
    if answer["ContentLength"] > MAX_ARCHIVE_BYTES:
        raise InvalidSpec(
            f"`algorithm.script.source_dir`: {uri} has {answer['ContentLength']:,} bytes; {MAX_ARCHIVE_BYTES:,} are the limit: "
            "packages belong into a requirements.txt, data into the dataset."
        )
    archive = answer["Body"].read()
    _check_archive(archive, script)
    return archive


def pack(contents: Mapping[str, bytes]) -> bytes:
    """A ``tar.gz`` of files by their path in it. The same files make the same bytes, whenever and by whomever."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, content in sorted(contents.items()):
            _add(archive, name, content)
    return gzip.compress(buffer.getvalue(), mtime=0)


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(content), 0o755 if name.endswith(".sh") else 0o644
    archive.addfile(member, io.BytesIO(content))


def _check_archive(archive: bytes, script: Script) -> None:
    uri = script.source_dir
    names = list_files(archive, f"`algorithm.script.source_dir`: {uri}")
    if script.entry_point not in names:
        found = ", ".join(sorted(names)[:5]) or "nothing"
        more = f", and {len(names) - 5} more" if len(names) > 5 else ""
        raise InvalidSpec(
            f"`algorithm.script.entry_point`: {uri} has no {script.entry_point} at its root; it has {found}{more}. Pack the "
            "files of the folder, not the folder itself."
        )


def read_files(folder: Traversable, prefix: str = "") -> dict[str, bytes]:
    """The files below a folder by their path in it, without what git and Python keep there."""
    found: dict[str, bytes] = {}
    for entry in folder.iterdir():
        if entry.is_dir() and entry.name not in _LEFT_OUT:
            found |= read_files(entry, f"{prefix}{entry.name}/")
        elif entry.is_file():
            found[prefix + entry.name] = entry.read_bytes()
    return found
