"""What the rows of a dataset on this machine say, before anything is uploaded."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.progress import DownloadColumn, TransferSpeedColumn

from sageline.configuration.dataset_size import largest_bytes, text_size
from sageline.configuration.preparation_plan import why_alone
from sageline.configuration.shared_work import ALONE_SHARE
from sageline.dataset.profile import DatasetProfile
from sageline.dataset.readers.source import open_blocks
from sageline.json_objects import Json
from sageline.names import source_key
from sageline.resolve.candidates import resolve_run
from sageline.resolve.inspected.mistakes import mistakes
from sageline.spec.model import Spec, parse_spec
from sageline.storage.dataset_folder import choose_parts
from sageline.storage.dataset_object import DatasetObject, read_options
from sageline.storage.dataset_parts import Dataset, OpenPart, read_parts
from sageline_cli.bars import bar
from sageline_cli.errors import CommandFailed
from sageline_cli.parts import LocalDataset
from sageline_cli.source import local_script
from sageline_cli.upload import format_of

_READ_BYTES = 1 << 20


class LocalSpec(NamedTuple):
    """A spec as it is before the upload, and the folder of its script; where the data and the script will be is not known yet."""

    spec: Spec
    source_dir: str | None = None


def local_spec(document: bytes | None, name: str) -> LocalSpec:
    """What :func:`sageline_cli.submit.read_spec` returns, which has checked it, as a spec for the rows on this machine.

    Args:
        name: of the dataset.
    """
    if document is None:
        return LocalSpec(Spec())
    given: Json = json.loads(document)
    script = local_script(given)
    source_dir = script["source_dir"] if script else None
    if script:
        script["source_dir"] = f"s3://bucket/{source_key(name)}"
    given.get("dataset", {}).pop("uri", None)
    return LocalSpec(parse_spec(json.dumps(given), "the spec"), source_dir)


def check_rows(dataset: LocalDataset, name: str, document: bytes | None, console: Console) -> None:
    """Read all rows, and refuse before the upload what the run would be refused for, in the words of `sageline inspect`. Of a
    large dataset that cannot be prepared in shards it is said why.

    Args:
        name: of the dataset.
        document: the spec; None without any.

    Raises:
        CommandFailed: a run would stop at what is in the rows.
        InvalidDataset, InvalidSpec, InvalidHyperparameter: it would be refused when it begins.
    """
    path = dataset.named_after
    if dataset.is_parts and not path.is_dir():
        path = path.parent
    given = local_spec(document, name).spec
    profile = read_rows(dataset, path, given, console)
    resolved = resolve_run(given, profile, name=name, uri=str(path))
    found = mistakes(profile, resolved.resolution)
    if found:
        said = "\n".join(f"Mistake: {text}" for text in found)
        raise CommandFailed(f"Nothing was uploaded, because a run of {dataset.shown} would fail.\n{said}", "InvalidDataset")
    for reason in _why_alone(dataset, path, resolved.trained):
        console.print(f"One function prepares it: {reason}", soft_wrap=True, markup=False)


def _why_alone(dataset: LocalDataset, path: Path, trained: Sequence[Spec]) -> list[str]:
    """Why a dataset that more than one function would prepare, by its size or as asked for, is prepared by one; once each."""
    file = dataset.first
    one = DatasetObject(str(file).lower(), None, "", file.stat().st_size)  # so it is named in the bucket, with its format
    found = _as_parts(dataset, f"{path}/") if dataset.is_parts else Dataset(one.uri, (one,))
    size = text_size(lambda part: _open(Path(part.uri) if dataset.is_parts else file, lambda _: None), found)
    wanting = [spec for spec in trained if (spec.preparation.workers or 1) > 1 or size > ALONE_SHARE * largest_bytes(spec)]
    return list(dict.fromkeys(why for spec in wanting if (why := why_alone(found, spec)) is not None))


def read_rows(dataset: LocalDataset, path: Path, given: Spec, console: Console) -> DatasetProfile:
    """All rows of a dataset on this machine, counted.

    Args:
        path: what was asked about, a file or a folder.

    Raises:
        InvalidDataset: it cannot be read, or its parts do not go together.
    """
    notes: list[str] = []
    options = read_options(given.dataset, given.encoder)
    total = sum(file.stat().st_size for file, _ in dataset.files)
    with bar(console, f"Reading {path.name}", total, DownloadColumn(), TransferSpeedColumn()) as advance:
        if dataset.is_parts:
            parts = _as_parts(dataset, f"{path}/")
            with closing(_opened(parts, advance)) as opened:
                return DatasetProfile.of(read_parts(parts, opened, options, notes), notes)
        with _open(dataset.first, advance) as stream:
            source, read = path if format_of(dataset.first) == "zip" else dataset.first, str(format_of(dataset.first))
            return DatasetProfile.of(open_blocks(stream, str(source), read, options=options, notes=notes), notes)


def _as_parts(dataset: LocalDataset, uri: str) -> Dataset:
    """The parts as a run takes them from the bucket, where they have the names that they would get there, and lie here."""
    files = {uri + name: file for file, name in dataset.files}
    chosen = choose_parts(uri, [DatasetObject(key, None, "", file.stat().st_size) for key, file in files.items()])
    parts, test = (tuple(replace(part, uri=str(files[part.uri])) for part in side) for side in (chosen.parts, chosen.test))
    return Dataset(uri, parts, test, chosen.notes)


def _opened(dataset: Dataset, advance: Callable[[int], None]) -> Generator[OpenPart]:
    for part, side in dataset.in_order():
        with _open(Path(part.uri), advance) as stream:
            yield part, side, stream


def _open(file: Path, advance: Callable[[int], None]) -> io.BufferedReader:
    return io.BufferedReader(CountedFile(file, advance), _READ_BYTES)


class CountedFile(io.FileIO):
    """A file that tells how much farther it is read, in bytes."""

    def __init__(self, path: Path, advance: Callable[[int], None]) -> None:
        super().__init__(path)
        self._advance = advance
        self._farthest = 0

    def readinto(self, buffer: memoryview, /) -> int | None:  # type: ignore[override]  # Buffer has no type before Python 3.12
        size = super().readinto(buffer)
        if (farther := self.tell() - self._farthest) > 0:
            self._farthest += farther
            self._advance(farther)
        return size
