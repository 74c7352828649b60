"""What a stack remembers, and who may change it."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from sageline_local.errors import StackBusy
from sageline_local.home import DeployedStack, Home, StackRecord
from sageline_local.processes import ProcessRef


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "stack")
    home.make()
    return home


def test_a_record_is_read_as_it_was_written(home: Home) -> None:
    record = StackRecord(
        port=4566,
        sagemaker_port=4567,
        autoscaling_port=4568,
        processes={"ministack": ProcessRef(12, 1795000000.25)},
        parameters={"LogLevel": "DEBUG"},
        deployment=DeployedStack("abc", "arn:stack", {"BucketName": "bucket"}),
    )

    record.save(home)

    assert StackRecord.load(home) == record


@pytest.mark.parametrize("content", ["", "{", "[]", '{"port": 1}', '{"port": 1, "sagemaker_port": 2, "processes": {"a": 1}}'])
def test_a_record_that_cannot_be_read_counts_as_none(home: Home, content: str) -> None:
    home.record_file.write_text(content)

    assert StackRecord.load(home) == StackRecord()


def test_only_its_owner_may_look_into_a_stacks_directory(home: Home) -> None:
    assert stat.S_IMODE(home.root.stat().st_mode) == 0o700


def test_one_command_at_a_time_changes_a_stack(home: Home) -> None:
    assert not home.busy()
    with home.locked():
        assert home.busy()
        with pytest.raises(StackBusy, match=r"Another command \(process \d+\) is starting or stopping the stack"), home.locked():
            pass
    assert not home.busy()


def test_deleting_a_stack_leaves_what_is_not_its_own(home: Home) -> None:
    StackRecord().save(home)
    (home.root / "demo.json").write_text("{}")

    home.delete()

    assert [file.name for file in home.root.iterdir()] == ["demo.json"]


def test_deleting_a_stack_removes_an_empty_directory(home: Home) -> None:
    home.delete()

    assert not home.root.exists()
