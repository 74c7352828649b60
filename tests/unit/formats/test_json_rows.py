from __future__ import annotations

import json

import numpy as np
import pytest

from sageline.formats import json_rows


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_number_that_json_has_not_is_refused_with_its_place(value: float) -> None:
    with pytest.raises(ValueError, match=f"row 1, column 0 is {value}, which JSON cannot say"):
        json_rows.write_tensors(np.array([[1], [value]], dtype=np.float32), (1,))


def test_texts_for_blazingtext() -> None:
    body = json_rows.write_texts(["the movie was excellent"], 2)
    assert json.loads(body) == {"instances": ["the movie was excellent"], "configuration": {"k": 2}}
    lines = json_rows.write_text_lines(["gr\u00fcn", "line\nfeed"], 1).splitlines()
    assert [json.loads(line) for line in lines] == [{"source": "gr\u00fcn", "k": 1}, {"source": "line\nfeed", "k": 1}]


def test_rows_for_tensorflow_serving_are_nested_as_the_shape_says() -> None:
    table = np.arange(24, dtype=np.float32).reshape(2, 12)

    assert json.loads(json_rows.write_tensors(table, (2, 3, 2)))["instances"] == table.reshape(2, 2, 3, 2).tolist()
    assert json.loads(json_rows.write_tensors(table, (12,)))["instances"] == table.tolist()
