"""A regression that learns logarithms: what is written, and what is answered."""

from __future__ import annotations

import json

import numpy as np
import pytest

from sageline.encoder import saved
from sageline.encoder.fitted import FittedEncoder
from sageline.evaluation.answer_arrays import read_values
from sageline.preparation.prepare import prepare_data
from tests.unit.preparation.test_fit_and_encode import Parts, as_csv, error_of, prepare_csv, spec_of
from tests.unit.preparation.test_prepare import configured, hyperparameters
from tests.unit.world.world import RUN_ID, World

SPEC = spec_of({"x": "number", "c": "category"}, "y", "regression", target={"transform": "log"})
ROWS = [(index, f"colour {index % 3}", index * 10 % 97) for index in range(90)]


def learnt(parts: Parts) -> list[float]:
    return [float(line.split(b",")[0]) for name in ("train", "validation") for line in parts.channels[name].splitlines()]


def test_logarithms_are_written_and_the_test_rows_keep_their_values() -> None:
    prepared, parts = prepare_csv(as_csv("x,c,y", ROWS), SPEC)

    held_out = [row["label"] for row in parts.raw]
    left = sorted(float(row[2]) for row in ROWS)
    for value in held_out:
        left.remove(value)
    np.testing.assert_allclose(sorted(learnt(parts)), np.log1p(left), rtol=1e-6)
    assert (prepared.profile["label"]["maximum"], prepared.encoder.target_transform) == (96, "log")


def test_a_columns_mean_label_is_one_of_logarithms() -> None:
    many = [(index, f"city {index % 120}", float(np.expm1(index % 120 / 100))) for index in range(1200)]
    spec = spec_of({"c": "category"}, "y", "regression", target={"transform": "log"})

    prepared, _ = prepare_csv(as_csv("x,c,y", many), spec)

    shares_and_means = prepared.encoder.encode_instances([{"c": "city 119"}])
    assert isinstance(shares_and_means, np.ndarray)
    assert 0.6 < shares_and_means[0, 1] < 1.19  # the logarithm is 1.19, and 0.6 on average


def test_answers_are_transformed_back_everywhere_alike() -> None:
    encoder = FittedEncoder.load(prepare_csv(as_csv("x,c,y", ROWS), SPEC)[0].encoder.save())
    body = b"0\n1.5\n-0.25\n4000\n"

    values = read_values(encoder, body, 4)

    assert values[:3].tolist() == [0, np.float32(np.expm1(1.5)), 0]
    assert np.isfinite(values[3])
    for batch in (True, False):
        answers = [row["value"] for row in encoder.decode(body, "text/csv", batch=batch)]
        assert np.array(answers, dtype=np.float32).tolist() == values.tolist()


def test_a_value_below_0_has_no_logarithm() -> None:
    message = error_of(as_csv("x,c,y", [*ROWS, (1, "colour 1", -3)]), SPEC)

    assert "row 91, label column 'y': '-3' is below 0, and `target.transform` is log" in message


def test_a_run_finds_the_long_tail_itself_and_fits_the_objective_to_the_logarithms(world: World) -> None:
    values = np.exp(np.random.default_rng(0).normal(3, 1, 400))
    configured(
        world,
        b"size,price\n" + b"".join(b"%d.5,%.3f\n" % (index, value) for index, value in enumerate(values)),
        evaluation={"metric": "mae"},
    )

    prepare_data(RUN_ID, run=world.run)

    spec = json.loads(world.get(f"runs/{RUN_ID}/spec.json"))
    assert spec["target"] == {"transform": "log"}
    assert hyperparameters(world)["objective"] == "reg:squarederror"
    document = json.loads(world.get(f"runs/{RUN_ID}/encoder/encoder.json"))
    assert (document["version"], document["target_transform"]) == (6, "log")


@pytest.mark.parametrize(("version", "expected"), [(5, "none"), (6, "log")])
def test_an_encoder_saved_before_learnt_the_values_as_they_are(
    version: int, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    document, arrays = saved.unpack(prepare_csv(as_csv("x,c,y", ROWS), SPEC)[0].encoder.save())
    monkeypatch.setattr(saved, "VERSION", version)
    left = {name: value for name, value in document.items() if name != "version" and (version == 6 or name != "target_transform")}

    assert FittedEncoder.load(saved.pack(left, arrays)).target_transform == expected
