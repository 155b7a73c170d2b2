"""Videos of a branch: the right frames at the right moments, scores as far as they go, files that play."""

import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from echo.figures import FigureError
from echo.figures.stages import video as stage
from echo.figures.videos import FOOT, GAP, LAST, LEFT, RATE, TOP, Shown, drawn, moments, side_of, so_far, write
from echo.measures.images import psnr
from echo.rollout.frames import RolloutError
from echo.study.words import generated_frames, given_frames
from echo.world.recordings.video import read_at, time_stamps
from tests.scenes import POOLS, STUDY, made_rollout, perfect

T = STUDY.segment.frames
RNG = np.random.default_rng(0)
TRUTH = RNG.integers(0, 256, (2, 5, 8, 16, 3), np.uint8)
NOISY = np.clip(TRUTH + RNG.integers(-9, 10, TRUTH.shape), 0, 255).astype(np.uint8)
SHOWN = Shown("a branch", [0, 4, 5, 6, 7], 3, TRUTH, {"a row": NOISY, "truth": TRUTH})
SIDE = 128  # of a shown frame: 16 times 8 pixels
WIDTH = 2 * SIDE


def cell(picture: np.ndarray, line: int, case: int) -> np.ndarray:
    """The frame that is drawn in a line and column."""
    top, left = TOP + line * (SIDE + FOOT), LEFT + case * (WIDTH + GAP)
    return picture[top : top + SIDE, left : left + WIDTH]


@pytest.mark.parametrize("branch", ["replay", "return_45", "recall", "return_far_16"])
def test_a_few_given_frames_are_shown_and_all_that_are_generated(branch):
    given, generated = given_frames(branch, T), generated_frames(branch, T)
    numbers, count = moments(given, generated)
    assert numbers[-count:] == list(generated) and set(numbers[:-count]) <= set(given)
    assert numbers == sorted(set(numbers)) and len(numbers) - count == min(12, len(given))
    assert numbers[0] == 0 and numbers[-count - 1] == given[-1]


def test_small_frames_are_shown_by_whole_multiples_and_large_ones_smaller():
    assert [side_of(height) for height in (12, 32, 64, 100, 128, 352)] == [120, 128, 128, 100, 128, 240]


def test_every_frame_is_in_its_line_and_column_at_its_moment():
    pictures = drawn(SHOWN)
    assert len(pictures) == 5 and all(side % 2 == 0 for side in pictures.shape[1:3])
    for moment in range(5):
        for line, frames in enumerate((TRUTH, NOISY, TRUTH)):
            for case in range(2):
                larger = np.asarray(
                    Image.fromarray(frames[case, moment]).resize((WIDTH, SIDE), Image.Resampling.NEAREST)
                )
                np.testing.assert_array_equal(cell(pictures[moment], line, case), larger)
    labels = pictures[:, TOP:, :LEFT]  # what is written beside the frames stays; the frames' number does not
    assert (labels == labels[0]).all() and (pictures[0, :TOP] != pictures[1, :TOP]).any()


def test_a_score_is_the_mean_of_the_generated_frames_so_far():
    scores = so_far(SHOWN, "a row")
    for case in range(2):
        each = psnr(NOISY[case, 2:], TRUTH[case, 2:])
        np.testing.assert_allclose(scores[case], [each[:1].mean(), each[:2].mean(), each.mean()])
    assert np.isinf(so_far(SHOWN, "truth")).all()
    feet = drawn(SHOWN)[:, TOP + SIDE + FOOT + SIDE : TOP + 2 * (SIDE + FOOT), LEFT:]
    assert (feet[:2] == 255).all() and all((foot < 255).any() for foot in feet[2:])  # not of what is given


def test_both_files_play_and_hold_their_last_frame(tmp_path):
    for name in ("one", "two"):
        write(SHOWN, tmp_path / f"{name}.mp4", tmp_path / f"{name}.gif")
    for suffix in ("mp4", "gif"):
        assert (tmp_path / f"one.{suffix}").read_bytes() == (tmp_path / f"two.{suffix}").read_bytes()
    pictures = drawn(SHOWN)
    stamps, unit, _ = time_stamps(tmp_path / "one.mp4", "one")
    assert len(stamps) == len(pictures) + LAST - 1 and np.allclose(np.diff(stamps) * unit, 1 / RATE)
    first = read_at(tmp_path / "one.mp4", "one", stamps)[0].astype(int)
    assert np.abs(first - pictures[0]).mean() < 25  # of noise
    with Image.open(tmp_path / "one.gif") as moving:
        shown = []
        for number in range(moving.n_frames):
            moving.seek(number)
            shown.append(moving.info["duration"])
    assert shown == [1000 / RATE] * 4 + [LAST * 1000 / RATE]


def test_a_row_of_another_shape_is_named_and_nothing_is_written(tmp_path):
    with pytest.raises(
        FigureError, match=r"a row: expected frames of shape \(2, 5, 8, 16, 3\), got \(2, 4, 8, 16, 3\)"
    ):
        write(replace(SHOWN, rows={"a row": NOISY[:, :4]}), tmp_path / "v.mp4", tmp_path / "v.gif")
    assert not list(tmp_path.iterdir())


@pytest.fixture
def study(monkeypatch):
    """Two rows and the copy, on made pools."""
    monkeypatch.setattr(stage, "open_pool", lambda folder, splits: POOLS[splits[0]])
    rows = {"rows": ("i2v", "context_k20"), "evaluate": STUDY.evaluate.model_copy(update={"shown": "context_k20"})}
    return STUDY.model_copy(update=rows)


def rollouts(folder, branch, **changes):
    """A file of each row's rollout, changed."""
    files = []
    for name, change in changes.items():
        files.append(folder / name / f"{branch}.safetensors")
        made_rollout(branch, change).save(files[-1])
    return files


def test_the_stage_films_the_copy_and_two_rows(study, tmp_path, monkeypatch):
    seen = {}
    monkeypatch.setattr(stage, "write", lambda shown, mp4, gif: (seen.update(shown=shown), mp4.touch(), gif.touch()))
    files = rollouts(tmp_path, "recall", copy=perfect, i2v=lambda frames, index: 255 - frames, context=perfect)
    stage.run(study, "recall", files, tmp_path, tmp_path / "out.mp4")
    shown, pool = seen["shown"], POOLS["open_domain"]
    record = json.loads((tmp_path / "out.record.json").read_text())
    assert list(shown.rows) == ["copy of the best past frame", "I2V", "Context K=20"]
    assert set(record["outputs"]) == {"out.mp4", "out.gif"} and len(record["cases"]) == 2
    for case, name in enumerate(record["cases"]):
        true = pool.frames(name, shown.numbers)
        np.testing.assert_array_equal(shown.truth[case], true)
        np.testing.assert_array_equal(shown.rows["Context K=20"][case], true)
        np.testing.assert_array_equal(shown.rows["I2V"][case, -T:], 255 - true[-T:])
        np.testing.assert_array_equal(shown.rows["I2V"][case, :-T], true[:-T])  # given


def test_a_file_too_few_and_another_branchs_file_are_refused(study, tmp_path):
    files = rollouts(tmp_path, "replay", copy=perfect, i2v=perfect, context=perfect)
    with pytest.raises(FigureError, match=r"expected 3 files \(copy_best, i2v, context_k20\), got 2"):
        stage.run(study, "replay", files[:2], tmp_path, tmp_path / "out.mp4")
    with pytest.raises(RolloutError, match="branch recall: the rollout's cases"):
        stage.run(study, "recall", files, tmp_path, tmp_path / "out.mp4")
    assert not list(tmp_path.glob("out*"))
