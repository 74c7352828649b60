"""A model's decision, chosen on the validation rows, is written beside its encoder, and the model is judged with it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sageline.encoder.decision import Decision
from sageline.errors import InvalidSpec, PredictionFailed
from tests.unit.batch.batches import MODEL, trained
from tests.unit.evaluation.evaluations import (
    PRICES,
    answer,
    document,
    encoder_of,
    held_out,
    judge,
    judge_both,
    parts_of,
    prepared,
    validation_labels,
)
from tests.unit.world.world import RUN_ID, World

RARE = b"size,kind\n" + b"".join(b"%d,%s\n" % (i, b"rose" if i % 10 == 0 else b"iris") for i in range(1_500))
DECISION = f"runs/{RUN_ID}/encoder/decision.json"
SHARES = {"train": 0.5, "validation": 0.25, "test": 0.25}


def shy(labels: list[str]) -> list[str]:
    """Probabilities of rose from a model that knows it, and never dares to answer it."""
    return ["0.3" if label == "rose" else "0.1" for label in labels]


def asked(world: World, evaluation: dict[str, Any] | None = None, **spec: Any) -> None:
    prepared(world, {"metric": "macro_f1"} if evaluation is None else evaluation, RARE, **{"split": SHARES, **spec})


def answered(world: World, evaluation: dict[str, Any] | None = None, **spec: Any) -> None:
    asked(world, evaluation, **spec)
    answer(world, "evaluation", shy([row["label"] for row in held_out(world)]), shy(validation_labels(world)))


def test_a_model_that_never_dared_to_answer_the_rare_label_answers_it(world: World) -> None:
    answered(world, decision={"calibration": "none"})

    evaluated = judge(world)

    told, record = document(world), world.record().details["evaluation"]
    assert evaluated["metrics"]["macro_f1"] == 1.0
    assert told["metrics"]["macro_f1"] == 1.0
    assert told["decision"]["before"]["metrics"]["macro_f1"] < 0.5
    assert told["decision"]["threshold"] == {"label": "rose", "at": 0.2}
    assert (told["decision"]["metric"], told["decision"]["positive"]) == ("macro_f1", "rose")
    assert told["decision"]["rows"] == len(validation_labels(world))
    in_short = {"metric": "macro_f1", "threshold": {"label": "rose", "at": 0.2}, "offsets": False, "calibration": None}
    assert (record["decision"], record["model_decision"]) == ("accepted", in_short)
    assert record["warnings"] == []


def test_the_same_decision_answers_predictions(world: World) -> None:
    answered(world, decision={"calibration": "none"})
    judge(world)
    encoder = encoder_of(world, RUN_ID)
    assert [row["label"] for row in encoder.decode(b"0.21\n0.19\n", "text/csv")] == ["rose", "iris"]
    saved = Decision.load(world.get(DECISION), encoder.classes)
    assert saved.measured["threshold"]["before"] < 0.5


def test_probabilities_are_calibrated_where_that_helps(world: World) -> None:
    answered(world, {"metric": "log_loss", "better_than_baseline": False})

    judge(world)

    told = document(world)["decision"]
    assert told["calibration"]["kind"] == "temperature"
    assert document(world)["metrics"]["log_loss"] < told["before"]["metrics"]["log_loss"]
    assert told["threshold"] is None


def test_where_nothing_helps_there_is_no_decision(world: World) -> None:
    answered(world, decision={"threshold": "none", "calibration": "isotonic"})
    judge(world)
    told = document(world)["decision"]
    assert (told["threshold"], told["calibration"], told["before"]) == (None, None, None)
    assert told["skipped"] == [
        f"An isotonic calibration takes 1,000 validation rows, and there are {len(validation_labels(world))}."
    ]
    assert world.keys(DECISION) == []
    assert "model_decision" not in world.record().details["evaluation"]


def test_what_was_asked_for_and_could_not_be_chosen_is_a_warning(world: World) -> None:
    prepared(world, {"metric": "macro_f1"})
    answer(world, "evaluation", shy([row["label"] for row in held_out(world)]))
    judge(world)
    [skipped] = document(world)["decision"]["skipped"]
    assert "it takes 50 validation rows, and there are " in skipped
    assert skipped in world.record().details["evaluation"]["warnings"]


def test_a_threshold_of_the_spec_is_taken(world: World) -> None:
    answered(world, decision={"threshold": 0.05, "calibration": "none"})
    judge(world)
    assert document(world)["decision"]["threshold"] == {"label": "rose", "at": 0.05}
    assert document(world)["classes"][1]["predicted"] == len(held_out(world))


def test_the_new_model_meets_the_champion_with_its_decision(world: World) -> None:
    trained(world, RARE)
    answered(world, {"metric": "macro_f1", "beat_champion": True}, decision={"calibration": "none"})
    assert judge(world)["decision"] == "compare"
    chosen = document(world)["decision"]
    answer(world, "champion", shy([row["label"] for row in held_out(world)]))

    assert judge_both(world)["decision"] == "accepted"

    told = document(world)
    assert told["decision"] == chosen
    comparison = told["champion"]["comparison"]
    assert (comparison["challenger"], comparison["champion"] < 0.5) == (1.0, True)


def test_a_champion_answers_by_its_own_decision(world: World) -> None:
    trained(world, RARE)
    decision = Decision(["iris", "rose"], positive="rose", threshold=0.2)
    world.put(f"runs/{MODEL}/encoder/decision.json", decision.save())
    answered(world, {"metric": "macro_f1", "beat_champion": True}, decision={"calibration": "none"})
    judge(world)
    answer(world, "champion", shy([row["label"] for row in held_out(world)]))
    judge_both(world)
    assert document(world)["champion"]["metrics"]["macro_f1"] == 1.0


def test_a_model_that_is_judged_a_second_time_is_judged_alike(world: World) -> None:
    answered(world)
    judge(world)
    first, decision = document(world)["decision"], world.get(DECISION)
    judge(world)
    assert (document(world)["decision"], world.get(DECISION)) == (first, decision)


def test_answers_for_other_rows_than_the_validation_rows_are_an_error(world: World) -> None:
    answered(world)
    [(key, rows)] = parts_of(world, "evaluation", validation=True)
    noted = json.loads(world.get(f"runs/{RUN_ID}/data/evaluation.json"))
    world.put(f"runs/{RUN_ID}/data/evaluation.json", json.dumps(noted | {"validation": [rows - 1]}).encode())
    world.put(f"runs/{RUN_ID}/transform/evaluation/{key.rsplit('/', 1)[1]}.out", b"0.5\n" * (rows - 1))
    with pytest.raises(PredictionFailed, match=f"{rows - 1} of {rows} validation rows"):
        judge(world)


def test_a_run_that_was_under_way_before_there_were_decisions_is_judged_as_before(world: World) -> None:
    answered(world)
    rows = json.loads(world.get(f"runs/{RUN_ID}/data/evaluation.json"))["rows"]
    world.put(f"runs/{RUN_ID}/data/evaluation.json", json.dumps({"rows": rows}).encode())
    judge(world)
    assert document(world)["decision"] is None


@pytest.mark.parametrize(
    ("data", "spec"),
    [
        (PRICES, {}),
        (RARE, {"algorithm": {"name": "knn"}}),
        (RARE, {"decision": {"threshold": "none", "calibration": "none"}}),
    ],
)
def test_where_there_is_nothing_to_choose_no_validation_row_is_asked_about(
    world: World, data: bytes, spec: dict[str, Any]
) -> None:
    prepared(world, None, data, **spec)
    assert parts_of(world, "evaluation", validation=True) == []
    assert world.keys(f"runs/{RUN_ID}/data/validation-labels/") == []
    assert "validation" not in json.loads(world.get(f"runs/{RUN_ID}/data/evaluation.json"))


@pytest.mark.parametrize(
    ("data", "spec", "expected"),
    [
        (PRICES, {"decision": {}}, "the task is regression; take it out"),
        (RARE, {"decision": {"threshold": 0.2}, "algorithm": {"name": "knn"}}, "knn answers labels only"),
        (RARE.replace(b"5,iris", b"5,tulip"), {"decision": {"threshold": 0.2}}, "for two classes, and there are 3"),
        (RARE.replace(b"5,iris", b"5,tulip"), {"decision": {"calibration": "isotonic"}}, 'say "temperature"'),
        (RARE, {"decision": {"threshold": 1.5}}, '`decision.threshold`: 1.5; expected "auto", "none" or a probability'),
    ],
)
def test_a_decision_that_cannot_be_is_refused(world: World, data: bytes, spec: dict[str, Any], expected: str) -> None:
    with pytest.raises(InvalidSpec, match=expected):
        prepared(world, None, data, **spec)
