"""How the SAM CLI is called, and what is shown of its output."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from samcli.cli.types import CfnParameterOverridesType  # type: ignore[import-untyped] # the package has no types

from sageline_local import sam
from sageline_local.home import Home


def test_the_error_is_shown_from_where_sam_names_it() -> None:
    output = "warning: failure is possible\nError: Unable to upload artifact\nCodeUri refers to a missing folder\n"

    assert (
        sam.Result(False, output, Path("log")).explanation()
        == "Error: Unable to upload artifact\nCodeUri refers to a missing folder"
    )


def test_without_a_named_error_the_telling_lines_are_shown() -> None:
    output = "step one\nCREATE_FAILED AWS::IAM::Role Access denied\nstep two\n"

    assert sam.Result(False, output, Path("log")).explanation() == "CREATE_FAILED AWS::IAM::Role Access denied"


def test_silence_shows_the_end() -> None:
    assert (
        sam.Result(False, "\n".join(f"line {number}" for number in range(50)), Path("log")).explanation(2) == "line 48\nline 49"
    )


def test_parameters_are_passed_on() -> None:
    arguments = sam.deploy_arguments(Path("built.yaml"), "sageline", "artifacts", {"CheckIntervalSeconds": "10"})

    assert arguments[-2:] == ["--parameter-overrides", "ParameterKey=CheckIntervalSeconds,ParameterValue=10"]
    emptied = sam.deploy_arguments(Path("built.yaml"), "sageline", "artifacts", {"JwtIssuer": ""})
    read = CfnParameterOverridesType().convert(emptied[-1], None, None)
    assert read == {"JwtIssuer": ""}, "as SAM reads it"
    assert "--parameter-overrides" not in sam.deploy_arguments(Path("built.yaml"), "sageline", "artifacts", {})


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path)
    home.make()
    return home


def test_sam_neither_phones_home_nor_reads_the_users_or_the_projects_settings(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[list[str], dict[str, Any]]] = []

    def run(command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:  # as subprocess.run takes them
        calls.append((command, options))
        return subprocess.CompletedProcess(command, 0, stdout="done")

    monkeypatch.setattr(subprocess, "run", run)

    result = sam.run(home, "build", ["--build-dir", "out"], {"PATH": "/usr/bin"})

    [(command, options)] = calls
    assert result.succeeded
    assert home.log("sam-build").read_text() == "done"
    assert options["env"]["SAM_CLI_TELEMETRY"] == "0"
    assert options["env"]["__SAM_CLI_APP_DIR"] == str(home.sam.resolve())
    assert options["env"]["PATH"] == f"{Path(sys.executable).parent}:/usr/bin"
    assert Path(command[command.index("--config-file") + 1]).parent == home.sam.resolve()


def test_a_sam_that_hangs_is_ended_and_reported(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:  # as subprocess.run takes them
        raise subprocess.TimeoutExpired(command, options["timeout"], output=b"Uploading")

    monkeypatch.setattr(subprocess, "run", run)

    result = sam.run(home, "deploy", [], {})

    assert not result.succeeded
    assert result.explanation() == "Error: sam deploy did not end within 600 s."
    assert "Uploading" in home.log("sam-deploy").read_text()
