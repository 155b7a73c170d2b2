"""The page of findings: studies side by side, what is missing, and every number traced to a cell."""

import re
from pathlib import Path

import pandas as pd
import pytest
import yaml

from echo.__main__ import main
from echo.study.sections.evidence import READ_BY
from echo.tables.files import REPORTED
from echo.tables.findings import BEYOND, DISAGREE, FINDINGS, OUTCOMES, PAPERS, outcome_name
from echo.tables.findings_page import NONE, findings_page
from echo.tables.read import TableError
from echo.tables.told import reported
from tests.conftest import ROOT
from tests.tables.conftest import told_study
from tests.traced import agrees, numbers

# Numbers of sentences that every page has: levels, the standard case of a paper's scale, and how often is often.
FIXED = ("80", "100", "1.3", "352", "640", f"{BEYOND:.1f}")


@pytest.fixture
def two(told, tmp_path) -> list[Path]:
    return [told_study(told, tmp_path / "matched" / "tables", "other", "matched"), told]


def cells_of(line: str, folder: Path) -> list[float]:
    """The cells of the table lines that a line of the page names: a contrast, an outcome, a row, or the study."""
    contrasts, ranks, probes, rows, realism = (
        # The page names rows as the paper does, those as released too.
        pd.read_csv(folder / f"{name}.csv").replace(r"_released$", "", regex=True)
        for name in ("contrasts", "rank_correlation", "probes_table", "rows", "realism")
    )
    outcomes = [one for one in OUTCOMES if outcome_name(*one) in line] or [PAPERS]
    pair = re.search(r"`(\w+)` minus `(\w+)`", line) or re.search(r"`(\w+)`, `(\w+)`", line)
    if pair:
        found = []
        for branch, measure in OUTCOMES if "profile" in line else outcomes:
            here = contrasts[(contrasts["branch"] == branch) & (contrasts["measure"] == measure)]
            for names, sign in ((pair.groups(), 1), (pair.groups()[::-1], -1)):
                for one in here[(here["row_name"] == names[0]) & (here["other"] == names[1])].to_dict("records"):
                    found += [sign * one[key] for key in ("difference", "low", "high", "paper")]
                    found += [one["p_holm"], one["detectable"]]
                    if "differ by" in line:
                        found.append(abs(one["difference"]))
        return found
    if line.startswith("| `"):
        row = line.split("`")[1]
        here = probes[probes["row_name"] == row][["swap_drop", "swap_drop_low", "swap_drop_high"]]
        return [*here.to_numpy().ravel(), *rows[rows["row_name"] == row]["kept_numbers"]]
    if "kernel distance" in line:
        here = realism[realism["branch"] == "all"].set_index("row_name")
        if "flat colour" in line:
            return [here.loc[name, "value"] for name in (*re.findall(r"`(\w+)` \(\d", line), "mean_colour")]
        return [*here.loc[["i2v", "codec_ceiling"], "value"], here.loc["i2v", "floor"]]
    for branch, measure in outcomes:
        if line.startswith(f"| {outcome_name(branch, measure)} |"):
            here = ranks[(ranks["branch"] == branch) & (ranks["measure"] == measure)]
            return [*here[["value", "low", "high", "paper"]].to_numpy().ravel()]
    return [contrasts["scenes"].max(), contrasts["train_seeds"].max()]


def untraced(page: str, folders: list[Path]) -> list[str]:
    labels = {label for folder in folders for label in pd.read_csv(folder / "rows.csv")["label"]}
    faults = []
    for at, line in enumerate(page.splitlines(), 1):
        cells = [cell for folder in folders for cell in cells_of(line, folder)]
        for _, number in numbers(line, [*labels, *map(lambda one: outcome_name(*one), OUTCOMES)]):
            if number not in FIXED and not any(agrees(number, cell) for cell in cells if cell == cell):
                faults.append(f"docs/findings.md line {at}: {number} is in no cell of the lines that it names: {line}")
    return faults


def test_every_number_of_the_committed_page_is_a_cell_of_a_table():
    faults = untraced((ROOT / "docs" / "findings.md").read_text(), reported(ROOT / "results"))
    assert not faults, "\n".join(faults)


def test_every_number_of_two_studies_is_a_cell_and_a_changed_one_is_found(two):
    page = findings_page(two)
    assert not untraced(page, two)
    drop = f"{pd.read_csv(two[0] / 'probes_table.csv')['swap_drop'].iloc[1]:.2f}"
    assert drop in page and untraced(page.replace(drop, "98.76"), two)[0].split(" is in")[0].endswith("98.76")


def test_studies_stand_side_by_side_by_policy_with_every_finding_and_outcome(two):
    page = findings_page(two)
    assert "| Finding | outcome | streaming (`invented`) | matched (`other`) | as_released |" in page
    for title in (*(finding.title for finding in FINDINGS), DISAGREE):
        for outcome in OUTCOMES:
            line = rf"^\| {title} \| {outcome_name(*outcome)} \| ([^|]+) \| \1 \| {NONE} \|$"  # of none as released
            assert re.search(line, page, re.MULTILINE)
        assert f"### {title}\n" in page


def test_a_policy_without_a_study_is_said_with_the_command_that_makes_one(told):
    page = findings_page([told])
    assert f"| matched | {NONE} | – | – | `{REPORTED['matched'].command}` |" in page
    assert f"| {NONE} |" in page and "Anything about *matched* evidence" in page


def test_every_policy_has_a_reported_study_whose_configuration_is_that_policys():
    assert set(REPORTED) == set(READ_BY)
    for policy, one in REPORTED.items():
        names = re.findall(r"config/\w+\.yaml", one.command) or ["config/config.yaml"]
        study = {key: value for name in names for key, value in yaml.safe_load((ROOT / name).read_text()).items()}
        assert (study["study"], study["evidence"]["policy"]) == (one.study, policy)


def test_no_tables_or_one_study_twice_is_refused(told, tmp_path, capsys, monkeypatch):
    with pytest.raises(TableError, match="no tables of mini or matched or as_released"):
        findings_page([])
    with pytest.raises(TableError, match="given twice"):
        findings_page([told, told])
    monkeypatch.chdir(tmp_path)
    assert main(["findings"]) == 1 and "run a study first" in capsys.readouterr().err


def test_the_command_prints_the_page_or_writes_it(told, tmp_path, capsys):
    assert main(["findings", "--tables", str(told)]) == 0
    printed = capsys.readouterr().out
    assert main(["findings", "--tables", str(told), "--out", str(tmp_path / "page.md")]) == 0
    assert (tmp_path / "page.md").read_text() == printed == findings_page([told])
