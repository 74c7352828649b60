"""A run whose answers are read by many functions, each some of the objects: what is written, and what is said of a bad answer."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sageline.batch import encode as batch_encode
from sageline.costs.actual import BilledJob, with_billed_job
from sageline.costs.sharded_evaluation import evaluation_usd
from sageline.errors import PredictionFailed
from sageline.evaluation.candidates.choose import choose_candidate
from sageline.evaluation.candidates.validate import validate_candidate
from sageline.evaluation.evaluate import Evaluated, compare_models, evaluate_model
from sageline.evaluation.held_out_rows import ObjectRange
from sageline.evaluation.shards import in_shards
from sageline.evaluation.shards.in_shards import cut
from sageline.evaluation.shards.work import evaluate_shard
from sageline.runs.payloads import EvaluationWork, ShardedEvaluation
from sageline.spec.preparation import PreparationSpec
from sageline.storage.part_sink import S3PartSink
from tests.unit.batch.batches import trained
from tests.unit.evaluation import candidates
from tests.unit.evaluation.evaluations import (
    FLOWERS,
    PRICES,
    answer,
    document,
    held_out,
    parts_of,
    prepared,
    right_but,
    validation_labels,
)
from tests.unit.world.world import RUN_ID, World

SPLIT = {"train": 0.4, "validation": 0.3, "test": 0.3}


@pytest.fixture(autouse=True)
def small_objects(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several of each kind, of which those of raw rows begin with other rows than those of the answers."""
    monkeypatch.setattr(batch_encode, "_PART_ROWS", 20)
    monkeypatch.setattr("sageline.encoder.fitted._CHUNK_CELLS", 40)
    monkeypatch.setattr(S3PartSink.__init__, "__defaults__", (400,))
    monkeypatch.setattr("sageline.preparation.prepare.PART_BYTES", 400)


def ask_for_shards(world: World, workers: int = 3, run_id: str = RUN_ID) -> None:
    """As if the spec had asked for so many workers."""
    spec = world.run.files.read_spec(run_id)
    world.run.files.write_spec(run_id, spec.model_copy(update={"preparation": PreparationSpec(workers=workers)}))


def work(world: World, asked: ShardedEvaluation, run_id: str = RUN_ID) -> None:
    """What EvaluateShards does, in no particular order."""
    for shard in reversed(range(asked["shards"])):
        evaluate_shard(run_id, asked["work"], shard, run_files=world.run.files)


def judge(world: World) -> tuple[Evaluated, list[EvaluationWork]]:
    """The judgement, and what was done in shards for it."""
    works: list[EvaluationWork] = []
    answered = evaluate_model(RUN_ID, run=world.run)
    while answered["decision"] == "shards":
        works.append(answered["work"])
        work(world, answered)
        answered = evaluate_model(RUN_ID, done=works[-1], run=world.run)
    return answered, works


def judge_both(world: World) -> tuple[Evaluated, list[EvaluationWork]]:
    """The same of the comparison."""
    works: list[EvaluationWork] = []
    answered = compare_models(RUN_ID, done="encoding", run=world.run)
    while answered["decision"] == "shards":
        works.append(answered["work"])
        work(world, answered)
        answered = compare_models(RUN_ID, done=works[-1], run=world.run)
    return answered, works


def validate_in_shards(world: World, run_id: str) -> tuple[Evaluated, list[EvaluationWork]]:
    """The same of a candidate's validation."""
    works: list[EvaluationWork] = []
    answered = validate_candidate(run_id, run=world.run)
    while answered["decision"] == "shards":
        works.append(answered["work"])
        work(world, answered, run_id)
        answered = validate_candidate(run_id, done=works[-1], run=world.run)
    return answered, works


def judgement(world: World) -> dict[str, Any]:
    """evaluation.json but for when it was written."""
    return {name: value for name, value in document(world).items() if name != "created_at"}


def unsure(world: World) -> list[str]:
    """Answers that a decision makes better: 0.3 is right of a rose."""
    return ["0.3" if row["label"] == "rose" else "0.1" for row in held_out(world)]


def prices(world: World) -> list[str]:
    return [str(row["label"] * 1.1 + 1) for row in held_out(world)]


def weigh(data: bytes) -> bytes:
    first, *lines = data.splitlines()
    return b"\n".join([first + b",often", *(line + b",%d.1" % (number % 4) for number, line in enumerate(lines))]) + b"\n"


