"""Result tables against slow, independent computations from the case lines."""

import math

import numpy as np
import pandas as pd
import pytest

from echo.tables.build import build_tables
from echo.tables.files import COMPUTED, GATHERED
from echo.tables.read import TableError
from tests.synthetic import write_tables

PAPER_ROWS = {  # the paper's tables, typed in again by hand from their titles
    1: "i2v context_k5 context_k20 compress_weight spatial ssm_hybrid ssm_blockwise",
    5: "spatial spatial_inject_none spatial_concat_text spatial_cross_attn",
    6: "compress_weight compress_length_r2 compress_length_r4 compress_hybrid_r2 compress_hybrid_r4",
    7: "ssm_hybrid ssm_blockwise ssm_blockwise_v1",
    8: "i2v context_k5 context_k20",
}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = write_tables(tmp_path_factory.mktemp("tables"), train_seeds=(0, 1), cases=8)
    build_tables(folder, resamples=100)
    return folder


def lines(path):
    """Case lines as dictionaries, without pandas' grouping or arithmetic."""
    return pd.read_csv(path).to_dict("records")


def test_all_tables_are_written_and_nothing_else_stays(built):
    assert {path.name for path in built.iterdir()} == {"samples", *GATHERED, *COMPUTED}


def test_summary_means_equal_a_loop_over_the_case_lines(built):
    cases = lines(built / "cases.csv")
    summary = lines(built / "summary.csv")
    assert len(summary) == 15 * (2 * 3 + 3 * 11)
    for cell in summary[::7]:
        total, count, scenes = 0.0, 0, set()
        for case in cases:
            if case["row_name"] == cell["row_name"] and case["branch"] == cell["branch"]:
                total, count = total + case[cell["measure"]], count + 1
                scenes.add(case["scene"])
        assert count == 16 == cell["cases"] * cell["train_seeds"]
        assert cell["value"] == pytest.approx(total / count, rel=1e-5)
        assert cell["scenes"] == len(scenes)
        assert cell["low"] < cell["value"] < cell["high"]


def test_interval_is_that_of_a_plain_cluster_bootstrap(built):
    here = pd.read_csv(built / "cases.csv").query("row_name == 'spatial' and branch == 'loop'")
    by_scene = [group["psnr"].to_numpy() for _, group in here.groupby("scene")]
    draw = np.random.default_rng(1)
    means = [
        np.concatenate([by_scene[i] for i in draw.integers(0, len(by_scene), len(by_scene))]).mean()
        for _ in range(2000)
    ]
    cell = (
        pd.read_csv(built / "summary.csv")
        .query("row_name == 'spatial' and branch == 'loop' and measure == 'psnr'")
        .iloc[0]
    )
    width = np.quantile(means, 0.975) - np.quantile(means, 0.025)
    assert cell["low"] == pytest.approx(np.quantile(means, 0.025), abs=0.25 * width)
    assert cell["high"] == pytest.approx(np.quantile(means, 0.975), abs=0.25 * width)


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


def test_differences_are_paired_by_case_and_seed(built):
    cases = {(c["row_name"], c["train_seed"], c["branch"], c["case"]): c for c in lines(built / "cases.csv")}
    table = lines(built / "differences.csv")
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


def test_drift_is_the_mean_over_cases_of_each_frame(built):
    frames = pd.read_parquet(built / "frames.parquet")
    drift = pd.read_csv(built / "drift.csv")
    assert len(drift) == 15 * 2 * 24
    for line in drift.iloc[::37].itertuples():
        rest = frames[
            (frames.row_name == line.row_name) & (frames.branch == line.branch) & (frames.frame == line.frame)
        ]
        assert line.value == pytest.approx(rest["psnr"].sum() / 16, rel=1e-5)
        assert set(rest["segment"]) == {line.segment}


def test_probes_table_gives_every_row_its_verdict(built):
    table = pd.read_csv(built / "probes_table.csv").set_index("row_name")
    inert = {"i2v", "spatial_inject_none", "ssm_blockwise_v1"}
    for row, line in table.iterrows():
        assert line["verdict"] == ("inert, as it should be" if row in inert else "moves, as it should")
    assert (table.loc[list(inert), ["erase_value", "swap_value"]] == 0).all(axis=None)


