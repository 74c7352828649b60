"""The last lines of a job's log."""

from __future__ import annotations

from sageline.jobs.logs import TRAINING_JOBS, last_log_lines
from tests.unit.world.fake_sagemaker import Refused
from tests.unit.world.waiting import log
from tests.unit.world.world import RUN_ID, World, logs_client


def test_the_last_lines_of_the_first_host_are_read(world: World) -> None:
    log(world, *(f"line {i}" for i in range(30)))
    log(world, "another host", stream=f"{RUN_ID}/algo-2-1795168800")
    lines = last_log_lines(TRAINING_JOBS, RUN_ID, logs_client())
    assert (len(lines), lines[-1]) == (20, "line 29")


def test_without_logs_there_are_no_lines(world: World) -> None:
    assert last_log_lines(TRAINING_JOBS, RUN_ID, logs_client()) == []
    log(world, "another job", stream="other/algo-1-1")
    assert last_log_lines(TRAINING_JOBS, RUN_ID, logs_client()) == []


def test_a_log_that_may_not_be_read_says_so(world: World) -> None:
    world.aws.refuse["DescribeLogStreams"] = Refused("AccessDeniedException", "not authorized to DescribeLogStreams")
    (line,) = last_log_lines(TRAINING_JOBS, RUN_ID, logs_client())
    assert "could not be read" in line
    assert "not authorized to DescribeLogStreams" in line