@pytest.mark.parametrize(
    ("data", "dataset", "works"),
    [
        (FLOWERS, {"label": "kind"}, ["decision", "evaluation"]),
        (weigh(FLOWERS), {"label": "kind", "weight": "often"}, ["decision", "evaluation"]),
        (PRICES, {"label": "price"}, ["evaluation"]),
    ],
    ids=["labels", "weights", "values"],
)
def test_the_evaluation_is_the_same_to_a_digit(world: World, data: bytes, dataset: dict[str, Any], works: list[str]) -> None:
    uri = "s3://sageline-data/datasets/flowers/data.csv"
    prepared(world, {"better_than_baseline": False}, data, dataset={"uri": uri, **dataset}, split=SPLIT)
    if dataset["label"] == "price":
        answer(world, "evaluation", prices(world))
    else:
        validation = ["0.3" if label == "rose" else "0.1" for label in validation_labels(world)]
        answer(world, "evaluation", unsure(world), validation)
    alone, nothing = judge(world)
    written = judgement(world)

    ask_for_shards(world)
    sharded, done = judge(world)

    assert (nothing, done) == ([], works)
    assert len(parts_of(world, "evaluation")) > 3
    assert sharded == alone
    assert judgement(world) == written
    noted = world.record().details["evaluation"]["shards"]
    assert noted["evaluation"].pop("usd") < 0.001
    assert noted["evaluation"] == {"shards": 3, "workers": 3, "reason": "the run is prepared in shards, as asked for"}


def test_the_model_in_service_is_asked_and_judged_in_shards_too(world: World) -> None:
    """It knows a label that the new model does not."""
    three = FLOWERS + b"".join(b"row %d,%d,green,aster\n" % (i + 500, i) for i in range(200))
    trained(world, three)
    prepared(world, {"beat_champion": True}, split=SPLIT)
    answer(world, "evaluation", right_but(world, 1))

    def of_champion() -> list[str]:
        place = ["aster", "iris", "rose"].index
        labels = [row["label"] for row in held_out(world)]
        return [str([float(n == (0 if i < 10 else place(x))) for n in range(3)]) for i, x in enumerate(labels)]

    evaluate_model(RUN_ID, run=world.run)
    answer(world, "champion", of_champion())
    alone = compare_models(RUN_ID, run=world.run)
    written = judgement(world)
    encoded = b"".join(world.get(key) for key, _ in parts_of(world, "champion"))
    for key in world.keys(f"runs/{RUN_ID}/data/champion/"):
        world.s3.delete_object(Bucket="sageline-data", Key=key)

    ask_for_shards(world)
    asked, works = judge(world)
    answer(world, "champion", of_champion())
    sharded, of_both = judge_both(world)

    assert (asked["decision"], works, of_both) == ("compare", ["decision", "evaluation", "encoding"], ["champion"])
    assert b"".join(world.get(key) for key, _ in parts_of(world, "champion")) == encoded
    assert sharded == alone
    assert judgement(world) == written
    assert len(document(world)["classes"]) == 3


def test_a_candidate_is_validated_in_shards_as_by_one_function(world: World) -> None:
    run_id = candidates.begun(world)["xgboost"]
    candidates.answered(world, run_id, 2)
    alone = validate_candidate(run_id, run=world.run)
    noted = world.record(run_id).details["validation"]

    ask_for_shards(world, run_id=run_id)
    answered, works = validate_in_shards(world, run_id)

    assert works == ["decision", "validation"]
    assert (answered, world.record(run_id).details["validation"]) == (alone, noted)


def test_what_is_wrong_with_answers_is_said_once_with_the_object(world: World) -> None:
    prepared(world, split=SPLIT)
    answer(world, "evaluation", right_but(world, 1))
    ask_for_shards(world, 4)
    names = [key.rpartition("/")[2] for key, _ in parts_of(world, "evaluation")]
    for name in names[1:]:
        world.s3.delete_object(Bucket="sageline-data", Key=f"runs/{RUN_ID}/transform/evaluation/{name}.out")

    with pytest.raises(PredictionFailed, match=rf"has left no s3://.*/{names[1]}\.out, the answers for \d+ rows") as caught:
        judge(world)

    assert caught.value.message.count(".out") == 1


def test_rows_that_nobody_was_asked_about_are_an_error(world: World) -> None:
    prepared(world, split=SPLIT)
    answer(world, "evaluation", right_but(world, 1))
    ask_for_shards(world)
    noted = json.loads(world.get(f"runs/{RUN_ID}/data/evaluation.json"))
    world.put(f"runs/{RUN_ID}/data/evaluation.json", json.dumps(noted | {"rows": noted["rows"][:-1]}).encode())

    asked = sum(noted["rows"][:-1])
    with pytest.raises(PredictionFailed, match=f"asked about {asked} of {len(held_out(world))} test rows only"):
        judge(world)


def test_a_value_that_the_champion_cannot_take_refuses_the_model_and_names_the_first_rows(world: World) -> None:
    dataset = {"uri": "s3://sageline-data/datasets/flowers/data.csv", "label": "kind"}
    trained(world, FLOWERS, dataset={**dataset, "features": {"size": "number"}})
    words = b"id,size,colour,kind\n" + b"".join(
        b"%d,size %d,red,%s\n" % (i, i % 7, (b"rose", b"iris")[i % 2]) for i in range(400)
    )
    encoder = {"kind": "columns", "category": {"encoding": "ordinal"}}
    as_words = {**dataset, "features": {"size": "category"}}
    prepared(world, {"beat_champion": True}, words, dataset=as_words, encoder=encoder, split=SPLIT)
    answer(world, "evaluation", right_but(world, 0))
    ask_for_shards(world)

    judged, works = judge(world)

    assert (judged["decision"], works[-1]) == ("rejected", "encoding")
    assert "cannot be compared: test rows 1 to " in judged["reason"]
    assert judged["reason"].count("test rows ") == 1


