"""Rows come back from their distinct ones, of which none is there twice."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from farm3d.ops.distinct_rows import distinct_rows

TABLES = st.lists(st.tuples(*(st.integers(-2, 2),) * 3), max_size=40)


@given(TABLES)
def test_rows_come_back_and_none_stands_twice(table: list[tuple[int, int, int]]) -> None:
    rows = torch.tensor(table, dtype=torch.float32).reshape(-1, 3)
    first, place = distinct_rows(rows)
    assert torch.equal(rows[first][place], rows)
    assert len(first) == len(set(table))


@given(TABLES)
def test_the_first_of_equal_rows_stands_for_them(table: list[tuple[int, int, int]]) -> None:
    first, place = distinct_rows(torch.tensor(table, dtype=torch.float32).reshape(-1, 3))
    assert first[place].tolist() == [table.index(row) for row in table]
