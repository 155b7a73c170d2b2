"""Fitting: the file is the fitted codec, its quality is that of held-out videos, and nothing else is saved."""

import numpy as np
import pytest
import torch

from echo.encoding import fit
from echo.encoding.codec import Codec, CodecError, build_codec, load_codec
from echo.encoding.codecs.patch import PatchCodec
from echo.encoding.fit import fit_codec, reconstruction
from tests.encoding.videos import KINDS, Videos, fitted, saved_vae


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_saved_codec_is_the_fitted_one(kind, tmp_path):
    first, codec = fitted(KINDS[kind], tmp_path / "a.safetensors")
    again, _ = fitted(KINDS[kind], tmp_path / "b.safetensors")
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()
    assert first == again
    held = torch.from_numpy(Videos().frames("v0"))
    assert first["held_out_psnr"] == pytest.approx(reconstruction(codec, held), abs=1e-3)
    assert first["numbers_per_frame"] == codec.encode(held)[0].numel()


def test_latents_have_unit_variance_overall_whatever_the_whitening(tmp_path):
    frames = torch.from_numpy(np.concatenate([Videos().frames(v) for v in Videos.videos[1:]]))
    unequal = []
    for whiten in (0.0, 0.5, 1.0):
        config = KINDS["patch"].model_copy(update={"options": {"whiten": whiten}})
        fit_codec(config, 0, Videos(), tmp_path / "codec.safetensors")
        latents = load_codec(tmp_path / "codec.safetensors").encode(frames)
        assert latents.std() == pytest.approx(1, abs=0.1)
        spread = latents.std((0, 2, 3))
        unequal.append(float(spread.max() / spread.min()))
    assert unequal[0] > unequal[1] > unequal[2] == pytest.approx(1, abs=0.2)


@pytest.mark.parametrize("whiten", [float("nan"), float("inf")])
def test_a_fit_that_ends_in_nan_is_named_and_nothing_is_saved(tmp_path, whiten):
    config = KINDS["patch"].model_copy(update={"options": {"whiten": whiten}})
    with pytest.raises(CodecError, match="the fit of the patch codec ended with values of scale that are not finite"):
        fit_codec(config, 0, Videos(), tmp_path / "codec.safetensors")
    assert not list(tmp_path.iterdir())


def test_held_out_videos_are_not_fitted(tmp_path, monkeypatch):
    seen = []
    honest = PatchCodec.fit
    monkeypatch.setattr(
        PatchCodec, "fit", lambda self, signal, *rest: seen.append(signal) or honest(self, signal, *rest)
    )
    fitted(KINDS["patch"], tmp_path / "codec.safetensors")
    frames = {frame.numpy().tobytes() for frame in ((seen[0] + 1) * 127.5).round().to(torch.uint8).movedim(1, -1)}
    held = {frame.tobytes() for frame in Videos().frames("v0")}
    assert frames and not frames & held


def test_a_codec_that_comes_trained_is_taken_without_a_look_at_any_frame(tmp_path):
    """Trying Wan's on the paper's frames took 91 minutes on CPUs, and every other stage waited for it."""
    saved_vae(tmp_path)
    config = KINDS["wan"].model_copy(update={"options": {}})
    fit_codec(config, 0, None, tmp_path / "codec.safetensors", tmp_path)
    assert load_codec(tmp_path / "codec.safetensors").config == config
    with pytest.raises(CodecError, match="a patch codec is fitted to the training pool; none was handed over"):
        fit_codec(KINDS["patch"], 0, None, tmp_path / "other.safetensors")


def test_few_frames_are_tried_where_frames_are_large(monkeypatch):
    """Not one of each held-out video, of which the paper's study has ninety."""
    monkeypatch.setattr(fit, "TRIED", 3)
    tried = []
    monkeypatch.setattr(fit, "reconstruction", lambda codec, frames: tried.append(len(frames)) or 0.0)
    pool = Videos()
    pool.videos = [f"v{i}" for i in range(8 * fit.HELD_OUT)]
    fit.quality(build_codec(KINDS["patch"]), 0, pool)
    assert tried == [3]


def test_reconstruction_is_the_mean_psnr():
    class Darker(Codec):
        def encode(self, frames):
            return frames

        def decode(self, latents):
            return latents - torch.tensor([[[[1]]], [[[2]]]], dtype=torch.uint8)

    frames = torch.full((2, 4, 4, 3), 100, dtype=torch.uint8)
    expected = np.mean([10 * np.log10(255**2 / error**2) for error in (1, 2)])
    assert reconstruction(Darker(KINDS["patch"]), frames) == pytest.approx(expected)
