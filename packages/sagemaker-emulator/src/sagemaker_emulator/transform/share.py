"""What one instance does: its share of the objects, one container to send them to."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from sagemaker_emulator.datasource import InputObject
from sagemaker_emulator.store import Document
from sagemaker_emulator.transform.problems import ObjectFailed, Stopped
from sagemaker_emulator.transform.processing import UNPROCESSED, Processing
from sagemaker_emulator.transform.sending import ModelClient, Parameters
from sagemaker_emulator.transform.splitting import Batch, batches, records
from sagemaker_emulator.transform.storage import Storage

_MEBIBYTE = 1 << 20
_MOST_MB = 100


def output_of(job: Document, item: InputObject) -> tuple[str, str]:
    """Bucket and key of an object's output."""
    uri = f"{job['TransformOutput']['S3OutputPath'].rstrip('/')}/{item.path}.out"
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


@dataclass(frozen=True)
class Share:
    """Transforms objects by one container; ``failures`` are those of objects that have no output."""

    job: Document
    storage: Storage
    client: ModelClient
    parameters: Parameters
    home: Path
    stopped: threading.Event
    log_data: Callable[[str], None]
    failures: list[ObjectFailed] = field(default_factory=list)

    def transform(self, objects: list[InputObject]) -> None:
        """Objects one after the other with their requests side by side; whole objects, each one request, side by side."""
        side_by_side = min(self.parameters.concurrency if self._split == "None" else 1, len(objects))
        waiting: queue.SimpleQueue[InputObject] = queue.SimpleQueue()
        for item in objects:
            waiting.put(item)

        def work(number: int) -> None:
            with contextlib.suppress(queue.Empty):
                while not self.stopped.is_set():
                    self._transform(waiting.get_nowait(), self.home / f"object-{number}")

        with ThreadPoolExecutor(side_by_side, thread_name_prefix="objects") as workers:
            for done in [workers.submit(work, number) for number in range(side_by_side)]:
                done.result()

    @property
    def _split(self) -> str:
        return str(self.job["TransformInput"]["SplitType"])

    def _transform(self, item: InputObject, scratch: Path) -> None:
        """One object; its failure is logged and remembered, its output written only when it is complete."""
        scratch.mkdir(parents=True, exist_ok=True)
        source, target = scratch / "input", scratch / "output"
        try:
            self.storage.fetch(item, source, self.job["TransformInput"]["CompressionType"])
            with target.open("wb") as output:
                self._write_answers(source, output)
            self.storage.upload(target, *output_of(self.job, item))
        except Stopped:
            return
        except ObjectFailed as failure:
            if self.stopped.is_set():
                return
            for line in (failure.message, *failure.details.splitlines()):
                self.log_data(f"{item.bucket}/{item.key}: {line}")
            self.failures.append(failure)
        finally:
            source.unlink(missing_ok=True)
            target.unlink(missing_ok=True)

    def _write_answers(self, source: Path, output: BinaryIO) -> None:
        processing = self._processing()
        if self.parameters.payload_mb == 0 and processing is None and self.parameters.strategy == "MultiRecord":
            self._assemble(output, self.client.send(source))
            return
        most = (self.parameters.payload_mb or _MOST_MB) * _MEBIBYTE
        with source.open("rb") as stream:
            pairs = (
                (record, processing.to_send(record) if processing else record) for record in records(stream, self._split, most)
            )
            packed = batches(pairs, self._split, self.parameters.strategy, most)
            for batch, answer in self._answers(packed):
                written = answer
                if processing is not None and processing.works_on_answers:
                    written = (b"\n" if self._by_line else b"").join(processing.to_write(batch.inputs, answer))
                self._assemble(output, written)

    @property
    def _by_line(self) -> bool:
        return bool(self.job["TransformOutput"]["AssembleWith"] == "Line")

    def _assemble(self, output: BinaryIO, answer: bytes) -> None:
        output.write(answer)
        if self._by_line and not answer.endswith(b"\n"):
            output.write(b"\n")

    def _processing(self) -> Processing | None:
        config = self.job["DataProcessing"]
        if config == UNPROCESSED:
            return None
        by_line = self._split == "Line" and self.parameters.strategy == "MultiRecord"
        return Processing(config, self.job["TransformInput"].get("ContentType"), by_line=by_line)

    def _answers(self, packed: Iterator[Batch]) -> Iterator[tuple[Batch, bytes]]:
        """The answers in the order of the batches; no more batches are in memory than are on their way."""
        concurrency = self.parameters.concurrency
        with ThreadPoolExecutor(concurrency, thread_name_prefix="invocations") as senders:
            on_their_way: deque[tuple[Batch, Future[bytes]]] = deque()
            for batch in packed:
                if self.stopped.is_set():
                    raise Stopped
                on_their_way.append((batch, senders.submit(self.client.send, batch.payload)))
                if len(on_their_way) >= concurrency:
                    first, answer = on_their_way.popleft()
                    yield first, answer.result()
            while on_their_way:
                first, answer = on_their_way.popleft()
                yield first, answer.result()
