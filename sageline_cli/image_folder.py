"""A folder of class folders with images, packed for the upload."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from pathlib import Path

import click

from sageline.formats.image_files import EXTENSIONS

_MOMENT = (1980, 1, 1, 0, 0, 0)  # of every file: the same folder gives the same archive
_PERMISSIONS = 0o644 << 16


def pack_folder(folder: Path, archive: Path) -> int:
    """Write a ZIP archive of the images in a folder, by their paths in it; how many there are.

    Files are not compressed, as images are already. The archive depends on names and contents alone, so a folder that is packed
    again gives the same bytes. What is hidden or no image by its name is left out; links are not followed.

    Raises:
        click.BadParameter: there is no image.
    """
    found = sorted(images_in(folder), key=lambda path: path.relative_to(folder).as_posix())
    if not found:
        endings = ", ".join(f".{extension}" for extension in EXTENSIONS)
        raise click.BadParameter(
            f"{folder} holds no images ({endings}). A folder is packed if it has a folder for each class, with its images: "
            "cat/1.jpg, dog/1.jpg; a table is one file."
        )
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as packed:
        for path in found:
            info = zipfile.ZipInfo(path.relative_to(folder).as_posix(), _MOMENT)
            info.external_attr = _PERMISSIONS
            info.file_size = path.stat().st_size
            with packed.open(info, "w") as target, path.open("rb") as source:
                while piece := source.read(1 << 20):
                    target.write(piece)
    return len(found)


def images_in(folder: Path) -> Iterator[Path]:
    """The images in a folder and the folders within, in any order, but for hidden ones and links."""
    for here, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".") and name != "__MACOSX"]
        yield from (
            Path(here, name)
            for name in files
            if not name.startswith(".") and name.rpartition(".")[2].lower() in EXTENSIONS and not Path(here, name).is_symlink()
        )
