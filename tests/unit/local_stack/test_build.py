"""What is built, and when it is built again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped] # the package has no types

from sageline_local import build, sam
from sageline_local.errors import BuildFailed
from sageline_local.home import Home
from sageline_local.stack import PROJECT


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    for name in ("functions/hello/app.py", "layers/shared/Makefile", "statemachine/run.asl.json", "template.yaml", "README.md"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("first")
    return root


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.make()
    return home


@pytest.mark.parametrize(
    "name", ["functions/hello/app.py", "layers/shared/Makefile", "statemachine/run.asl.json", "template.yaml"]
)
def test_any_change_of_what_is_deployed_asks_for_a_new_build(project: Path, name: str) -> None:
    before = build.fingerprint(project)

    (project / name).write_text("second")

    assert build.fingerprint(project) != before


def test_a_renamed_file_asks_for_a_new_build(project: Path) -> None:
    before = build.fingerprint(project)

    (project / "functions/hello/app.py").rename(project / "functions/hello/other.py")

    assert build.fingerprint(project) != before


def test_what_is_not_deployed_does_not_matter(project: Path) -> None:
    before = build.fingerprint(project)

    (project / "README.md").write_text("second")
    (project / "functions/hello/__pycache__").mkdir()
    (project / "functions/hello/__pycache__/app.cpython-311.pyc").write_text("compiled")

    assert build.fingerprint(project) == before


def test_a_place_without_the_source_says_so(tmp_path: Path) -> None:
    with pytest.raises(BuildFailed, match=r"template.yaml is missing: the local stack runs from Sageline's source tree"):
        build.fingerprint(tmp_path)


@pytest.mark.parametrize(
    ("system", "machine", "platform"),
    [
        ("linux", "x86_64", "x86_64-manylinux_2_28"),
        ("linux", "aarch64", "aarch64-manylinux_2_28"),
        ("darwin", "arm64", "aarch64-apple-darwin"),
        ("darwin", "x86_64", "x86_64-apple-darwin"),
    ],
)
def test_the_layer_is_built_for_this_machine(system: str, machine: str, platform: str) -> None:
    assert build.this_machine(system, machine).platform == platform


@pytest.mark.parametrize(("system", "machine"), [("win32", "amd64"), ("linux", "riscv64")])
def test_a_machine_without_wheels_is_refused(system: str, machine: str) -> None:
    with pytest.raises(BuildFailed, match="runs on Linux and macOS"):
        build.this_machine(system, machine)


def test_containers_have_lambdas_interpreter_and_linux_whatever_this_machine_has() -> None:
    assert build.container("arm64") == build.BuildTarget("3.13", "aarch64-manylinux_2_28")
    assert build.container("amd64") == build.BuildTarget("3.13", "x86_64-manylinux_2_28")


def test_lambdas_interpreter_is_the_templates() -> None:
    runtime = yaml_parse((PROJECT / "template.yaml").read_text())["Globals"]["Function"]["Runtime"]

    assert runtime == f"python{build.LAMBDA_PYTHON}"


def test_another_target_asks_for_a_build_of_its_own(project: Path) -> None:
    assert build.fingerprint(project, build.BuildTarget("3.9", "aarch64-manylinux_2_28")) != build.fingerprint(project)


class FakeSam:
    """Stands for the SAM CLI; remembers what it was asked."""

    def __init__(self, error: str | None = None) -> None:
        self.calls: list[tuple[Sequence[str], Mapping[str, str]]] = []
        self._error = error

    def __call__(self, home: Home, name: str, arguments: Sequence[str], variables: Mapping[str, str]) -> sam.Result:
        self.calls.append((arguments, variables))
        if self._error:
            return sam.Result(False, self._error, home.log("sam-build"))
        built = Path(arguments[arguments.index("--build-dir") + 1])
        built.mkdir(parents=True)
        (built / "template.yaml").write_text("built")
        return sam.Result(True, "", home.log("sam-build"))


def test_the_same_source_is_built_once(project: Path, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeSam()
    monkeypatch.setattr(sam, "run", fake)
    build_id = build.fingerprint(project)

    first = build.build(project, home, build_id, {})
    second = build.build(project, home, build_id, {})

    assert first == second
    assert first.read_text() == "built"
    assert len(fake.calls) == 1
    assert build.is_built(project, build_id)


def test_what_is_compiled_beside_a_bundles_modules_is_not_deployed(
    project: Path, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sam, "run", FakeSam())
    bundle = build.build(project, home, "id", {}).parent
    compiled = bundle / "SharedLayer/python/sageline/__pycache__/names.cpython-313.pyc"
    compiled.parent.mkdir(parents=True)
    compiled.write_bytes(b"compiled")
    (module := compiled.parent.parent / "names.py").touch()

    build.build(project, home, "id", {})

    assert module.exists()
    assert not compiled.parent.exists()


def test_the_layers_makefile_is_told_interpreter_and_machine(project: Path, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeSam()
    monkeypatch.setattr(sam, "run", fake)

    build.build(project, home, "id", {"UV_INDEX_URL": "https://mirror.example"})

    [(_, variables)] = fake.calls
    assert variables["SAGELINE_LAYER_PYTHON_VERSION"] == build.this_machine().python_version
    assert variables["SAGELINE_LAYER_PYTHON_PLATFORM"] == build.this_machine().platform
    assert variables["UV_INDEX_URL"] == "https://mirror.example"


def test_the_layers_makefile_is_told_of_another_target(project: Path, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeSam()
    monkeypatch.setattr(sam, "run", fake)

    build.build(project, home, "id", {}, build.BuildTarget("3.13", "aarch64-manylinux_2_28"))

    [(_, variables)] = fake.calls
    assert variables["SAGELINE_LAYER_PYTHON_VERSION"] == "3.13"
    assert variables["SAGELINE_LAYER_PYTHON_PLATFORM"] == "aarch64-manylinux_2_28"


def test_a_failed_build_tells_why_and_leaves_nothing(project: Path, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        sam, "run", FakeSam(error="lots of\noutput\nError: CustomMakeBuilder:MakeBuild - Make Failed\nno wheel for numpy")
    )

    with pytest.raises(BuildFailed, match=r"Make Failed\nno wheel for numpy"):
        build.build(project, home, "id", {})

    assert not build.is_built(project, "id")
    assert list((project / ".aws-sam" / "local").iterdir()) == []


def test_a_build_that_another_stack_finished_first_is_used(project: Path, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeSam()

    def finish_meanwhile(home: Home, name: str, arguments: Sequence[str], variables: Mapping[str, str]) -> sam.Result:
        other = project / ".aws-sam/local/id/bundle"
        other.mkdir(parents=True)
        (other / "template.yaml").write_text("the other's")
        return fake(home, name, arguments, variables)

    monkeypatch.setattr(sam, "run", finish_meanwhile)

    assert build.build(project, home, "id", {}).read_text() == "the other's"
