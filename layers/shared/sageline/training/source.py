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
from sageline.aws.errors import is_denied, is_missing_object
from sageline.errors import InvalidSpec
from sageline.names import split_s3_uri
from sageline.runs.documents import RunFiles
from sageline.spec.model import Spec
from sageline.spec.training import AlgorithmSpec, ScriptSpec
from sageline.training.archives import list_files

MAX_ARCHIVE_BYTES = 64 << 20
"""A script and what it imports; what is larger belongs into the data."""

SOURCES_PREFIX = "datasets/"
"""Where the archives of users' scripts are: beside their datasets."""

REQUIREMENTS = "requirements.txt"
_MOST_REQUIREMENTS_BYTES = 64 << 10

_LEFT_OUT = (".git", "__pycache__")

_OWN_ENTRY_POINT = "train.py"


def framework_of(algorithm: AlgorithmSpec) -> str | None:
    """Whose container runs the algorithm's script; None for an algorithm that is none."""
    if algorithm.script is not None and algorithm.script.framework is not None:
        return algorithm.script.framework
    return "tensorflow" if algorithm.name == "tensorflow" else None


def entry_point(spec: Spec) -> str:
    """The script: the file that trains, and that serving containers ask for the model."""
    return spec.algorithm.script.entry_point if spec.algorithm.script else _OWN_ENTRY_POINT


def uses_network(algorithm: AlgorithmSpec) -> bool:
    """Whether the algorithm's container may use the network: only a script that asks for it."""
    return algorithm.script is not None and algorithm.script.network


def check_script(spec: Spec, run_files: RunFiles, *, network_allowed: bool) -> None:
    """Refuse a script that could not run, before anything is made for it.

    Raises:
        InvalidSpec: the stack lets no script use the network, or the script needs it and does not say so, or its archive cannot
            be used.
    """
    script = spec.algorithm.script
    if script is None:
        return
    if script.network and not network_allowed:
        raise network_refused()
    model_dir = spec.algorithm.hyperparameters.get("model_dir")
    if framework_of(spec.algorithm) == "tensorflow" and not script.network and str(model_dir).startswith("s3://"):
        raise InvalidSpec(
            f"`algorithm.hyperparameters.model_dir` is {model_dir}, and the script's container reaches no S3. Leave it out: what "
            "the script saves below SM_MODEL_DIR (/opt/ml/model) becomes the model."
        )
    read_source(script, run_files)


def network_refused() -> InvalidSpec:
    """The message for a script that wants the network in a stack that lets none use it."""
    return InvalidSpec(
        "`algorithm.script.network` is true, and this stack lets no script use the network. Leave it out, or have the stack "
        "deployed with AllowScriptNetwork=true (docs/security.md says what that allows)."
    )


def store_source(run_id: str, spec: Spec, run_files: RunFiles) -> None:
    """Put the run's script beside its data, where it stays as it was: jobs read it there, and none writes. Nothing when no script
    runs.

    Raises:
        InvalidSpec: the archive of the user's script cannot be used.
    """
    if framework_of(spec.algorithm) is None:
        return
    script = spec.algorithm.script
    archive = pack(read_own_script(spec)) if script is None else read_source(script, run_files)
    run_files.put(run_files.layout(run_id).source_key, archive, "application/gzip")


def read_own_script(spec: Spec) -> dict[str, bytes]:
    """Sageline's own TensorFlow script for the data: a small convolutional network for images, else a dense one."""
    kind = own_script(spec.algorithm, spec.encoder.kind if spec.encoder else "columns")
    scripts = files("sageline") / "scripts" / "tensorflow"
    return read_files(scripts / "shared") | read_files(scripts / str(kind))


def read_source(script: ScriptSpec, run_files: RunFiles) -> bytes:
    """The archive of a user's script.

    Raises:
        InvalidSpec: it is not where archives may be, not there, too large, no tar.gz, has what does not belong into one
            (:mod:`sageline.training.archives`), lacks the entry point at its root, or has requirements that cannot be installed
            without the network.
    """
    uri = script.source_dir
    bucket, key = split_s3_uri(uri)
    if bucket != run_files.bucket:
        raise InvalidSpec(
            f"`algorithm.script.source_dir` is {uri}; put the archive into the stack's own bucket {run_files.bucket}."
        )
    if not key.startswith(SOURCES_PREFIX):
        raise InvalidSpec(
            f"`algorithm.script.source_dir` is {uri}; put the archive below s3://{bucket}/{SOURCES_PREFIX}: elsewhere are the "
            "data and the models of runs, which no script is made of."
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
            "data belong into the dataset."
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


def _check_archive(archive: bytes, script: ScriptSpec) -> None:
    uri = script.source_dir
    names = list_files(archive, f"`algorithm.script.source_dir`: {uri}")
    if REQUIREMENTS in names and not script.network:
        check_requirements(_read_file(archive, REQUIREMENTS), uri)
    if script.entry_point not in names:
        found = ", ".join(sorted(names)[:5]) or "nothing"
        more = f", and {len(names) - 5} more" if len(names) > 5 else ""
        raise InvalidSpec(
            f"`algorithm.script.entry_point`: {uri} has no {script.entry_point} at its root; it has {found}{more}. Pack the "
            "files of the folder, not the folder itself."
        )


def _read_file(archive: bytes, name: str) -> bytes:
    """A file at the root of an archive that was looked through, or the beginning of a long one."""
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as opened:
        found = next(member for member in opened if member.isfile() and member.name.removeprefix("./") == name)
        content = opened.extractfile(found)
        return content.read(_MOST_REQUIREMENTS_BYTES) if content else b""


def check_requirements(content: bytes, where: str) -> None:
    """Refuse requirements of a script that may not use the network: the containers install them when they start, in training and
    in serving.

    Args:
        where: the archive or the folder that has the file, for the message.

    Raises:
        InvalidSpec: the file asks for anything.
    """
    lines = [line.strip() for line in content.decode(errors="replace").splitlines()]
    wanted = [line for line in lines if line and not line.startswith("#")]
    if wanted:
        more = f" and {len(wanted) - 1} more" if len(wanted) > 1 else ""
        raise InvalidSpec(
            f"`algorithm.script.source_dir`: {where} has a {REQUIREMENTS} ({wanted[0]}{more}), and a script's container has no "
            "network to install it from. Put the packages into the script's folder (pip install --target FOLDER --platform "
            f"manylinux2014_x86_64 --only-binary :all: -r {REQUIREMENTS}) and leave {REQUIREMENTS} out of it; or set "
            "`algorithm.script.network` to true, which the stack must allow (AllowScriptNetwork)."
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
