"""Judging a new model beside the one in service, the champion."""

from __future__ import annotations

import json
import re

import pytest

from sageline.evaluation import held_out_rows
from sageline.evaluation.evaluate import ErrorOutput
from tests.unit.batch.batches import MODEL, trained
from tests.unit.evaluation.evaluations import (
    FLOWERS,
    PRICES,
    answer,
    compared,
    document,
    encoder_of,
    held_out,
    judge,
    judge_both,
    judged,
    parts_of,
    prepared,
    right_but,
)
from tests.unit.world.world import BUCKET, RUN_ID, World


def test_the_first_model_of_an_endpoint_has_nobody_to_beat(world: World) -> None:
    evaluated = judged(world, wrong=3, evaluation={"beat_champion": True})
    assert evaluated["decision"] == "accepted"
    assert evaluated["reason"].endswith("; no model is in service that the new one must beat.")
    assert document(world)["champion"] is None


def test_the_champion_is_asked_about_the_same_rows_in_its_own_encoding(world: World) -> None:
    trained(world, FLOWERS, encoder={"kind": "columns", "category": {"encoding": "ordinal"}})
    prepared(world, {"beat_champion": True})
    answer(world, "evaluation", right_but(world, 3))
    evaluated = judge(world)
    plan = evaluated["transform"]
    assert (evaluated["decision"], plan["model_name"]) == ("compare", MODEL)
    assert plan["input_uri"] == f"s3://{BUCKET}/runs/{RUN_ID}/data/champion/"
    assert plan["output_uri"] == f"s3://{BUCKET}/runs/{RUN_ID}/transform/champion/"
    own, champions = (world.get(parts_of(world, of)[0][0]).decode().splitlines() for of in ("evaluation", "champion"))
    assert [line.split(",")[0] for line in own] == [line.split(",")[0] for line in champions]
    assert len(own[0].split(",")) > len(champions[0].split(","))
    assert (document(world)["gate"]["decision"], world.record().status) == ("compare", "Running")


def test_the_champion_is_the_variant_of_most_weight(world: World) -> None:
    trained(world, FLOWERS)
    stored = world.run.routings.find("flowers")
    assert stored is not None
    assert stored.routing is not None
    [variant] = stored.routing.variants
    lesser = {**vars(variant), "name": "flowers-20261118100000-aaaaaa", "model_name": "lesser", "weight": 0.3}
    routing = type(stored.routing)("flowers", (type(variant)(**lesser), variant), "2026-11-19T12:00:00.000Z")
    world.run.routings.write(routing, stored)
    prepared(world, {"beat_champion": True})
    answer(world, "evaluation", right_but(world, 3))
    assert judge(world)["transform"]["model_name"] == MODEL


def test_a_model_that_is_clearly_better_is_accepted(world: World) -> None:
    evaluated = compared(world, new=2, old=30)
    assert evaluated["decision"] == "accepted"
    assert "; the new model is better: accuracy is 0.98" in evaluated["reason"]
    champion = document(world)["champion"]
    assert (champion["variant"], champion["comparison"]["test"], champion["comparison"]["better"]) == (
        MODEL,
        "mcnemar-exact",
        True,
    )
    assert champion["metrics"]["accuracy"] < document(world)["metrics"]["accuracy"]
    assert (world.record().state, world.record().status) == ("CompareModels", "Running")


@pytest.mark.parametrize(
    ("new", "old", "reason"),
    [
        (30, 2, "The new model is worse: "),
        (3, 5, "is not better by more than chance"),
        (3, 3, "The new model is as good as the one in"),
    ],
)
def test_a_model_that_is_not_clearly_better_is_refused(world: World, new: int, old: int, reason: str) -> None:
    evaluated = compared(world, new, old)
    assert evaluated["decision"] == "rejected"
    assert reason in evaluated["reason"]
    assert world.record().status == "Rejected"


def test_models_are_compared_by_the_metric_that_the_spec_names(world: World) -> None:
    evaluated = compared(world, new=2, old=30, evaluation={"metric": "log_loss"})
    comparison = document(world)["champion"]["comparison"]
    assert (evaluated["decision"], comparison["metric"], comparison["test"]) == ("accepted", "log_loss", "jackknife-t")


def test_the_champion_is_not_asked_when_the_model_fails_a_limit_anyway(world: World) -> None:
    trained(world, FLOWERS)
    evaluated = judged(world, wrong=30, evaluation={"beat_champion": True, "at_least": {"accuracy": 0.95}})
    assert evaluated["decision"] == "rejected"
    assert world.keys(f"runs/{RUN_ID}/data/champion") == []


