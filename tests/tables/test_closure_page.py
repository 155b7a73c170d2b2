"""Closure stands beside departure on the page, and where a row does not leave its gated closure is missing."""

import pandas as pd
import pytest

from echo.tables.cells import MISSING
from echo.tables.closure_page import closure_page


@pytest.fixture
def summary(beside):
    return pd.read_csv(beside / "summary.csv")


def cells(table, row):
    """Column names and cells of a row."""
    lines = [line for line in table.splitlines() if line.startswith("|")]
    (own,) = [line for line in lines if line.startswith(f"| {row} |")]
    names, values = ([cell.strip() for cell in line.split("|")[2:-1]] for line in (lines[0], own))
    return dict(zip(names, values, strict=True))


def test_a_row_that_never_leaves_has_its_closure_and_no_gated_one(summary, beside):
    page = closure_page(summary)
    assert page in (beside / "tables.md").read_text() and "nan" not in page
    closure, departure = page.split("### Departure")
    still, moving = (cells(closure, row) for row in ("*invented copy best*", "Context K=5"))
    assert still["Recall: closure, dB"][0].isdigit() and still["Recall: of the departed, dB"] == MISSING
    assert moving["Recall: closure, dB"] == moving["Recall: of the departed, dB"] != MISSING
    left = cells(departure, "*invented copy best*")
    assert left["Recall: departed"] == "0" and left["Recall: angle"] == "1"
    assert cells(departure, "Context K=5")["45° return: departed"] == "100"


def test_cells_are_those_of_the_summary(summary):
    departure = cells(closure_page(summary).split("### Departure")[1], "Spatial")
    for name, measure in (("departed", "departed"), ("angle", "departure_share")):
        here = summary.query("row_name == 'spatial' and branch == 'loop'").set_index("measure")
        assert departure[f"180° loop: {name}"] == f"{100 * here.value[measure]:.0f}"


def test_branches_that_nothing_was_measured_on_have_no_column(summary):
    page = closure_page(summary[summary["branch"] != "recall"])
    assert "Recall" not in page and "Strict return" in page and "Replay" not in page


def test_studies_without_departure_have_no_such_section(built):
    assert closure_page(pd.read_csv(built / "summary.csv")) == ""
    assert "Closure and departure" not in (built / "tables.md").read_text()
