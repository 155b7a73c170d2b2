"""The README's numbers are those of the committed tables."""

import re

import pandas as pd
import pytest

from tests.conftest import ROOT

TABLES = ROOT / "results" / "mini" / "tables"
COLUMNS = {
    "recall": "recall",
    "near revisit": "revisit_near",
    "far revisit": "revisit_far",
    "return after 16": "return_far_16",
}


def table() -> tuple[list[str], list[list[str]]]:
    """The README's table of results: its header and its lines."""
    lines = (ROOT / "README.md").read_text().splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("| row | numbers kept |"))
    end = next(i for i in range(start, len(lines)) if not lines[i].startswith("|"))
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[start:end]]
    return cells[0], cells[2:]


def test_the_table_of_results_is_that_of_the_study():
    header, lines = table()
    rows = pd.read_csv(TABLES / "rows.csv").set_index("label")
    summary = pd.read_csv(TABLES / "summary.csv").set_index(["row_name", "branch", "measure"])["value"]
    assert {line[0].strip("*") for line in lines} == set(rows.index)
    for label, kept, *cells in lines:
        row = rows.loc[label.strip("*")]
        assert label.startswith("*") == (row["family"] == "reference"), label
        assert kept == ("" if pd.isna(row["state_numbers"]) else f"{int(row['state_numbers']):,}"), label
        for name, cell in zip(header[2:], cells, strict=True):
            values = [summary[row["row_name"], COLUMNS[name], measure] for measure in ("psnr", "lpips")]
            assert cell == f"{values[0]:.1f} / {values[1]:.2f}", (label, name)


@pytest.mark.parametrize("name", ["README.md", "docs/judges.md"])
def test_pictures_and_files_that_are_linked_to_are_there(name):
    page = ROOT / name
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target
