"""Cells of files that people open in a spreadsheet."""

from __future__ import annotations

import pytest

from service.tables import inert


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "\nx", "\uff1d1", "\uff0b1", "\uff0d1", "\uff20x"])
def test_no_cell_acts_as_a_formula(text: str) -> None:
    assert inert(text) == f"'{text}"


def test_other_cells_stay_as_they_are() -> None:
    assert [inert(cell) for cell in ("a=1", "", None, -3, 0.5, "\u2212x")] == ["a=1", "", None, -3, 0.5, "\u2212x"]
