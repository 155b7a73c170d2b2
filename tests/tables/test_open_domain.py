"""Tables of rollouts from lone first frames: means over pictures, the paper's beside them, what is missing left out."""

import numpy as np
import pandas as pd
import pytest

from echo.io.files import write_json
from echo.rollout.frames import Rollout
from echo.study.provenance import hashes, record_of
from echo.study.words import UNTRAINED, generated_frames
from echo.tables.open_domain import CASE_COLUMNS, FILES, MEASURES, page, row_table
from echo.tables.read import TableError
from echo.tables.stages import open_domain
from echo.world.first_frames.listing import read_listing
from echo.world.first_frames.pool import FirstFramePool
from echo.world.first_frames.write import write_pool
from tests.conftest import tiny_study
from tests.pictures import write_pictures

SCORES = ("appearance", "presence", "view", "scene_score")
LABELS = {"i2v": "I2V", "context_k5": "Context K=5", "copy_first": "copy of the first frame"}


def case(row, seed, picture, judge, **values):
    missing = "" if np.isfinite(judge) else "the judge gave no score"
    scores = dict.fromkeys(SCORES, judge / 20)
    owner = {"row_name": row, "train_seed": seed, "branch": "return_45", "picture": picture, "anchor": "ball"}
    judged = {"judged_by": "qwen3_vl", **scores, "judge": judge, "missing": missing}
    return {**owner, **judged, "first_psnr": 20.0, "first_lpips": 0.2, **values}


@pytest.fixture
def cases():
    lines = [case("i2v", seed, f"p{n}", 10.0 * n + seed) for seed in (0, 1) for n in range(4)]
    lines += [case("context_k5", seed, f"p{n}", np.nan if n == 3 else 60.0) for seed in (0, 1) for n in range(4)]
    lines += [case("copy_first", UNTRAINED, f"p{n}", 90.0, first_psnr=31.0) for n in range(4)]
    return pd.DataFrame(lines)


def line(table, row, measure):
    (found,) = table[(table.row_name == row) & (table.measure == measure)].itertuples()
    return found


def test_a_rows_mean_is_over_pictures_and_seeds_with_the_papers_beside_it(cases):
    table = row_table(cases, LABELS, 300, 0)
    assert len(table) == 3 * len(MEASURES)
    i2v = line(table, "i2v", "judge")
    assert (i2v.value, i2v.pictures, i2v.train_seeds, i2v.paper) == (pytest.approx(15.5), 4, 2, 12.25)
    assert i2v.low < i2v.value < i2v.high
    assert line(table, "context_k5", "judge").paper == 50.75
    assert np.isnan(line(table, "copy_first", "judge").paper) and np.isnan(line(table, "i2v", "first_psnr").paper)


def test_missing_scores_are_left_out_and_counted(cases):
    table = row_table(cases, LABELS, 300, 0)
    found = line(table, "context_k5", "judge")
    assert (found.value, found.pictures) == (60.0, 3)
    nothing = cases.assign(judge=np.nan)
    empty = line(row_table(nothing, LABELS, 300, 0), "i2v", "judge")
    assert np.isnan([empty.value, empty.low, empty.high]).all() and empty.pictures == 0


def test_each_judge_has_its_own_numbers(cases):
    both = pd.concat([cases, cases.assign(judged_by="second", judge=cases.judge / 2)])
    table = row_table(both, LABELS, 300, 0)
    first, second = (table[table.judged_by == name].reset_index(drop=True) for name in ("qwen3_vl", "second"))
    pd.testing.assert_frame_equal(first, row_table(cases, LABELS, 300, 0))
    np.testing.assert_allclose(second[second.measure == "judge"].value, first[first.measure == "judge"].value / 2)
    assert page(table, 4, ()).count("\n## ") == 2


