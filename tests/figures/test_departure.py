"""Departure beside closure, reference rows too."""

import shutil

import numpy as np
import pandas as pd
import pytest

from echo import figures


@pytest.fixture
def tables(full, tmp_path):
    """Tables in which each row covers an angle of its own on one branch; the first covers none."""
    folder = tmp_path / "tables"
    shutil.copytree(full, folder)
    summary, rows = (pd.read_csv(folder / name) for name in ("summary.csv", "rows.csv"))
    one = summary[(summary["branch"] == "return_45") & (summary["measure"] == "psnr")]
    share = one["row_name"].map({name: place / 100 for place, name in enumerate(rows["row_name"])})
    covered = one.assign(measure="departure_share", value=share, low=share - 0.1, high=share + 0.1)
    pd.concat([summary, covered]).to_csv(folder / "summary.csv", index=False)
    return folder


def test_every_row_and_reference_row_stands_at_its_share(tables):
    rows = pd.read_csv(tables / "rows.csv")
    axes = figures.draw("departure", tables).axes[0]
    points = {(round(float(x), 6), round(float(y))) for line in axes.lines if line.get_marker() == "o"
              for x, y in zip(line.get_xdata(), line.get_ydata(), strict=True)}  # fmt: skip
    order = [tick.get_text() for tick in axes.get_yticklabels()]
    assert order == list(rows["label"]) and len(order) == len(set(order))
    assert points == {(place / 100, place) for place in range(len(rows))}


def test_tables_from_before_departure_was_measured_leave_the_left_panel_empty(full):
    left, right = figures.draw("departure", full).axes
    assert not any(line.get_marker() in ("o", "s", "D", "^") for line in left.lines)
    assert any(np.isfinite(line.get_xdata()).any() for line in right.lines if line.get_marker() == "o")
