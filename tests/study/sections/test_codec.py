"""Section ``codec`` and the options of each kind, against the classes that take them."""

import inspect

import pytest
from diffusers import AutoencoderKL, AutoencoderKLWan
from pydantic import ValidationError

from echo.study.sections import Codec
from echo.study.sections.codec import OPTIONS, AutoencoderOptions, Options, PatchOptions, WanOptions


@pytest.mark.parametrize("value", [True, 1.0, "1", 2])
def test_temporal_is_one_or_four(value):
    with pytest.raises(ValidationError):
        Codec.model_validate({"temporal": value})
    assert Codec(temporal=4).temporal == 4


@pytest.mark.parametrize("values", [{"channels": 0}, {"downsample": 1}, {"train_frames": 0}, {"options": {"a": None}}])
def test_sizes_are_positive_and_options_plain(values):
    with pytest.raises(ValidationError):
        Codec.model_validate(values)


def test_every_kind_has_options():
    assert set(OPTIONS) == {"patch", "autoencoder", "wan"}


@pytest.mark.parametrize(("options", "model"), [(AutoencoderOptions, AutoencoderKL), (WanOptions, AutoencoderKLWan)])
def test_options_are_arguments_of_the_class(options, model):
    arguments = inspect.signature(model.__init__).parameters
    assert set(options.model_fields) - set(Options.model_fields) <= set(arguments)


def test_the_checked_defaults_of_wan_are_the_classes():
    arguments, defaults = inspect.signature(AutoencoderKLWan.__init__).parameters, WanOptions()
    for key in set(WanOptions.model_fields) - {"whiten"}:
        assert getattr(defaults, key) == arguments[key].default, key


@pytest.mark.parametrize("whiten", [-0.1, 1.1, float("nan"), "0", True])
def test_whitening_is_a_share(whiten):
    with pytest.raises(ValidationError):
        Options.model_validate({"whiten": whiten})


def test_options_of_a_convolutional_decoder_are_all_written_out():
    """So that a default that changes in the code changes the study's fingerprint."""
    codec = Codec.model_validate({"options": {"whiten": 0, "decoder": "convolutional", "decoder_steps": 7}})
    expected = PatchOptions(decoder="convolutional", decoder_steps=7)
    assert codec.convolutional == expected
    assert codec.options == {**expected.model_dump(), "whiten": 0}
    assert Codec.model_validate(codec.model_dump(mode="json")) == codec


@pytest.mark.parametrize("values", [{}, {"options": {"whiten": 0, "decoder": "linear"}}, {"kind": "wan"}])
def test_codecs_without_one_keep_their_options_and_need_no_weights(values):
    codec = Codec.model_validate(values)
    assert codec.options == values.get("options", {}) and codec.convolutional is None and not codec.needs_lpips


def test_weights_are_needed_where_lpips_counts():
    assert Codec.model_validate({"options": {"decoder": "convolutional"}}).needs_lpips
    assert not Codec.model_validate({"options": {"decoder": "convolutional", "decoder_lpips": 0}}).needs_lpips