def test_a_champion_may_read_a_column_that_the_new_model_leaves_out(world: World) -> None:
    trained(world, FLOWERS, dataset={"uri": f"s3://{BUCKET}/datasets/flowers/data.csv", "features": {"colour": "category"}})
    dataset = {"uri": f"s3://{BUCKET}/datasets/flowers/data.csv", "label": "kind", "features": {"size": "number"}}
    prepared(world, {"beat_champion": True}, dataset=dataset)
    answer(world, "evaluation", right_but(world, 3))
    assert judge(world)["decision"] == "compare"
    [(key, _)] = parts_of(world, "champion")
    colours = ["0,1" if row["others"]["colour"] == "red" else "1,0" for row in held_out(world)]
    assert world.get(key).decode().splitlines() == colours


def test_a_champion_that_reads_a_column_which_is_not_there_refuses_the_model_with_the_reason(world: World) -> None:
    trained(world, FLOWERS)
    prepared(
        world,
        {"beat_champion": True},
        b"\n".join(b",".join(line.split(b",")[:2] + line.split(b",")[3:]) for line in FLOWERS.split(b"\n")[:-1]),
    )
    answer(world, "evaluation", right_but(world, 0))
    evaluated = judge(world)
    assert evaluated["decision"] == "rejected"
    assert f"{MODEL}, which is in service, cannot be compared: the test rows have no column 'colour'" in evaluated["reason"]
    assert "cannot be compared" in document(world)["champion"]["problem"]


def test_a_champion_of_the_other_task_refuses_the_model_with_the_reason(world: World) -> None:
    trained(world, PRICES)
    world.s3.delete_object(Bucket=BUCKET, Key=f"runs/{MODEL}/spec.json")  # by which it would have been noticed before
    evaluated = judged(world, wrong=0, evaluation={"beat_champion": True})
    assert evaluated["decision"] == "rejected"
    assert "the model in service does a regression, and the new one a classification" in evaluated["reason"]


def test_a_champions_labels_that_the_new_model_does_not_know_are_wrong_answers(world: World) -> None:
    three = FLOWERS + b"".join(b"row %d,%d,green,aster\n" % (i + 500, i) for i in range(200))
    trained(world, three)
    prepared(world, {"beat_champion": True})
    answer(world, "evaluation", right_but(world, 0))
    judge(world)
    labels = [row["label"] for row in held_out(world)]
    place = ["aster", "iris", "rose"].index
    answer(world, "champion", [str([float(n == (0 if i < 10 else place(x))) for n in range(3)]) for i, x in enumerate(labels)])
    assert judge_both(world)["decision"] == "accepted"
    champion = document(world)["champion"]["metrics"]
    assert champion["accuracy"] == pytest.approx(1 - 10 / len(labels))


@pytest.mark.parametrize(
    ("metric", "decision", "reason"),
    [
        ("accuracy", "accepted", "; the new model is better: accuracy is 1, the one in service has 0."),
        (
            "log_loss",
            "rejected",
            f"{MODEL}, which is in service, cannot be compared: log_loss is not known of the model in service;",
        ),
    ],
)
def test_a_champion_that_answers_labels_only_is_compared_by_what_these_tell(
    world: World, metric: str, decision: str, reason: str
) -> None:
    trained(world, FLOWERS, algorithm={"name": "knn"})
    prepared(world, {"beat_champion": True, "metric": metric})
    answer(world, "evaluation", right_but(world, 0))
    judge(world)
    roses = [row["label"] == "rose" for row in held_out(world)]
    answer(world, "champion", [json.dumps({"predicted_label": float(rose != (i < 30))}) for i, rose in enumerate(roses)])

    evaluated = judge_both(world)

    assert evaluated["decision"] == decision
    assert reason in evaluated["reason"]


def test_a_champion_whose_answers_cannot_be_read_refuses_the_model_with_the_reason(world: World) -> None:
    trained(world, FLOWERS)
    prepared(world, {"beat_champion": True})
    answer(world, "evaluation", right_but(world, 0))
    judge(world)
    answer(world, "champion", ["nonsense"] * len(held_out(world)))
    evaluated = judge_both(world)
    assert evaluated["decision"] == "rejected"
    assert "the model's answer cannot be read" in evaluated["reason"]


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (
            {"Error": "EndpointNotFound", "Cause": '{"errorMessage": "Model m is not there any more.", "errorType": "E"}'},
            "Model m is not there any more;",
        ),
        (
            {"Error": "TransformJobFailed", "Cause": "Transform job t failed: no.\nLast log lines:\n  x\nWhat to try: y"},
            "Transform job t failed: no;",
        ),
    ],
)
def test_a_champion_that_could_not_answer_refuses_the_model_with_the_reason(
    world: World, failure: ErrorOutput, reason: str
) -> None:
    trained(world, FLOWERS)
    prepared(world, {"beat_champion": True, "at_least": {"accuracy": 0.5}})
    answer(world, "evaluation", right_but(world, 0))
    judge(world)

    evaluated = judge_both(world, failure)

    assert (evaluated["decision"], world.record().status) == ("rejected", "Rejected")
    assert evaluated["reason"] == (
        f"It is not known whether the new model is better: {MODEL}, which is in service, cannot be compared: {reason} "
        "to deploy the model all the same, set `evaluation.beat_champion` to false."
    )
    written = document(world)
    assert (written["champion"]["variant"], written["champion"]["comparison"]) == (MODEL, None)
    assert [check["passed"] for check in written["gate"]["checks"]] == [True, True, False]


