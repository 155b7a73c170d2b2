"""What the page shows is the pool's and the rollouts' own, case by case."""

import base64
import io
import json

import numpy as np
import pytest
from PIL import Image

from echo.figures.viewer.sample import COLUMNS, IDENTICAL, contents, sprite
from echo.measures.images import psnr
from echo.rollout.frames import Rollout, RolloutError
from echo.study.words import BRANCHES, generated_frames
from tests.figures.viewer.made import KEPT, ROWS, made_contents, made_study, write_rows
from tests.scenes import POOLS, made_rollout, perfect


def tiles(address: str, count: int, side: tuple[int, int]) -> np.ndarray:
    """The first tiles of a sprite, as the page's script finds them."""
    sheet = np.asarray(Image.open(io.BytesIO(base64.b64decode(address.split(",")[1]))).convert("RGB"))
    height, width = side
    found = []
    for index in range(count):
        top, left = index // COLUMNS * height, index % COLUMNS * width
        found.append(sheet[top : top + height, left : left + width])
    return np.stack(found)


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    return made_contents(tmp_path_factory.mktemp("viewer"))


@pytest.mark.parametrize("count", [1, 5, 16, 17, 40])
def test_a_sprite_has_every_frame_where_the_page_looks_for_it(count):
    smooth = np.linspace(0, 255, count).astype(np.uint8)[:, None, None, None]
    frames = np.broadcast_to(smooth, (count, 24, 32, 3)).copy()
    assert np.abs(tiles(sprite(frames), count, (24, 32)).astype(int) - frames).max() <= 6  # WebP


def test_large_frames_are_made_smaller_and_keep_their_shape():
    found = Image.open(io.BytesIO(base64.b64decode(sprite(np.zeros((2, 352, 640, 3), np.uint8)).split(",")[1])))
    assert found.size == (2 * 160, 88)


def test_every_branch_and_case_is_there_with_its_numbers(shown):
    study = made_study()
    assert [one["name"] for one in shown["branches"]] == list(study.evaluate.branches)
    assert shown["tile"] == [12, 12] and list(shown["rows"]) == list(ROWS)
    assert shown["chosen"] == ["copy_best", "i2v", "context_k20"]
    assert shown["rows"]["copy_best"]["family"] == "reference"
    for one in shown["branches"]:
        kind = BRANCHES[one["name"]]
        pool, generated = POOLS[kind.split("reported")], generated_frames(one["name"], study.segment.frames)
        assert (one["label"], one["explained"]) == (kind.label, kind.explained) and len(one["cases"]) == 2
        for case in one["cases"]:
            truth = pool.frames(case["name"])
            assert case["start"] == generated[0] and case["room"] == pool.info.room[case["name"]]
            np.testing.assert_allclose(case["poses"], pool.poses(case["name"])[:, [0, 1, 5]], atol=1e-3)
            assert set(case["rows"]["context_k20"]["psnr"]) == {IDENTICAL}
            inverted = psnr(255 - truth[list(generated)], truth[list(generated)])
            np.testing.assert_allclose(case["rows"]["copy_best"]["psnr"], inverted, atol=0.051)
            assert [case["rows"][row]["held"] for row in ROWS] == [[], list(KEPT), []]
    json.dumps(shown, allow_nan=False)


def test_changed_memories_are_shown_where_they_were_probed(shown):
    for one in shown["branches"]:
        for case in one["cases"]:
            with_changes = [row for row in ROWS if "changed" in case["rows"][row]]
            assert with_changes == (["context_k20"] if one["name"] == "recall" else [])
    recall = next(one for one in shown["branches"] if one["name"] == "recall")
    changed = recall["cases"][0]["rows"]["context_k20"]["changed"]
    assert set(changed) == set(shown["changes"]) and changed["intact"]["psnr"] == [IDENTICAL] * 2
    assert max(changed["swap"]["psnr"]) < 12


def test_rollouts_of_other_cases_are_refused(tmp_path):
    study = made_study()
    rows = write_rows(tmp_path, study)
    rollout = made_rollout("replay", perfect)
    Rollout(rollout.frames, rollout.index, rollout.cases[::-1]).save(tmp_path / "i2v" / "replay.safetensors")
    with pytest.raises(RolloutError, match="branch replay: the rollout's cases are not the study's"):
        contents(study, rows, POOLS)
