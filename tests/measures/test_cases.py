import numpy as np
import pytest

from echo.io.seeding import generator
from echo.io.stored import StoredArray
from echo.measures.cases import CASE_COLUMNS, CEILING, FRAME_COLUMNS, measure_branch, measure_rollouts
from echo.measures.departed import COLUMNS
from echo.measures.images import gradient_energy, psnr
from echo.rollout.frames import RolloutError
from echo.study.words import AWAY, BRANCHES
from tests.scenes import POOLS, STUDY, made_rollout, perfect


def lpips(a, b):
    """A stand-in for frames that are too small for the real one."""
    return np.abs(a.astype(float) - b).mean((1, 2, 3)) / 255


def measure(rollout, branch):
    pool = POOLS[BRANCHES[branch].split("reported")]
    return measure_branch(rollout, branch, STUDY.segment.frames, STUDY.world.field_of_view, pool, lpips)


@pytest.mark.parametrize("branch", BRANCHES)
def test_a_perfect_rollout_has_perfect_measures(branch):
    made = made_rollout(branch, perfect)
    frames, cases = measure(made, branch)
    assert (cases.psnr == CEILING).all() and (cases.ssim == 1).all() and (cases.lpips == 0).all()
    assert len(frames) == 2 * len(made.index) and len(cases) == 2
    no_first = branch == "replay" or branch in AWAY
    assert cases.first_psnr.isna().all() if no_first else (cases.first_psnr == CEILING).all()


def test_a_return_is_measured_on_its_last_two_frames_alone():
    def spoil(x, index):
        x = x.copy()
        x[:-2] = 0
        return x

    _, cases = measure(made_rollout("return_strict", spoil), "return_strict")
    assert (cases.psnr == CEILING).all() and (cases.first_psnr == CEILING).all()


def test_a_loop_is_measured_by_mirrored_pairs_of_the_models_own_frames():
    """Consistently wrong is consistent: the same change on the way out and back costs the loop nothing."""

    def invert(x, index):
        return 255 - x

    def drift(x, index):
        return np.clip(x.astype(int) + 2 * index[:, None, None, None], 0, 255).astype(np.uint8)

    frames, cases = measure(made_rollout("loop", invert), "loop")
    assert (cases.psnr == CEILING).all() and frames.psnr.max() < 20
    made = made_rollout("loop", drift)
    _, cases = measure(made, "loop")
    pairs = [psnr(made.frames[0][[16 - i - 1]], made.frames[0][[i - 1]])[0] for i in range(1, 8)]
    assert cases.psnr[0] == pytest.approx(np.mean(np.minimum(pairs, CEILING)))


def noise(x, index):
    return np.where(generator(1, "noise").random(x.shape) < 0.1, 255 - x, x).astype(np.uint8)


def test_a_replay_is_the_mean_over_all_frames():
    made = made_rollout("replay", noise)
    frames, cases = measure(made, "replay")
    for row in cases.itertuples():
        mine = frames[frames.case == row.case]
        truth = POOLS["in_domain"].frames(row.case)[1:]
        expected = psnr(made.frames[made.cases.index(row.case)], truth)
        np.testing.assert_allclose(mine.psnr, expected)
        assert row.psnr == pytest.approx(expected.mean())
        assert mine.segment.tolist() == [1] * 4 + [2] * 4 + [3] * 4


@pytest.mark.parametrize("branch", AWAY)
def test_a_revisit_is_measured_on_its_last_two_frames_and_never_against_the_first(branch):
    made = made_rollout(branch, lambda x, i: np.concatenate([255 - x[:-2], x[-2:]]))
    cases = measure(made, branch)[1]
    assert (cases.psnr == CEILING).all() and cases[["first_psnr", "first_ssim", "first_lpips"]].isna().all(None)


@pytest.fixture
def files(tmp_path):
    """One row's rollouts of three branches, saved."""
    paths = {}
    for branch in ("replay", "loop", "recall"):
        paths[branch] = tmp_path / f"{branch}.safetensors"
        made_rollout(branch, noise).save(paths[branch])
    return paths


