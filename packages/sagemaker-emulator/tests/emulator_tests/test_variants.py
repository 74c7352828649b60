"""A variant that others replace answers what it was asked before."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from sagemaker_emulator import children
from sagemaker_emulator.hosting.connection import Address
from sagemaker_emulator.hosting.variants import Replaced, Variant


class RecordedChild(children.Child):
    def __init__(self) -> None:
        self.graces: list[float] = []

    def end(self, grace: float) -> None:
        self.graces.append(grace)


def use_again_and_again(variant: Variant) -> None:
    for _ in range(10_000):
        with variant.in_use():
            time.sleep(0.001)


def test_a_variant_is_not_ended_while_an_invocation_is_under_way_and_takes_no_other(tmp_path: Path) -> None:
    child = RecordedChild()
    variant = Variant("blue", child, Address("http://127.0.0.1:1"), tmp_path / "blue")
    ending = threading.Thread(target=variant.end)
    with variant.in_use():
        ending.start()
        with pytest.raises(Replaced):
            use_again_and_again(variant)
        assert child.graces == []
    ending.join(10)
    assert child.graces == [30.0]


def test_a_variant_that_answers_too_late_is_ended_all_the_same(tmp_path: Path) -> None:
    child = RecordedChild()
    variant = Variant("blue", child, Address("http://127.0.0.1:1"), tmp_path / "blue")
    with variant.in_use():
        variant.end(grace=0.01)
    assert child.graces == [0.01]
