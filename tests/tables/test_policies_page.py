"""The page of studies side by side, and the command that writes it."""

import pandas as pd
import pytest

from echo.__main__ import main
from echo.tables.policies_page import write_policies
from echo.tables.read import TableError
from tests.tables.made_policies import STUDIES, write_study


def test_the_command_writes_tables_page_and_figure(tmp_path):
    tables = [write_study(tmp_path, name, 0.5) for name in STUDIES]
    options = [str(part) for path in tables for part in ("--tables", path)]
    assert main(["policies", *options, "--out", str(tmp_path / "out"), "--resamples", "20"]) == 0
    made = sorted(path.name for path in (tmp_path / "out").iterdir())
    written = ["changes.csv", "explained.csv", "moves.csv", "paper_agreement.csv", "policies.md"]
    assert made == [*written, "ranks.csv", "ranks.png"]
    page = (tmp_path / "out" / "policies.md").read_text()
    agreement = pd.read_csv(tmp_path / "out" / "paper_agreement.csv")
    for line in agreement.itertuples():
        assert f"| {line.policy} (`{line.study}`) |" in page and f"{line.value:.2f}" in page
    for one in pd.read_csv(tmp_path / "out" / "moves.csv").fillna("").itertuples():
        assert f"{one.value:.2f}".replace("-", "\u2212") in page
    changed = pd.read_csv(tmp_path / "out" / "changes.csv")
    assert set(changed["factor"]) == {"evidence"}
    assert "`mini` minus `matched` (evidence; one training each):" in page
    for one in changed[changed["measure"] == "psnr"].itertuples():
        assert one.label in page and f"{one.change:.2f} [".replace("-", "\u2212") in page
    assert not changed[changed["measure"] == "judge"].empty
    shares = pd.read_csv(tmp_path / "out" / "explained.csv").fillna("")
    for one in shares.itertuples():
        assert f"| {one.factor} | {one.levels} | {one.alone:.2f} |" in page


def test_one_study_or_one_twice_or_none_of_the_same_rows_is_refused(tmp_path):
    one = write_study(tmp_path, "matched", 0.5)
    other = write_study(tmp_path, "mini", 0.5, rows=("i2v", "spatial"))
    for tables, message in (([one], "expected those of two studies"), ([one, one], "given twice"),
                            ([one, other], "have no outcome of three rows")):  # fmt: skip
        with pytest.raises(TableError, match=message):
            write_policies(tables, tmp_path / "out", 20)
    assert not (tmp_path / "out").exists()
