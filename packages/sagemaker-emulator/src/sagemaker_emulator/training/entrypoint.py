"""``ContainerEntrypoint`` and ``ContainerArguments``: what runs in a job instead of its image's program."""

from __future__ import annotations

from sagemaker_emulator.store import Request

MODULE = "sagemaker_emulator.engines.entrypoint.run"
_USUAL_ARGUMENTS = ["train"]


def command(specification: Request) -> list[str]:
    """The program and its arguments; empty where the image's own runs.

    Arguments alone are a command too: SageMaker's images have no entry point of their own, or one that runs its arguments.
    """
    entry_point, arguments = specification.get("ContainerEntrypoint") or [], specification.get("ContainerArguments") or []
    return [] if not entry_point and arguments == _USUAL_ARGUMENTS else [*entry_point, *arguments]
