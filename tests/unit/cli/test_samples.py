from __future__ import annotations

import csv
import io
from collections import Counter
from pathlib import Path

import botocore
import numpy as np
import pytest

from sageline.arrays.late_text import ImageArray
from sageline.dataset.readers.source import open_blocks
from sageline_local.samples import SAMPLES, SampleTable, aws_docs, distinct, strip_markup, write_sample


def test_markup_is_stripped_and_words_stay_apart() -> None:
    html = "<p>Deletes&nbsp;the <i>F</i>leet.</p><p>Needs\n  <code>a &lt; b</code>.</p><br/>Bye"
    assert strip_markup(html) == "Deletes the Fleet. Needs a < b. Bye"


def test_documents_with_the_same_words_count_once_and_those_that_say_nothing_are_left_out() -> None:
    first = "Accepts the transfer of an address."
    documents = [(first, "ec2"), ("ACCEPTS the transfer of an address", "iam"), ("Deletes a fleet.", "ec2"), ("", "iam")]
    assert list(distinct(documents)) == [(first, "ec2")]


@pytest.mark.slow
def test_the_text_sample_has_the_20_largest_services_each_document_once() -> None:
    sample = aws_docs()
    assert sample.columns == ("post", "service")
    posts, services = zip(*sample.rows, strict=True)
    assert len(set(posts)) == len(posts)
    counts = Counter(services)
    assert len(counts) == 20
    assert counts.most_common(2)[0][0] == "ec2"
    assert not any("<p>" in str(post) for post in posts)
    # The benchmark figures in the documentation are of this number of documents.
    assert (botocore.__version__, len(posts)) == ("1.43.106", 4189)


@pytest.mark.parametrize(
    ("name", "rows", "label", "values"),
    [
        ("breast-cancer", 569, "diagnosis", {"malignant", "benign"}),
        ("wine", 178, "cultivar", {"class_0", "class_1", "class_2"}),
    ],
)
def test_table_samples_have_numbers_and_a_class(tmp_path: Path, name: str, rows: int, label: str, values: set[str]) -> None:
    path = tmp_path / "sample.csv"
    assert write_sample(name, path) == rows
    with path.open(encoding="utf-8", newline="") as file:
        found = list(csv.DictReader(file))
    assert len(found) == rows
    assert {row.pop(label) for row in found} == values
    assert all(float(cell) >= 0 for row in found for cell in row.values())


def test_the_diabetes_sample_is_for_regression() -> None:
    sample = SAMPLES["diabetes"]()
    assert len(sample.rows) == 442
    assert sample.columns[-1] == "progression"
    assert sample.rows[0][0] == 59.0
    assert sample.rows[0][-1] == 151.0


def test_the_digits_are_the_same_as_csv_and_as_arrays(tmp_path: Path) -> None:
    assert write_sample("digits", tmp_path / "digits.csv") == write_sample("digits", tmp_path / "digits.npz") == 1797

    with np.load(tmp_path / "digits.npz") as arrays:
        x, y = arrays["x"], arrays["y"]
    table = np.loadtxt(tmp_path / "digits.csv", delimiter=",", skiprows=1)
    assert x.shape == (1797, 8, 8)
    assert (table[:, 0] == y).all()
    assert (table[:, 1:] == x.reshape(-1, 64)).all()


def test_the_digits_are_the_same_as_image_files(tmp_path: Path) -> None:
    assert write_sample("digits", tmp_path / "digits.npz") == write_sample("digits", tmp_path / "digits.zip") == 1797

    with np.load(tmp_path / "digits.npz") as arrays:
        x, y = arrays["x"], arrays["y"]
    with (tmp_path / "digits.zip").open("rb") as stream:
        [block] = open_blocks(stream, "digits.zip", "zip")
    images = block.columns["image"]
    assert isinstance(images, ImageArray)
    assert np.array_equal(images.pixels, x * 15)
    assert block.columns["label"].tolist() == [str(label) for label in y]


def test_a_table_is_not_written_as_arrays(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"wine is a table: write it to a \.csv file"):
        write_sample("wine", tmp_path / "wine.npz")


def test_a_sample_is_written_the_same_each_time_and_quoted_as_csv_is() -> None:
    table = SampleTable(("a", "b"), [("one, two", 'say "hi"'), ("line\nbreak", 1.5)])
    first, second = io.StringIO(), io.StringIO()
    table.write_csv(first)
    table.write_csv(second)
    assert first.getvalue() == second.getvalue() == 'a,b\n"one, two","say ""hi"""\n"line\nbreak",1.5\n'
