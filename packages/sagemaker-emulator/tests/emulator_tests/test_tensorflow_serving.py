"""TensorFlow Serving's formats, over signatures that numpy runs: the rules do not depend on TensorFlow."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import numpy as np
import pytest

from emulator_tests.scripts import TENSORFLOW_SERVING, model_of, put_source, settled
from emulator_tests.support import Api, served
from sagemaker_emulator.aws import Aws
from sagemaker_emulator.engines.script.frameworks import TENSORFLOW
from sagemaker_emulator.engines.script.tensorflow_serving.handlers import load_handlers
from sagemaker_emulator.engines.script.tensorflow_serving.requests import (
    UnsupportedMediaType,
    answered_type,
    attributes,
    serving_json,
)
from sagemaker_emulator.engines.script.tensorflow_serving.rest import Array, Models, Servable, ServingError, Signature
from sagemaker_emulator.engines.script.tensorflow_serving.savedmodel import find_models, load
from sagemaker_emulator.engines.script.tensorflow_serving.serve import Front, application
from sagemaker_emulator.engines.shell.serving import CannotLoad

FLOAT, INTEGER, TEXT = np.dtype(np.float32), np.dtype(np.int64), np.dtype(object)


def half(tensors: Mapping[str, Array]) -> Mapping[str, Array]:
    x = np.asarray(tensors["x"], dtype=np.float32)
    if x.ndim != 2 or x.shape[1] != 2:
        raise ValueError(f"Matrix size-incompatible: In[0]: {list(x.shape)}, In[1]: [2,2]")
    return {"y": x / np.float32(10)}


def join(tensors: Mapping[str, Array]) -> Mapping[str, Array]:
    texts = [f"{text.decode()}{number}".encode() for text, number in zip(tensors["text"], tensors["number"], strict=True)]
    return {"joined": np.array(texts, dtype=object), "twice": np.asarray(tensors["number"], dtype=np.int64) * 2}


def lengths(tensors: Mapping[str, Array]) -> Mapping[str, Array]:
    return {"outputs": np.array([[len(example)] for example in tensors["inputs"]], dtype=np.float32)}


def labels(tensors: Mapping[str, Array]) -> Mapping[str, Array]:
    return {"classes": np.array([[b"no", b"yes"]] * len(tensors["inputs"]), dtype=object), "scores": halves(tensors)}


def halves(tensors: Mapping[str, Array]) -> Array:
    return np.array([[0.1, 0.9]] * len(tensors["inputs"]), dtype=np.float32)


def version(number: int) -> Servable:
    signatures = {
        "serving_default": Signature({"x": FLOAT}, half),
        "join": Signature({"text": TEXT, "number": INTEGER}, join),
        "bytes": Signature({"data": TEXT}, lambda tensors: {"data": tensors["data"]}),
        "version": Signature({"x": FLOAT}, lambda tensors: {"version": np.full(len(tensors["x"]), number)}),
        "lengths": Signature({"inputs": TEXT}, lengths, "tensorflow/serving/regress"),
        "labels": Signature({"inputs": TEXT}, labels, "tensorflow/serving/classify"),
        "scores": Signature({"inputs": TEXT}, lambda tensors: {"scores": halves(tensors)}, "tensorflow/serving/classify"),
        "column": Signature({"inputs": TEXT}, lambda tensors: {"scores": halves(tensors)[0]}, "tensorflow/serving/classify"),
        "nothing": Signature({"inputs": TEXT}, lambda tensors: {"x": halves(tensors)}, "tensorflow/serving/classify"),
        "wide": Signature({"inputs": TEXT}, lambda tensors: {"outputs": halves(tensors)}, "tensorflow/serving/regress"),
        "unnamed": Signature({"x": TEXT}, lengths, "tensorflow/serving/regress"),
    }
    return Servable(signatures, lambda features: repr(features).encode())


MODELS = Models({"model": {1: version(1), 20: version(20)}, "other": {3: version(3)}})


def predict(request: object, name: str = "model", wanted: str | None = None) -> object:
    return json.loads(MODELS.answer(name, wanted, "predict", json.dumps(request)))


@pytest.mark.parametrize(
    ("request_body", "answer"),
    [
        ({"instances": [[1, 2], [3, 4]]}, {"predictions": [[0.1, 0.2], [0.3, 0.4]]}),
        ({"instances": [{"x": [1, 2]}]}, {"predictions": [[0.1, 0.2]]}),
        ({"inputs": [[1, 2]]}, {"outputs": [[0.1, 0.2]]}),
        ({"inputs": {"x": [[1, 2]]}}, {"outputs": [[0.1, 0.2]]}),
        (
            {"signature_name": "join", "instances": [{"text": "a", "number": 1}, {"text": {"b64": "Yg=="}, "number": 2}]},
            {"predictions": [{"joined": "a1", "twice": 2}, {"joined": "b2", "twice": 4}]},
        ),
        (
            {"signature_name": "join", "inputs": {"text": ["a"], "number": [1]}},
            {"outputs": {"joined": ["a1"], "twice": [2]}},
        ),
        ({"signature_name": "bytes", "instances": [{"b64": "/w=="}]}, {"predictions": [{"b64": "/w=="}]}),
    ],
)
def test_rows_and_columns(request_body: object, answer: object) -> None:
    assert predict(request_body) == answer


def test_the_newest_version_answers_unless_one_is_named() -> None:
    request = {"signature_name": "version", "instances": [1]}

    assert predict(request) == {"predictions": [20]}
    assert predict(request, wanted="1") == {"predictions": [1]}
    assert predict(request, name="other") == {"predictions": [3]}


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ("nonsense", 400, "JSON Parse error"),
        ("[1]", 400, "Request is not a JSON object"),
        ("{}", 400, "Missing 'inputs' or 'instances' key"),
        ('{"instances": [1], "inputs": [1]}', 400, "Not all of 'inputs' or 'instances' key"),
        ('{"instances": "invalid"}', 400, "Excepting 'instances' to be an list/array, but got string"),
        ('{"instances": []}', 400, "No values in 'instances' list"),
        ('{"instances": [[1, 2], [3]]}', 400, "lists of different lengths"),
        ('{"instances": [["a", "b"]]}', 400, "is not of expected type: float"),
        ('{"instances": [[1, 2, 3]]}', 400, "Matrix size-incompatible: In\\[0\\]: \\[1, 3\\], In\\[1\\]: \\[2,2\\]"),
        ('{"instances": [{"z": [1, 2]}]}', 400, "does not have named input: x"),
        ('{"instances": [{"x": [1, 2], "z": 1}]}', 400, "z is not an input of the signature, which are: x."),
        ('{"inputs": {"z": 1}}', 400, "z is not an input"),
        ('{"inputs": {}}', 400, "Missing named input: x"),
        ('{"signature_name": "join", "instances": [1]}', 400, "Request needs an object with the inputs number, text"),
        ('{"signature_name": "join", "instances": [{"text": "a", "number": 0.5}]}', 400, "not of expected type: int64"),
        ('{"signature_name": "bytes", "instances": [{"b64": "?"}]}', 400, "Unable to base64 decode"),
        ('{"signature_name": "none", "instances": [1]}', 400, 'Serving signature name: "none" not found in signature def'),
    ],
)
def test_bad_requests(body: str, status: int, message: str) -> None:
    with pytest.raises(ServingError, match=message) as refused:
        MODELS.answer("model", None, "predict", body)

    assert refused.value.status == status


@pytest.mark.parametrize(
    ("name", "wanted", "method", "status", "message"),
    [
        ("missing", None, "predict", 404, "Servable not found for request: Latest(missing)"),
        ("model", "7", "predict", 404, "Servable not found for request: Specific(model, 7)"),
        ("model", None, "dance", 400, "Malformed request"),
    ],
)
def test_models_and_methods_that_are_not_there(name: str, wanted: str | None, method: str, status: int, message: str) -> None:
    with pytest.raises(ServingError) as refused:
        MODELS.answer(name, wanted, method, '{"instances": [[1, 2]]}')

    assert refused.value.status == status
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("method", "name", "answer"),
    [
        ("classify", "labels", [[["no", 0.1], ["yes", 0.9]]] * 2),
        ("classify", "scores", [[["", 0.1], ["", 0.9]]] * 2),
        ("regress", "lengths", [len("{}"), len("{'x': ('float', [1.5])}")]),
    ],
)
def test_examples_are_classified_and_regressed(method: str, name: str, answer: object) -> None:
    body = {"signature_name": name, "examples": [{}, {"x": [1.5]}]}

    assert json.loads(MODELS.answer("model", None, method, json.dumps(body))) == {"results": answer}


@pytest.mark.parametrize(
    ("method", "body", "message"),
    [
        ("classify", '{"instances": [[1, 2]]}', "key 'examples' is expected and was not found"),
        ("regress", '{"examples": {}}', "Expecting 'examples' value to be an list/array"),
        ("regress", '{"examples": []}', "'examples' value is an empty array"),
        ("regress", '{"examples": [1]}', "Example must be JSON object but got JSON Number"),
        ("regress", '{"context": [], "examples": [{}]}', "Example must be JSON object but got JSON Array"),
        ("regress", '{"examples": [{"x": [1.5, "a"]}]}', "Unexpected element type in feature: x expecting type: float"),
        ("regress", '{"examples": [{"x": null}]}', "Feature: x has element with unexpected JSON type: Null"),
        ("regress", '{"examples": [{"x": 9223372036854775808}]}', "Feature: x has uint64 element"),
        ("regress", '{"examples": [{"x": {"b64": "?"}}]}', "Unable to base64 decode"),
        ("regress", '{"signature_name": "none", "examples": [{}]}', "No signature was found with the name: none"),
        (
            "classify",
            '{"examples": [{}]}',
            "Expected classification signature method_name to be tensorflow/serving/classify. Was: tensorflow/serving/predict",
        ),
        (
            "classify",
            '{"signature_name": "column", "examples": [{}]}',
            "Expected Tensor shape: [batch_size num_classes] but got [2]",
        ),
        ("classify", '{"signature_name": "nothing", "examples": [{}]}', 'at least one of "classes" or "scores"'),
        ("regress", '{"signature_name": "wide", "examples": [{}]}', "either [batch_size] or [batch_size, 1] but got [1, 2]"),
        ("regress", '{"signature_name": "unnamed", "examples": [{}]}', "No regression inputs found in SignatureDef: x"),
    ],
)
def test_what_can_not_be_classified_or_regressed(method: str, body: str, message: str) -> None:
    with pytest.raises(ServingError) as refused:
        MODELS.answer("model", None, method, body)

    assert refused.value.status == 400
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("content_type", "body", "expected"),
    [
        ("application/json", '{"instances": [1]}', '{"instances": [1]}'),
        ("application/json", '{"inputs": [1]}', '{"inputs": [1]}'),
        ("application/jsonlines", '{"instances": [1]} {"instances": [2]}', '{"instances": [1]} {"instances": [2]}'),
        ("application/json", "[[1, 2], [3, 4]]", '{"instances":[[1, 2], [3, 4]]}'),
        ("application/json", "[1, 2]", '{"instances":[[1, 2]]}'),
        ("application/json", '{"x": 1}', '{"instances":[{"x": 1}]}'),
        ("application/jsonlines", "[1, 2]\n[3, 4]\n", '{"instances":[[1, 2],[3, 4]]}'),
        ("application/jsons", '{"x": 1}\n\n{"x": 2}', '{"instances":[{"x": 1},{"x": 2}]}'),
        ("text/csv", "1,2\n3,4\n", '{"instances":[[1,2],[3,4]]}'),
        ("text/csv", "1\n2", '{"instances":[1,2]}'),
        ("text/csv", '"a"\n"b"', '{"instances":["a","b"]}'),
        ("text/csv", "word\nother,word", '{"instances":["word",["other","word"]]}'),
    ],
)
def test_what_the_container_makes_of_a_request(content_type: str, body: str, expected: str) -> None:
    assert serving_json(body, content_type) == expected


@pytest.mark.parametrize("content_type", ["text/plain", "application/json; charset=utf-8", None])
def test_other_content_types(content_type: str | None) -> None:
    with pytest.raises(UnsupportedMediaType, match=f"^Unsupported Media Type: {content_type or 'Unknown'}$"):
        serving_json("1", content_type)


def test_custom_attributes_and_accepted_types() -> None:
    header = "tfs-model-name=a,tfs-model-version=2,tfs-method=predict,mine=1"
    assert attributes(header) == {"tfs-model-name": "a", "tfs-model-version": "2", "tfs-method": "predict"}
    assert attributes(None) == {}
    assert answered_type("application/jsonlines, text/csv") == "application/jsonlines"
    assert answered_type("*/*") == "application/json"
    assert answered_type("application/jsons") == "application/json"


@pytest.fixture(scope="module")
def plain() -> Iterator[httpx.Client]:
    with served(application(Front(MODELS, "model", None))) as url, httpx.Client(base_url=url, trust_env=False) as client:
        yield client


def test_invocations(plain: httpx.Client) -> None:
    answer = plain.post("/invocations", content="1,2\n", headers={"content-type": "text/csv", "accept": "application/json"})
    named = plain.post(
        "/invocations",
        content='{"signature_name": "version", "instances": [1]}',
        headers={"content-type": "application/json", "x-amzn-sagemaker-custom-attributes": "tfs-model-name=other"},
    )
    regressed = plain.post(
        "/invocations",
        content='{"signature_name": "lengths", "examples": [{}]}',
        headers={"content-type": "application/json", "x-amzn-sagemaker-custom-attributes": "tfs-method=regress"},
    )
    refused = plain.post("/invocations", content="x", headers={"content-type": "text/plain"})
    wrong = plain.post("/invocations", content="[[1,2,3]]", headers={"content-type": "application/json"})

    assert (answer.text, answer.headers["content-type"]) == ('{"predictions": [[0.1, 0.2]]}', "application/json")
    assert named.json() == {"predictions": [3]}
    assert regressed.json() == {"results": [len("{}")]}
    assert (refused.status_code, refused.json()) == (415, {"error": "Unsupported Media Type: text/plain"})
    assert (wrong.status_code, list(wrong.json())) == (400, ["error"])
    assert plain.get("/ping").status_code == 200


def test_servings_own_routes(plain: httpx.Client) -> None:
    answer = plain.post("/v1/models/model/versions/1:predict", content='{"signature_name": "version", "instances": [0]}')

    assert answer.json() == {"predictions": [1]}
    assert [item["version"] for item in plain.get("/v1/models/model").json()["model_version_status"]] == ["20", "1"]
    assert plain.get("/v1/models/missing").status_code == 404


def inference(tmp_path: Path, code: str, **files: str) -> Front:
    (tmp_path / "model" / "code").mkdir(parents=True)
    (tmp_path / "model" / "code" / "inference.py").write_text(code)
    for name, text in files.items():
        (tmp_path / "model" / "code" / name.replace("_", ".")).write_text(text)
    return Front(MODELS, "model", load_handlers(tmp_path / "model", {"PIP_NO_INDEX": "1"}))


def test_an_input_and_an_output_handler(tmp_path: Path) -> None:
    code = """
