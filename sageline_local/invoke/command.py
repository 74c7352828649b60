"""``make invoke`` and ``make api``: from a name to an answer, or to an address."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sageline_local import build, functions, golden_events, ports
from sageline_local.errors import EventUnknown, FixtureMissing, InvokeFailed, StackNotUp
from sageline_local.fixture import EventPreparer
from sageline_local.golden_events import GoldenEvent
from sageline_local.home import Home, StackRecord
from sageline_local.invoke import deployed_functions, emulator, lambda_of_stack, template
from sageline_local.invoke.containers import SamLocal
from sageline_local.invoke.deployed_functions import DeployedFunction
from sageline_local.invoke.engine import Engine
from sageline_local.invoke.network import network_name, open_network
from sageline_local.invoke.runner import Runner
from sageline_local.invoke.workspace import abandoned, clear, workspace
from sageline_local.progress import Progress
from sageline_local.stack import PROJECT, LocalStack

Tell = Callable[[str], None]
"""Takes a line for the person who waits."""


@dataclass(frozen=True)
class InvokeContext:
    """The stack that functions are run for, and where its progress is shown. ``port``: MiniStack's; None is that of the last
    time."""

    home: Home
    port: int | None
    progress: Progress
    tell: Tell


def invoke(context: InvokeContext, runner: Runner, image: str | None, name: str, event: str) -> str:
    """What a function answers to an event; what it logs goes to stderr.

    Args:
        image: the image that containers start from; None for AWS's.
        name: as for ``functions.configuration``.
        event: a golden event of that function, or the path of a file.

    Raises:
        LocalStackError: the function could not be run.
    """
    # Names are looked up in the source first: a wrong one need not wait for the stack.
    logical_id = functions.find(name, template.function_ids(template.read(PROJECT / "template.yaml")))
    chosen = read_event(functions.folder(logical_id), event)
    stack = LocalStack(context.home.root, context.port)
    status = stack.up(context.progress)
    function = deployed_functions.find(stack.clients(), logical_id, status.environment)
    context.tell(f"{function.folder} with {chosen.source}, as the role {function.role}.")
    payload = json.dumps(golden_events.fill_text(chosen.text, _variables(context, stack, chosen), chosen.source)).encode()
    if runner.engine:
        with sam_local(context, runner.engine, image, [function]) as (sam, folder):
            context.tell(f"In a container: sam local invoke, Python {build.LAMBDA_PYTHON} on {runner.engine.architecture}.")
            file = folder / "event.json"
            file.write_bytes(payload)
            return sam.invoke(function, file)
    for missing in runner.instead:
        context.tell(missing)
    if runner.emulator:
        context.tell(
            f"On AWS's runtime emulator: Python {sys.version_info.major}.{sys.version_info.minor} and no container, so neither "
            "a limit of memory nor a file system of its own."
        )
        built = build.build(PROJECT, context.home, build.fingerprint(PROJECT), os.environ)
        document = template.read(built)
        code = template.code_folders(document, built.parent)[function.logical_id]
        folders = template.layer_folders(document, built.parent)
        layers = [folders[layer] for layer in template.layers_of(document, function.logical_id)]
        return emulator.invoke(runner.emulator, function, payload, code=code, layers=layers, machine=os.environ)
    context.tell("By the stack's own Lambda: the same code and role, in MiniStack's runtime.")
    return lambda_of_stack.invoke(stack.clients(), function, payload)


def serve_api(context: InvokeContext, engine: Engine, image: str | None, port: int) -> None:
    """Serve the HTTP API by ``sam local start-api``, until it is interrupted.

    Raises:
        LocalStackError: it could not be served.
    """
    ports.require_free(port)
    stack = LocalStack(context.home.root, context.port)
    status = stack.up(context.progress)
    everything = deployed_functions.all_of(stack.clients(), status.environment)
    with sam_local(context, engine, image, everything) as (sam, _):
        context.tell(f"sam local start-api at http://127.0.0.1:{port}, with the stack's data. Ctrl-C ends it.")
        context.tell(
            "It checks no signature, as SAM does: until it ends, every program on this machine may use it. A function starts "
            "with its first request, and a change of the code takes a new start."
        )
        with sam.start("start-api", ["--host", "127.0.0.1", "--port", str(port), "--warm-containers", "LAZY"]) as running:
            code = running.wait()
    raise InvokeFailed(f"`sam local start-api` ended with exit code {code}: see above.")


@contextmanager
def sam_local(
    context: InvokeContext, engine: Engine, image: str | None, wanted: Sequence[DeployedFunction]
) -> Iterator[tuple[SamLocal, Path]]:
    """``sam local`` for functions of a stack that is up, and its folder, which is gone when the context ends.

    Raises:
        BuildFailed: the bundle could not be built for containers.
    """
    for folder in abandoned(context.home):
        engine.remove_containers_of(folder)
        engine.remove_network(network_name(folder))
        clear(folder)
    target = build.container(engine.architecture)
    build_id = build.fingerprint(PROJECT, target)
    if build.is_built(PROJECT, build_id):
        built = build.build(PROJECT, context.home, build_id, os.environ, target)
    else:
        with context.progress.step(f"Build for containers: Python {target.python_version}, {engine.architecture}"):
            built = build.build(PROJECT, context.home, build_id, os.environ, target)
    image = image or aws_image(engine)
    if not engine.has_image(image):
        with context.progress.step(f"Fetch {image}"):
            engine.fetch_image(image)
    addresses = StackRecord.load(context.home).ports
    if addresses is None:
        raise StackNotUp("The local stack went down meanwhile: start it with `sageline local up`.")
    numbers = (addresses.ministack, addresses.sagemaker, addresses.autoscaling)
    with (
        workspace(context.home) as folder,
        open_network(engine, numbers, folder, image) as network,
    ):
        sam = SamLocal(context.home, engine, folder, image)
        sam.prepare(built, wanted, network)
        yield sam, folder


def aws_image(engine: Engine) -> str:
    """AWS's own, which ``sam local`` would take too."""
    return f"public.ecr.aws/lambda/python:{build.LAMBDA_PYTHON}-{template.SAM_ARCHITECTURES[engine.architecture]}"


@dataclass(frozen=True)
class EventText:
    """``text``: in which variables are not filled yet."""

    source: str
    text: str
    golden: GoldenEvent | None


def read_event(folder: str, event: str) -> EventText:
    """A golden event, or a file.

    Args:
        folder: a function's in ``events/``.

    Raises:
        EventUnknown: there is none of that name.
    """
    golden = golden_events.find(folder, event) if "/" not in event and not event.endswith(".json") else None
    try:
        text = (golden.path if golden else Path(event)).read_text(encoding="utf-8")
        json.loads(text)
    except (OSError, ValueError) as error:
        raise EventUnknown(f"{event} is no file with a JSON document: {error}") from error
    return EventText(f"events/{golden}.json" if golden else event, text, golden)


def _variables(context: InvokeContext, stack: LocalStack, event: EventText) -> dict[str, str]:
    """What an event may name, and for a golden one: what it needs, made true, if the stack has the fixture."""
    if event.golden:
        try:
            return EventPreparer(stack).prepare(event.golden)
        except FixtureMissing as error:
            context.tell(f"{error.message} Without it, some events find nothing.")
    return golden_events.variables(stack.require_up())
