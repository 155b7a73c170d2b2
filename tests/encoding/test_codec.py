import numpy as np
import pytest
import torch
from diffusers import AutoencoderKLWan

from echo.encoding.codec import CodecError, fit_codec, load_codec, reconstruction, to_frames, to_signal
from echo.io.seeding import generator
from echo.study.config import Codec, World
from tests.conftest import tiny_study

WAN = {"base_dim": 4, "dim_mult": [1, 1, 1, 1], "num_res_blocks": 1, "temperal_downsample": [False, True, True]}
KINDS = {
    "patch": Codec(kind="patch", channels=20, downsample=8, train_frames=60),
    "autoencoder": Codec(kind="autoencoder", channels=4, downsample=8, train_frames=40, train_steps=5),
    "wan": Codec(kind="wan", channels=4, downsample=8, train_frames=40, train_steps=2, options=WAN),
}


class Videos:
    """Smooth random pictures in a pool's interface."""

    videos = [f"v{i}" for i in range(8)]

    def length(self, video):
        return 9

    def frames(self, video, indices=None):
        draw = generator(0, video)
        coarse = torch.from_numpy(draw.uniform(0, 255, (9, 3, 4, 4)))
        fine = torch.nn.functional.interpolate(coarse, size=(16, 16), mode="bilinear")
        frames = fine.permute(0, 2, 3, 1).round().to(torch.uint8).numpy()
        return frames if indices is None else frames[indices]


def fitted(kind, path):
    study = tiny_study().model_copy(update={"codec": KINDS[kind], "world": World(size=16)})
    return fit_codec(study, Videos(), path), load_codec(path)


@pytest.mark.parametrize("kind", list(KINDS))
def test_each_frame_is_coded_alone(kind, tmp_path):
    _, codec = fitted(kind, tmp_path / "codec.safetensors")
    frames = torch.from_numpy(Videos().frames("v1"))
    together = codec.encode(frames)
    alone = torch.cat([codec.encode(frame[None]) for frame in frames])
    assert together.shape == (9, KINDS[kind].channels, 2, 2)
    torch.testing.assert_close(together, alone, rtol=1e-3, atol=1e-4)
    decoded = codec.decode(together)
    assert decoded.shape == frames.shape and decoded.dtype == torch.uint8


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_saved_codec_is_the_fitted_one(kind, tmp_path):
    first, codec = fitted(kind, tmp_path / "a.safetensors")
    again, _ = fitted(kind, tmp_path / "b.safetensors")
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()
    assert first == again
    held = torch.from_numpy(Videos().frames("v0"))
    assert first["held_out_psnr"] == pytest.approx(reconstruction(codec, held), abs=1e-3)


def test_latents_have_unit_variance_overall_whatever_the_whitening(tmp_path):
    frames = torch.from_numpy(np.concatenate([Videos().frames(v) for v in Videos.videos[1:]]))
    unequal = []
    for whiten in (0.0, 0.5, 1.0):
        config = KINDS["patch"].model_copy(update={"options": {"whiten": whiten}})
        study = tiny_study().model_copy(update={"codec": config, "world": World(size=16)})
        fit_codec(study, Videos(), tmp_path / "codec.safetensors")
        latents = load_codec(tmp_path / "codec.safetensors").encode(frames)
        assert latents.std() == pytest.approx(1, abs=0.1)
        spread = latents.std((0, 2, 3))
        unequal.append(float(spread.max() / spread.min()))
    assert unequal[0] > unequal[1] > unequal[2] == pytest.approx(1, abs=0.2)


def test_the_patch_basis_is_the_principal_components(tmp_path):
    _, codec = fitted("patch", tmp_path / "codec.safetensors")
    frames = np.concatenate([Videos().frames(v) for v in Videos.videos[1:]]).astype(np.float64)
    patches = (frames / 127.5 - 1).reshape(-1, 2, 8, 2, 8, 3).transpose(0, 1, 3, 5, 2, 4).reshape(-1, 192)
    _, _, vectors = np.linalg.svd(patches - patches.mean(0), full_matrices=False)
    ours = codec.basis.flatten(1).double().numpy()
    np.testing.assert_allclose(np.abs(np.sum(ours[:5] * vectors[:5], 1)), 1, atol=1e-2)


def test_more_channels_reconstruct_better(tmp_path):
    quality = []
    for channels in (3, 10, 40):
        config = KINDS["patch"].model_copy(update={"channels": channels})
        study = tiny_study().model_copy(update={"codec": config, "world": World(size=16)})
        quality.append(fit_codec(study, Videos(), tmp_path / "codec.safetensors")["held_out_psnr"])
    assert quality == sorted(quality) and quality[-1] > quality[0] + 3


