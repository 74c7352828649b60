"""What runs a function: Docker if it answers, else AWS's runtime emulator, else the stack's own Lambda."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sageline_local.errors import DockerMissing, EmulatorMissing
from sageline_local.invoke import emulator, engine
from sageline_local.invoke.engine import Engine

RunnerName = Literal["docker", "emulator", "stack"]
NAMES: tuple[RunnerName, ...] = ("docker", "emulator", "stack")


@dataclass(frozen=True)
class Runner:
    engine: Engine | None = None
    """Set for ``sam local``."""
    emulator: Path | None = None
    """Set for AWS's runtime emulator. Neither: the stack's own Lambda."""
    instead: tuple[str, ...] = ()
    """Why it is not what comes first."""


def choose(
    wanted: RunnerName | None,
    machine: Mapping[str, str],
    find_engine: Callable[[Mapping[str, str]], Engine] = engine.find,
    find_emulator: Callable[[], Path] = emulator.find,
) -> Runner:
    """
    Args:
        wanted: the only one that will do; None takes the first that is there.

    Raises:
        DockerMissing, EmulatorMissing: what is wanted is not there.
    """
    missing = []
    if wanted in (None, "docker"):
        try:
            return Runner(engine=find_engine(machine))
        except DockerMissing as error:
            if wanted:
                raise
            missing.append(error.message)
    if wanted in (None, "emulator"):
        try:
            return Runner(emulator=find_emulator(), instead=tuple(missing))
        except EmulatorMissing as error:
            if wanted:
                raise
            missing.append(error.message)
    return Runner(instead=tuple(missing))
