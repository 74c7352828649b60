"""The commands that the documentation shows are commands that exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from sageline_cli.main import cli

PROJECT = Path(__file__).resolve().parents[3]
PAGES = [PROJECT / "README.md", PROJECT / "CONTRIBUTING.md", *sorted((PROJECT / "docs").glob("*.md"))]


def shell_lines(page: Path) -> list[str]:
    """What stands in blocks of no language or of sh, continued lines joined."""
    lines: list[str] = []
    language: str | None = None
    for line in page.read_text().replace("\\\n", " ").splitlines():
        if line.startswith("```"):
            language = line.removeprefix("```") if language is None else None
        elif language in ("", "sh"):
            lines.append(line)
    return lines


def sageline_commands() -> list[str]:
    lines = [line for page in PAGES for line in shell_lines(page)]
    found = [re.search(r"(?:^|\$\(|; |bin/)(sageline (?!-)[^)|;#]*)", line) for line in lines]
    return sorted({match[1].strip() for match in found if match})


def parse(arguments: list[str]) -> click.Context:
    """As running it would, up to the point where it would do something."""
    command: click.Command = cli
    context: click.Context | None = None
    while isinstance(command, click.Group):
        context = click.Context(command, parent=context)
        name, *arguments = arguments
        found = command.get_command(context, name)
        assert found is not None, name
        command = found
    return command.make_context(command.name, arguments, parent=context)


@pytest.mark.parametrize("line", sageline_commands())
def test_a_command_in_the_documentation_parses(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = shlex.split(line)[1:]
    for argument in arguments:
        if re.fullmatch(r"[\w/-]+\.(csv|json|jsonl)", argument):
            Path(argument).parent.mkdir(parents=True, exist_ok=True)
            Path(argument).write_text('{"x": 1}\n' if argument.endswith(("json", "jsonl")) else "x,y\n1,2\n")
        if argument.endswith("spec.json"):
            Path(argument).write_text("{}")

    assert parse(arguments).command.callback is not None


def test_the_readme_shows_commands_at_all() -> None:
    assert len(sageline_commands()) >= 8


def test_every_make_target_in_the_documentation_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(), flags=re.MULTILINE))

    shown = {target for page in PAGES for target in re.findall(r"(?:^|`)make ([a-z-]+)", page.read_text(), flags=re.MULTILINE)}

    assert {"demo", "test"} <= shown <= targets


def test_links_between_pages_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
