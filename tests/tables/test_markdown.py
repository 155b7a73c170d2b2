"""The page shows numbers as they are, and a missing one as missing."""

import numpy as np
import pandas as pd

from echo.study.words import BRANCHES
from echo.tables.markdown import branch_name, literal, markdown_table, number, with_interval


def test_numbers_have_a_true_minus_sign_and_missing_ones_a_dash():
    assert number(-1.234, 2) == "\u22121.23" and number(np.nan, 2) == "\u2013"
    assert with_interval(1.0, 0.5, 1.5, 1) == "1.0 [0.5, 1.5]"
    assert with_interval(1.0, np.nan, np.nan, 1) == "1.0 [\u2013, \u2013]"
    assert with_interval(np.nan, 0.0, 1.0, 1) == "\u2013"


def test_a_label_with_a_bar_keeps_its_table_in_shape():
    table = markdown_table(["Row", "psnr"], [[literal("a|b"), "1"]])
    assert table.splitlines()[2] == "| a\\|b | 1 |"


def test_branches_are_named_by_their_labels():
    assert branch_name("return_strict") == "Strict return" and branch_name("loop") == "180° loop"
    assert all(branch_name(name).lower() == branch.label.lower() for name, branch in BRANCHES.items())


def test_every_branch_and_row_stands_on_the_page(built):
    page, measured = (built / "tables.md").read_text(), pd.read_csv(built / "cases.csv.gz")["branch"].unique()
    assert all(branch_name(branch) in page for branch in measured) and "nan" not in page.lower()
    for table in (1, 5, 6, 7, 8):
        assert f"## Table {table}: " in page


def test_reference_rows_are_marked_and_the_best_rival_is_named(beside, built):
    page = (beside / "tables.md").read_text()
    assert "| *invented copy best* |" in page and "nan" not in page.lower() and "<NA>" not in page
    best = page.split("## Difference to the best reference, PSNR")[1].split("##")[0]
    rows = [line for line in best.splitlines() if line.startswith("| ") and not line.startswith(("| Row", "| :--"))]
    assert len(rows) == 3
    for line in rows:  # the ceiling is handed the truth: it is above all and no rival
        cells = line.split("|")[2:-1]
        assert all("ridge" in cell or "copy_best" in cell for cell in cells)
    assert "## Seen and never-seen pixels" in page and "no given frame shows" in page
    assert "best reference" not in (built / "tables.md").read_text()


def test_the_best_rival_is_the_one_that_leaves_least(beside):
    table = pd.read_csv(beside / "against_references.csv")
    page = (beside / "tables.md").read_text()
    for measure, title, sign in (("psnr", "PSNR", 1), ("lpips", "LPIPS", -1)):
        part = page.split(f"## Difference to the best reference, {title}")[1].split("##")[0]
        here = table.query("row_name == 'spatial' and branch == 'recall' and reference != 'codec_ceiling'")
        here = here[here["measure"] == measure]
        best = min(here.to_dict("records"), key=lambda line: sign * line["difference"])
        (line,) = [line for line in part.splitlines() if line.startswith("| Spatial")]
        assert line.split("|")[-2].strip().endswith(best["reference"])
