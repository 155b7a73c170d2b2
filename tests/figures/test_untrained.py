"""Lines of reference rows: at the tables' levels, told apart without colour, labels that do not meet."""

import itertools

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from echo import figures
from echo.figures import style, untrained
from echo.tables.build import build_tables
from tests.synthetic import write_tables


@given(st.lists(st.floats(-5, 5), max_size=12), st.floats(0.01, 1))
def test_labels_are_moved_apart_and_keep_their_order(places, gap):
    moved = untrained.spread(places, gap)
    order = sorted(range(len(places)), key=lambda i: (places[i], i))
    for one, two in itertools.pairwise(order):
        assert moved[two] - moved[one] >= gap - 1e-9
    apart = sorted(places)
    if all(two - one >= gap for one, two in itertools.pairwise(apart)):
        assert moved == pytest.approx(places)
    if places:  # as a whole they stay where they were
        assert sum(moved) / len(moved) == pytest.approx(sum(places) / len(places), abs=1e-6)


def test_references_are_told_apart_by_dashes_alone(full, small):
    references = untrained.read_references(full)
    assert len(references) == 6 and references["dashes"].nunique() == 6
    assert {untrained.look(one)["color"] for one in references.itertuples()} == {untrained.COLOUR}
    assert untrained.read_references(small).empty
    assert not set(references.index) & set(style.read_rows(full).index)


def test_lines_stand_at_the_levels_of_the_table(full):
    summary = pd.read_csv(full / "summary.csv").query("branch == 'recall' and measure == 'psnr'")
    level = summary.set_index("row_name")["value"]
    for axes in figures.draw("context_length_and_cost", full).axes:
        drawn = {round(float(line.get_ydata()[0]), 6) for line in axes.lines if line.get_color() == untrained.COLOUR}
        assert drawn == {round(level[name], 6) for name in untrained.read_references(full).index}


def test_the_answers_lines_stand_at_the_gains_over_the_same_row(full):
    table = pd.read_csv(full / "differences.csv").query("branch == 'recall' and measure == 'psnr'")
    gains = table.set_index("row_name")["difference"]
    axes = figures.draw("answer", full).axes[0]
    drawn = {round(float(line.get_xdata()[0]), 6) for line in axes.lines
             if line.get_color() == untrained.COLOUR and len(line.get_xdata()) == 2}  # fmt: skip
    assert {round(gains[name], 6) for name in untrained.read_references(full).index} <= drawn


def test_ranks_and_correlation_are_of_the_rows_alone(full, tmp_path):
    """With and without references the same shifts and correlations stand on the figure."""
    alone = write_tables(tmp_path, cases=8)
    build_tables(alone, resamples=100)

    def said(folder):
        figure = figures.draw("replay_against_return", folder)
        shown = sorted(text.get_text() for axes in figure.axes for text in (*axes.texts, axes.xaxis.label))
        return [text for text in shown if text.startswith("rank correlation") or text[-1:] == "=" or "▲" in text]

    assert said(full) == said(alone) and len(said(full)) > 3
