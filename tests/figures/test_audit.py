"""The figure of the audit: red where a training differs in more than its memory, with the value, and nowhere else."""

import shutil

import pandas as pd
import pytest
from matplotlib.colors import to_hex

from echo import figures
from echo.figures.audit import FLAW, MEMORY, SAME


def cells(figure):
    """Colour of each cell, by row and aspect as their labels say."""
    axes = figure.axes[0]
    rows = [tick.get_text() for tick in axes.get_yticklabels()]
    aspects = [tick.get_text().replace("\n", " ") for tick in axes.get_xticklabels()]
    return {
        (rows[round(patch.get_y() + 0.5)], aspects[round(patch.get_x() + 0.5)]): to_hex(patch.get_facecolor())
        for patch in axes.patches
    }


@pytest.fixture
def tables(full, tmp_path):
    """A folder with what the figure reads, and its audit."""
    for file in figures.reads("audit"):
        shutil.copy(full / file, tmp_path / file)
    return tmp_path, pd.read_csv(full / "audit.csv", dtype={"value": str}), pd.read_csv(full / "rows.csv")


def test_rows_that_differ_in_their_memory_alone_have_no_red_cell(tables):
    folder, table, rows = tables
    found = cells(figures.draw("audit", folder))
    labels = rows.set_index("row_name")["label"]
    assert len(found) == len(table.drop_duplicates(["row_name", "aspect"]))
    for (row, aspect), runs in table.groupby(["row_name", "aspect"]):
        assert found[labels[row], aspect] == (MEMORY if runs["differs"].any() else SAME).lower()


def test_what_may_not_differ_is_red_with_its_value_though_only_one_training_does(tables):
    folder, table, rows = tables
    last = table[(table["row_name"] == "spatial") & (table["aspect"] == "learning rates")].index[-1]
    table.loc[last, ["value", "differs"]] = ["AdamW $0.5", True]
    table.to_csv(folder / "audit.csv", index=False)
    figure = figures.draw("audit", folder)
    label = rows.set_index("row_name").loc["spatial", "label"]
    assert [cell for cell, colour in cells(figure).items() if colour == FLAW.lower()] == [(label, "learning rates")]
    assert [text.get_text() for text in figure.axes[0].texts] == [r"AdamW \$0…"]


def test_a_study_without_trainings_says_so(tables):
    folder, table, _ = tables
    table[:0].to_csv(folder / "audit.csv", index=False)
    figure = figures.draw("audit", folder)
    assert not figure.axes and "No row was trained here" in figure.texts[0].get_text()
