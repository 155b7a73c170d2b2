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
