"""BlazingText by fastText: what a training job leaves and prints, and what its model answers."""

from __future__ import annotations

import json
import random
import re
import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import floret
import httpx
import numpy as np
import pytest

from emulator_tests.support import BUCKET, Api, served, wait_until
from sagemaker_emulator.aws import Aws
from sagemaker_emulator.engines.blazingtext import METRIC_DEFINITIONS, model_file, serve, supervised, vectors
from sagemaker_emulator.engines.blazingtext.train import train
from sagemaker_emulator.engines.first_party.failures import CustomerError
from sagemaker_emulator.engines.shell.serving import CannotLoad

pytestmark = pytest.mark.slow

IMAGE = "811284229777.dkr.ecr.us-east-1.amazonaws.com/blazingtext:1"
SETTINGS = {"mode": "supervised", "vector_dim": "8", "buckets": "1000", "min_count": "1", "epochs": "10", "learning_rate": "0.5"}
ANIMALS = ("cat", "dog", "cow", "hen", "fox", "owl")
METALS = ("iron", "zinc", "lead", "gold", "tin", "copper")


def lines(count: int, seed: int) -> str:
    """Texts about one of two things, with some words of the other."""
    source = random.Random(seed)
    made = []
    for number in range(count):
        about, other = (ANIMALS, METALS) if number % 2 else (METALS, ANIMALS)
        words = [*source.choices(about, k=6), *source.choices(other, k=3)]
        made.append(f"__label__{'animal' if number % 2 else 'metal'} {' '.join(words)}")
    return "\n".join(made) + "\n"


def job(root: Path, hyperparameters: Mapping[str, str], data: Mapping[str, str], hosts: int = 1) -> Path:
    """A directory laid out for one host of a job; returns the directory of its model."""
    config = root / "input" / "config"
    config.mkdir(parents=True)
    (root / "model").mkdir()
    names = [f"algo-{number + 1}" for number in range(hosts)]
    (config / "hyperparameters.json").write_text(json.dumps(hyperparameters))
    (config / "resourceconfig.json").write_text(json.dumps({"current_host": "algo-1", "hosts": names}))
    (config / "inputdataconfig.json").write_text(json.dumps({name: {"ContentType": "text/plain"} for name in data}))
    for name, text in data.items():
        path = root / "input" / "data" / name / "part-0.txt"
        path.parent.mkdir(parents=True)
        path.write_text(text)
    return root / "model"


def share_right(client: httpx.Client, text: str) -> float:
    rows = [line.split(" ", 1) for line in text.splitlines()]
    body = {"instances": [words for _, words in rows]}
    answers = client.post("/invocations", json=body).json()
    right = [answer["label"] == [label] for answer, (label, _) in zip(answers, rows, strict=True)]
    return float(np.mean(right))


@contextmanager
def serving(directory: Path) -> Iterator[httpx.Client]:
    with served(serve.application(serve.load(directory), {})) as url, httpx.Client(base_url=url, trust_env=False) as client:
        yield client


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("job")
    directory = job(root, SETTINGS, {"train": lines(400, 1), "validation": lines(100, 2)})
    train(root)
    return directory


@pytest.fixture(scope="module")
def client(model: Path) -> Iterator[httpx.Client]:
    with serving(model) as client:
        yield client


def test_the_model_scores_what_fasttext_called_directly_scores(model: Path, client: httpx.Client, tmp_path: Path) -> None:
    (tmp_path / "train.txt").write_text(lines(400, 1))
    (tmp_path / "test.txt").write_text(lines(200, 3))

    direct = floret.train_supervised(
        str(tmp_path / "train.txt"), lr=0.5, dim=8, epoch=10, minCount=1, bucket=1000, wordNgrams=2, thread=1, verbose=0
    )

    _, expected, _ = direct.f.test(str(tmp_path / "test.txt"), 1, 0.0)
    assert expected > 0.8
    assert share_right(client, lines(200, 3)) == pytest.approx(expected, abs=0.01)


def test_the_model_file_has_fasttexts_layout(model: Path) -> None:
    content = (model / "model.bin").read_bytes()

    magic, version, dim, _, epoch, min_count, _, ngrams = struct.unpack_from("<8i", content)
    buckets, _, _, update_rate, threshold = struct.unpack_from("<4id", content, 40)
    size, words, labels = struct.unpack_from("<3i", content, 64)
    assert (magic, version) == (793712314, 12)
    assert (dim, epoch, min_count, ngrams, buckets) == (8, 10, 1, 2, 1000)
    assert (update_rate, threshold) == (100, pytest.approx(1e-4))
    assert (size, words, labels) == (15, 13, 2)  # twelve words, the end of a line, two labels