def test_missing_rows_and_branches_are_empty_cells_never_zero(tmp_path):
    folder = write_tables(tmp_path, rows=("i2v", "context_k5", "spatial"), cases=4)
    cases = pd.read_csv(folder / "cases.csv")
    cases = cases[(cases["branch"] != "loop") & ~((cases["row_name"] == "spatial") & (cases["branch"] == "recall"))]
    cases.loc[(cases["row_name"] == "context_k5") & (cases["branch"] == "return_45"), "judge"] = np.nan
    cases.to_csv(folder / "cases.csv", index=False)
    probes = pd.read_csv(folder / "probes.csv")
    probes[probes["row_name"] != "spatial"].to_csv(folder / "probes.csv", index=False)
    build_tables(folder, resamples=100)

    table = pd.concat(pd.read_csv(folder / f"table{n}.csv") for n in PAPER_ROWS)
    absent = ~table["row_name"].isin(["i2v", "context_k5", "spatial"]) | (table["branch"] == "loop")
    absent |= (table["row_name"] == "spatial") & (table["branch"] == "recall")
    absent |= (table["row_name"] == "context_k5") & (table["branch"] == "return_45") & (table["measure"] == "judge")
    assert table.loc[absent, ["value", "low", "high"]].isna().all(axis=None)
    assert (table.loc[absent, "cases"] == 0).all()
    assert table.loc[~absent, "value"].notna().all()
    assert table.loc[table["branch"] == "loop", "paper"].notna().all()  # the paper's number stays
    line = pd.read_csv(folder / "differences.csv").query(
        "row_name == 'spatial' and branch == 'recall' and measure == 'psnr'"
    )
    assert line[["difference", "p", "p_holm"]].isna().all(axis=None) and (line["cases"] == 0).all()
    assert pd.read_csv(folder / "probes_table.csv").set_index("row_name").loc["spatial", "verdict"] == "not measured"
    assert "nan" not in (folder / "tables.md").read_text().lower()


def test_a_row_the_paper_does_not_have_joins_its_familys_table_or_the_overview(tmp_path):
    folder = write_tables(tmp_path, rows=("i2v", "context_k5", "spatial"), cases=4)
    for name in ("cases.csv", "probes.csv", "rows.csv"):
        text = (folder / name).read_text().replace("context_k5", "rays")
        (folder / name).write_text(text)
    rows = pd.read_csv(folder / "rows.csv")
    rows.loc[rows["row_name"] == "rays", ["family", "label"]] = ["ray", "Ray memory"]
    rows.to_csv(folder / "rows.csv", index=False)
    build_tables(folder, resamples=100)
    assert pd.read_csv(folder / "table1.csv").query("row_name == 'rays' and branch == 'recall'")["value"].notna().all()
    assert "| Ray memory |" in (folder / "tables.md").read_text()


def test_equal_inputs_give_equal_bytes(tmp_path):
    one, two = (
        write_tables(tmp_path / name, rows=("i2v", "context_k5", "spatial"), cases=4) for name in ("one", "two")
    )
    for folder in (one, two):
        build_tables(folder, resamples=100)
    for name in COMPUTED:
        assert (one / name).read_bytes() == (two / name).read_bytes(), name


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("cases.csv", lambda frame: frame.drop(columns="lpips"), "no column 'lpips'"),
        ("cases.csv", lambda frame: pd.concat([frame, frame.iloc[:1]]), "is listed twice"),
        ("rows.csv", lambda frame: frame.iloc[1:], "row 'i2v' is not in rows.csv"),
        ("rows.csv", lambda frame: frame.assign(remembers="maybe"), "must hold True or False"),
        ("probes.csv", None, "no such file"),
    ],
)
def test_inputs_that_break_the_contract_are_named(tmp_path, name, change, said):
    folder = write_tables(tmp_path, rows=("i2v", "context_k5"), cases=4)
    if change is None:
        (folder / name).unlink()
    else:
        change(pd.read_csv(folder / name)).to_csv(folder / name, index=False)
    with pytest.raises(TableError, match=said) as error:
        build_tables(folder, resamples=100)
    assert name in str(error.value)
    assert not (folder / "summary.csv").exists()
