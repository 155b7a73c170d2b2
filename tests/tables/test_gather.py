"""The gathered tables hold every run's numbers under its row and seed, in the study's order."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from echo.study.words import BRANCHES
from echo.tables.complete import Run, expected
from echo.tables.gather import gather, owned_record, timings, write_frames
from echo.tables.read import TableError, read_inputs


@pytest.fixture
def gathered(made_runs):
    wanted = expected(made_runs.study, {split: pool.info for split, pool in made_runs.pools.items()})
    gather(made_runs.study, wanted, made_runs.current, **made_runs.inputs, tables=made_runs.folder / "tables")
    return made_runs.folder / "tables"


def test_the_gathered_files_follow_the_contract(gathered):
    inputs = read_inputs(gathered)
    assert len(inputs.cases) == (4 + 2) * 4 * len(BRANCHES) and len(inputs.probes) == 4 * 20
    assert list(inputs.rows["row_name"]) == ["i2v", "context_k5", "codec_ceiling", "copy_first"]


def test_every_number_stands_with_its_run_and_judgements_join_their_cases(made_runs, gathered):
    cases = pd.read_csv(gathered / "cases.csv.xz").set_index(["row_name", "train_seed", "branch", "case"])
    assert not cases.index.duplicated().any()
    for row, seed in (("i2v", 7), ("context_k5", 0)):
        own = pd.read_csv(made_runs.folder / "measures" / f"{row}-{seed}" / "cases.csv")
        scores = pd.read_csv(made_runs.folder / "judge" / f"{row}-{seed}.csv").set_index(["branch", "case"])["judge"]
        for case in own.to_dict("records"):
            here = cases.loc[row, seed, case["branch"], case["case"]]
            assert here["lpips"] == pytest.approx(case["lpips"], abs=6e-5)
            if not BRANCHES[case["branch"]].returns:
                assert pd.isna(here["judge"])
            else:
                assert here["judge"] == pytest.approx(scores[case["branch"], case["case"]], abs=6e-4)
            assert here["sharpness"] == pytest.approx(case["sharpness"], abs=6e-4)
            assert pd.isna(here["departure"]) if case["branch"] == "replay" else here["departure"] == 40


def test_what_every_judge_said_stands_in_one_table(made_runs, gathered):
    table = pd.read_csv(gathered / "judgements.csv.xz")
    assert list(dict.fromkeys(table["judge_name"])) == ["embedded", "second"]
    judged = len(made_runs.measured("")) * 4 * sum(BRANCHES[name].returns for name in made_runs.study.evaluate.branches)
    assert (table.groupby("judge_name").size() == judged).all()
    keys = ["row_name", "train_seed", "branch", "case"]
    main, second = (own.set_index(keys) for _, own in table.groupby("judge_name"))
    cases = pd.read_csv(gathered / "cases.csv.xz").set_index(keys).loc[main.index]
    np.testing.assert_allclose(main["score"], cases["judge"])
    assert (main["scene"] == cases["scene"]).all() and (second.loc[main.index, "scene"] == cases["scene"]).all()
    left = second["score"].isna()
    assert left.sum() == second["view"].isna().sum() == len(made_runs.measured("")) and not main["score"].isna().any()
    np.testing.assert_allclose(second["score"][~left], main["score"].loc[second.index][~left] / 2, atol=1.1e-3)


def test_reasons_of_missing_answers_come_from_the_judges_records(made_runs, gathered):
    table = pd.read_csv(gathered / "missing_answers.csv")
    assert set(table["judge_name"]) == {"second"} and len(table) == 2 * len(made_runs.measured(""))
    own = table[(table["row_name"] == "context_k5") & (table["train_seed"] == 7)]
    assert dict(zip(own["reason"], own["answers"], strict=True)) == {"no answer: empty": 1, "no reply: timeout": 2}


def test_judgements_of_a_judge_too_few_are_refused(made_runs):
    wanted = expected(made_runs.study, {split: pool.info for split, pool in made_runs.pools.items()})
    inputs = made_runs.inputs
    inputs["judged"] = made_runs.measured("judge/{run}.csv")
    with pytest.raises(TableError, match="6 files of judgements for 6 runs .* each of the judges embedded, second"):
        gather(made_runs.study, wanted, made_runs.current, **inputs, tables=made_runs.folder / "tables")
    assert not (made_runs.folder / "tables").exists()


def test_numbers_kept_are_all_that_survives_and_not_the_state_that_is_read(made_runs, gathered):
    """A row that picks from all it has seen reads a state of ten numbers here, and keeps more segment by segment."""
    rows = pd.read_csv(gathered / "rows.csv").set_index("row_name")
    kept = pd.read_csv(gathered / "kept.csv").groupby("row_name")
    for row in made_runs.study.rows:
        assert rows.kept_numbers[row] == kept["numbers"].max()[row] > kept["state_numbers"].max()[row] == 10


def test_reference_rows_stand_beside_the_trained_ones(made_runs, gathered):
    """They have a family and a seed of their own; what means nothing of them is missing."""
    rows = pd.read_csv(gathered / "rows.csv").set_index("row_name")
    assert list(rows["family"]) == ["context", "context", "reference", "reference"]
    assert rows.label["copy_first"] == "copy of the first frame" and rows.kept_numbers["copy_first"] == 10
    assert pd.isna(rows.kept_numbers["codec_ceiling"]) and not rows.remembers["copy_first"]
    cases = pd.read_csv(gathered / "cases.csv.xz")
    own = pd.read_csv(made_runs.folder / "measures" / "copy_first" / "cases.csv")
    here = cases[cases.row_name == "copy_first"]
    assert set(here.train_seed) == {-1} and (cases.train_seed[cases.row_name == "i2v"] >= 0).all()
    assert here.psnr.tolist() == pytest.approx(own.psnr.tolist(), abs=6e-4)
    assert (here.seen_given == 0.5).all() and here.psnr_unseen.isna().all()


def test_another_reference_rows_record_is_refused(made_runs):
    one, two = (path.parent for path in made_runs.inputs["references"])
    shutil.copy(two / "record.json", one / "record.json")
    with pytest.raises(TableError, match=r"reference row codec_ceiling\): it belongs to reference row copy_first"):
        owned_record(one, Run("codec_ceiling", -1))


def test_timings_are_in_the_order_of_the_flow_and_of_the_study(made_runs):
    table = timings(made_runs.study, made_runs.inputs["records"])
    assert list(zip(table["stage"], table["row_name"], table["seconds"], strict=True)) == [
        ("pool", "", 0.0), ("pool", "", 3.0), ("train", "i2v", 2.0), ("train", "context_k5", 1.0),
    ]  # fmt: skip


def test_another_rows_rollout_is_refused(made_runs):
    folders = made_runs.inputs["rollouts"]
    shutil.copy(folders[1] / "record.json", folders[0] / "record.json")
    with pytest.raises(TableError, match=r"row i2v, training seed 0\): it belongs to row context_k5, training seed 0"):
        owned_record(folders[0], Run("i2v", 0))


def test_a_run_too_few_is_refused(made_runs):
    wanted = expected(made_runs.study, {split: pool.info for split, pool in made_runs.pools.items()})
    inputs = made_runs.inputs
    inputs["probes"] = inputs["probes"][:3]
    with pytest.raises(TableError, match="3 files for 4 runs"):
        gather(made_runs.study, wanted, made_runs.current, **inputs, tables=made_runs.folder / "tables")


def test_a_rows_counts_come_from_its_rollout(made_runs, gathered):
    path = made_runs.inputs["rollouts"][0] / "record.json"
    counts = json.loads(path.read_text())["counts"]
    row = pd.read_csv(gathered / "rows.csv").iloc[0]
    del counts["state_numbers"]  # of the state alone: what is kept is more
    assert {key: row[key] for key in counts} == counts and not row["remembers"]


def test_frames_are_few_bytes_and_keep_a_hundredth_of_a_decibel(made_runs, gathered):
    frames = pd.read_parquet(gathered / "frames.parquet")
    own = pd.concat(pd.read_parquet(path / "frames.parquet") for path in made_runs.inputs["measures"])
    assert len(frames) == len(own)
    np.testing.assert_allclose(frames["psnr"], own["psnr"], atol=0.0051)
    many = frames.sample(60_000, replace=True, random_state=0)
    many["psnr"] = np.random.default_rng(0).normal(22, 4, len(many))
    write_frames(many.sort_values(["row_name", "branch", "case", "frame"]), gathered / "many.parquet")
    assert (gathered / "many.parquet").stat().st_size < 2.5 * len(many)


def test_what_is_kept_is_that_of_the_longest_branch(made_runs, gathered):
    kept = pd.read_csv(gathered / "kept.csv")
    longest = max(BRANCHES[branch].segments for branch in made_runs.study.evaluate.branches)
    assert list(kept["row_name"]) == ["i2v"] * longest + ["context_k5"] * longest
    assert set(kept["policy"]) == {"matched"} and list(kept["segment"][:longest]) == list(range(1, longest + 1))
    assert (kept["numbers"] == 10 * kept["segment"]).all() and (kept["bytes"] == 44 * kept["segment"]).all()