def test_the_page_says_what_the_numbers_are(cases):
    text = page(row_table(cases, LABELS, 300, 0), 4, ("copy_first",))
    assert "4 pictures, with" in text and "return, judged by `qwen3_vl`\n" in text
    assert "a camera that never\nleaves scores best" in text
    (row,) = [line for line in text.splitlines() if line.startswith("| Context K=5")]
    assert "| 50.75 | 3 of 4 |" in row
    assert "| *copy of the first frame* | 90.0 [90.0, 90.0] | – | 4 of 4 |" in text
    nothing = page(row_table(cases.assign(judge=np.nan), LABELS, 300, 0), 4, ())
    assert "| I2V | – | 12.25 | 0 of 4 |" in nothing


@pytest.fixture
def made(tmp_path):
    """A study of one row and one reference row, its pool, their rollouts and judgements as stages leave them."""
    folder = write_pictures(tmp_path / "own")
    references = {"references": ["codec_ceiling", "copy_first"], "judges": ["vision_language"]}
    study = tiny_study(rows=["i2v"], world={"size": 32}, open_domain={"images": str(folder)}, evaluate=references)
    write_pool(study, read_listing(folder), tmp_path / "pool")
    pool, index = FirstFramePool(tmp_path / "pool"), np.array(generated_frames("return_45", 4))
    cases, rollouts, judged = pool.cases("return_45"), [], []
    for row in ("i2v", "copy_first"):
        firsts = np.stack([pool.first(video) for video in cases])[:, None].repeat(8, 1)
        frames = firsts if row == "copy_first" else 255 - firsts
        rollouts.append(tmp_path / row / "return_45.safetensors")
        Rollout(frames, index, cases).save(rollouts[-1])
    for judge in study.all_judges:
        for row, seed in (("i2v", 0), ("copy_first", UNTRAINED)):
            scores = [[4.0] * 4 + [80.0, np.nan], [np.nan] * 5 + ["no mask, which the judge needs"]]
            lines = [[row, seed, "return_45", video, *own] for video, own in zip(cases, scores, strict=True)]
            judged.append(tmp_path / judge / f"{row}.csv")
            judged[-1].parent.mkdir(exist_ok=True)
            columns = ["row_name", "train_seed", "branch", "case", *SCORES, "judge", "missing"]
            pd.DataFrame(lines, columns=columns).to_csv(judged[-1], index=False)
            write_json(record_of(judged[-1]), hashes(judged[-1]))
    return study, pool, rollouts, judged


def test_the_stage_writes_tables_and_a_strip_of_each_picture(made, weights, tmp_path):
    study, pool, rollouts, judged = made
    out = tmp_path / "out"
    open_domain.run(study, rollouts, judged, pool.folder, weights, out)
    assert {path.name for path in out.iterdir()} == {*FILES, "strips"}
    assert sorted(path.name for path in (out / "strips").iterdir()) == [f"{case}.jpg" for case in sorted(pool.videos)]
    cases = pd.read_csv(out / "open_domain.csv")
    assert tuple(cases) == CASE_COLUMNS
    for judge, own in cases.groupby("judged_by"):
        assert judge in study.all_judges and own[["row_name", "picture"]].values.tolist() == [
            [row, picture] for row in ("i2v", "copy_first") for picture in ("garden", "inside-hall")]  # fmt: skip
        assert own.judge.tolist()[::2] == [80.0] * 2 and own.judge.isna().tolist() == [False, True] * 2
        assert own["missing"].tolist()[1::2] == ["no mask, which the judge needs"] * 2
        assert (own.first_psnr[2:] == 100).all() and (own.first_psnr[:2] < 20).all()
        assert (own.first_lpips[2:] == 0).all() and (own.first_lpips[:2] > 0.1).all()


def test_the_stage_refuses_what_is_not_whole_before_it_writes(made, weights, tmp_path):
    study, pool, rollouts, judged = made
    text = judged[0].read_text().splitlines(keepends=True)
    judged[0].write_text("".join(text[:2]))
    with pytest.raises(TableError, match="row i2v, training seed 0.*1 of 2 cases"):
        open_domain.run(study, rollouts, judged, pool.folder, weights, tmp_path / "out")
    judged[0].write_text("".join(text).replace("80.0", "90.0"))
    with pytest.raises(TableError, match="was changed after its stage wrote it"):
        open_domain.run(study, rollouts, judged, pool.folder, weights, tmp_path / "out")
    assert not (tmp_path / "out").exists()
