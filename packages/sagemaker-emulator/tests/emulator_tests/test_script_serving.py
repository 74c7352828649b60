"""Models with the customer's own functions: loading, the three steps, the shapes of errors."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np
import pytest
from sagemaker_inference.errors import UnsupportedFormatError

from emulator_tests.scripts import PYTORCH_SERVING, TENSORFLOW, archived, model_of, put_source, ran, script_job, settled
from emulator_tests.scripts import SCIKIT_LEARN as IMAGE
from emulator_tests.support import BUCKET, Api, Refused, served
from sagemaker_emulator.aws import Aws
from sagemaker_emulator.engines.script import serve
from sagemaker_emulator.engines.script.codecs import decode, encode
from sagemaker_emulator.engines.script.defaults import Defaults, defaults_of, encode_accepted, no_model_fn
from sagemaker_emulator.engines.script.frameworks import PYTORCH, SCIKIT_LEARN, XGBOOST
from sagemaker_emulator.engines.script.serve import Handlers
from sagemaker_emulator.engines.shell.serving import CannotLoad

TRAIN_AND_SERVE = """
    import argparse, os
    import joblib
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    def model_fn(model_dir):
        return joblib.load(os.path.join(model_dir, "model.joblib"))

    if __name__ == "__main__":
        parser = argparse.ArgumentParser()
        parser.add_argument("-C", type=float, default=1.0)
        arguments = parser.parse_args()
        table = np.loadtxt(os.path.join(os.environ["SM_CHANNEL_TRAIN"], "part-0.csv"), delimiter=",")
        model = LogisticRegression(C=arguments.C).fit(table[:, 1:], table[:, 0])
        joblib.dump(model, os.path.join(os.environ["SM_MODEL_DIR"], "model.joblib"))
        print(f"score={model.score(table[:, 1:], table[:, 0])}")
