"""The page has every branch and row, and says which reference is the best."""

import pandas as pd

from echo.tables.cells import MISSING, branch_name, verdict_word


def test_every_branch_and_row_stands_on_the_page(built):
    page, measured = (built / "tables.md").read_text(), pd.read_csv(built / "cases.csv.xz")["branch"].unique()
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


def test_the_headline_tables_say_of_each_row_whether_its_memory_is_worth_anything(beside):
    verdicts = pd.read_csv(beside / "probes_table.csv").set_index("label")["verdict"]
    part = (beside / "tables.md").read_text().split("## Table 1: ")[1].split("##")[0]
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in part.splitlines() if line[:2] == "| "]
    assert lines[0][:2] == ["Row", "Its memory"]
    said = {label: word for label, word, *_ in lines[2:]}
    assert all(said[label] == verdict_word(verdict) for label, verdict in verdicts.items() if label in said)
    assert {word for label, word in said.items() if label not in verdicts} == {MISSING}