def test_without_being_asked_the_bytes_to_read_decide(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    prepared(world, split=SPLIT)
    answer(world, "evaluation", right_but(world, 1))
    assert judge(world)[1] == []

    monkeypatch.setattr(in_shards, "ALONE_BYTES", 2000)
    monkeypatch.setattr(in_shards, "SHARD_BYTES", 3000)
    judged, works = judge(world)

    assert (judged["decision"], works) == ("accepted", ["decision", "evaluation"])
    noted = world.record().details["evaluation_shards"]["evaluation"]
    assert noted["reason"].startswith("there are ")
    assert noted["shards"] > 2
    assert noted["workers"] == noted["shards"], "there are more workers than shards"


def test_what_was_done_in_shards_is_in_the_bound_and_in_what_the_run_did_cost(world: World) -> None:
    prepared(world, split=SPLIT)
    answer(world, "evaluation", right_but(world, 1))
    ask_for_shards(world)
    job = BilledJob(job=f"{RUN_ID}-test", use="transform", instance_type="ml.m5.large", instances=1, seconds=360)
    before = with_billed_job(world.record().details["cost"], job)
    world.run.store.note(RUN_ID, cost=before)

    judge(world)
    judge(world)

    cost, works = world.record().details["cost"], world.record().details["evaluation_shards"]
    about = works["decision"]["usd"] + works["evaluation"]["usd"]
    [part] = [part for part in cost["parts"] if part["what"] == "evaluation in shards"]
    assert part["text"].startswith("evaluation in shards: decision, evaluation in 6 shards, for about $0.000")
    assert cost["evaluation_usd"] == pytest.approx(about)
    assert cost["actual_usd"] == pytest.approx(before["actual_usd"] + about, abs=1e-6)
    assert cost["most_usd"] == pytest.approx(before["most_usd"] + 3 * about, abs=1e-6)


def test_a_run_has_the_cost_of_its_candidates_evaluation_in_shards(world: World) -> None:
    planned = candidates.begun(world)
    for run_id in planned.values():
        candidates.answered(world, run_id, 2)
        ask_for_shards(world, run_id=run_id)
        validate_in_shards(world, run_id)

    choose_candidate(RUN_ID, run=world.run)

    cost, each = world.record().details["cost"], [world.record(run_id).details["cost"] for run_id in planned.values()]
    assert [part["run_id"] for part in cost["parts"] if part["what"] == "evaluation in shards"] == list(planned.values())
    assert cost["evaluation_usd"] == pytest.approx(sum(candidate["evaluation_usd"] for candidate in each))
    assert cost["actual_usd"] == pytest.approx(sum(candidate["actual_usd"] for candidate in each))


def test_more_bytes_and_shards_cost_more_and_encoding_most() -> None:
    # 26.8 GB at 13 MB/s and 200 s of starting, each second $0.0000133 for 1.73 GB; 204 transitions; 6,700 GETs; 1,700 PUTs
    scored = evaluation_usd(100 * (256 << 20), 100, encodes=False)
    assert scored == pytest.approx(0.0522 + 0.0051 + 0.0027 + 0.0085, rel=0.01)
    assert evaluation_usd(100 * (256 << 20), 200, encodes=False) > scored
    assert evaluation_usd(100 * (256 << 20), 100, encodes=True) > 1.9 * scored


def test_a_run_that_an_earlier_version_has_prepared_is_evaluated_by_one_function(world: World) -> None:
    prepared(world, split=SPLIT)
    answer(world, "evaluation", right_but(world, 1))
    ask_for_shards(world)
    noted = json.loads(world.get(f"runs/{RUN_ID}/data/evaluation.json"))
    del noted["lines"]
    world.put(f"runs/{RUN_ID}/data/evaluation.json", json.dumps(noted).encode())

    assert judge(world)[1] == []


def test_shards_are_objects_with_about_as_many_rows_each() -> None:
    assert cut([10, 10, 10, 10], 2) == [ObjectRange(0, 2, 0, 4, 40), ObjectRange(2, 4, 20, 4, 40)]
    assert [part.first for part in cut([5, 30], 2)] == [0, 1]
    assert [part.first for part in cut([1, 1, 1, 97], 3)] == [0, 2, 3]
    assert cut([30, 5, 5], 2) == [ObjectRange(0, 1, 0, 3, 40), ObjectRange(1, 3, 30, 3, 40)]
    assert [part.first for part in cut([1] * 7, 100)] == list(range(7))
    assert len(cut([1] * 10_000, 300)) == 300
