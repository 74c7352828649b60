"""What of the files and folders on the command line is a dataset, and what its parts are called in the bucket."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from sageline.names import DATA_FORMATS, side_of_name
from sageline_cli.image_folder import images_in
from sageline_cli.upload import SUFFIXES, format_of, suffix_of, unknown_format

_NAMED = 5


@dataclass(frozen=True)
class LocalDataset:
    """Files to upload as one dataset.

    Attributes:
        files: each file and its name in the dataset's folder; a single file has none of its own there. It may be a folder of
            images, which is to be packed.
        named_after: what the dataset is named after, where nobody gives it a name.
        left_out: names of files that are not uploaded, and why.
    """

    files: tuple[tuple[Path, str], ...]
    named_after: Path
    left_out: tuple[str, ...] = ()

    @property
    def is_parts(self) -> bool:
        """Whether there are several, which `_READY` joins."""
        return len(self.files) > 1

    @property
    def is_image_folder(self) -> bool:
        """Whether it is one folder, with a folder of images for each class."""
        return self.first.is_dir()

    @property
    def first(self) -> Path:
        return self.files[0][0]

    @property
    def shown(self) -> str:
        return f"{len(self.files)} parts" if self.is_parts else str(self.first)


def gather(paths: Sequence[Path]) -> LocalDataset:
    """The dataset in these files, or in all files of these folders that are of a format that is read; or a folder that has none
    of these, but images in the folders within.

    Files called ``test*`` beside ones called ``train*`` are the split, and keep their names, as ``data*`` does; any other name
    gets ``data-`` before it.

    Raises:
        click.BadParameter: nothing to upload, a file of another format, formats that differ, two files of one name, test files
            beside others than train files, or images beside anything else.
    """
    files: list[Path] = []
    left_out: list[str] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(item for item in path.iterdir() if not item.name.startswith((".", "_")))
            taken = [item for item in inside if item.is_file() and format_of(item)]
            if not taken and any(images_in(path)):
                return _image_folder(path, paths)
            if not taken:
                raise click.BadParameter(
                    f"{path} has no file whose name ends with {', '.join(SUFFIXES)}, and no folders with images in them."
                )
            files += taken
            left_out += [item.name + "/" * item.is_dir() for item in inside if item not in taken]
        elif format_of(path) is None:
            raise click.BadParameter(unknown_format(path))
        else:
            files.append(path)
    there = [path for path in files if path.stat().st_size]
    if not there:
        empty = f"{files[0]} is empty" if len(files) == 1 else f"{_listed([path.name for path in files])} are empty"
        raise click.BadParameter(f"{empty}; a dataset has a line of column names and a row for each example.")
    left_out += [f"{path.name} (empty)" for path in files if path not in there]
    if len(there) == 1:
        return LocalDataset(((there[0], ""),), there[0], tuple(left_out))
    _check_formats(there)
    named = tuple(zip(there, _part_names(there), strict=True))
    return LocalDataset(named, _common(paths, there), tuple(left_out))


def _image_folder(path: Path, paths: Sequence[Path]) -> LocalDataset:
    if len(paths) > 1:
        raise click.BadParameter(f"{path} holds images; give it alone, with a folder for each class in it.")
    return LocalDataset(((path, ""),), path.resolve())


def _common(paths: Sequence[Path], files: Sequence[Path]) -> Path:
    """The folder that was given, or that all files are in; else the first file."""
    folders = (
        {path.resolve() for path in paths} if all(path.is_dir() for path in paths) else {path.resolve().parent for path in files}
    )
    return folders.pop() if len(folders) == 1 else files[0]


def _check_formats(files: Sequence[Path]) -> None:
    of_format = {format_of(path): path for path in reversed(files)}
    if "zip" in of_format:
        raise click.BadParameter(
            f"{of_format['zip'].name} is an archive of images, which is no part of several; give it alone, or one of all images."
        )
    if len(of_format) > 1:
        first, second = sorted(of_format.values())[:2]
        raise click.BadParameter(
            f"{first.name} and {second.name} are of different formats; the parts of a dataset are of one of "
            f"{', '.join(DATA_FORMATS)}. Convert them, or name the files of one format."
        )


def _part_names(files: Sequence[Path]) -> list[str]:
    stems = [path.name[: -len(suffix_of(path))] for path in files]
    sides = [side_of_name(stem.lower()) for stem in stems]
    has_test = "test" in sides
    if has_test and (odd := next((path for path, side in zip(files, sides, strict=True) if side not in ("train", "test")), None)):
        raise click.BadParameter(
            f"{odd.name} beside test files: name what is to be trained on train*, or leave {odd.name} out. Rows to predict are "
            "for `sageline batch`."
        )
    if has_test and "train" not in sides:
        raise click.BadParameter("there are test files only; give the train files too.")
    names = []
    for path, stem, side in zip(files, stems, sides, strict=True):
        keeps = side == "data" and stem.lower() != "data" and stem[4] != "."
        kept = stem[:5].lower() + stem[5:] if has_test or keeps else f"data-{stem}"
        names.append(f"{kept}.{format_of(path)}")
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise click.BadParameter(f"two files would be called {twice[0]} in the bucket; rename one.")
    return names


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more:,} more" if more > 0 else "")


def left_out_line(dataset: LocalDataset) -> str | None:
    """What is not uploaded, in a sentence."""
    return f"Left out: {_listed(dataset.left_out)}." if dataset.left_out else None
