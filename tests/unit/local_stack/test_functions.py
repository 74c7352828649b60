"""Functions by the names that people write."""

from __future__ import annotations

import pytest

from sageline_local import functions
from sageline_local.errors import FunctionUnknown

FUNCTIONS = ["PrepareDataFunction", "RecordFailureFunction"]


@pytest.mark.parametrize("name", ["prepare_data", "prepare-data", "PrepareData", "PrepareDataFunction", "preparedata"])
def test_a_function_is_found_however_it_is_written(name: str) -> None:
    assert functions.find(name, FUNCTIONS) == "PrepareDataFunction"


def test_an_unknown_function_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(FunctionUnknown, match=r"no function 'prepare'\. There are: prepare_data, record_failure\."):
        functions.find("prepare", FUNCTIONS)


def test_without_a_name_those_that_there_are_are_told() -> None:
    with pytest.raises(FunctionUnknown, match=r"No function is named\. There are: prepare_data, record_failure\."):
        functions.find("", FUNCTIONS)
