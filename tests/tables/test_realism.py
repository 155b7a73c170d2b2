"""Realism of the runs' files as one table: the means and intervals, and files that are not the study's."""

import shutil

import numpy as np
import pandas as pd
import pytest

from echo.io.seeding import generator
from echo.measures.realism import Distances, load_distances, save_distances
from echo.study.words import BRANCHES
from echo.tables.complete import expected
from echo.tables.read import TableError
from echo.tables.realism import COLUMNS, realism_table


def table(made, files=None) -> pd.DataFrame:
    wanted = expected(made.study, {split: pool.info for split, pool in made.pools.items()})
    return realism_table(made.study, wanted, made.inputs["realism"] if files is None else files)


def rewrite(path, change):
    """Every branch's distances after ``change``, under the same header."""
    found, header = load_distances(path)
    save_distances(path, {name: change(name, one) for name, one in found.items()}, **header)


def study_like(draw, shift, rooms=12):
    """Distances of frames that are ``shift`` off the true ones."""
    true = np.repeat(draw.normal(0, 1, (rooms, 5)), 3, 0) + draw.normal(0, 0.3, (rooms * 3, 5))
    names = [f"room_{i:02d}" for i in range(rooms) for _ in range(3)]
    return Distances.of(true + draw.normal(shift, 0.3, true.shape), true, names)


def test_every_row_and_branch_has_the_mean_of_its_seeds(made_runs):
    found = table(made_runs)
    assert list(found) == COLUMNS and len(found) == 4 * (1 + len(BRANCHES))
    assert list(found["branch"][: 1 + len(BRANCHES)]) == [*BRANCHES, "all"]
    references = made_runs.study.references  # which have one file each, as there is no training seed
    for line in found.itertuples():
        files = [path for path in made_runs.inputs["realism"] if path.stem.partition("-")[0] == line.row_name]
        own = [load_distances(path)[0][line.branch].distance()[0] for path in files]
        assert line.value == pytest.approx(np.mean(own))
        assert len(own) == line.train_seeds == (1 if line.row_name in references else 2)


def test_the_interval_holds_its_estimate_and_widens_where_seeds_differ(made_runs):
    widths = {}
    for kind, shifts in (("alike", (0.5, 0.5, 0.5, 0.5)), ("differing", (0.2, 1.5, 0.2, 1.5))):
        for path, shift in zip(made_runs.inputs["realism"][:4], shifts, strict=True):
            rewrite(path, lambda name, one, shift=shift: study_like(generator(0, name), shift))
        line = table(made_runs).set_index(["row_name", "branch"]).loc[("i2v", "recall")]
        assert line["low"] < line["value"] < line["high"]
        widths[kind] = line["high"] - line["low"]
    assert widths["differing"] > 3 * widths["alike"]


def test_true_frames_lie_under_the_floor_and_changed_ones_above(made_runs):
    for path, shift in zip(made_runs.inputs["realism"][:4], (0.0, 0.0, 2.0, 2.0), strict=True):
        rewrite(path, lambda name, one, shift=shift: study_like(generator(0, name), shift))
    found = table(made_runs)
    true, far = (found[found["row_name"] == row] for row in ("i2v", "context_k5"))
    assert (true["value"] < true["floor"]).all() and (far["low"] > far["floor"]).all()
    assert (true["floor"].to_numpy() == far["floor"].to_numpy()).all()


def test_too_few_rooms_have_no_floor_and_two_no_interval(made_runs):
    for path in made_runs.inputs["realism"]:
        rewrite(path, lambda name, one: study_like(generator(0, name), 0.5, rooms=2))
    found = table(made_runs)
    assert found[["low", "high", "floor"]].isna().all(axis=None) and found["value"].notna().all()


def test_a_file_that_is_gone_cut_or_another_runs_is_named(made_runs):
    paths = made_runs.inputs["realism"]
    shutil.copy(paths[1], paths[0])
    paths[2].write_bytes(paths[2].read_bytes()[:-20])
    paths[3].unlink()
    with pytest.raises(TableError) as error:
        table(made_runs)
    message = str(error.value)
    assert f"{paths[0]} (row i2v, training seed 0): it belongs to row i2v, training seed 7" in message
    assert str(paths[2]) in message and str(paths[3]) in message and "--forcerun" in message


def test_other_cases_and_a_branch_that_is_not_there_are_refused(made_runs):
    path = made_runs.inputs["realism"][1]
    found, header = load_distances(path)
    for branches, cases in ((found, {**header["cases"], "recall": ["elsewhere"]}),
                            ({k: v for k, v in found.items() if k != "recall"}, header["cases"])):  # fmt: skip
        save_distances(path, branches, **{**header, "cases": cases})
        with pytest.raises(TableError, match="i2v-7.safetensors.*its branches or cases are not the study's"):
            table(made_runs)
    with pytest.raises(TableError, match="3 files of realism for 6 runs"):
        table(made_runs, made_runs.inputs["realism"][:3])
