"""Gradient steps: they learn, and draw from the seed alone."""

import torch

from echo.encoding.codec import build_codec, to_signal
from tests.encoding.videos import KINDS, Videos, fitted


def signal() -> torch.Tensor:
    return to_signal(torch.cat([torch.from_numpy(Videos().frames(video)) for video in Videos.videos]))


def fitted_weights(steps: int, seed: int) -> torch.nn.Module:
    torch.manual_seed(0)
    codec = build_codec(KINDS["autoencoder"].model_copy(update={"train_steps": steps}))
    codec.fit(signal(), seed)
    return codec


def error(codec: torch.nn.Module) -> float:
    with torch.no_grad():
        return float((codec.synthesise(codec.analyse(signal())) - signal()).square().mean())


def test_steps_lower_the_error_and_none_leave_the_weights():
    untrained, trained = fitted_weights(0, 0), fitted_weights(15, 0)
    assert error(trained) < 0.8 * error(untrained)
    torch.manual_seed(0)
    drawn = build_codec(KINDS["autoencoder"]).state_dict()
    assert all(torch.equal(value, drawn[name]) for name, value in untrained.state_dict().items())


def test_the_frames_of_a_step_are_the_seeds():
    weights = [fitted_weights(2, seed).state_dict() for seed in (0, 0, 1)]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
    assert any(not torch.equal(weights[0][name], weights[2][name]) for name in weights[0])


def test_options_of_the_normalisation_are_not_the_autoencoders(tmp_path):
    config = KINDS["autoencoder"].model_copy(update={"options": {"whiten": 0.5}})
    assert fitted(config, tmp_path / "codec.safetensors")[0]["held_out_psnr"] > 0
