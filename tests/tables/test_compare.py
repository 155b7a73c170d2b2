"""Differences and probes against slow, independent computations from the cases."""

import math

import numpy as np
import pandas as pd
import pytest

from echo.tables.compare import Values, probes_table


def records(path):
    """Rows as dictionaries, without pandas' grouping or arithmetic."""
    return pd.read_csv(path).to_dict("records")


def test_differences_are_paired_by_case_and_seed(built):
    cases = {(c["row_name"], c["train_seed"], c["branch"], c["case"]): c for c in records(built / "cases.csv.xz")}
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
        assert line["verdict"] == ("inert, as it should be" if row in inert else "remembers")
    assert (table.loc[list(inert), ["erase_value", "swap_value"]] == 0).all(axis=None)


def test_certificates_are_means_over_cases_of_what_is_lost(built):
    probes = records(built / "probes.csv.xz")
    for line in records(built / "probes_table.csv")[::4]:
        for probe in ("erase", "swap", "shuffle", "keep_seen", "keep_unseen"):
            own = [p for p in probes if (p["row_name"], p["probe"]) == (line["row_name"], probe)]
            lost = math.fsum(p["seen_drop"] for p in own) / len(own)
            assert line[f"{probe}_drop"] == pytest.approx(lost, rel=1e-4, abs=1e-6)
            assert line[f"{probe}_drop_low"] <= line[f"{probe}_drop"] <= line[f"{probe}_drop_high"]
        swapped = [p for p in probes if (p["row_name"], p["probe"]) == (line["row_name"], "swap")]
        for name, column in (("worth_lpips", "lpips_rise"), ("worth_judge", "judge_drop"), ("toward", "toward")):
            assert line[name] == pytest.approx(math.fsum(p[column] for p in swapped) / len(swapped), rel=1e-4, abs=1e-6)


def test_without_depth_what_is_lost_is_lost_on_all_pixels(built):
    probes, cases = (pd.read_csv(built / name) for name in ("probes.csv.xz", "cases.csv.xz"))
    rows = pd.read_csv(built / "rows.csv")
    probes["seen_drop"] = float("nan")
    probes["psnr_drop"] += 1
    table = probes_table(probes, cases, rows, 0.5, 200, 0).set_index("row_name")
    known = pd.read_csv(built / "probes_table.csv").set_index("row_name")
    np.testing.assert_allclose(table["swap_drop"], known["swap_drop"] + 1, rtol=1e-4)


def test_reference_rows_are_compared_and_not_tested(beside):
    """They stand beside every training seed of a row; Holm's correction does not count them."""
    cases = {(c["row_name"], c["train_seed"], c["branch"], c["case"]): c for c in records(beside / "cases.csv.xz")}
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
    cases = {(c["row_name"], c["train_seed"], c["branch"], c["case"]): c for c in records(beside / "cases.csv.xz")}
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


def lines(row, seed, psnr, scenes=("y", "y", "x")):
    """Cases c0, c1, ... of one row, from the last to the first."""
    cases = [{"row_name": row, "train_seed": seed, "case": f"c{i}", "scene": scene, "psnr": value}
             for i, (scene, value) in enumerate(zip(scenes, psnr, strict=True))]  # fmt: skip
    return pd.DataFrame(cases[::-1])


def test_values_stand_by_seed_and_case_in_whatever_order_they_come():
    cases = [
        lines("b", 7, [1, 2, 3]),
        lines("a", 7, [4, np.nan, 6]),
        lines("b", 2, [7, 8, 9]),
        lines("copy", -1, [0, 1, 2]),
    ]
    values = Values.of(pd.concat(cases), "psnr")
    assert values.seeds.tolist() == [2, 7] and values.scenes.tolist() == ["y", "y", "x"]
    np.testing.assert_equal(values.by_row["b"], [[7, 8, 9], [1, 2, 3]])
    np.testing.assert_equal(values.by_row["a"], [[np.nan] * 3, [4, np.nan, 6]])
    np.testing.assert_equal(values.by_row["copy"], [[0, 1, 2], [0, 1, 2]])  # beside every seed


def test_a_case_that_a_row_has_twice_is_refused():
    with pytest.raises(ValueError, match="row 'a' has case 'c2' twice for one training seed"):
        Values.of(pd.concat([lines("a", 0, [1, 2, 3]), lines("a", 0, [1, 2, 3])]), "psnr")