"""


def npy(array: object) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.asarray(array))
    return buffer.getvalue()


def test_one_script_trains_and_serves_a_scikit_learn_model(api: Api, aws: Aws) -> None:
    source = put_source(aws, "sklearn", {"train.py": TRAIN_AND_SERVE})
    job = ran(api, script_job("sklearn", source, HyperParameters={"C": 100.0}))
    assert job["TrainingJobStatus"] == "Completed", job["FailureReason"]
    assert list(archived(aws, job["ModelArtifacts"]["S3ModelArtifacts"])) == ["model.joblib"]

    variables = {"SAGEMAKER_PROGRAM": "train.py", "SAGEMAKER_SUBMIT_DIRECTORY": source}
    endpoint = settled(api, "sklearn", model_of("sklearn", job["ModelArtifacts"]["S3ModelArtifacts"], IMAGE, **variables))

    assert endpoint["EndpointStatus"] == "InService", endpoint.get("FailureReason")
    rows = [[1, 2], [6, 5]]
    body, headers = api.invoke("sklearn", json.dumps(rows).encode(), content_type="application/json")
    assert (json.loads(body), headers["content-type"]) == ([0.0, 1.0], "application/json")
    body, _ = api.invoke("sklearn", b"1,2\n6,5\n", content_type="text/csv", accept="text/csv")
    assert body == b"0.0\n1.0\n"
    body, headers = api.invoke("sklearn", npy(rows), content_type="application/x-npy", accept="application/x-npy")
    assert np.load(io.BytesIO(body)).tolist() == [0, 1]
    assert headers["content-type"] == "application/x-npy"
    for content_type, accept in (("text/plain", "text/csv"), ("text/csv", "text/plain")):
        with pytest.raises(Refused) as refused:
            api.invoke("sklearn", b"1,2\n6,5\n", content_type=content_type, accept=accept)
        assert refused.value.body["OriginalStatusCode"] == 500
    with pytest.raises(Refused) as refused:
        api.invoke("sklearn", b"1,2,3\n6,5,4\n", content_type="text/csv")
    assert refused.value.body["OriginalStatusCode"] == 500
    error = json.loads(refused.value.body["OriginalMessage"])
    assert error["error"] == "ValueError"
    assert "X has 3 features, but LogisticRegression is expecting 2 features" in error["error-message"]
    assert error["stack-trace"].startswith("Traceback")


def test_code_in_the_models_archive_serves_without_a_framework(api: Api, aws: Aws) -> None:
    code = """
        import os
        def model_fn(model_dir):
            return open(os.path.join(model_dir, "greeting.txt")).read()
        def transform_fn(model, body, content_type, accept):
            return f"{model} {body.decode()} {content_type}", "text/plain"
    """
    artifact = put_source(aws, "greeting", {"code/inference.py": code, "greeting.txt": "hello"})

    endpoint = settled(api, "greeting", model_of("greeting", artifact, PYTORCH_SERVING))

    assert endpoint["EndpointStatus"] == "InService", endpoint.get("FailureReason")
    body, headers = api.invoke("greeting", b"world", content_type="application/x-thing")
    assert (body, headers["content-type"]) == (b"hello world application/x-thing", "text/plain")


@pytest.mark.parametrize(
    ("name", "image", "files", "reason"),
    [
        ("no-fn", IMAGE, {"code/inference.py": ""}, "Please provide a model_fn implementation"),
        ("no-code", IMAGE, {"model.txt": ""}, "The program inference.py (SAGEMAKER_PROGRAM)"),
        pytest.param(
            *("no-torch", PYTORCH_SERVING, {"model.pt": ""}),
            "PyTorch is not installed here: uv pip install torch installs it",
            marks=pytest.mark.skipif(PYTORCH.is_installed, reason="says what is missing where PyTorch is not installed"),
        ),
        ("breaks", PYTORCH_SERVING, {"code/inference.py": "1 / 0"}, "ZeroDivisionError: division by zero"),
        ("trains", TENSORFLOW, {"model.txt": ""}, 'exec: "serve": executable file not found in $PATH'),
        ("unmet", IMAGE, {"code/inference.py": "", "code/requirements.txt": "surely-not-a-package"}, "InstallRequirementsError"),
    ],
)
def test_a_model_that_can_not_be_loaded_fails_the_endpoint_with_the_reason(
    api: Api, aws: Aws, *, name: str, image: str, files: dict[str, str], reason: str
) -> None:
    artifact = put_source(aws, name, files)

    endpoint = settled(api, name, model_of(name, artifact, image, PIP_NO_INDEX="1"))

    assert endpoint["EndpointStatus"] == "Failed"
    assert "did not pass the ping health check" in endpoint["FailureReason"]
    assert reason in endpoint["FailureReason"]


def test_code_that_can_not_be_fetched_fails_the_endpoint_with_the_reason(api: Api) -> None:
    variables = {"SAGEMAKER_PROGRAM": "x.py", "SAGEMAKER_SUBMIT_DIRECTORY": f"s3://{BUCKET}/nothing.tar.gz"}

    endpoint = settled(api, "no-source", model_of("no-source", None, IMAGE, **variables))

    assert "An error occurred (404) when calling the HeadObject operation: Not Found" in endpoint["FailureReason"]


@contextmanager
def serving(tmp_path: Path, code: str, module: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[httpx.Client]:
    """The model server in this process, with ``code`` as the program."""
    monkeypatch.setattr("sys.path", list(__import__("sys").path))
    (tmp_path / "model" / "code").mkdir(parents=True)
    (tmp_path / "model" / "code" / f"{module}.py").write_text(code)
    environment = {"SAGEMAKER_PROGRAM": f"{module}.py", "SAGEMAKER_TRAINING_MODULE": SCIKIT_LEARN.module}
    with (
        served(serve.make(tmp_path / "model", environment)) as url,
        httpx.Client(base_url=url, trust_env=False) as client,
    ):
        yield client


def test_the_three_functions_are_called_in_order_with_texts_as_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = (
        "def model_fn(model_dir): return 'model'\n"
        "def input_fn(body, content_type): return [type(body).__name__, content_type]\n"
        "def predict_fn(data, model): return [*data, model]\n"
        "def output_fn(prediction, accept): return ','.join(prediction), accept\n"
    )
    with serving(tmp_path, code, "three_functions", monkeypatch) as client:
        text = client.post("/invocations", content=b"1", headers={"content-type": "text/csv", "accept": "a/b"})
        other = client.post("/invocations", content=b"1", headers={"content-type": "x/y"})

    assert (text.text, text.headers["content-type"]) == ("str,text/csv,model", "a/b")
    assert (other.text, other.headers["content-type"]) == ("bytes,x/y,model", "application/json")


def test_an_answer_that_is_neither_bytes_nor_text_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = "def model_fn(model_dir): return 1\ndef transform_fn(model, body, content_type, accept): return [1]\n"
    with serving(tmp_path, code, "bare_list", monkeypatch) as client:
        answer = client.post("/invocations", content=b"1")

    assert answer.status_code == 500
    assert "The answer must be bytes or text, not list" in answer.json()["error-message"]


def test_a_folder_for_libraries_with_none_in_it_is_not_copied_into_the_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The SDK 3 packs one for its own module, which copies it to /lib if it is there."""
    code = (
        "import os\n"
        "def model_fn(model_dir): return str(sorted(os.listdir(model_dir)))\n"
        "def transform_fn(model, body, content_type, accept): return model\n"
    )
    (tmp_path / "model" / "shared_libs").mkdir(parents=True)
    with serving(tmp_path, code, "lists_its_model", monkeypatch) as client:
        assert client.post("/invocations", content=b"1").text == "['code']"


