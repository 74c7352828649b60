from __future__ import annotations

import json

import httpx
import pytest

from cli.errors import CommandFailed
from cli.predict import batches, predict
from tests.unit.cli.fakes import FakeApi, Respond

PATH = "/endpoints/wine/predictions"


def echo(variant: str = "v1") -> Respond:
    def respond(request: httpx.Request) -> tuple[int, object]:
        instances = json.loads(request.content)["instances"]
        predictions = [{"label": instance["a"], "probability": 1.0} for instance in instances]
        return 200, {"predictions": predictions, "endpoint": "wine", "variant": variant, "model_version": variant}

    return respond


def test_batches_cover_every_row_once_and_in_order() -> None:
    rows: list[object] = list(range(450))
    found = list(batches(rows))
    assert [(start, len(batch)) for start, batch in found] == [(0, 200), (200, 200), (400, 50)]
    assert [row for _, batch in found for row in batch] == rows


def test_batches_of_long_texts_are_small_and_one_that_is_too_long_goes_alone() -> None:
    texts = ["x" * 200_000, "x" * 200_000, "x" * 200_000, "x" * 900_000, "y"]
    assert [len(batch) for _, batch in batches(texts)] == [2, 1, 1, 1]


def test_many_rows_are_predicted_in_order_with_progress(api: FakeApi) -> None:
    api.routes["POST", PATH] = echo()
    done: list[int] = []
    answer = predict(api.client(), "wine", [{"a": str(i)} for i in range(450)], advance=done.append)
    assert [prediction["label"] for prediction in answer["predictions"]] == [str(i) for i in range(450)]
    assert (answer["variant"], done) == ("v1", [200, 200, 50])
    assert "variant" not in answer["predictions"][0]


def test_each_prediction_names_its_variant_when_two_variants_answered(api: FakeApi) -> None:
    def respond(request: httpx.Request) -> tuple[int, object]:
        return echo(f"v{len(api.requests)}")(request)

    api.routes["POST", PATH] = respond
    answer = predict(api.client(), "wine", [{"a": "x"}] * 201)
    assert [prediction["variant"] for prediction in answer["predictions"]] == ["v1"] * 200 + ["v2"]


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("instances[3]: column `b` is missing.", "row 204: column `b` is missing."),
        ("The model failed.", "The model failed. (In the request that began with row 201.)"),
    ],
)
def test_a_refused_row_is_counted_in_the_whole_input(api: FakeApi, said: str, shown: str) -> None:
    def respond(request: httpx.Request) -> tuple[int, object]:
        if len(api.requests) == 1:
            return echo()(request)
        return 400, {"error": {"code": "InvalidRequest", "message": said, "details": {"column": "b"}}}

    api.routes["POST", PATH] = respond
    with pytest.raises(CommandFailed) as caught:
        predict(api.client(), "wine", [{"a": "x"}] * 210)
    assert (caught.value.message, caught.value.code, caught.value.details) == (shown, "InvalidRequest", {"column": "b"})
