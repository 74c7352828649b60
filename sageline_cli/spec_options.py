"""Options that stand for a line of the spec: ``--label``, ``--algorithm``, ``--preset``."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, get_args

import click

from sageline.spec.training import AlgorithmName, Preset

F = TypeVar("F", bound=Callable[..., Any])  # click's decorators take any function

_KEYS = {"label": ("dataset", "label"), "algorithm": ("algorithm", "name"), "preset": ("algorithm", "preset")}


@dataclass(frozen=True)
class SpecOptions:
    """What the options say; None: nothing."""

    label: str | None = None
    algorithm: str | None = None
    preset: str | None = None

    @property
    def given(self) -> dict[str, str]:
        """Option without its dashes to what it says."""
        return {option: said for option in _KEYS if (said := getattr(self, option)) is not None}

    @property
    def words(self) -> list[str]:
        """The options as they are given to a command."""
        return [word for option, said in self.given.items() for word in (f"--{option}", said)]

    @property
    def hint(self) -> str:
        """The options by name, for an error about them."""
        return " / ".join(f"'--{option}'" for option in self.given)

    def into(self, document: bytes) -> bytes:
        """A spec with what the options say. One that is no JSON object, or of a wrong form there, stays: parsing says what is
        wrong.

        Raises:
            click.BadParameter: the spec says something else.
        """
        given = read_json(document)
        if not self.given or not isinstance(given, dict):
            return document
        for option, said in self.given.items():
            section, key = _KEYS[option]
            part = given.setdefault(section, {})
            if not isinstance(part, dict):
                return document
            if part.get(key) not in (None, said):
                raise click.BadParameter(
                    f"the spec has the {option} {part[key]!r}, and --{option} says {said!r}: make them equal, or leave one out.",
                    param_hint=f"'--{option}'",
                )
            part[key] = said
        return json.dumps(given, indent=2).encode()


def read_json(document: bytes) -> object:
    """What a document holds; None where it is no JSON."""
    try:
        parsed: object = json.loads(document)
    except ValueError:
        return None
    return parsed


def spec_options(command: F) -> F:
    """The options, as ``label``, ``algorithm`` and ``preset``."""
    for option in (
        click.option(
            "--preset",
            type=click.Choice(get_args(Preset)),
            help="How much the algorithm auto tries: `algorithm.preset` of the spec. Default: quick.",
        ),
        click.option(
            "--algorithm",
            metavar="NAME",
            type=click.Choice(get_args(AlgorithmName)),
            help=f"{', '.join(get_args(AlgorithmName))}: `algorithm.name` of the spec. Default: auto.",
        ),
        click.option("--label", metavar="COLUMN", help="Column to predict: `dataset.label` of the spec."),
    ):
        command = option(command)
    return command