def test_a_rows_rollouts_make_two_tables(files):
    frames, cases = measure_rollouts(STUDY, "context_k5", 7, files, POOLS, lpips)
    assert tuple(frames) == FRAME_COLUMNS and tuple(cases) == CASE_COLUMNS
    assert cases.groupby("branch").size().to_dict() == {"replay": 2, "loop": 2, "recall": 2}
    assert frames.groupby("branch").size().to_dict() == {"replay": 24, "loop": 32, "recall": 8}
    for table in (frames, cases):
        assert (table.row_name == "context_k5").all() and (table.train_seed == 7).all()
    assert cases.index.is_unique and frames.index.is_unique
    assert set(cases.scene) == {"a", "b"} and set(cases.anchor) == {"duck"}
    assert cases.set_index("branch").split.to_dict() == {b: BRANCHES[b].split("reported") for b in files}
    each = measure(made_rollout("loop", noise), "loop")[1]
    np.testing.assert_array_equal(cases[cases.branch == "loop"].psnr, each.psnr)


def test_rollouts_are_read_case_by_case(files, monkeypatch):
    """All cases of a branch together are 10 GB at the paper's size."""
    read, get = [], StoredArray.__getitem__
    monkeypatch.setattr(StoredArray, "__getitem__", lambda self, key: read.append(get(self, key)) or read[-1])
    measure_rollouts(STUDY, "context_k5", 7, files, POOLS, lpips)
    assert len(read) == 6 and {frames.ndim for frames in read} == {4}


def test_a_file_of_another_branch_is_refused(files):
    with pytest.raises(RolloutError, match="loop.safetensors: branch replay: the rollout's cases are not the study's"):
        measure_rollouts(STUDY, "context_k5", 7, {**files, "replay": files["loop"]}, POOLS, lpips)


def test_sharpness_is_the_gradient_energy_over_that_of_the_true_frames():
    def half(x, index):
        return (x.astype(int) // 2).astype(np.uint8)

    for change, expected in ((perfect, 1.0), (half, 0.25)):
        _, cases = measure(made_rollout("replay", change), "replay")
        np.testing.assert_allclose(cases.sharpness, expected, rtol=0.02)
    pool = POOLS["in_domain"]
    _, cases = measure(made_rollout("loop", lambda x, index: np.where(index[:, None, None, None] < 9, x, 0)), "loop")
    for row in cases.itertuples():
        truth = pool.frames(row.case)
        expected = gradient_energy(truth[1:9]).sum() / gradient_energy(truth[1:]).sum()
        assert row.sharpness == pytest.approx(expected)


@pytest.mark.parametrize(
    ("branch", "pairs"), [("replay", 12), ("loop", 7 + 1), ("return_strict", 2 + 2), ("recall", 4)]
)
def test_slow_measures_are_taken_of_the_frames_that_count_alone(branch, pairs):
    """All of a replay, a loop's mirrored pairs, a return's last frames; and those held against the first frame."""
    seen = []

    def counted(a, b):
        seen.append(len(a))
        return lpips(a, b)

    made = made_rollout(branch, noise)
    pool = POOLS[BRANCHES[branch].split("reported")]
    measure_branch(made, branch, STUDY.segment.frames, STUDY.world.field_of_view, pool, counted)
    assert sum(seen) == pairs * len(made.cases)


@pytest.mark.parametrize("branch", BRANCHES)
def test_departure_is_measured_where_the_camera_leaves_from_given_to_generated_frames(branch, monkeypatch):
    """It is handed the frames that the branch gives, all generated ones, and the poses of both."""
    handed = []

    def departure(given, generated, poses, field_of_view):
        handed.append((given, generated, poses, field_of_view))
        return dict.fromkeys(COLUMNS, 1.0)

    monkeypatch.setattr("echo.measures.departure.departure", departure)
    made = made_rollout(branch, noise)
    _, cases = measure(made, branch)
    if branch == "replay":
        assert not handed and cases[list(COLUMNS)].isna().all(axis=None)
        return
    assert (cases[list(COLUMNS)] == 1).all(axis=None) and len(handed) == len(made.cases)
    pool, first = POOLS[BRANCHES[branch].split("reported")], made.index[0]
    assert first == (pool.frames(made.cases[0]).shape[0] - 4 if BRANCHES[branch].recall else 1)
    for case, generated, (given, shown, poses, view) in zip(made.cases, made.frames, handed, strict=True):
        np.testing.assert_array_equal(given, pool.frames(case)[:first])
        np.testing.assert_array_equal(shown, generated)
        np.testing.assert_array_equal(poses, pool.poses(case))
        assert view == STUDY.world.field_of_view
