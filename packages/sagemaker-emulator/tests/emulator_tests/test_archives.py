"""Archives that would fill the disk or the memory, or reach out of their directory, are refused."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from emulator_tests.scripts import SCIKIT_LEARN, model_of, put_archive, ran, script_job, settled
from emulator_tests.support import Api
from sagemaker_emulator.archives import CODE, MODEL, Limits, Unacceptable, gunzip, unpack
from sagemaker_emulator.aws import Aws

SMALL = Limits(total_bytes=1 << 20, members=10)


def entry(name: str, size: int = 0, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    found = tarfile.TarInfo(name)
    found.size, found.type, found.linkname = size, kind, link
    return found


@pytest.fixture
def archived(tmp_path: Path) -> Callable[..., Path]:
    """Makes an archive of members, files full of zeros."""

    def make(*entries: tarfile.TarInfo) -> Path:
        path = tmp_path / "archive.tar.gz"
        with tarfile.open(path, "w:gz") as tar:
            for item in entries:
                tar.addfile(item, io.BytesIO(bytes(item.size)))
        return path

    return make


@pytest.fixture
def target(tmp_path: Path) -> Path:
    path = tmp_path / "target"
    path.mkdir()
    return path


def test_files_directories_and_links_inside_are_unpacked(archived: Callable[..., Path], target: Path) -> None:
    archive = archived(
        entry("a", kind=tarfile.DIRTYPE),
        entry("a/file", 2000),
        entry("a/" + "long" * 60, 5),
        entry("a/same", kind=tarfile.LNKTYPE, link="a/file"),
        entry("near", kind=tarfile.SYMTYPE, link="a/file"),
    )

    unpack(archive, target, SMALL)

    assert sorted(str(path.relative_to(target)) for path in target.rglob("*")) == [
        "a",
        "a/file",
        "a/" + "long" * 60,
        "a/same",
        "near",
    ]
    assert (target / "near").read_bytes() == (target / "a/same").read_bytes() == bytes(2000)


@pytest.mark.parametrize(
    "hostile",
    [
        entry("../out", 3),
        entry("out", kind=tarfile.SYMTYPE, link="/etc"),
        entry("out", kind=tarfile.SYMTYPE, link="../.."),
        entry("out", kind=tarfile.LNKTYPE, link="../../etc/passwd"),
        entry("out", kind=tarfile.CHRTYPE),
        entry("out", kind=tarfile.FIFOTYPE),
    ],
    ids=["dots", "absolute link", "link with dots", "hard link", "device", "pipe"],
)
def test_what_leads_out_of_the_directory_and_what_is_no_file_is_refused(
    archived: Callable[..., Path], target: Path, hostile: tarfile.TarInfo
) -> None:
    with pytest.raises(Unacceptable):
        unpack(archived(hostile), target, SMALL)

    assert list(target.iterdir()) == []
    assert not (target.parent / "out").exists()


def test_an_absolute_path_is_taken_below_the_directory(archived: Callable[..., Path], target: Path) -> None:
    unpack(archived(entry("/etc/passwd", 3)), target, SMALL)

    assert (target / "etc" / "passwd").read_bytes() == bytes(3)


def test_more_bytes_than_allowed_are_not_written(archived: Callable[..., Path], target: Path) -> None:
    with pytest.raises(Unacceptable, match=r"unpacks to more than 1 MiB: that is the limit"):
        unpack(archived(entry("first", 1 << 19), entry("second", 1 << 20)), target, SMALL)

    assert [path.name for path in target.iterdir()] == ["first"]


def test_more_members_than_allowed_are_refused(archived: Callable[..., Path], target: Path) -> None:
    with pytest.raises(Unacceptable, match="more than 10 members"):
        unpack(archived(*(entry(str(number)) for number in range(11))), target, SMALL)


def test_a_header_as_large_as_an_archive_is_not_read(tmp_path: Path, target: Path) -> None:
    header = entry("comment", 64 << 20, kind=tarfile.XHDTYPE)
    archive = tmp_path / "archive.tar.gz"
    with gzip.open(archive, "wb") as stream:
        stream.write(header.tobuf(tarfile.USTAR_FORMAT))
        stream.write(bytes(64 << 20))

    with pytest.raises(Unacceptable, match="a header longer than 1 MB"):
        unpack(archive, target, MODEL)


def test_the_disk_is_not_filled(archived: Callable[..., Path], target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = type("Usage", (), {"free": (1 << 30) + 1000})
    monkeypatch.setattr("sagemaker_emulator.archives.shutil.disk_usage", lambda _path: usage)

    with pytest.raises(Unacceptable, match="the disk has no room for more"):
        unpack(archived(entry("file", 2000)), target, CODE)


def test_a_gzip_file_does_not_fill_the_disk_either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = type("Usage", (), {"free": (1 << 30) + 1000})
    monkeypatch.setattr("sagemaker_emulator.archives.shutil.disk_usage", lambda _path: usage)
    (tmp_path / "packed").write_bytes(gzip.compress(bytes(1 << 21)))

    with pytest.raises(Unacceptable, match="the disk has no room for what it holds"):
        gunzip(tmp_path / "packed", tmp_path / "file")

    assert (tmp_path / "file").stat().st_size <= 1000


@pytest.mark.parametrize(
    "content",
    [b"", b"no archive", gzip.compress(b"no archive" * 100), gzip.compress(bytes(10_000))[:-9]],
    ids=["empty", "no gzip", "no tar", "cut off"],
)
def test_what_is_no_whole_archive_is_refused(tmp_path: Path, target: Path, content: bytes) -> None:
    (tmp_path / "archive.tar.gz").write_bytes(content)

    with pytest.raises(Unacceptable):
        unpack(tmp_path / "archive.tar.gz", target, SMALL)


def test_a_bomb_fails_the_job_and_the_endpoint_and_says_why(
    api: Api, aws: Aws, archived: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sagemaker_emulator.training.source.CODE", SMALL)
    monkeypatch.setattr("sagemaker_emulator.hosting.variants.MODEL", SMALL)
    uri = put_archive(aws, "bomb", archived(entry("train.py"), entry("zeros", 2 << 20)).read_bytes())

    job = ran(api, script_job("bomb", uri))
    endpoint = settled(api, "bomb", model_of("bomb", uri, SCIKIT_LEARN, SAGEMAKER_PROGRAM="train.py"))

    reason = "the archive unpacks to more than 1 MiB: that is the limit"
    assert f"tarfile.ReadError: {reason}" in job["FailureReason"]
    assert endpoint["FailureReason"].endswith(f"({reason})")
