"""All tables of a folder: what is written, what stays empty, and that equal inputs give equal bytes."""

import numpy as np
import pandas as pd
import pytest

from echo.io.files import write_json
from echo.tables.build import build_tables, rebuild_tables
from echo.tables.files import COMPUTED, GATHERED
from echo.tables.read import TableError
from tests.synthetic import PAPER_ROWS, write_tables


def test_all_tables_are_written_and_nothing_else_stays(built):
    assert {path.name for path in built.iterdir()} == {"samples", *GATHERED, *COMPUTED}


def test_missing_rows_and_branches_are_empty_cells_never_zero(tmp_path):
    folder = write_tables(tmp_path, rows=("i2v", "context_k5", "spatial"), cases=4)
    cases = pd.read_csv(folder / "cases.csv.xz")
    cases = cases[(cases["branch"] != "loop") & ~((cases["row_name"] == "spatial") & (cases["branch"] == "recall"))]
    cases.loc[(cases["row_name"] == "context_k5") & (cases["branch"] == "return_45"), "judge"] = np.nan
    cases.to_csv(folder / "cases.csv.xz", index=False)
    probes = pd.read_csv(folder / "probes.csv.xz")
    probes[probes["row_name"] != "spatial"].to_csv(folder / "probes.csv.xz", index=False)
    pd.read_csv(folder / "audit.csv").head(0).to_csv(folder / "audit.csv", index=False)  # rows that were imported
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
    page = (folder / "tables.md").read_text()
    assert "nan" not in page.lower() and "No row was trained here" in page


def test_a_row_the_paper_does_not_have_joins_its_familys_table_or_the_overview(tmp_path):
    folder = write_tables(tmp_path, rows=("i2v", "context_k5", "spatial"), cases=4)
    for name in ("cases.csv.xz", "judgements.csv.xz", "probes.csv.xz", "rows.csv"):
        pd.read_csv(folder / name).replace("context_k5", "rays").to_csv(folder / name, index=False)
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


def recorded(folder, **settings):
    """A folder of synthetic tables with the record of a study of these settings."""
    write_tables(folder, rows=("i2v", "context_k5", "spatial"), cases=4)
    evaluate = {"contrasts": [["spatial", "i2v"]], "probe_threshold": 0.5, "bootstrap": 100}
    config = {"reference": "context_k5", "seed": 7, "evaluate": evaluate, **settings}
    write_json(folder / "record.json", {"stage": "tables", "config": config})
    return folder


def test_tables_of_a_folder_are_rebuilt_as_its_study_had_them(tmp_path):
    one, two = recorded(tmp_path / "one"), recorded(tmp_path / "two")
    build_tables(one, reference="context_k5", named=[("spatial", "i2v")], resamples=100, seed=7)
    rebuild_tables(two, reference=None, threshold=None, resamples=None, seed=None)
    assert all((one / file).read_bytes() == (two / file).read_bytes() for file in COMPUTED)
    assert set(pd.read_csv(two / "differences.csv")["reference"]) == {"context_k5"}
    rebuild_tables(two, reference="spatial")
    assert set(pd.read_csv(two / "differences.csv")["reference"]) == {"spatial"}


def test_a_row_of_reference_that_is_not_there_is_refused_and_nothing_is_written(tmp_path):
    folder = recorded(tmp_path)
    with pytest.raises(TableError, match=r"no row 'i2w' to take differences against; --reference names one of i2v, "):
        rebuild_tables(folder, reference="i2w")
    (folder / "record.json").unlink()
    rows = pd.read_csv(folder / "rows.csv")
    rows[rows["row_name"] != "i2v"].to_csv(folder / "rows.csv", index=False)
    with pytest.raises(TableError, match=r"no row 'i2v' to take differences against"):
        rebuild_tables(folder)
    assert not any((folder / file).exists() for file in COMPUTED)