def test_the_log_has_the_lines_that_the_metrics_are_read_from(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    job(tmp_path, SETTINGS, {"train": lines(60, 1), "validation": lines(20, 2)})

    train(tmp_path)

    printed = capsys.readouterr().out
    for name, pattern in METRIC_DEFINITIONS:
        match = re.search(pattern, printed)
        assert match, name
        assert 0.5 < float(match[1]) <= 1.0
    assert "Number of train examples: 60\n" in printed
    assert "Number of validation examples: 20\n" in printed
    assert re.search(r"##### Alpha: \S+  Progress: 100.00%  Million Words/sec: \S+ #####\n", printed)
    assert re.search(
        r"Training finished.\nAverage throughput in Million words/sec: \S+\nTotal training time in seconds: ", printed
    )


def test_early_stopping_keeps_the_best_number_of_epochs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stopping = {**SETTINGS, "epochs": "1000", "early_stopping": "True", "min_epochs": "2", "patience": "3"}
    directory = job(tmp_path, stopping, {"train": lines(200, 1), "validation": lines(50, 2)})

    train(tmp_path)

    printed = capsys.readouterr().out
    looked = [int(number) for number in re.findall(r"End of epoch: (\d+)", printed)]
    accuracies = [float(number) for number in re.findall(r"Validation accuracy: (\S+)", printed)]
    best = looked[int(np.argmax(accuracies))]
    assert looked[0] == 2
    assert looked[-1] - best >= 3  # the patience, and far from 1000
    assert looked[-1] < 100
    assert struct.unpack_from("<i", (directory / "model.bin").read_bytes(), 16) == (best,)


def test_the_looks_at_the_validation_data_end_with_the_last_epoch() -> None:
    settings = supervised.Settings(30, 0.05, 1000, 1, 8, 2, early_stopping=True, min_epochs=5, patience=4)

    assert list(supervised.looks(settings)) == [5, 7, 9, 12, 15, 19, 24, 30]


@pytest.mark.parametrize(
    ("changes", "data", "message"),
    [
        ({"mode": "nothing"}, {"train": "__label__a b\n"}, "u'nothing' is not one of"),
        ({"min_cuont": "2"}, {"train": "__label__a b\n"}, "u'min_cuont' was unexpected"),
        ({}, {"validation": "__label__a b\n"}, "The train channel is required"),
        ({}, {"train": "__label__a b\n", "test": "__label__a b\n"}, "Channels test are not known"),
        ({}, {"train": ""}, "The channel train has no data"),
        ({}, {"train": "__label__a b\nno label here\n"}, "Line 2 of channel train has no label"),
        ({"mode": "skipgram", "min_count": "100"}, {"train": "a b\n"}, "Empty vocabulary"),
        ({"early_stopping": "true"}, {"train": "__label__a b\n"}, "early_stopping needs a validation channel"),
    ],
)
def test_what_is_wrong_fails_the_job_and_says_why(
    tmp_path: Path, changes: dict[str, str], data: dict[str, str], message: str
) -> None:
    job(tmp_path, {**SETTINGS, **changes}, data)

    with pytest.raises(CustomerError, match=re.escape(message)):
        train(tmp_path)


def test_a_channel_of_two_files_is_refused(tmp_path: Path) -> None:
    job(tmp_path, SETTINGS, {"train": lines(10, 1)})
    (tmp_path / "input" / "data" / "train" / "part-1.txt").write_text(lines(10, 2))

    with pytest.raises(CustomerError, match=r"channel train has 2 files.*concatenate them"):
        train(tmp_path)


def test_a_channel_of_another_type_is_refused(tmp_path: Path) -> None:
    job(tmp_path, SETTINGS, {"train": lines(10, 1)})
    (tmp_path / "input" / "config" / "inputdataconfig.json").write_text('{"train": {"ContentType": "text/csv"}}')

    with pytest.raises(CustomerError, match="content type text/csv of channel train is not supported"):
        train(tmp_path)


def test_classification_trains_on_one_instance(tmp_path: Path) -> None:
    job(tmp_path, SETTINGS, {"train": lines(10, 1)}, hosts=2)

    with pytest.raises(CustomerError, match="mode supervised trains on one instance"):
        train(tmp_path)


def test_an_answer_has_the_likeliest_labels_first(client: httpx.Client) -> None:
    body = {"instances": ["cat dog cow", "iron\nzinc"], "configuration": {"k": 2}}

    first, second = client.post("/invocations", json=body, headers={"accept": "text/csv"}).json()

    assert first["label"] == ["__label__animal", "__label__metal"]
    assert second["label"] == ["__label__metal", "__label__animal"]
    assert first["prob"] == sorted(first["prob"], reverse=True)
    assert sum(first["prob"]) == pytest.approx(1.0, abs=1e-3)


def test_json_lines_are_answered_line_by_line(client: httpx.Client) -> None:
    body = '{"source": "cat dog cow"}\n{"source": "iron zinc", "k": 2}\n'

    response = client.post("/invocations", content=body, headers={"content-type": "application/jsonlines"})

    assert response.headers["content-type"] == "application/jsonlines"
    answers = [json.loads(line) for line in response.text.splitlines()]
    assert [answer["label"] for answer in answers] == [["__label__animal"], ["__label__metal", "__label__animal"]]


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("text/csv", "cat", 415),
        ("application/json", "cat", 400),
        ("application/json", '["cat"]', 400),
        ("application/json", '{"instances": []}', 400),
        ("application/json", '{"instances": [1]}', 400),
        ("application/json", '{"instances": ["cat"], "configuration": {"k": 0}}', 400),
        ("application/jsonlines", '{"source": null}', 400),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(client: httpx.Client, content_type: str, body: str, status: int) -> None:
    assert client.post("/invocations", content=body, headers={"content-type": content_type}).status_code == status


def test_an_archive_without_a_model_is_not_served(tmp_path: Path) -> None:
    with pytest.raises(CannotLoad, match=r"must hold model\.bin or vectors\.bin"):
        serve.load(tmp_path)
    (tmp_path / "model.bin").write_bytes(b"nothing that fastText wrote, but long enough for a header" * 2)
    with pytest.raises(CannotLoad, match="not a model file of fastText"):
        serve.load(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("subwords", ["false", "true"])
@pytest.mark.parametrize("mode", ["skipgram", "cbow", "batch_skipgram"])
def test_word_vectors_are_left_as_text_and_binary_and_served(tmp_path: Path, mode: str, subwords: str) -> None:
    settings = {"mode": mode, "subwords": subwords, "vector_dim": "6", "min_count": "1", "buckets": "100"}
    text = "\n".join(line.split(" ", 1)[1] for line in lines(50, 1).splitlines())
    directory = job(tmp_path, settings, {"train": text})

    train(tmp_path)

    head, *rows = (directory / "vectors.txt").read_text().splitlines()
    written = {row.split()[0]: np.array(row.split()[1:], dtype=np.float32) for row in rows}
    assert head == "12 6"
    assert set(written) == {*ANIMALS, *METALS}
    with serving(directory) as client:
        answers = client.post("/invocations", json={"instances": ["cat", "unknown"]}).json()
    assert answers[0]["word"] == "cat"
    np.testing.assert_allclose(answers[0]["vector"], written["cat"], rtol=1e-4, atol=1e-6)
    assert any(answers[1]["vector"]) == (subwords == "true")


def test_vectors_that_are_cut_off_are_not_served(tmp_path: Path) -> None:
    (tmp_path / vectors.BINARY).write_bytes(b"2 3\ncat \0\0\0\0")

    with pytest.raises(model_file.NoModel, match=r"vectors\.bin has no vectors that can be read"):
        vectors.load(tmp_path / vectors.BINARY)


def test_a_job_and_an_endpoint_of_the_image(api: Api, aws: Aws) -> None:
    aws.s3.put_object(Bucket=BUCKET, Key="text/train/tweets.train", Body=lines(100, 1).encode())
    aws.s3.put_object(Bucket=BUCKET, Key="text/validation/tweets.validation", Body=lines(40, 2).encode())
    channels = [api.channel(name, f"text/{name}", "text/plain") for name in ("train", "validation")]
    specification = {"TrainingImage": IMAGE, "TrainingInputMode": "File"}

    request: dict[str, Any] = api.training_job("text", AlgorithmSpecification=specification, InputDataConfig=channels)
    api.ok("CreateTrainingJob", **{**request, "HyperParameters": SETTINGS})
    done = wait_until(lambda: api.ended_job("text"))

    assert done["TrainingJobStatus"] == "Completed", done.get("FailureReason")
    metrics = {metric["MetricName"]: metric["Value"] for metric in done["FinalMetricDataList"]}
    assert metrics.keys() == {"train:accuracy", "validation:accuracy"}
    api.ok("CreateModel", **api.model("text", done["ModelArtifacts"]["S3ModelArtifacts"], IMAGE))
    api.endpoint_in_service("text", api.endpoint_config("text", api.variant("v", "text")))
    answer, headers = api.invoke("text", b'{"instances": ["cat dog cow"]}', content_type="application/json")
    assert json.loads(answer)[0]["label"] == ["__label__animal"]
    assert headers["content-type"] == "application/json"
