"""What can go wrong with the local stack, by name. Each message says what to do."""

from __future__ import annotations

from sageline.errors import SagelineError


class LocalStackError(SagelineError):
    """Base of the local stack's errors."""


class PortInUse(LocalStackError):
    """Another program listens on the port that was asked for."""


class StackBusy(LocalStackError):
    """Another command is starting or stopping the same stack."""


class StackElsewhere(LocalStackError):
    """The stack is up already, and not as it was asked for now."""


class StackNotUp(LocalStackError):
    """The command needs a stack that is up."""


class TokensOfAnother(LocalStackError):
    """The stack takes no tokens that it could make itself."""


class StartFailed(LocalStackError):
    """A process of the stack ended while starting, or was not ready in time."""


class BuildFailed(LocalStackError):
    """``sam build`` failed."""


class DeployFailed(LocalStackError):
    """``sam deploy`` failed, or its result is not usable."""


class FunctionUnknown(LocalStackError):
    """No function of that name is deployed."""


class EventUnknown(LocalStackError):
    """There is no golden event of that name."""


class VariableUnknown(LocalStackError):
    """A golden event names a variable that has no value."""


class DockerMissing(LocalStackError):
    """The command needs a Docker daemon, and none answers."""


class EmulatorMissing(LocalStackError):
    """The command needs AWS's runtime emulator, and this machine can not run it."""


class InvokeFailed(LocalStackError):
    """A function could not be run; nothing is said of the function itself."""


class FixtureFailed(LocalStackError):
    """What the golden events need could not be made."""


class FixtureMissing(FixtureFailed):
    """The stack has nothing that the golden events could name."""
