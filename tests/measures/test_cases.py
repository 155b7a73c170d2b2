import numpy as np
import pandas as pd
import pytest

from echo.io.seeding import generator
from echo.measures.cases import CEILING, Rollout, measure
from echo.measures.images import psnr, ssim
from tests.conftest import tiny_study

STUDY = tiny_study(evaluate={"cases": 2, "probe_cases": 2})
LENGTH = {"replay": 13, "loop": 17, "return_45": 9, "return_strict": 13}


class Truth:
    """Two scenes of every trajectory; a loop mirrors its frames, a return ends as it began."""

    def __init__(self):
        rows = [(f"{room}__{kind}", "s", room, "duck", kind, LENGTH[kind]) for kind in LENGTH for room in ("a", "b")]
        self.info = pd.DataFrame(rows, columns=["video", "split", "room", "anchor", "trajectory", "frames"])
        self.info = self.info.set_index("video")

    def frames(self, video, indices=None):
        kind = self.info.trajectory[video]
        out = generator(0, video).integers(0, 256, (LENGTH[kind], 12, 12, 3)).astype(np.uint8)
        if kind == "loop":
            out = np.concatenate([out[:9], out[7::-1]])
        if kind.startswith("return"):
            out[-2:] = out[0]
        return out if indices is None else out[indices]


def lpips(a, b):
    return np.abs(a.astype(float) - b).mean((1, 2, 3)) / 255


def rollout(branch: str, change) -> Rollout:
    from echo.rollout.cases import choose_cases
    from echo.study.words import BRANCHES

    cases = list(choose_cases(STUDY, branch, Truth().info).index)
    last = LENGTH[BRANCHES[branch].trajectory] - 1
    index = np.arange(last - 3, last + 1) if BRANCHES[branch].recall else np.arange(1, last + 1)
    return Rollout(np.stack([change(Truth().frames(case)[index], index) for case in cases]), index, cases)


@pytest.mark.parametrize("branch", ["replay", "loop", "return_45", "return_strict", "recall"])
def test_a_perfect_rollout_has_perfect_measures(branch):
    frames, cases = measure(rollout(branch, lambda x, i: x), branch, STUDY, Truth(), lpips)
    assert (cases.psnr == CEILING).all() and (cases.ssim == 1).all() and (cases.lpips == 0).all()
    assert len(frames) == 2 * len(rollout(branch, lambda x, i: x).index)
    assert cases.first_psnr.isna().all() if branch == "replay" else (cases.first_psnr == CEILING).all()


def test_a_return_is_measured_on_its_last_two_frames_alone():
    def spoil(x, index):
        x = x.copy()
        x[:-2] = 0
        return x

    _, cases = measure(rollout("return_strict", spoil), "return_strict", STUDY, Truth(), lpips)
    assert (cases.psnr == CEILING).all()


def test_a_loop_is_measured_by_mirrored_pairs_of_the_models_own_frames():
    """Consistently wrong is consistent: the same change on the way out and back costs the loop nothing."""

    def invert(x, index):
        return 255 - x

    def drift(x, index):
        return np.clip(x.astype(int) + 2 * index[:, None, None, None], 0, 255).astype(np.uint8)

    frames, cases = measure(rollout("loop", invert), "loop", STUDY, Truth(), lpips)
    assert (cases.psnr == CEILING).all() and frames.psnr.max() < 20
    made = rollout("loop", drift)
    _, cases = measure(made, "loop", STUDY, Truth(), lpips)
    pairs = [psnr(made.frames[0][[16 - i - 1]], made.frames[0][[i - 1]])[0] for i in range(1, 8)]
    assert cases.psnr[0] == pytest.approx(np.mean(np.minimum(pairs, CEILING)))


def test_a_replay_is_the_mean_over_all_frames():
    def noise(x, index):
        return np.where(generator(1, "noise").random(x.shape) < 0.1, 255 - x, x).astype(np.uint8)

    made = rollout("replay", noise)
    frames, cases = measure(made, "replay", STUDY, Truth(), lpips)
    for row in cases.itertuples():
        mine = frames[frames.case == row.case]
        truth = Truth().frames(row.case)[1:]
        expected = psnr(made.frames[made.cases.index(row.case)], truth)
        np.testing.assert_allclose(mine.psnr, expected)
        assert row.psnr == pytest.approx(expected.mean())
        assert mine.segment.tolist() == [1] * 4 + [2] * 4 + [3] * 4


def test_a_rollout_of_other_cases_is_refused():
    made = rollout("recall", lambda x, i: x)
    stale = Rollout(made.frames, made.index, made.cases[::-1])
    with pytest.raises(ValueError, match="branch recall: the rollout's cases are not the study's"):
        measure(stale, "recall", STUDY, Truth(), lpips)


def test_a_rollout_is_read_as_it_was_saved(tmp_path):
    made = rollout("recall", lambda x, i: x)
    made = Rollout(np.asfortranarray(made.frames), made.index, made.cases)  # as permuted tensors come
    made.save(tmp_path / "recall.safetensors", about="x")
    again = Rollout.load(tmp_path / "recall.safetensors")
    assert again.cases == made.cases
    assert np.array_equal(again.frames, made.frames) and np.array_equal(again.index, made.index)


def test_measures_agree_with_their_formulas():
    draw = generator(0, "pair")
    a, b = draw.integers(0, 256, (2, 3, 16, 16, 3)).astype(np.uint8)
    expected = [
        20 * np.log10(255) - 10 * np.log10(np.mean((x.astype(float) - y) ** 2)) for x, y in zip(a, b, strict=True)
    ]
    np.testing.assert_allclose(psnr(a, b), expected)
    assert np.isinf(psnr(a, a)).all()
    np.testing.assert_allclose(ssim(a, a), 1)
    assert (ssim(a, b) < 0.3).all()
