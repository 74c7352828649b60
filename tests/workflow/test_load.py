"""A canary under load: every answer is that of the model that gave it."""

from __future__ import annotations

import random
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from sageline.json_objects import Json
from sageline.runs.routing_store import RoutingStore
from sageline.serving.answer import PredictionResponse
from sageline.serving.predict import Predictor
from sageline.serving.request import PredictionRequest
from sageline.serving.rows import Instances
from sageline.serving.stored import EncoderCache, RoutingCache
from tests.workflow.rollouts import INSTANCES, QUICK, canary, traffic
from tests.workflow.workbench import Workbench, csv_text

pytestmark = [pytest.mark.stack, pytest.mark.full]

CLIENTS, REQUESTS = 50, 5_000
WORDS = {
    "first": {"sea": ("wave", "harbour", "sail"), "hill": ("slope", "summit", "goat"), "town": ("street", "tram", "square")},
    "second": {"sea": ("tide", "gull", "salt"), "hill": ("ridge", "heath", "cairn"), "town": ("market", "lamp", "square")},
}


def notes(vocabulary: str, rows: int = 240) -> str:
    """Short texts; which words tell the kind depends on the vocabulary."""
    draw, words = random.Random(vocabulary), WORDS[vocabulary]
    kinds = [list(words)[number % 3] for number in range(rows)]
    return csv_text(
        ["note", "kind"], [[" ".join(draw.choices(words[kind], k=3)) + f" {number}", kind] for number, kind in enumerate(kinds)]
    )


def asked_texts() -> list[str]:
    """Texts of both vocabularies, which no model knows all the words of."""
    draw = random.Random(0)
    words = [word for vocabulary in WORDS.values() for group in vocabulary.values() for word in group]
    return [" ".join(draw.choices(words, k=4)) for _ in range(40)]


def predictor(workbench: Workbench) -> Predictor:
    """What the function holds that serves predictions: each of its processes has one."""
    connection = workbench.connection
    return Predictor(
        routing=RoutingCache(RoutingStore(connection.s3, connection.bucket)),
        encoders=EncoderCache(connection.s3),
        runtime=workbench.runtime,
        sagemaker=lambda: workbench.sagemaker,
        new_session=lambda: uuid.uuid4().hex,
    )


def answers_alone(workbench: Workbench, variant: str, texts: list[str]) -> dict[str, Json]:
    """What a model answers that has the endpoint for itself."""
    answers = {text: workbench.connection.api.predict("loaded", [text], 3) for text in texts}
    assert {answer["variant"] for answer in answers.values()} == {variant}
    return {text: answer["predictions"][0] for text, answer in answers.items()}


def test_under_load_every_answer_is_that_of_its_variants_model(workbench: Workbench) -> None:
    """50 clients ask the code of the function, each with caches of its own: Lambda would start as many processes of it, which is
    more than this machine can. Some ask by the HTTP API besides. On a slow machine the clients ask on after the rollout, until
    they have asked enough."""
    texts, deployment = asked_texts(), {"endpoint": "loaded", "instances": INSTANCES}
    first = workbench.wait(workbench.submit("loaded", notes("first"), {**QUICK, "deployment": deployment}).run_id)
    assert first["status"] == "Succeeded", first["error"]
    old = first["run_id"]
    expected = {old: answers_alone(workbench, old, texts)}
    new = workbench.submit("loaded", notes("second"), {**QUICK, "deployment": {**deployment, **canary(30, 0.3)}}).run_id
    workbench.wait(new, state="Bake")
    ended = threading.Event()

    def ask(client: int) -> list[tuple[str, PredictionResponse | Exception]]:
        draw, serving = random.Random(client), predictor(workbench)
        answers: list[tuple[str, PredictionResponse | Exception]] = []
        while not ended.is_set() or len(answers) < REQUESTS / CLIENTS:
            text = draw.choice(texts)
            try:
                answers.append((text, serving.predict("loaded", PredictionRequest(Instances([text]), 3, None))))
            except Exception as error:  # whatever it is, no request may fail
                answers.append((text, error))
        return answers

    with traffic(workbench, "loaded", 2, texts[:1]) as by_http, ThreadPoolExecutor(CLIENTS) as pool:
        asking = [pool.submit(ask, client) for client in range(CLIENTS)]
        try:
            run = workbench.wait(new)
        finally:
            ended.set()
        answers = [answer for client in asking for answer in client.result()]

    assert run["status"] == "Succeeded", run["error"]
    assert [answer for _, answer in answers if isinstance(answer, Exception)] == []
    assert by_http.errors == {}
    expected[new] = answers_alone(workbench, new, texts)
    assert expected[new] != expected[old], "the two models know different words"
    given = [(text, answer) for text, answer in answers if isinstance(answer, PredictionResponse)]
    assert [(text, answer) for text, answer in given if answer.predictions != [expected[answer.variant][text]]] == []
    assert {answer.variant for _, answer in given} == {old, new}
    assert len(given) >= REQUESTS
    workbench.delete("loaded")
