"""What a file of a dataset costs besides its bytes: processor and wall milliseconds of asking for it and of beginning to read it.

    python -m tests.benchmarks.many_files 1000

serves so many CSV files of a kilobyte each from another process, which answers a request after 20 ms as S3 does, and reads them
as the parts of a dataset; the same rows in one file are subtracted. Besides, what beginning to count a block takes.
"""

from __future__ import annotations

import multiprocessing
import sys
import time
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from sageline.arrays.blocks import Block
from sageline.dataset.profile import DatasetProfile
from sageline.dataset.readers.source import FIND_OUT
from sageline.dataset.split import hash_columns
from sageline.storage.dataset_object import DatasetObject
from sageline.storage.dataset_parts import Dataset, read_blocks

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_HEADER = b"id,size,weight,colour,seen,note,kind\n"
_BODY = b"a1,3.5,4,red,2026-01-02,some words of it,rose\n" * 20
_ANSWER_SECONDS = 0.02


class _Files(BaseHTTPRequestHandler):
    """Answers any request for an object: one whose key ends with ``all`` and a number has the rows of so many files."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        time.sleep(_ANSWER_SECONDS)
        first, last = map(int, self.headers["Range"].removeprefix("bytes=").split("-"))
        _, _, files = self.path.partition("?")[0].partition("all")
        found = (_HEADER + _BODY * int(files.removesuffix(".csv") or 1))[first : last + 1]
        self.send_response(206)
        self.send_header("Content-Length", str(len(found)))
        self.end_headers()
        self.wfile.write(found)

    def log_message(self, *_: object) -> None:
        """Nothing is logged."""


def _serve(port: Connection) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Files)
    port.send(server.server_port)
    server.serve_forever()


def _read(s3: S3Client, dataset: Dataset) -> tuple[list[Block], float, float]:
    """The blocks, and the wall and processor seconds."""
    wall, processor = time.perf_counter(), time.process_time()
    blocks = list(read_blocks(s3, dataset, FIND_OUT, []))
    return blocks, time.perf_counter() - wall, time.process_time() - processor


def _count(blocks: list[Block]) -> float:
    """Processor seconds of counting them."""
    profile, processor = DatasetProfile(), time.process_time()
    for block in blocks:
        profile.add(block, hash_columns(block))
    return time.process_time() - processor


def _object(name: str, files: int) -> DatasetObject:
    return DatasetObject(f"s3://bucket/f/{name}", None, '"e"', len(_HEADER) + files * len(_BODY))


def main(files: int) -> None:
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.get_context("fork").Process(target=_serve, args=(theirs,), daemon=True)
    server.start()
    s3 = boto3.client(
        "s3",
        region_name="us-east-1",
        endpoint_url=f"http://127.0.0.1:{ours.recv()}",
        aws_access_key_id="none",
        aws_secret_access_key="none",
        config=Config(s3={"addressing_style": "path"}),
    )
    together = _object(f"all{files}", files)
    one = Dataset("s3://bucket/f/", (replace(together, uri=f"{together.uri}.csv"),))
    many = Dataset("s3://bucket/f/", tuple(_object(f"data-{number:05}.csv", 1) for number in range(files)))
    _read(s3, one)  # what is done once
    blocks_of_one, one_wall, one_processor = _read(s3, one)
    blocks, wall, processor = _read(s3, many)
    assert sum(block.rows for block in blocks) == sum(block.rows for block in blocks_of_one)
    said = {
        "wall of a file": wall - one_wall,
        "processor of a file": processor - one_processor,
        "processor of a block": _count(blocks) - _count(blocks_of_one),
    }
    for what, seconds in said.items():
        print(f"{what}: {1000 * seconds / files:.2f} ms")  # noqa: T201 - a command
    server.terminate()


if __name__ == "__main__":
    main(int(sys.argv[1]))
