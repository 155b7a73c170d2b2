"""Names of parameters that are known without torch are those of the model."""

import pytest
import torch

from echo.model.row import Row
from echo.study.parameters import WITHOUT_PARAMETERS, backbone_parameters, pattern_that_fits_nothing
from tests.conftest import tiny_study


@pytest.mark.parametrize(
    "backbone", [{}, {"layers": 1}, {"ray_frequencies": 0}, {"camera": "attention"}, {"patch": 2, "layers": 2}]
)
def test_the_backbones_names_are_the_models(backbone):
    study = tiny_study(backbone=backbone)
    with torch.device("meta"):
        row = Row(study, study.profiles["i2v"])
    assert sorted(backbone_parameters(study)) == sorted(name for name, _ in row.named_parameters())


def test_the_families_without_parameters_have_none():
    study = tiny_study()
    for profile in study.profiles.values():
        with torch.device("meta"):
            count = len(list(Row(study, profile).memory.parameters()))
        if profile.family in WITHOUT_PARAMETERS:
            assert count == 0, profile.name


@pytest.mark.parametrize(
    ("pattern", "fits"),
    [("*", True), ("memory.*", True), ("*.actions.*", True), ("backbone.rays.*", True),
     ("backbone.transformer.*", True),
     ("backbone.transformer.blocks.3.ffn.net.0.proj.bias", True), ("backbone.transformer.blocks.4.*", False),
     ("backbone", False), ("nope", False), ("*.cameras.*", False), ("Backbone.*", False)],
)  # fmt: skip
def test_patterns_fit_names_as_training_matches_them(pattern, fits):
    study = tiny_study()
    train = study.train.model_copy(update={"trainable": (pattern,)})
    assert (pattern_that_fits_nothing(study.model_copy(update={"train": train})) is None) == fits
    train = study.train.model_copy(update={"frozen": (pattern,)})
    found = pattern_that_fits_nothing(study.model_copy(update={"train": train}))
    assert found == (None if fits else ("frozen", pattern))