class Module:
    """A customer's module."""

    def __init__(self, **functions: object) -> None:
        self.__dict__.update(functions)


PLAIN = Defaults(lambda _directory: "model", lambda body, _type: body, lambda data, _model: data, lambda found, _accept: found)


def test_transform_fn_excludes_the_three_others() -> None:
    module = Module(transform_fn=lambda *_: b"", predict_fn=lambda *_: b"")

    with pytest.raises(ValueError, match="Cannot use transform_fn implementation in conjunction"):
        Handlers(module, PLAIN, Path("/model"))  # type: ignore[arg-type]  # a stand-in for a module


def test_a_function_may_take_the_context_besides() -> None:
    module = Module(predict_fn=lambda data, _model, context: data + context.system_properties["model_dir"].encode())

    handlers = Handlers(module, PLAIN, Path("/model"))  # type: ignore[arg-type]  # a stand-in for a module

    assert handlers.answer(b"from ", "a/b", "c/d") == (b"from /model", "c/d")


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        ("[[1, 2], [3, 4]]", "application/json", [[1, 2], [3, 4]]),
        ("1,2\n3,4\n", "text/csv", [[1, 2], [3, 4]]),
        ("1,2\n", "text/csv", [1, 2]),
        (b"1\n2\n", "text/csv", [1, 2]),
        (npy([[1, 2]]), "application/x-npy", [[1, 2]]),
    ],
)
def test_decoding(body: str | bytes, content_type: str, expected: object) -> None:
    assert decode(body, content_type).tolist() == expected


@pytest.mark.parametrize(
    ("prediction", "accept", "expected"),
    [
        (np.array([[0.25, 0.75]]), "application/json", b"[[0.25, 0.75]]"),
        ({"label": np.float32(1)}, "application/json", b'{"label": 1.0}'),
        (np.array([1, 2]), "text/csv", b"1\n2\n"),
        (np.array([[1, 2], [3, 4]]), "text/csv", b"1,2\n3,4\n"),
        (np.array([[0.1, 1]], dtype=np.float32), "text/csv", b"0.1,1.0\n"),  # the digits that a float32 needs
        (["a", 'b"c'], "text/csv", b'a\n"b""c"\n'),
    ],
)
def test_encoding(prediction: object, accept: str, expected: bytes) -> None:
    assert encode(prediction, accept) == expected


@pytest.mark.parametrize("content_type", ["text/csv; charset=utf-8", "image/png", ""])
def test_a_type_that_nothing_decodes_or_encodes(content_type: str) -> None:
    with pytest.raises(UnsupportedFormatError, match="is not supported by this framework"):
        decode(b"1", content_type)
    with pytest.raises(UnsupportedFormatError):
        encode([1], content_type)


def test_pytorch_encodes_by_the_first_accepted_type_that_it_knows() -> None:
    answers = {
        accept: encode_accepted([[0.1, 2]], accept) for accept in ("a/b, text/csv", "application/json", "application/x-npy")
    }

    assert answers["a/b, text/csv"] == b"0.1,2.0\n"
    assert answers["application/json"] == b"[[0.1, 2]]"
    assert np.load(io.BytesIO(answers["application/x-npy"])).tolist() == [[0.1, 2]]
    with pytest.raises(UnsupportedFormatError):
        encode_accepted([1], "a/b")


def test_a_single_number_is_no_table_to_write_as_csv() -> None:
    with pytest.raises(TypeError):
        encode(np.float64(3), "text/csv")


def test_a_pickled_array_is_not_loaded() -> None:
    with pytest.raises(ValueError, match="allow_pickle"):
        decode(npy(np.array([{}], dtype=object)), "application/x-npy")


def test_xgboosts_own_input_is_a_matrix() -> None:
    matrix = defaults_of(XGBOOST).input_fn("1,2\n3,4\n", "text/csv")

    assert (matrix.num_row(), matrix.num_col()) == (2, 2)
    with pytest.raises(UnsupportedFormatError):
        defaults_of(XGBOOST).input_fn("[]", "application/json")


def test_pytorch_needs_no_program_but_then_its_own_model(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()

    assert serve.load_module(tmp_path, {}, PYTORCH) is None
    with pytest.raises(CannotLoad, match=r"The program inference.py"):
        serve.load_module(tmp_path, {}, SCIKIT_LEARN)


def test_the_error_of_pytorch_is_text() -> None:
    answer = serve.failed(ValueError("bad"), PYTORCH)

    assert bytes(answer.body).decode().startswith("bad\n")
    with pytest.raises(NotImplementedError):
        no_model_fn("/model")
