"""The paper's tables have its rows and its numbers."""

import pandas as pd
import pytest

from echo.tables.constants import papers, released
from echo.tables.paper import paper_number, paper_table, rows_of_table
from tests.synthetic import PAPER_ROWS


@pytest.mark.parametrize("number", PAPER_ROWS)
def test_paper_tables_have_the_papers_rows_and_numbers(built, number):
    table = pd.read_csv(built / f"table{number}.csv")
    assert list(dict.fromkeys(table["row_name"])) == PAPER_ROWS[number].split()
    assert set(table["table"]) == {number}
    assert table["value"].notna().all()
    assert table.loc[table["branch"].isin(["return_strict", "recall"]), "paper"].isna().all()


def test_papers_numbers_stand_in_the_right_cells(built):
    table = pd.read_csv(built / "table8.csv").set_index(["row_name", "branch", "measure"])["paper"]
    assert table["context_k5", "replay", "psnr"] == 11.92
    assert table["context_k5", "loop", "lpips"] == 0.596
    assert table["context_k20", "return_45", "judge"] == 58.63


def test_a_row_as_released_takes_the_place_of_the_papers_row_where_the_study_has_it_alone(built):
    rows, summary = pd.read_csv(built / "rows.csv"), pd.read_csv(built / "summary.csv")
    trained = rows.loc[rows["family"] != "reference", "row_name"]
    renamed = {row: f"{row}_released" for row in trained}
    alone = rows.replace({"row_name": renamed})
    for number in PAPER_ROWS:
        before, after = rows_of_table(number, rows), rows_of_table(number, alone)
        assert after == [renamed.get(row, row) for row in before]
    table = paper_table(1, summary.replace({"row_name": renamed}), alone)
    before = paper_table(1, summary, rows)
    assert table["paper"].equals(before["paper"]) and table["value"].equals(before["value"])
    both = pd.concat([rows, alone[alone["row_name"] == "spatial_released"]])
    assert any({"spatial", "spatial_released"} <= set(rows_of_table(number, both)) for number in PAPER_ROWS)
    assert paper_number("spatial_released", "return_45", "judge") == paper_number("spatial", "return_45", "judge") == 6
    for source in (papers, released):
        assert source("context_k5_released", "frames") == source("context_k5", "frames") != ""
