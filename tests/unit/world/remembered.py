"""What many tests begin with is brought about once, and put into the world of each other test."""

from __future__ import annotations

import functools
import pickle
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

from moto.dynamodb.models import dynamodb_backends
from moto.s3.models import s3_backends

from tests.unit.world.world import BUCKET, TABLE, World

ACCOUNT = "123456789012"
P = ParamSpec("P")
R = TypeVar("R")


def remembered(step: Callable[Concatenate[World, P], R]) -> Callable[Concatenate[World, P], R]:
    """A step that is not gone through again in a world that is as another one was before it.

    Its objects, records and answers are what they were there: versions and times, too. A test that takes ``monkeypatch``, and
    so may have changed what the step does, goes through it.
    """
    ends: dict[bytes, bytes] = {}

    @functools.wraps(step)
    def brought_about(world: World, /, *args: P.args, **kwargs: P.kwargs) -> R:
        if not world.remembers:
            return step(world, *args, **kwargs)
        start = pickle.dumps((_state(world), args, kwargs))
        if start not in ends:
            result = step(world, *args, **kwargs)
            ends[start] = pickle.dumps((_state(world), result))
        # Also where it has just been gone through, so that what follows begins with the same bytes everywhere.
        state, end = pickle.loads(ends[start])  # noqa: S301  # our own
        _put(world, state)
        return end  # type: ignore[no-any-return]  # what the step answered

    return brought_about


def _state(world: World) -> dict[str, Any]:
    s3, table = _backends()
    objects = {"keys": s3.buckets[BUCKET].keys, "tags": s3.tagger}
    return objects | {"items": table.items, "sagemaker": vars(world.fake), "now": world.clock.now}


def _put(world: World, state: dict[str, Any]) -> None:
    s3, table = _backends()
    s3.buckets[BUCKET].keys, s3.tagger, table.items = state["keys"], state["tags"], state["items"]
    vars(world.fake).update(state["sagemaker"])
    world.clock.now = state["now"]


def _backends() -> tuple[Any, Any]:  # moto's own, of S3 and of the runs table
    return s3_backends[ACCOUNT]["aws"], dynamodb_backends[ACCOUNT]["us-east-1"].tables[TABLE]