def test_an_encoder_of_the_champion_that_is_gone_refuses_the_model(world: World) -> None:
    trained(world, FLOWERS)
    for key in world.keys(f"runs/{MODEL}/encoder/"):
        world.s3.delete_object(Bucket=BUCKET, Key=key)
    evaluated = judged(world, wrong=0, evaluation={"beat_champion": True})
    assert evaluated["decision"] == "rejected"
    assert "of the model's encoder, by which it reads rows, was deleted" in evaluated["reason"]


def test_what_is_a_number_for_one_model_may_be_a_text_for_another(world: World) -> None:
    dataset = {"uri": f"s3://{BUCKET}/datasets/flowers/data.csv", "label": "kind"}
    trained(world, FLOWERS, dataset={**dataset, "features": {"size": "text"}}, encoder={"kind": "columns", "layout": "sparse"})
    prepared(world, {"beat_champion": True}, dataset={**dataset, "features": {"size": "number"}})
    answer(world, "evaluation", right_but(world, 3))
    evaluated = judge(world)
    assert (evaluated["decision"], evaluated["transform"]["content_type"]) == ("compare", "application/x-recordio-protobuf")
    [(key, rows)] = parts_of(world, "champion")
    words = encoder_of(world, MODEL).encode_instances([{"size": text} for text in spelled(world)])
    assert world.get(key) == encoder_of(world, MODEL).batch_body(words)
    assert rows == len(held_out(world))


def spelled(world: World) -> list[str]:
    """The sizes of the test rows, as the dataset spells them."""
    return [f"{row['features']['size']:g}" for row in held_out(world)]


def test_where_a_part_is_one_request_each_has_no_more_rows_than_are_encoded_at_a_time(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sageline.encoder.fitted._CHUNK_CELLS", 30)
    monkeypatch.setattr(held_out_rows, "_PIECE_CELLS", 30)
    prepared(world, algorithm={"name": "tensorflow"})
    encoder = encoder_of(world, RUN_ID)
    rows = held_out_rows.encode_for_champion(RUN_ID, encoder, files=world.run.files)
    world.put(f"runs/{RUN_ID}/data/champion.json", json.dumps({"rows": rows}).encode())

    for of in ("evaluation", "champion"):
        sizes = [rows for _, rows in parts_of(world, of)]
        assert set(sizes[:-1]) == {30 // encoder.feature_dim}
        first = json.loads(world.get(parts_of(world, of)[0][0]))["instances"]
        assert (len(first), sum(sizes)) == (sizes[0], len(held_out(world)))


def test_the_rows_of_a_champion_are_encoded_as_those_of_the_new_model(world: World) -> None:
    prepared(world)
    encoder = encoder_of(world, RUN_ID)
    rows = held_out_rows.encode_for_champion(RUN_ID, encoder, files=world.run.files)
    world.put(f"runs/{RUN_ID}/data/champion.json", json.dumps({"rows": rows}).encode())

    [(asked, _)], [(of_champion, _)] = parts_of(world, "evaluation"), parts_of(world, "champion")
    assert world.get(asked) == world.get(of_champion)


def test_a_value_that_the_champion_cannot_take_refuses_the_model_and_names_the_rows(world: World) -> None:
    dataset = {"uri": f"s3://{BUCKET}/datasets/flowers/data.csv", "label": "kind"}
    trained(world, FLOWERS, dataset={**dataset, "features": {"size": "number"}})
    words = b"id,size,colour,kind\n" + b"".join(
        b"%d,size %d,red,%s\n" % (i, i % 7, (b"rose", b"iris")[i % 2]) for i in range(400)
    )
    prepared(world, {"beat_champion": True}, words, dataset={**dataset, "features": {"size": "category"}})
    answer(world, "evaluation", right_but(world, 0))
    evaluated = judge(world)
    assert evaluated["decision"] == "rejected"
    assert re.search(
        r"cannot be compared: test rows 1 to \d+: instances\[\d+\], column 'size': 'size \d' is not a", evaluated["reason"]
    )
