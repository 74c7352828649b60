"""Layers that environments share. The first test guards the places where this leans on MiniStack's inside."""

from __future__ import annotations

import inspect
import io
import zipfile
from pathlib import Path

import pytest
from ministack.core import lambda_runtime
from ministack.core.lambda_runtime import Worker
from ministack.services import lambda_svc

from sageline_local import shared_layers

LAYER = "arn:aws:lambda:us-east-1:000000000000:layer:shared:1"


def archive(**files: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as written:
        for name, text in files.items():
            written.writestr(f"{name}.py", text)
    return buffer.getvalue()


@pytest.fixture(autouse=True)
def _layers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    layer = archive(**{"python/greeting": "WORDS = 'hello'"})
    monkeypatch.setattr(lambda_svc, "_resolve_layer_zip", lambda _: layer)
    monkeypatch.setattr(Worker, "_spawn", Worker._spawn)


def answer_of(name: str) -> list[str]:
    """A function's answer, from an environment of its own: a word of its layer, and the file that it is in."""
    code = archive(app="import greeting\ndef handler(event, context): return [greeting.WORDS, greeting.__file__]")
    arn = f"arn:aws:lambda:us-east-1:000000000000:function:{name}"
    config = {"FunctionArn": arn, "Runtime": "python3.13", "Handler": "app.handler", "Layers": [{"Arn": LAYER}]}
    worker = Worker(name, config, code)
    try:
        answer: list[str] = worker.invoke({}, "a-request")["result"]
        return answer
    finally:
        process = worker._proc
        worker.kill()
        # MiniStack leaves them to the garbage collector, and pytest would tell another test.
        for pipe in (process.stdin, process.stdout, process.stderr):
            pipe.close()


@pytest.mark.slow
def test_ministack_still_unpacks_a_copy_for_each_environment() -> None:
    (words, first), (_, second) = answer_of("one"), answer_of("two")
    assert words == "hello"
    assert first != second
    assert "_LAMBDA_LAYERS_DIRS" in inspect.getsource(lambda_runtime)
    assert "_LAMBDA_LAYERS_DIRS" not in lambda_runtime._RESERVED_RUNTIME_ENV_VARS


@pytest.mark.slow
def test_environments_share_what_was_unpacked_once(tmp_path: Path) -> None:
    shared_layers.install()
    answers = [answer_of(name) for name in ("one", "two")]
    [folder] = (tmp_path / "layers").iterdir()
    assert answers == [["hello", str(folder / "python" / "greeting.py")]] * 2
    assert (folder / "python" / "__pycache__").exists(), "compiled once too"


def test_a_new_version_of_a_layer_has_a_folder_of_its_own() -> None:
    first, second = (shared_layers.unpacked(archive(a=text)) for text in ("1", "2"))
    assert first != second
    assert (second / "a.py").read_text() == "2"
