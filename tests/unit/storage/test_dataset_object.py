from __future__ import annotations

import gzip
import io
from unittest import mock

import numpy as np
import pytest
from botocore.exceptions import ClientError, IncompleteReadError

from sageline.dataset.readers.source import ReadOptions, open_blocks
from sageline.errors import DatasetAccessDenied, DatasetNotFound, InvalidDataset
from sageline.storage import dataset_object
from sageline.storage.dataset_object import DatasetObject, find_object, open_object
from tests.unit.pictures import archive, cats_and_dogs
from tests.unit.world.fake_s3 import FakeBucket
from tests.unit.world.fake_sagemaker import Refused
from tests.unit.world.world import BUCKET, World

KEY = "datasets/flowers/data.csv"
URI = f"s3://{BUCKET}/{KEY}"
CONTENT = b"size,kind\n" + b"1,rose\n" * 1000


def test_an_object_is_read_in_ranges_as_if_it_were_a_file(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dataset_object, "RANGE_BYTES", 1024)
    world.put(KEY, CONTENT)
    with open_object(world.s3, find_object(world.s3, URI)) as stream:
        parts = iter(lambda: stream.read(700), b"")
        assert b"".join(parts) == CONTENT


def test_all_of_a_small_object_takes_one_request(world: World) -> None:
    world.put(KEY, CONTENT * 20)
    fetched: list[int] = []
    world.s3.meta.events.register("after-call.s3.GetObject", lambda **_: fetched.append(1))

    with open_object(world.s3, find_object(world.s3, URI)) as stream:
        assert stream.read() == CONTENT * 20

    assert len(fetched) == 1


def test_an_object_is_read_from_any_place_as_a_file_is(world: World) -> None:
    content = io.BytesIO()
    np.savez(content, x=np.arange(10), y=np.arange(10))
    world.put(KEY, content.getvalue())

    with open_object(world.s3, find_object(world.s3, URI)) as stream:
        assert (stream.seek(-3, io.SEEK_END), stream.read()) == (len(content.getvalue()) - 3, content.getvalue()[-3:])
        assert (stream.seek(4), stream.seek(2, io.SEEK_CUR), stream.read(2)) == (4, 6, content.getvalue()[6:8])
        blocks = list(open_blocks(stream, URI, "npz"))

    assert blocks[0].columns["x"].tolist() == [str(number) for number in range(10)]


def test_an_archive_of_images_is_fetched_once_from_beginning_to_end(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dataset_object, "RANGE_BYTES", 10_000)
    content = archive(cats_and_dogs(200, height=16, width=16))
    world.put(KEY, content)
    fetched: list[int] = []
    fetch = dataset_object._ObjectReader._fetch

    def counted(reader: dataset_object._ObjectReader, start: int, size: int) -> bytes:
        fetched.append(size)
        return fetch(reader, start, size)

    monkeypatch.setattr(dataset_object._ObjectReader, "_fetch", counted)
    with open_object(world.s3, find_object(world.s3, URI)) as stream:
        options = ReadOptions(image_shape=(16, 16, 3))
        assert sum(block.rows for block in open_blocks(stream, URI, "zip", options=options)) == 200
    tail = 70_000  # of the archive, where its directory is
    assert sum(fetched) < len(content) + 3 * tail
    assert max(fetched) <= max(tail, 10_000)


def test_a_zipped_object_can_be_unzipped_on_the_way(world: World) -> None:
    world.put(KEY, gzip.compress(CONTENT))
    with open_object(world.s3, find_object(world.s3, URI)) as stream, gzip.open(stream) as unzipped:
        assert unzipped.read() == CONTENT


def test_a_second_upload_changes_nothing_for_who_reads_the_first(world: World) -> None:
    first = world.put(KEY, CONTENT)
    found = find_object(world.s3, URI, first)
    world.put(KEY, b"something,else\n1,2\n")
    assert open_object(world.s3, found).read() == CONTENT
    assert DatasetObject(**found.to_json()) == found  # type: ignore[arg-type]  # JSON has lost the types


def test_a_dataset_that_is_deleted_before_or_while_it_is_read_is_said_to_be(world: World) -> None:
    version = world.put(KEY, CONTENT)
    found = find_object(world.s3, URI, version)
    world.s3.delete_object(Bucket=BUCKET, Key=KEY, VersionId=version)
    with pytest.raises(DatasetNotFound, match=f"{URI}: it was deleted while the run went on; upload it again"):
        open_object(world.s3, found).read()
    with pytest.raises(DatasetNotFound, match=f"{URI}: version {version} was deleted before the run read it; upload it again"):
        find_object(world.s3, URI, version)


def test_without_versions_a_replaced_object_is_noticed(world: World) -> None:
    world.aws.s3 = FakeBucket(name="plain", keeps_versions=False)
    world.s3.put_object(Bucket="plain", Key="data.csv", Body=CONTENT)
    found = find_object(world.s3, "s3://plain/data.csv")
    assert found.version_id is None
    assert open_object(world.s3, found).read() == CONTENT
    world.s3.put_object(Bucket="plain", Key="data.csv", Body=CONTENT[::-1])
    with pytest.raises(InvalidDataset, match=r"s3://plain/data\.csv: the object was replaced"):
        open_object(world.s3, found).read()


@pytest.mark.parametrize(
    "uri", ["s3://no-such-bucket/data.csv", f"s3://{BUCKET}/datasets/none/data.csv", "s3://no bucket/data.csv"]
)
def test_what_is_not_there_is_named(world: World, uri: str) -> None:
    with pytest.raises(DatasetNotFound, match=uri):
        find_object(world.s3, uri)


def test_a_denied_object_is_named_with_the_roles_that_need_to_read_it(world: World) -> None:
    world.aws.refuse["HeadObject"] = Refused("403", "")
    with pytest.raises(DatasetAccessDenied, match=f"{URI}: reading it is denied.*ConfigureRunFunction"):
        find_object(world.s3, URI)


def test_an_empty_object_is_no_dataset(world: World) -> None:
    world.put(KEY, b"")
    with pytest.raises(InvalidDataset, match=rf"{URI}: the file is empty; upload one that has rows\."):
        find_object(world.s3, URI)


def test_other_errors_of_s3_stay_what_they_are(world: World) -> None:
    world.aws.refuse["HeadObject"] = Refused("SlowDown", "")
    with pytest.raises(ClientError, match="SlowDown"):
        find_object(world.s3, URI)


def test_an_object_deleted_while_it_is_read_is_named(world: World) -> None:
    version = world.put(KEY, CONTENT)
    found = find_object(world.s3, URI)
    world.s3.delete_object(Bucket=BUCKET, Key=KEY, VersionId=version)
    with pytest.raises(DatasetNotFound, match=URI):
        open_object(world.s3, found).read()


@pytest.mark.parametrize("breaks", [2, 3])
def test_an_answer_that_breaks_off_is_asked_for_again_twice(world: World, breaks: int) -> None:
    world.put(KEY, CONTENT)
    found = find_object(world.s3, URI)
    broken = IncompleteReadError(actual_bytes=1, expected_bytes=2)
    whole = mock.Mock(read=mock.Mock(return_value=CONTENT))
    answers = [{"Body": mock.Mock(read=mock.Mock(side_effect=broken))}] * breaks + [{"Body": whole}]
    s3 = mock.Mock(get_object=mock.Mock(side_effect=answers))
    if breaks == 2:
        assert open_object(s3, found).read() == CONTENT
    else:
        with pytest.raises(IncompleteReadError):
            open_object(s3, found).read()
