"""Rollouts on the local stack: by steps to the whole traffic, back when an alarm fires, one after the other, and under load."""

from __future__ import annotations

import json
import random
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from cli.errors import CommandFailed, Json
from sageline.serving.predict import Prediction, Predictor
from sageline.serving.request import PredictionRequest
from sageline.serving.stored import EncoderCache, RoutingCache
from tests.workflow.test_algorithms import SCRIPT, put_source, script_spec
from tests.workflow.workbench import Workbench, csv_text, flowers

pytestmark = pytest.mark.stack

INSTANCES = {"instance_type": "ml.m5.large", "count": 1}
QUICK = {"algorithm": {"hyperparameters": {"num_round": 3}}}
IRIS = {"length": 5, "width": 1.5, "ground": "wet"}
PREDICT = "def predict_fn(rows, centres):"
FAILING = SCRIPT.replace(
    PREDICT, f"calls = 0\n\n{PREDICT}\n    global calls\n    calls += 1\n    assert calls < 3, 'out of handles'"
)
SLOW = SCRIPT.replace(PREDICT, f"import time\n\n{PREDICT}\n    time.sleep(0.5)")


def canary(percent: float, minutes: float) -> Json:
    return {"instances": INSTANCES, "strategy": "canary", "canary": {"first_percent": percent, "bake_minutes": minutes}}


def shares(workbench: Workbench, endpoint: str) -> dict[str, float]:
    [found] = [found for found in workbench.connection.api.endpoints() if found["name"] == endpoint]
    return {variant["name"]: variant["weight"] for variant in found["variants"]}


def scaled(workbench: Workbench, endpoint: str) -> set[str]:
    """The variants whose instances scale, as Application Auto Scaling calls them."""
    found = workbench.inventory.scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    return {target["ResourceId"] for target in found if target["ResourceId"].startswith(f"endpoint/{endpoint}/")}


def first_model(workbench: Workbench, name: str, spec: Json | None = None) -> str:
    """A run whose model serves on instances; its id."""
    deployment = {"deployment": {"endpoint": name, "instances": INSTANCES}}
    run = workbench.wait(workbench.submit(name, flowers(), {**(spec or QUICK), **deployment}).run_id)
    assert run["status"] == "Succeeded", run["error"]
    return str(run["run_id"])


@dataclass
class Traffic:
    """What clients were answered: how often by which variant, and with which errors."""

    answered: dict[str, int] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)


