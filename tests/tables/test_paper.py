"""The paper's tables have its rows and its numbers."""

import pandas as pd
import pytest

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
