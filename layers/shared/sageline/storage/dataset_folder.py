"""Which of the files in a dataset's folder are its parts, and what they say of the split. Pure: the listing is given."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sageline.errors import DatasetNotFound, InvalidDataset
from sageline.names import SIDES, format_of_name, side_of_name
from sageline.runs.trigger import data_format
from sageline.storage.dataset_object import DatasetObject

MOST_PARTS = 10_000
_NAMED = 5


@dataclass(frozen=True)
class FolderParts:
    """The parts of a dataset, each side in the order of the keys.

    Attributes:
        parts: all of them; those to train on, and to validate with, where there are test files.
        test: what is held out, where files say it; else empty.
        notes: what was taken for granted, in sentences.
    """

    parts: tuple[DatasetObject, ...]
    test: tuple[DatasetObject, ...]
    notes: tuple[str, ...]


def choose_parts(uri: str, files: Collection[DatasetObject], folders: Collection[str] = ()) -> FolderParts:
    """The parts among the files of a folder.

    Files whose names begin with ``data`` are parts, or those that begin with ``train`` and ``test``. Other files are not read,
    nor are folders; what may be data is noted. Files of no bytes are left out and noted.

    Args:
        uri: of the folder, ``s3://bucket/folder/``.
        folders: names of the folders within.

    Raises:
        DatasetNotFound: there are no parts.
        InvalidDataset: ``data`` files beside ``train`` or ``test`` files, test files alone, formats that differ, a format that is
            not read, archives of images, more parts than :data:`MOST_PARTS`, or nothing in them.
    """
    named = {name_of(item): item for item in sorted(files, key=lambda item: item.uri)}
    sides = {side: [item for name, item in named.items() if side_of_name(name) == side] for side in SIDES}
    others = [name for name in named if side_of_name(name) is None and format_of_name(name) and name[0] not in "._"]
    _check_there(uri, sides, others, folders)
    _check_sides(uri, sides)
    chosen = [item for side in SIDES for item in sides[side]]
    _check_formats(uri, chosen)
    if len(chosen) > MOST_PARTS:
        raise InvalidDataset(
            f"{uri}: {len(chosen):,} parts, and a dataset may have {MOST_PARTS:,}: each takes a request and a moment. Join them "
            "into larger ones."
        )
    empty = [name_of(item) for item in chosen if item.size == 0]
    parts = tuple(item for side in ("data", "train") for item in sides[side] if item.size)
    test = tuple(item for item in sides["test"] if item.size)
    if not parts or (sides["test"] and not test):
        raise InvalidDataset(f"{uri}: {_listed(empty)}: no bytes in them. Upload files that have rows.")
    notes = []
    if test:
        notes.append(
            f"{uri}: the files say the split: the rows of {_listed(list(map(name_of, test)))} are the test rows, and no "
            "others. Validation rows are taken out of the train files, by the shares of `split` without `test`."
        )
    elif sides["train"]:
        notes.append(f"{uri}: there are train files and no test files, so the test rows are taken out of the train files.")
    if empty:
        notes.append(f"{uri}: {_listed(empty)}: no bytes in {'it' if len(empty) == 1 else 'them'}, left out.")
    if others:
        notes.append(f"{uri}: {_listed(others)} left out: the names of parts begin with data, train or test.")
    if folders:
        notes.append(f"{uri}: the {'folder' if len(folders) == 1 else 'folders'} {_listed(sorted(folders))} left out.")
    return FolderParts(parts, test, tuple(notes))


def name_of(item: DatasetObject) -> str:
    """The name of the file, without its folder."""
    return item.uri.rsplit("/", 1)[-1]


def _check_there(uri: str, sides: dict[str, list[DatasetObject]], others: Sequence[str], folders: Collection[str]) -> None:
    if any(sides.values()):
        return
    seen = [*others, *(f"{folder}/" for folder in sorted(folders))]
    there = f" There are {_listed(seen)}." if seen else ""
    raise DatasetNotFound(
        f"{uri}: no parts. Upload files whose names begin with data, such as data-00.csv, or with train and test, and then "
        f"_READY.{there}"
    )


def _check_sides(uri: str, sides: dict[str, list[DatasetObject]]) -> None:
    data, train, test = (sides[side] for side in SIDES)
    if data and (train or test):
        beside = [name_of(item) for item in (*train, *test)]
        raise InvalidDataset(
            f"{uri}: {_listed(list(map(name_of, data)))} beside {_listed(beside)}: it cannot be told whether the data files are "
            "to be trained on too. Name them train*, or remove one or the other."
        )
    if test and not train:
        raise InvalidDataset(f"{uri}: {_listed(list(map(name_of, test)))} and no train* file; upload what is to be trained on.")


def _check_formats(uri: str, parts: Sequence[DatasetObject]) -> None:
    of_format: dict[str, str] = {}
    for item in parts:
        of_format.setdefault(data_format(item.uri), name_of(item))
    if "zip" in of_format:  # each would have a shape and classes of its own
        raise InvalidDataset(
            f"{uri}: {of_format['zip']} is an archive of images, which is no part; upload one of all images, as data.zip, with a "
            "folder for each class."
        )
    if len(of_format) > 1:
        (one, first), (other, second) = list(of_format.items())[:2]
        raise InvalidDataset(
            f"{uri}: {first} is {one} and {second} is {other}; the parts of a dataset are of one format, so that what an earlier "
            "upload has left is not read a second time. Convert them, or remove those that do not belong to it."
        )


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    shown = ", ".join(names[:_NAMED])
    return f"{shown} and {more:,} more" if more > 0 else shown