import json
def input_handler(data, context):
    assert context.request_content_type == "text/words"
    return json.dumps({"instances": [[float(word) for word in data.read().decode().split()]]})
def output_handler(response, context):
    if response.status_code != 200:
        raise ValueError(response.content.decode())
    return json.dumps([response.json()["predictions"][0], context.accept_header, context.method]), "application/words"
"""
    front = inference(tmp_path, code)

    answer = front.invoke(b"1 2", {"content-type": "text/words", "accept": "a/b"}, "http://127.0.0.1:1")
    refused = front.invoke(b"1 2 3", {"content-type": "text/words"}, "http://127.0.0.1:1")

    assert json.loads(bytes(answer.body)) == [[0.1, 0.2], "a/b", None]
    assert answer.headers["content-type"] == "application/words"
    assert refused.status_code == 500
    assert "Matrix size-incompatible" in json.loads(bytes(refused.body))["error"]


def test_a_handler_calls_serving_by_itself(tmp_path: Path) -> None:
    code = """
import httpx
def handler(data, context):
    return httpx.post(context.rest_uri, content=data.read(), trust_env=False).content, context.accept_header
"""
    with (
        served(application(inference(tmp_path, code))) as url,
        httpx.Client(base_url=url, trust_env=False) as client,
    ):
        answer = client.post("/invocations", content='{"instances": [[1, 2]]}')

    assert answer.json() == {"predictions": [[0.1, 0.2]]}
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "requirements", "reason"),
    [
        ("def input_handler(data, context): pass", "", "Handlers are not implemented correctly in user script"),
        ("1 / 0", "", "ZeroDivisionError: division by zero"),
        ("", "surely-not-a-package", "InstallRequirementsError"),
    ],
)
def test_code_that_can_not_be_used(tmp_path: Path, code: str, requirements: str, reason: str) -> None:
    with pytest.raises(CannotLoad, match=reason):
        inference(tmp_path, code, requirements_txt=requirements)


def test_models_are_found_by_numeric_folders(tmp_path: Path) -> None:
    for path in ("1", "00000123", "export/Servo/1500000000", "named/3", "named/latest"):
        (tmp_path / "model" / path).mkdir(parents=True)
        (tmp_path / "model" / path / "saved_model.pb").touch()

    found = {name: sorted(versions) for name, versions in find_models(tmp_path / "model").items()}

    assert found == {"model": [1, 123], "Servo": [1500000000], "named": [3]}


def test_an_archive_without_a_saved_model_fails_the_endpoint(api: Api, aws: Aws) -> None:
    artifact = put_source(aws, "unsaved", {"saved_model.pb": "", "latest/saved_model.pb": ""})

    endpoint = settled(api, "unsaved", model_of("unsaved", artifact, TENSORFLOW_SERVING))

    assert "no SavedModel bundles found!" in endpoint["FailureReason"]
    assert "a folder whose name is a number" in endpoint["FailureReason"]


@pytest.mark.skipif(TENSORFLOW.is_installed, reason="says what is missing where TensorFlow is not installed")
def test_without_tensorflow_the_endpoint_says_what_installs_it(api: Api, aws: Aws) -> None:
    artifact = put_source(aws, "absent", {"1/saved_model.pb": ""})

    endpoint = settled(api, "absent", model_of("absent", artifact, TENSORFLOW_SERVING))

    assert "TensorFlow is not installed here: pip install tensorflow-cpu installs it" in endpoint["FailureReason"]


@pytest.mark.tensorflow
def test_a_broken_saved_model_says_so(tmp_path: Path) -> None:
    pytest.importorskip("tensorflow", reason="pip install tensorflow-cpu installs it")
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "saved_model.pb").write_bytes(b"broken")

    with pytest.raises(CannotLoad, match="The SavedModel in 1/ can not be loaded"):
        load(tmp_path)


@pytest.mark.tensorflow
def test_a_saved_model_classifies_and_regresses_examples(tmp_path: Path) -> None:
    tf = pytest.importorskip("tensorflow", reason="pip install tensorflow-cpu installs it")
    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        given = v1.placeholder(tf.string, [None])
        kinds = {"x": tf.io.FixedLenFeature([2], tf.float32), "n": tf.io.FixedLenFeature([], tf.int64)}
        parsed = tf.io.parse_example(given, {**kinds, "word": tf.io.FixedLenFeature([], tf.string)})
        scores = parsed["x"] * tf.cast(parsed["n"], tf.float32)[:, None]
        classes = tf.stack([parsed["word"], tf.fill(tf.shape(parsed["word"]), "other")], axis=1)
        signatures = {
            "serving_default": v1.saved_model.classification_signature_def(given, classes, scores),
            "sum": v1.saved_model.regression_signature_def(given, tf.reduce_sum(scores, axis=1)),
        }
        builder = v1.saved_model.Builder(str(tmp_path / "1"))
        builder.add_meta_graph_and_variables(session, ["serve"], signature_def_map=signatures)
        builder.save()
    models = Models(load(tmp_path))
    request = {"context": {"n": -3}, "examples": [{"x": [0.5, 1.5], "word": "a"}, {"x": [2.0, 0.0], "word": {"b64": "Yg=="}}]}

    def answered(method: str, **more: str) -> object:
        return json.loads(models.answer(tmp_path.name, None, method, json.dumps({**request, **more})))

    assert answered("classify") == {"results": [[["a", -1.5], ["other", -4.5]], [["b", -6.0], ["other", -0.0]]]}
    assert answered("regress", signature_name="sum") == {"results": [-6.0, -6.0]}
    with pytest.raises(ServingError, match="x"):
        models.answer(tmp_path.name, None, "classify", '{"examples": [{"x": ["1", "2"]}]}')
