"""Every number of the README's results part, and of docs/findings.md, is a cell of the committed tables."""

import re

import pandas as pd
import pytest

from echo.tables.cells import verdict_word
from tests.conftest import ROOT
from tests.traced import agrees, candidates, numbers, paragraphs, sources

TABLES = ROOT / "results" / "mini" / "tables"
SOURCES = ROOT / "tests" / "readme_numbers.txt"
RESULTS_END = "## Run it"  # what follows is no result
COLUMNS = {
    "recall": "recall",
    "near revisit": "revisit_near",
    "far revisit": "revisit_far",
    "return after 16": "return_far_16",
}


def table() -> tuple[list[str], list[list[str]]]:
    """The README's table of results: its header and its lines."""
    lines = (ROOT / "README.md").read_text().splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("| row | its memory | numbers kept |"))
    end = next(i for i in range(start, len(lines)) if not lines[i].startswith("|"))
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[start:end]]
    return cells[0], cells[2:]


def test_the_table_of_results_is_that_of_the_study():
    header, lines = table()
    rows = pd.read_csv(TABLES / "rows.csv").set_index("label")
    summary = pd.read_csv(TABLES / "summary.csv").set_index(["row_name", "branch", "measure"])["value"]
    assert {line[0].strip("*") for line in lines} == set(rows.index)
    verdicts = pd.read_csv(TABLES / "probes_table.csv").set_index("label")["verdict"]
    for label, memory, kept, *cells in lines:
        assert memory == (verdict_word(verdicts[label]) if label in verdicts else ""), label
        row = rows.loc[label.strip("*")]
        assert label.startswith("*") == (row["family"] == "reference"), label
        assert kept == ("" if pd.isna(row["kept_numbers"]) else f"{int(row['kept_numbers']):,}"), label
        for name, cell in zip(header[3:], cells, strict=True):
            values = [summary[row["row_name"], COLUMNS[name], measure] for measure in ("psnr", "lpips")]
            assert cell == f"{values[0]:.1f} / {values[1]:.2f}", (label, name)


def untraced(readme: str, given: dict[str, list], tables) -> list[str]:
    """What is wrong with the numbers of the README's results part, a line each; empty if every one is a cell."""
    names = [*pd.read_csv(tables / "rows.csv")["label"]]
    faults, used = [], set()
    for start, text in paragraphs(readme.partition(RESULTS_END)[0]):
        title = next((title for title in given if text.lstrip("-#* ").startswith(title)), None)
        used.add(title)
        left = list(given.get(title, []))
        for at, number in numbers(text, names):
            fitting = [one for one in left if one.number == number]
            if fitting:
                left.remove(fitting[0])
                continue
            found = "; ".join(candidates(number, tables, text)) or "of no line whose row the paragraph names"
            faults.append(f"README.md line {start + at}: {number} is in no cell of the sources of its paragraph "
                          f"({SOURCES.name} [{title or text.lstrip('-#* ')[:24]}]); it might be: {found}")  # fmt: skip
        faults += [f"{SOURCES.name} line {one.line}: {one.number} is not in the paragraph [{title}]" for one in left]
    faults += [f"{SOURCES.name}: the README has no paragraph [{title}]" for title in given if title not in used]
    wrong = [
        one for ones in given.values() for one in ones if one.value is not None and not agrees(one.number, one.value)
    ]
    return faults + [f"{SOURCES.name} line {one.line}: {one.number}, but {one.text} is {one.value:g}" for one in wrong]


def test_every_number_of_the_results_is_a_cell_of_a_table():
    faults = untraced((ROOT / "README.md").read_text(), sources(SOURCES, TABLES), TABLES)
    assert not faults, "\n".join(faults)


def test_a_number_that_no_table_has_is_named_with_its_line(tmp_path):
    probes = pd.read_csv(TABLES / "probes_table.csv").set_index("row_name").loc["context_k5"]
    lost, low, no = f"{probes['swap_drop']:.1f}", f"{probes['swap_drop_low']:.4f}", "99.9"
    given = tmp_path / "sources.txt"
    given.write_text(f"[Swapped]\n{lost} = probes_table.csv context_k5 swap_drop\n9 = probes_table.csv i2v swap_drop\n")
    page = f"# Title\n\nSwapped, `context_k5` loses {lost} dB,\nnot {no}, interval {low} to 9.\n\n## Run it\n\n77\n"
    faults = untraced(page, sources(given, TABLES), TABLES)
    assert [fault.split(" is in")[0] for fault in faults[:2]] == [f"README.md line 4: {one}" for one in (no, low)]
    assert "probes_table.csv context_k5 swap_drop_low" in faults[1] and len(faults) == 3
    assert faults[2].endswith("line 3: 9, but probes_table.csv i2v swap_drop is 0")
    assert "not in the paragraph [Swapped]" in untraced("Swapped 9\n", sources(given, TABLES), TABLES)[0]
    assert "has no paragraph [Swapped]" in untraced("Other\n", sources(given, TABLES), TABLES)[0]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("1 = probes_table.csv nobody swap_drop", "0 lines of probes_table.csv have nobody"),
        ("1 = summary.csv i2v psnr value", "expected one"),
        ("1 = summary.csv i2v replay psnr values", "values"),
    ],
)
def test_a_source_that_picks_no_cell_is_refused_with_its_line(tmp_path, line, said):
    (tmp_path / "sources.txt").write_text(f"[A]\n{line}\n")
    with pytest.raises(ValueError, match=f"sources.txt line 2: .*{said}"):
        sources(tmp_path / "sources.txt", TABLES)


@pytest.mark.parametrize(
    "name",
    [
        "README.md",
        "docs/judges.md",
        "docs/findings.md",
        "docs/open_domain.md",
        "docs/extend.md",
        "docs/protocol.md",
        "docs/reading.md",
        "docs/run.md",
        "docs/statistics.md",
    ],
)
def test_pictures_and_files_that_are_linked_to_are_there(name):
    page = ROOT / name
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target
