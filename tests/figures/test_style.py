"""Estimates are drawn where the table has them, with its intervals and nothing computed anew."""

import numpy as np
import pandas as pd
import pytest

from echo.figures import FigureError, style
from echo.study.words import BRANCHES

LOOKS = {"colours": {"a": "#112233", "b": "#445566", "c": "#778899"}, "markers": {"a": "o", "b": "s", "c": "D"}}


def cells(**columns) -> pd.DataFrame:
    table = {"row_name": ["a", "b", "c"], "place": [1.0, 2.0, 3.0], "value": [5.0, 6.0, np.nan]}
    return pd.DataFrame({**table, "low": [4.0, np.nan, np.nan], "high": [7.5, np.nan, np.nan], **columns})


@pytest.mark.parametrize("horizontal", [False, True])
def test_estimates_are_the_tables_numbers(horizontal):
    axes = style.new_figure(3, 3).subplots()
    lines = style.estimates(axes, cells(), "place", horizontal=horizontal, **LOOKS)
    assert list(lines) == ["a", "b"]  # c was not measured
    for name, place, value in (("a", 1.0, 5.0), ("b", 2.0, 6.0)):
        x, y = (value, place) if horizontal else (place, value)
        assert (list(lines[name].get_xdata()), list(lines[name].get_ydata())) == ([x], [y])
    bars = [segment for group in axes.collections for segment in group.get_segments() if not np.isnan(segment).any()]
    ends = [np.sort(bar[:, 0 if horizontal else 1]).tolist() for bar in bars]
    assert [4.0, 7.5] in ends and all(low == high for low, high in ends if [low, high] != [4.0, 7.5])


def test_an_interval_that_leaves_its_estimate_out_does_not_move_it():
    axes = style.new_figure(3, 3).subplots()
    lines = style.estimates(axes, cells(low=[5.5, 1.0, 1.0]), "place", **LOOKS)
    assert lines["a"].get_ydata()[0] == 5.0


def test_nothing_measured_draws_nothing():
    axes = style.new_figure(3, 3).subplots()
    assert style.estimates(axes, cells(value=np.nan), "place", **LOOKS) == {} and not axes.lines


def test_branches_are_called_by_their_labels():
    assert {style.branch_label(name) for name in BRANCHES} == {branch.label for branch in BRANCHES.values()}
    assert style.explained("recall") == "recall: the true past, then the way back"
    assert style.explained("loop") == "180° loop"


def test_an_empty_table_is_named(tmp_path):
    (tmp_path / "rows.csv").write_text("row_name,label\n")
    with pytest.raises(FigureError, match="rows.csv: the table has no row"):
        style.read(tmp_path, "rows.csv")


def test_the_reference_row_is_the_one_of_the_anchor_alone_whatever_it_is_called():
    rows = pd.DataFrame({
        "row_name": ["spatial_none", "plain", "context_k5"], "family": ["spatial", "context", "context"],
        "remembers": [False, False, True],
    })  # fmt: skip
    assert style.reference_row(rows) == "plain"
    assert style.reference_row(rows[rows["row_name"] != "plain"]) == ""