def test_wan_loads_a_diffusers_folder(tmp_path):
    real = saved_vae(tmp_path)
    codec = pretrained_codec(tmp_path, temporal=1)
    frames = torch.from_numpy(Videos().frames("v1"))
    with torch.no_grad():
        expected = real.encode(to_signal(frames)[:, :, None]).latent_dist.mode()[:, :, 0]
    torch.testing.assert_close(codec.encode(frames) * codec.scale + codec.mean, expected, rtol=1e-4, atol=1e-4)
    assert codec.mean.flatten().tolist() == pytest.approx([0.1, -0.2, 0.0, 0.3])
    assert codec.scale.flatten().tolist() == pytest.approx([0.9, 1.1, 1.0, 1.3])


def test_whole_segments_are_coded_one_and_then_four_at_a_time(tmp_path):
    """As diffusers' own class codes a video; the first latent is the first frame's own."""
    real = saved_vae(tmp_path)
    codec = pretrained_codec(tmp_path, temporal=4)
    segments = torch.from_numpy(np.stack([Videos().frames(v) for v in ("v1", "v2")]))  # 9 frames each
    latents = codec.encode_segments(segments)
    assert latents.shape == (2, 3, 4, 2, 2)
    with torch.no_grad():
        video = to_signal(segments.flatten(0, 1)).unflatten(0, (2, 9)).transpose(1, 2)
        raw = real.encode(video).latent_dist.mode()
        frames = real.decode(raw).sample.transpose(1, 2).flatten(0, 1)
    torch.testing.assert_close(latents * codec.scale + codec.mean, raw.transpose(1, 2), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(latents[:, 0], codec.encode(segments[:, 0]), rtol=1e-3, atol=1e-3)
    decoded = codec.decode_segments(latents)
    assert decoded.shape == (18, 16, 16, 3)
    assert (decoded.int() - to_frames(frames).int()).abs().max() <= 1
    assert torch.equal(codec.decode_end(latents[1], 2), decoded[-2:])


def test_frame_by_frame_segments_are_their_frames(tmp_path):
    _, codec = fitted("patch", tmp_path / "codec.safetensors")
    segments = torch.from_numpy(Videos().frames("v1")[1:]).unflatten(0, (2, 4))
    latents = codec.encode_segments(segments)
    assert torch.equal(latents.flatten(0, 1), codec.encode(segments.flatten(0, 1)))
    assert torch.equal(codec.decode_segments(latents), codec.decode(latents.flatten(0, 1)))
    assert torch.equal(codec.decode_end(latents[0], 2), codec.decode(latents[0, -2:]))


def saved_vae(folder):
    """A random Wan autoencoder in ``folder``/vae, with a normalisation of its own."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        statistics = {"latents_mean": [0.1, -0.2, 0.0, 0.3], "latents_std": [0.9, 1.1, 1.0, 1.3]}
        real = AutoencoderKLWan(z_dim=4, **WAN, **statistics).eval()
    real.save_pretrained(folder / "vae")
    return real


def pretrained_codec(folder, temporal):
    config = KINDS["wan"].model_copy(update={"options": {}, "temporal": temporal})
    study = tiny_study().model_copy(update={"codec": config, "world": World(size=16)})
    fit_codec(study, Videos(), folder / "codec.safetensors", folder)
    return load_codec(folder / "codec.safetensors")


def test_a_pretrained_autoencoder_without_its_statistics_is_refused(tmp_path):
    AutoencoderKLWan(z_dim=4, **WAN).save_pretrained(tmp_path / "vae")
    with pytest.raises(CodecError, match="16 latents_mean and 16 latents_std, expected z_dim = 4 of each"):
        pretrained_codec(tmp_path, temporal=1)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (Codec(channels=200, downsample=8), "codec.channels = 200: a patch has only 192 numbers"),
        (KINDS["wan"].model_copy(update={"downsample": 16}), "this wan codec covers 8 pixels"),
        (
            KINDS["wan"].model_copy(update={"temporal": 4, "options": {**WAN, "temperal_downsample": [False] * 3}}),
            "codec.temporal = 4, but this Wan autoencoder joins 1 frames",
        ),
    ],
)
def test_what_does_not_fit_is_named(config, message, tmp_path):
    study = tiny_study().model_copy(update={"codec": config, "world": World(size=16)})
    with pytest.raises(CodecError, match=message):
        fit_codec(study, Videos(), tmp_path / "codec.safetensors")


def test_signal_and_frames_are_inverse():
    frames = torch.randint(0, 256, (2, 4, 4, 3), dtype=torch.uint8)
    assert torch.equal(to_frames(to_signal(frames)), frames)
