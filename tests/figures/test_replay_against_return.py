"""The panel of rank shifts and Pearson's r, against the table by hand."""

import re

import numpy as np
import pandas as pd
import pytest

from echo import figures

JUDGED = {"value": "ours", "paper": "the paper's"}


@pytest.fixture(scope="module")
def axes(full):
    return figures.draw("replay_against_return", full).axes


def numbers(tables, column):
    """Replay and judged return of each row, as the column of summary.csv has them."""
    summary = pd.read_csv(tables / "summary.csv")
    trained = summary[summary["family"] != "reference"]
    both = [trained[(trained["branch"] == branch) & (trained["measure"] == measure)].set_index("row_name")[column]
            for branch, measure in (("replay", "psnr"), ("return_45", "judge"))]  # fmt: skip
    return pd.concat(both, axis=1, keys=["replay", "back"]).dropna()


@pytest.mark.parametrize(("column", "marker"), [("value", "o"), ("paper", "D")])
def test_each_row_shifts_as_its_two_ranks_say(axes, full, column, marker):
    values = numbers(full, column)
    labels = pd.read_csv(full / "rows.csv").set_index("row_name")["label"]
    panel = axes[-1]
    drawn = {line.get_ydata()[0]: line.get_xdata()[0] for line in panel.lines if line.get_marker() == marker}
    names = [tick.get_text() for tick in panel.get_yticklabels()]
    for row, line in values.iterrows():
        better = [(values[side] > line[side]).sum() for side in ("replay", "back")]
        assert drawn[names.index(labels[row])] == better[0] - better[1], row
    assert len(drawn) == len(values)


def test_r_is_pearsons_of_the_numbers(axes, full):
    for panel, column in ((axes[1], "value"), (axes[2], "paper")):
        said = float(re.search(r"r = (−?[\d.]+)", panel.get_xlabel())[1].replace("−", "-"))
        assert said == pytest.approx(np.corrcoef(numbers(full, column).T)[0, 1], abs=0.005)
