"""Sample datasets, made from what is installed: nothing is downloaded.

``aws-docs``
    Text: what botocore's service models say about each operation, labelled with the service. Columns ``post``, ``service``.
``breast-cancer``, ``wine``
    Tables of numbers with a class, from scikit-learn's bundled data (UCI Machine Learning Repository). Label column last.
``diabetes``
    A table of numbers with a number to predict, column ``progression`` (Efron et al., "Least Angle Regression", 2004).
``digits``
    Images of 8 x 8 grey pixels from 0 to 16, from scikit-learn's bundled data (UCI): columns ``label``, ``pixel0`` to
    ``pixel63``; as ``.npz`` the arrays ``x`` and ``y``; as ``.zip`` PNG files in class folders, their pixels from 0 to 240.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from botocore.loaders import Loader

from sageline.arrays.strings import ByteArray

SERVICES = 20
"""How many services the text sample has: those with the most operations."""

MIN_CHARACTERS = 32
"""Documents whose words are shorter than this, such as "Deletes a fleet.", say nothing of their service and are left out."""

Row = tuple[object, ...]

_HTTP = re.compile(rb'"http"\s*:\s*\{')


@dataclass(frozen=True)
class SampleTable:
    """A sample: the names of its columns, and its rows in their order."""

    columns: tuple[str, ...]
    rows: list[Row]

    def write_csv(self, file: TextIO) -> None:
        """Write it as CSV with a header line; open ``file`` with ``newline=""``."""
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows(self.rows)


def aws_docs() -> SampleTable:
    """Distinct documents of the 20 services with the most operations: 4,189 with botocore 1.43.106.

    Two documents are the same if their words are. The order is that of the services by size, and of operations in a service.
    """
    # Without the default search paths, so that models of the user's own (~/.aws/models) do not change the sample.
    loader = Loader(extra_search_paths=[Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)
    documents = (
        (strip_markup(operation.get("documentation", "")), service)
        for service, operations in _largest(loader).items()
        for operation in operations.values()
    )
    return SampleTable(("post", "service"), list(distinct(documents)))


def _largest(loader: Loader) -> dict[str, dict[str, Any]]:
    """The operations of the services that have the most, these first.

    Parsing all models would take some seconds: only those are that can be among the largest, by what their text says.
    """
    at_most = {service: _most_operations(loader, service) for service in loader.list_available_services("service-2")}
    found: dict[str, dict[str, Any]] = {}
    for service in sorted(at_most, key=lambda service: -at_most[service]):
        if len(found) >= SERVICES and at_most[service] < sorted(map(len, found.values()))[-SERVICES]:
            break
        found[service] = loader.load_service_model(service, "service-2")["operations"]
    largest = sorted(found, key=lambda service: (-len(found[service]), service))[:SERVICES]
    return {service: found[service] for service in largest}


def _most_operations(loader: Loader, service: str) -> int:
    """Not less than the operations of a service: each has an ``http``, and something else may have one too."""
    folder = Path(Loader.BUILTIN_DATA_PATH) / service / loader.determine_latest_version(service, "service-2")
    return len(_HTTP.findall(gzip.decompress((folder / "service-2.json.gz").read_bytes())))


def distinct(documents: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    """The (text, label) pairs whose words have not been seen before and are long enough to tell something."""
    seen: set[str] = set()
    for text, label in documents:
        words = " ".join(re.findall(r"\w+", text.lower()))
        if len(words) >= MIN_CHARACTERS and words not in seen:
            seen.add(words)
            yield text, label


def strip_markup(html: str) -> str:
    """The text of an HTML fragment, with character references resolved and white space collapsed."""
    parser = _TextParser()
    parser.feed(html)
    parser.close()
    return " ".join("".join(parser.parts).split())


class _TextParser(HTMLParser):
    _INLINE = frozenset(("a", "b", "code", "em", "i", "strong", "sub", "sup", "u"))

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        # "<p>One</p><p>Two</p>" are two words, "<i>O</i>ne" is one.
        if tag not in self._INLINE:
            self.parts.append(" ")

    def handle_data(self, data: str) -> None:
        self.parts.append(data)


def breast_cancer() -> SampleTable:
    """569 tumours, 30 measurements, ``diagnosis`` is ``malignant`` or ``benign``."""
    from sklearn.datasets import load_breast_cancer  # noqa: PLC0415 - a second to import, and the text sample does not need it

    return _classes(load_breast_cancer(), "diagnosis")


def wine() -> SampleTable:
    """178 wines, 13 measurements, ``cultivar`` is one of three."""
    from sklearn.datasets import load_wine  # noqa: PLC0415 - as above

    return _classes(load_wine(), "cultivar")


def diabetes() -> SampleTable:
    """442 patients, 10 measurements in their own units, ``progression`` after a year as a number."""
    from sklearn.datasets import load_diabetes  # noqa: PLC0415 - as above

    bunch = load_diabetes(scaled=False)
    rows = [(*row, target) for row, target in zip(bunch.data.tolist(), bunch.target.tolist(), strict=True)]
    return SampleTable((*bunch.feature_names, "progression"), rows)


def digits() -> SampleTable:
    """1,797 handwritten digits of 64 pixels; the label comes first, as in the files of MNIST and its kin."""
    from sklearn.datasets import load_digits  # noqa: PLC0415 - as above

    bunch = load_digits()
    columns = ("label", *(f"pixel{number}" for number in range(64)))
    pixels = bunch.data.astype(int).tolist()
    return SampleTable(columns, [(label, *row) for label, row in zip(bunch.target.tolist(), pixels, strict=True)])


def _classes(bunch: Any, label: str) -> SampleTable:  # a Bunch: scikit-learn has no type information
    columns = (*(str(name).replace(" ", "_") for name in bunch.feature_names), label)
    classes = [str(bunch.target_names[index]) for index in bunch.target]
    return SampleTable(columns, [(*row, name) for row, name in zip(bunch.data.tolist(), classes, strict=True)])


SAMPLES: Mapping[str, Callable[[], SampleTable]] = {
    "aws-docs": aws_docs,
    "breast-cancer": breast_cancer,
    "wine": wine,
    "diabetes": diabetes,
    "digits": digits,
}


def _write_files(path: Path, images: ByteArray, labels: ByteArray) -> None:
    """A ZIP archive of PNG files, in a folder for each label. ``images``: ``uint8[n, height, width]``."""
    from PIL import Image  # noqa: PLC0415 - only here

    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for number, (image, label) in enumerate(zip(images, labels.tolist(), strict=True)):
            file = io.BytesIO()
            Image.fromarray(image).save(file, "PNG")
            archive.writestr(zipfile.ZipInfo(f"digits/{label}/{number:04d}.png"), file.getvalue())


def write_sample(name: str, path: Path) -> int:
    """Write the sample called ``name`` to ``path``, making its folder; the number of rows.

    It is written as CSV, and ``digits`` as arrays if the path ends in ``.npz``, as image files if it ends in ``.zip``.

    Raises:
        ValueError: the sample has no images.
    """
    table = SAMPLES[name]()
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix in (".npz", ".zip"):
        if name != "digits":
            raise ValueError(f"{name} is a table: write it to a .csv file; only digits can be written as .npz or .zip.")
        rows = np.array(table.rows, dtype=np.uint8)
        images, labels = rows[:, 1:].reshape(-1, 8, 8), rows[:, 0]
        if path.suffix == ".npz":
            np.savez_compressed(path, x=images, y=labels)
        else:
            _write_files(path, images * np.uint8(255 // 16), labels)
    else:
        with path.open("w", encoding="utf-8", newline="") as file:
            table.write_csv(file)
    return len(table.rows)
