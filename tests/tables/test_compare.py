"""Differences and probes against slow, independent computations from the cases."""

import math

import pandas as pd
import pytest


def records(path):
    """Rows as dictionaries, without pandas' grouping or arithmetic."""
    return pd.read_csv(path).to_dict("records")


def test_differences_are_paired_by_case_and_seed(built):
    cases = {(c["row_name"], c["train_seed"], c["branch"], c["case"]): c for c in records(built / "cases.csv.gz")}
    table = records(built / "differences.csv")
    assert "i2v" not in {line["row_name"] for line in table}
    assert len(table) == 14 * (2 * 3 + 3 * 4)
    for line in table[::5]:
        pairs = [
            case[line["measure"]] - cases["i2v", *key[1:]][line["measure"]]
            for key, case in cases.items()
            if key[0] == line["row_name"] and key[2] == line["branch"]
        ]
        assert line["difference"] == pytest.approx(math.fsum(pairs) / len(pairs), rel=1e-4, abs=1e-6)


def test_holm_runs_over_the_rows_of_one_branch_and_measure(built):
    table = pd.read_csv(built / "differences.csv")
    for _, group in table.groupby(["branch", "measure"]):
        running, expected = 0.0, {}
        for i, (index, p) in enumerate(group["p"].sort_values(kind="stable").items()):
            running = max(running, min(1.0, (len(group) - i) * p))
            expected[index] = running
        assert group["p_holm"].to_dict() == pytest.approx(expected, rel=1e-4)


def test_probes_table_gives_every_row_its_verdict(built):
    table = pd.read_csv(built / "probes_table.csv").set_index("row_name")
    inert = {"i2v", "spatial_inject_none", "ssm_blockwise_v1"}
    for row, line in table.iterrows():
        assert line["verdict"] == ("inert, as it should be" if row in inert else "moves, as it should")
    assert (table.loc[list(inert), ["erase_value", "swap_value"]] == 0).all(axis=None)


def test_reference_rows_are_compared_and_not_tested(beside):
    """They stand beside every training seed of a row; Holm's correction does not count them."""
    cases = {(c["row_name"], c["train_seed"], c["branch"], c["case"]): c for c in records(beside / "cases.csv.gz")}
    table = pd.read_csv(beside / "differences.csv")
    untrained = table["family"] == "reference"
    assert set(table.loc[untrained, "row_name"]) == {"codec_ceiling", "copy_best", "ridge"}
    assert table.loc[untrained, ["p", "p_holm"]].isna().all(axis=None) and table.loc[~untrained, "p_holm"].notna().all()
    for _, group in table[~untrained].groupby(["branch", "measure"]):
        two = sorted(group["p"])  # of context_k5 and spatial alone
        assert sorted(group["p_holm"])[0] == pytest.approx(min(1, 2 * two[0]), rel=1e-4)
    for line in table[untrained].to_dict("records")[::7]:
        pairs = [
            cases[line["row_name"], -1, *key[2:]][line["measure"]] - case[line["measure"]]
            for key, case in cases.items()
            if key[0] == "i2v" and key[2] == line["branch"]
        ]
        assert len(pairs) == 16 and line["difference"] == pytest.approx(math.fsum(pairs) / 16, rel=1e-4, abs=1e-6)


def test_every_row_is_held_against_every_reference(beside):
    cases = {(c["row_name"], c["train_seed"], c["branch"], c["case"]): c for c in records(beside / "cases.csv.gz")}
    table = records(beside / "against_references.csv")
    assert len(table) == 3 * 3 * 5 * 2  # rows, references, branches, measures
    for line in table[::7]:
        pairs = [
            case[line["measure"]] - cases[line["reference"], -1, *key[2:]][line["measure"]]
            for key, case in cases.items()
            if key[0] == line["row_name"] and key[2] == line["branch"]
        ]
        assert line["difference"] == pytest.approx(math.fsum(pairs) / len(pairs), rel=1e-4, abs=1e-6)
        assert line["low"] < line["difference"] < line["high"] and line["cases"] == 8


def test_reference_rows_are_not_probed(beside):
    assert set(pd.read_csv(beside / "probes_table.csv")["row_name"]) == {"i2v", "context_k5", "spatial"}
