"""Ranks from study to study, drawn where the table has them."""

import pandas as pd

from echo.figures import names
from echo.figures.policies import draw_ranks

RANKS = pd.DataFrame(
    [(study, policy, row, f"{row}!", "context", "return_45", "judge", 0.0, rank)
     for study, policy, order in (("as_released", "as_released", "ba"), ("mini", "streaming", "ab"))
     for rank, row in enumerate(order, 1)],
    columns=["study", "policy", "row", "label", "family", "branch", "measure", "value", "rank"],
)  # fmt: skip


def test_a_line_goes_from_a_rows_rank_in_one_study_to_that_in_the_next():
    (axes,) = draw_ranks(RANKS).axes
    lines = sorted(tuple(line.get_ydata()) for line in axes.get_lines())
    assert lines == [(1, 2), (2, 1)]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["as released", "streaming"]
    assert {text.get_text() for text in axes.texts} == {"a!", "b!"}
    assert axes.get_ylim()[0] > axes.get_ylim()[1]  # the best on top


def test_studies_of_one_policy_are_known_by_their_names():
    (axes,) = draw_ranks(RANKS.replace({"policy": {"streaming": "as_released"}})).axes
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["as released", "mini"]


def test_outcomes_stand_two_in_a_line():
    names = [("return_45", "judge"), ("replay", "psnr"), ("recall", "psnr")]
    ranks = pd.concat([RANKS.assign(branch=branch, measure=measure) for branch, measure in names])
    drawn = draw_ranks(ranks).axes
    assert [axes.axison for axes in drawn] == [True, True, True, False]
    assert [bool(axes.get_ylabel()) for axes in drawn] == [True, False, True, False]


def test_it_is_no_figure_of_one_study():
    assert "policies" not in names()
