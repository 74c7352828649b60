from __future__ import annotations

import json
import re
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sageline.arrays.strings import StringArray
from sageline.encoder.fitted import FittedEncoder
from sageline.encoder.text import tokens
from sageline.encoder.text.tokens import TokenLines, label_of, label_token
from sageline.encoder.text.word_rule import words_of
from sageline.errors import PredictionFailed
from tests.unit.dataset.reading import block_of

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@pytest.fixture(autouse=True, params=["few texts", "many texts"])
def way(request: pytest.FixtureRequest) -> Iterator[None]:
    """Few texts are read in another way than many."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "many texts":
            patch.setattr(tokens, "FEW_BYTES", -1)
        yield


def encoder(classes: list[str]) -> FittedEncoder:
    return FittedEncoder("classification", {"post": "text"}, "label", classes, TokenLines(), answers="blazingtext")


@given(st.lists(TEXT, max_size=8))
@example(["__label__a __label__b", "x__label__ __label", "", "é __label__É", "ab", "c"])
def test_a_line_is_the_words_of_its_text(texts: list[str]) -> None:
    lines = TokenLines().encode([StringArray.from_list(texts)])

    assert lines.tolist() == [" ".join(re.sub("^__(?=label__)", "", word) for word in words_of(text)) for text in texts]
    assert not any(word.startswith("__label__") for line in lines.tolist() for word in line.split())


def test_texts_that_look_alike_become_equal_lines() -> None:
    texts = ["el señor हिन्दी İstanbul", "el sen\u0303or हिन्दी istanbul"]

    assert TokenLines().encode([StringArray.from_list(texts)]).tolist() == ["el señor हिन्दी istanbul"] * 2


@given(st.lists(st.tuples(TEXT, TEXT), max_size=5))
def test_several_columns_are_read_as_one_text(rows: list[tuple[str, str]]) -> None:
    columns = [StringArray.from_list(list(column)) for column in zip(*rows, strict=True)] or [StringArray.from_list([])] * 2

    together = TokenLines().encode([StringArray.from_list([f"{first}\n{second}" for first, second in rows])])

    assert TokenLines().encode(columns).tolist() == together.tolist()


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
@example("credit card, 5%")
@example("%20")
@example("__label__")
@example("a\u00a0b\u2028c\0d\x1ce")
def test_a_label_is_one_word_and_comes_back_whole(label: str) -> None:
    token = label_token(label)

    assert token.startswith("__label__")
    assert len(token.split()) == 1
    assert "\0" not in token
    assert label_of(token.removeprefix("__label__")) == label


def test_a_training_line_is_the_label_and_the_words() -> None:
    fitted = encoder(["credit card", "ham"])
    block = block_of({"post": ["Hello, World!", "...", "Ünï"], "label": ["ham", "ham", "credit card"]})

    data = fitted.write(fitted.encode(block), fitted.encode_labels(block.columns["label"]))

    assert isinstance(data, bytes)
    assert data.decode() == "__label__ham hello world\n__label__ham\n__label__credit%20card ünï\n"


def test_a_request_is_the_same_lines_as_json() -> None:
    fitted = encoder(["a", "b", "c"])

    body = fitted.request_body(fitted.encode(fitted.block_from_instances(["Hello, World!", {"post": "Ünï"}])))

    assert json.loads(body) == {"instances": ["hello world", "ünï"], "configuration": {"k": 3}}


def test_an_answer_names_the_labels_as_the_dataset_does() -> None:
    first = {"label": ["__label__credit%20card", "__label__ham"], "prob": [0.75, 0.25]}
    body = json.dumps([first, {"prob": [1.00001], "label": ["__label__ham"]}]).encode()

    answers = encoder(["credit card", "ham"]).decode(body, "application/json", 2, rows=2)

    assert answers == [
        {
            "label": "credit card",
            "probability": 0.75,
            "top": [{"label": "credit card", "probability": 0.75}, {"label": "ham", "probability": 0.25}],
        },
        {"label": "ham", "probability": 1.00001, "top": [{"label": "ham", "probability": 1.00001}]},
    ]
    assert len(encoder(["a", "ham"]).decode(body, "application/json", 1)[0]["top"]) == 1


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'[{"label": ["__label__a"], "prob": [1.0]}]', "answered for 1 of the request's 2 rows"),
        (b'[{"label": ["__label__a"], "prob": [1.0]}, {"label": [], "prob": []}]', "no label for row 2"),
        (b"no JSON", "cannot be read"),
    ],
)
def test_an_answer_that_does_not_fit_is_refused(body: bytes, message: str) -> None:
    with pytest.raises(PredictionFailed, match=message):
        encoder(["a", "b"]).decode(body, "application/json", 1, rows=2)


def test_a_saved_encoder_of_tokens_writes_the_same() -> None:
    fitted = encoder(["a", "b"])
    loaded = FittedEncoder.load(fitted.save())
    block = block_of({"post": ["One two", "3"], "label": ["b", "a"]})

    assert loaded.write(loaded.encode(block), np.array([1, 0], dtype=np.float32)) == b"__label__b one two\n__label__a 3\n"
