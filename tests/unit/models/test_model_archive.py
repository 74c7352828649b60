"""A script's code before a model's bytes: what every reader of a model makes of both."""

from __future__ import annotations

import gzip
import io
import shutil
import subprocess
import tarfile
import tracemalloc
import zlib
from pathlib import Path

import pytest

from sageline.models.model_archive import with_code
from sageline.training.source import pack

SOURCE = pack({"train.py": b"def model_fn(folder): ...\n", "own/run.sh": b"#!/bin/sh\n"})
_TAR = shutil.which("tar") or pytest.skip("there is no GNU tar", allow_module_level=True)
MODEL = pack({"model.joblib": bytes(range(256)) * 100})
MODEL_OF_60_MB = gzip.compress(bytes(60 << 20), 1)


def combined(source: bytes, model: bytes) -> bytes:
    return with_code(io.BytesIO(model), source).read()


def unpacked(archive: bytes, folder: Path) -> dict[str, bytes]:
    """The files that GNU tar and Python both find, one after the other."""
    (packed := folder / "model.tar.gz").write_bytes(archive)
    found = []
    for name in ("python", "gnu"):
        (target := folder / name).mkdir()
        if name == "gnu":
            subprocess.run([_TAR, "-xzf", packed, "-C", target], check=True)
        else:
            with tarfile.open(packed, "r:gz") as opened:  # as SageMaker's toolkits open archives
                opened.extractall(target, filter="data")
        found.append({str(path.relative_to(target)): path.read_bytes() for path in target.rglob("*") if path.is_file()})
    assert found[0] == found[1]
    return found[0]


def test_the_code_and_the_model_are_both_there(tmp_path: Path) -> None:
    assert unpacked(combined(SOURCE, MODEL), tmp_path) == {
        "code/train.py": b"def model_fn(folder): ...\n",
        "code/own/run.sh": b"#!/bin/sh\n",
        "model.joblib": bytes(range(256)) * 100,
    }
    assert (tmp_path / "gnu" / "code" / "own" / "run.sh").stat().st_mode & 0o111


def test_what_a_model_has_in_its_code_folder_itself_stays(tmp_path: Path) -> None:
    model = pack({"code/train.py": b"its own", "code/more.py": b"more", "model": b"1"})

    files = unpacked(combined(SOURCE, model), tmp_path)

    assert (files["code/train.py"], files["code/more.py"], files["code/own/run.sh"]) == (b"its own", b"more", b"#!/bin/sh\n")


def test_the_same_source_makes_the_same_bytes() -> None:
    assert combined(SOURCE, MODEL) == combined(SOURCE, MODEL)


def tarred(*entries: tuple[tarfile.TarInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for info, content in entries:
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def named(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


def test_archives_of_other_tools_are_taken_too(tmp_path: Path) -> None:
    """With the folder itself, leading dots, links, names that a plain header has no room for, and what is no file."""
    long = "deep/" * 30 + "ö.py"
    source = tarred(
        (named("./", tarfile.DIRTYPE), b""),
        (named("./train.py"), b"pass"),
        (named("twin.py", tarfile.LNKTYPE, "./train.py"), b""),
        (named("short.py", tarfile.SYMTYPE, "train.py"), b""),
        (named(f"./{long}"), b"far"),
        (named("pipe", tarfile.FIFOTYPE), b""),
    )

    files = unpacked(combined(source, MODEL), tmp_path)

    assert {name: files[f"code/{name}"] for name in ("train.py", "twin.py", "short.py", long)} == {
        "train.py": b"pass",
        "twin.py": b"pass",
        "short.py": b"pass",
        long: b"far",
    }
    assert "code/pipe" not in files


@pytest.mark.parametrize("name", ["../model.joblib", "/etc/passwd", "a/../../b"])
def test_what_leads_out_of_the_code_folder_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="leads out of it"):
        combined(tarred((named(name), b"")), MODEL)


def test_it_is_one_gzip_member_and_one_tar_archive(tmp_path: Path) -> None:
    """As SageMaker writes archives: readers exist that look at the first member only, or read strictly from front to back."""
    packed = combined(SOURCE, MODEL)
    decompressor = zlib.decompressobj(16 + zlib.MAX_WBITS)
    decompressor.decompress(packed)
    assert (decompressor.eof, decompressor.unused_data) == (True, b"")
    with tarfile.open(fileobj=io.BytesIO(packed), mode="r|gz") as archive:
        archive.extractall(tmp_path, filter="data")
    assert (tmp_path / "model.joblib").read_bytes() == bytes(range(256)) * 100


def test_a_model_of_several_members_is_taken_whole(tmp_path: Path) -> None:
    content = gzip.decompress(MODEL)
    members = gzip.compress(content[:700]) + gzip.compress(content[700:])

    assert unpacked(combined(SOURCE, members), tmp_path)["model.joblib"] == bytes(range(256)) * 100


@pytest.mark.parametrize(
    "model", [b"", b"no gzip", MODEL[:-20], MODEL[:40] + b"x" + MODEL[41:]], ids=["empty", "text", "cut", "wrong"]
)
def test_what_is_no_gzip_file_is_no_model(model: bytes) -> None:
    with pytest.raises((gzip.BadGzipFile, EOFError, zlib.error)):
        combined(SOURCE, model)


def test_a_large_model_passes_in_pieces() -> None:
    """Read as an upload reads it, with a bound on memory."""

    class Model:
        def __init__(self) -> None:
            self._file = io.BytesIO(MODEL_OF_60_MB)

        def read(self, size: int = -1, /) -> bytes:
            assert 0 < size <= 1 << 20
            return self._file.read(size)

    tracemalloc.start()
    archive, size = with_code(Model(), SOURCE), 0
    while piece := archive.read(1 << 20):
        size += len(piece)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert size > len(MODEL_OF_60_MB) // 2
    assert peak < 12 << 20