@contextmanager
def traffic(workbench: Workbench, endpoint: str, clients: int = 3, rows: Sequence[object] = (IRIS,)) -> Iterator[Traffic]:
    """Clients who ask and ask."""
    seen, done, lock = Traffic(), threading.Event(), threading.Lock()

    def ask() -> None:
        while not done.is_set():
            try:
                variant = workbench.connection.api.predict(endpoint, rows, 1)["variant"]
                with lock:
                    seen.answered[variant] = seen.answered.get(variant, 0) + 1
            except CommandFailed as error:
                with lock:
                    seen.errors.append(error.code)
            time.sleep(0.2)

    threads = [threading.Thread(target=ask) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield seen
    finally:
        done.set()
        for thread in threads:
            thread.join()


def test_a_good_model_goes_by_canary_to_all_of_the_traffic(workbench: Workbench) -> None:
    old = first_model(workbench, "canary")
    deployment = canary(25, 0.1)
    with traffic(workbench, "canary") as seen:
        new = workbench.submit("canary", flowers(seed=5), {**QUICK, "deployment": deployment}).run_id
        workbench.wait(new, state="Bake")
        assert shares(workbench, "canary") == pytest.approx({old: 0.75, new: 0.25})
        run = workbench.wait(new)

    assert run["status"] == "Succeeded", run["error"]
    states = workbench.states(run["execution_arn"])
    assert states[-6:] == ["ShiftTraffic", "Bake", "ShiftTraffic", "Bake", "PromoteVariant", "Succeeded"]
    assert shares(workbench, "canary") == {new: 1.0}
    assert seen.errors == []
    assert seen.answered.keys() == {old, new}
    assert [item for item in workbench.inventory.of("canary") if old in item or "rollout" in item] == []
    workbench.delete("canary")


def test_a_model_goes_by_equal_steps_and_its_instances_follow_its_requests_from_the_first(workbench: Workbench) -> None:
    autoscaling = {"min": 1, "max": 2, "invocations_per_instance": 50, "scale_in_cooldown_seconds": 120}
    deployment = {"endpoint": "stairs", "instances": INSTANCES, "autoscaling": autoscaling, "strategy": "linear"}
    first = {**QUICK, "deployment": {**deployment, "strategy": "all-at-once"}}
    old = workbench.wait(workbench.submit("stairs", flowers(), first).run_id)
    assert old["status"] == "Succeeded", old["error"]
    old_target = f"endpoint/stairs/variant/{old['run_id']}"
    assert scaled(workbench, "stairs") == {old_target}

    linear = {"linear": {"step_percent": 25, "interval_minutes": 0.05}}
    new = workbench.submit("stairs", flowers(seed=5), {**QUICK, "deployment": {**deployment, **linear}}).run_id
    new_target = f"endpoint/stairs/variant/{new}"
    workbench.wait(new, state="Bake")
    assert scaled(workbench, "stairs") == {old_target, new_target}
    run = workbench.wait(new)

    assert run["status"] == "Succeeded", run["error"]
    shifted = [
        json.loads(event["stateExitedEventDetails"]["output"])["share"]
        for event in workbench.history(run["execution_arn"])
        if event["type"] == "TaskStateExited" and event["stateExitedEventDetails"]["name"] == "ShiftTraffic"
    ]
    assert shifted == [0.25, 0.5, 0.75, 1]
    assert shares(workbench, "stairs") == {new: 1.0}
    assert scaled(workbench, "stairs") == {new_target}
    policies = workbench.inventory.scaling.describe_scaling_policies(ServiceNamespace="sagemaker", ResourceId=new_target)
    [policy] = policies["ScalingPolicies"]
    tracked = policy["TargetTrackingScalingPolicyConfiguration"]
    assert (tracked["TargetValue"], tracked["ScaleInCooldown"]) == (50, 120)
    workbench.delete("stairs")


@dataclass(frozen=True)
class Unfit:
    """A model that does well in every test and not under traffic."""

    name: str
    script: str
    alarms: Json
    errors: set[str]
    words: str


@pytest.mark.parametrize(
    "case",
    [
        Unfit("failing", FAILING, {}, {"PredictionFailed"}, "Over 5 % of the answers"),
        Unfit("slow", SLOW, {"latency_ms": 300}, set(), "over 300 ms"),
    ],
    ids=lambda case: case.name,
)
def test_a_model_unfit_for_traffic_is_rolled_back_by_alarm_and_the_old_one_serves_all_along(
    workbench: Workbench, case: Unfit
) -> None:
    old = first_model(workbench, case.name, script_spec(put_source(workbench, case.name, SCRIPT)))
    source = put_source(workbench, f"later-{case.name}", case.script)
    spec = {**script_spec(source), "deployment": {"endpoint": case.name, **canary(50, 5), "alarms": case.alarms}}
    with traffic(workbench, case.name) as seen:
        new = workbench.submit(f"later-{case.name}", flowers(seed=7), spec).run_id
        workbench.wait(new, state="Bake")
        began = time.monotonic()
        run = workbench.wait(new)

    assert (run["status"], run["error"]["error"]) == ("Failed", "RolloutAlarm"), run["error"]
    assert case.words in run["error"]["message"]
    assert run["error"]["state"] == "Bake"
    assert time.monotonic() - began < 150, "an alarm does not wait for the end of baking"
    assert set(seen.errors) == case.errors, "none but the new model's own failures"
    assert seen.answered[old] > 0
    assert shares(workbench, case.name) == {old: 1.0}
    answer = workbench.connection.api.predict(case.name, [IRIS], 1)
    assert answer["variant"] == old
    workbench.delete(case.name)


def test_two_runs_that_deploy_to_one_endpoint_end_one_after_the_other(workbench: Workbench) -> None:
    old = first_model(workbench, "shared")
    spec = {**QUICK, "deployment": {"endpoint": "shared", **canary(20, 0.05)}}
    started = [workbench.submit(f"shared-{number}", flowers(seed=number), spec).run_id for number in (1, 2)]

    runs = [workbench.wait(run_id) for run_id in started]

    assert [run["status"] for run in runs] == ["Succeeded", "Succeeded"], [run["error"] for run in runs]
    first, last = sorted(runs, key=lambda run: str(run["updated_at"]))
    assert shares(workbench, "shared") == {last["run_id"]: 1.0}
    assert [item for item in workbench.inventory.of("shared") if old in item or first["run_id"] in item] == []
    workbench.delete("shared")


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
        routing=RoutingCache(connection.s3, connection.bucket),
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

    def ask(client: int) -> list[tuple[str, Prediction | Exception]]:
        draw, serving = random.Random(client), predictor(workbench)
        answers: list[tuple[str, Prediction | Exception]] = []
        while not ended.is_set() or len(answers) < REQUESTS / CLIENTS:
            text = draw.choice(texts)
            try:
                answers.append((text, serving.predict("loaded", PredictionRequest([text], 3, None))))
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
    assert by_http.errors == []
    expected[new] = answers_alone(workbench, new, texts)
    assert expected[new] != expected[old], "the two models know different words"
    given = [(text, answer) for text, answer in answers if isinstance(answer, Prediction)]
    assert [(text, answer) for text, answer in given if answer.predictions != [expected[answer.variant][text]]] == []
    assert {answer.variant for _, answer in given} == {old, new}
    assert len(given) >= REQUESTS
    workbench.delete("loaded")


def test_an_endpoint_goes_back_to_the_model_before_and_forth_again(workbench: Workbench) -> None:
    api = workbench.connection.api
    old = first_model(workbench, "back")
    new = workbench.wait(workbench.submit("back", flowers(seed=5), {**QUICK, "deployment": {"instances": INSTANCES}}).run_id)
    assert new["status"] == "Succeeded", new["error"]
    assert [item for item in workbench.inventory.of("back") if old in item] == []

    run = workbench.wait(api.roll_back("back")["run_id"])
    assert run["status"] == "Succeeded", run["error"]
    assert shares(workbench, "back") == {old: 1.0}
    answer = api.predict("back", [IRIS], 1)
    assert (answer["variant"], answer["predictions"][0]["label"]) == (old, "iris")
    assert workbench.inventory.left_of(new) == []

    again = workbench.wait(api.roll_back("back")["run_id"])
    assert again["status"] == "Succeeded", again["error"]
    assert shares(workbench, "back") == {new["run_id"]: 1.0}
    workbench.delete("back")


def test_of_two_models_side_by_side_one_is_promoted_and_that_undone(workbench: Workbench) -> None:
    api, deployment = workbench.connection.api, {"instances": INSTANCES, "strategy": "ab", "share": 0.25}
    old = first_model(workbench, "pair")
    new = workbench.wait(workbench.submit("pair", flowers(seed=5), {**QUICK, "deployment": deployment}).run_id)
    assert new["status"] == "Succeeded", new["error"]
    both = {old: 0.75, new["run_id"]: 0.25}
    assert shares(workbench, "pair") == both

    started = api.promote("pair", new["run_id"])["run_id"]
    assert shares(workbench, "pair")[new["run_id"]] == 1.0
    run = workbench.wait(started)
    assert run["status"] == "Succeeded", run["error"]
    assert shares(workbench, "pair") == {new["run_id"]: 1.0}

    run = workbench.wait(api.roll_back("pair")["run_id"])
    assert run["status"] == "Succeeded", run["error"]
    assert shares(workbench, "pair") == both
    workbench.delete("pair")


def test_rolling_back_in_the_middle_of_a_rollout_stops_it(workbench: Workbench) -> None:
    old = first_model(workbench, "middle")
    new = workbench.submit("middle", flowers(seed=5), {**QUICK, "deployment": canary(50, 30)}).run_id
    workbench.wait(new, state="Bake")

    assert workbench.connection.api.roll_back("middle") == {"endpoint": "middle", "run_id": new, "status": "Stopped"}

    assert shares(workbench, "middle") == {old: 1.0}
    assert workbench.wait(new)["status"] == "Stopped"
    workbench.delete("middle")
