"""Archives of training scripts: what is taken and what is not."""

from __future__ import annotations

import gzip
import io
import tarfile
import time
import tracemalloc

import pytest

from sageline.errors import InvalidSpec
from sageline.training import archives
from sageline.training.archives import MAX_UNPACKED_BYTES, list_files

WHERE = "`algorithm.script.source_dir`: s3://b/source.tar.gz"


def member(name: str, *, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


def packed(*members: tarfile.TarInfo) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for info in members:
            archive.addfile(info, io.BytesIO(bytes(info.size)))
    return gzip.compress(buffer.getvalue(), mtime=0)


def refusal(archive: bytes) -> str:
    with pytest.raises(InvalidSpec) as refused:
        list_files(archive, WHERE)
    assert refused.value.message.startswith(WHERE)
    return refused.value.message


def test_the_files_are_named_whatever_else_is_there() -> None:
    folder = member("./pkg", kind=tarfile.DIRTYPE)
    within = member("pkg/link.py", kind=tarfile.SYMTYPE, link="../train.py")
    hard = member("pkg/hard.py", kind=tarfile.LNKTYPE, link="train.py")

    assert list_files(packed(member("./train.py"), folder, member("pkg/a.py"), within, hard), WHERE) == ["train.py", "pkg/a.py"]


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    big = member("zeros")
    big.size = 1 << 30
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", compresslevel=1) as compressed:
        compressed.write(big.tobuf())
        for _ in range(150):  # more than the limit, less than was promised
            compressed.write(bytes(1 << 20))
    archive = buffer.getvalue()
    tracemalloc.start()
    begun = time.process_time()

    said = refusal(archive)

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert f"unpacks to more than {MAX_UNPACKED_BYTES:,} bytes, which is the limit: data belongs in" in said
    assert len(archive) < 1 << 20
    assert peak < 8 << 20
    assert time.process_time() - begun < 5


def test_a_file_that_is_larger_than_what_is_stored_of_it_counts_as_large_as_it_is() -> None:
    sparse = member("sparse", kind=tarfile.GNUTYPE_SPARSE)
    header = bytearray(sparse.tobuf(tarfile.GNU_FORMAT))
    header[483:495] = b"77777777777\0"  # the real size, octal
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header[:512])

    assert "unpacks to more than" in refusal(gzip.compress(bytes(header) + bytes(1024)))


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (member("/etc/passwd"), "has the member '/etc/passwd', which leads out of the archive"),
        (member("a/../../b"), "leads out of the archive"),
        (
            member("link", kind=tarfile.SYMTYPE, link="/etc/passwd"),
            "the link 'link' to '/etc/passwd', outside of the archive",
        ),
        (member("a/link", kind=tarfile.SYMTYPE, link="../../x"), "outside of the archive; pack the file itself"),
        (member("hard", kind=tarfile.LNKTYPE, link="../x"), "outside of the archive"),
        (member("null", kind=tarfile.CHRTYPE), "', a device or a pipe; pack"),
        (member("pipe", kind=tarfile.FIFOTYPE), "', a device or a pipe; pack"),
        (member("a/" * 33 + "x"), "has a member 33 folders deep; 32 are the limit"),
    ],
)
def test_what_does_not_belong_into_an_archive_is_refused_by_name(bad: tarfile.TarInfo, said: str) -> None:
    assert said in refusal(packed(member("train.py"), bad))


def test_there_are_only_so_many_members(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_MEMBERS", 3)
    assert len(list_files(packed(*(member(f"{n}.py") for n in range(3))), WHERE)) == 3
    assert "has more than 3 members, which is the limit" in refusal(packed(*(member(f"{n}.py") for n in range(4))))


@pytest.mark.parametrize(
    "archive",
    [b"", b"PK\3\4", gzip.compress(b"no tar" * 200, mtime=0), packed(member("train.py"))[:60]],
    ids=["empty", "zip", "no tar", "cut off"],
)
def test_what_is_no_archive_is_refused(archive: bytes) -> None:
    assert "is no tar.gz archive" in refusal(archive)
