from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sageline.arrays.blocks import Block
from sageline.arrays.strings import StringArray
from sageline.dataset import row_sample
from sageline.dataset.row_sample import RowSample


@given(blocks=st.lists(st.lists(st.integers(0, 30), max_size=8), max_size=12), look=st.integers(0, 12))
def test_the_rows_with_the_smallest_positions_are_kept_in_their_order(blocks: list[list[int]], look: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(row_sample, "MOST_ROWS", 5)
        sample, rows = RowSample(), list[tuple[float, str]]()
        for number, block in enumerate(blocks):
            texts = [f"{len(rows) + place}" for place in range(len(block))]
            positions = np.array(block, dtype=np.float64) / 31
            sample.add(Block.of({"a": StringArray.from_list(texts)}), positions)
            rows += zip(positions.tolist(), texts, strict=True)
            if number == look:
                assert len(sample.columns.get("a", [])) == sample.rows  # looking changes nothing
        expected = sorted(sorted(rows, key=lambda row: row[0])[:5], key=lambda row: int(row[1]))

        assert sample.rows == len(expected)
        assert sample.columns.get("a", []) == [text for _, text in expected]
