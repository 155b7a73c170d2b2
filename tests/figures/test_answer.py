"""The answer: which branches it is read from."""

import pandas as pd
import pytest

from echo import figures
from echo.figures.answer import answering
from echo.tables.build import build_tables
from tests.synthetic import write_tables


@pytest.mark.parametrize(
    ("measured", "expected"),
    [
        ({"recall", "return_strict", "revisit_near", "revisit_far"}, ["revisit_near", "revisit_far"]),
        ({"recall", "revisit_far"}, ["revisit_near", "revisit_far"]),
        ({"replay", "recall"}, ["recall", "return_strict"]),
        (set(), ["recall", "return_strict"]),
    ],
)
def test_it_is_read_from_branches_that_no_copy_solves_where_they_were_measured(measured, expected):
    assert list(answering(measured)) == expected


def test_rows_stand_in_the_order_of_the_first_branch_that_answers(tmp_path):
    tables = write_tables(tmp_path, ("i2v", "context_k5", "compress_weight", "spatial", "ssm_blockwise"), cases=8)
    cases = pd.read_csv(tables / "cases.csv.xz")
    revisits = cases[cases["branch"] == "recall"].assign(branch="revisit_near")
    revisits["psnr"] = 40 - revisits["psnr"]  # the other way round than on recall
    pd.concat([cases, revisits]).to_csv(tables / "cases.csv.xz", index=False)
    build_tables(tables, resamples=100)
    axes = figures.draw("answer", tables).axes[0]
    shown = [tick.get_text() for tick in axes.get_yticklabels()]
    gains = pd.read_csv(tables / "differences.csv").query("branch == 'revisit_near' and measure == 'psnr'")
    best = gains.set_index("label")["difference"].sort_values(ascending=False)
    assert [label for label in shown if label in best.index] == list(best.index)
    against = axes.get_xlabel()
    assert "near revisit" in against and "recall" not in against
