"""Sizes that follow from a study's sections, and the keys of its top level."""

import pytest

from tests.conftest import tiny_study
from tests.study.studies import accepted, refused


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("study", "Mini", "expected text that matches"),
        ("study", "a/b", "expected text that matches"),
        ("study", "", "expected text that matches"),
        ("study", "x" * 65, "at most 64"),
        ("study", 5, "expected text"),
        ("seed", -1, "expected at least 0"),
        ("seed", True, "expected a whole number"),
        ("seed", "1", "expected a whole number"),
        ("seed", 1.0, "expected a whole number"),
        ("seed", 10**30, "whole numbers are at most"),
        ("train_seeds", [], "expected at least 1 values"),
        ("train_seeds", [0, 0], "lists 0 twice"),
        ("train_seeds", 0, "expected a list"),
        ("rows", [], "expected at least 1 values"),
        ("rows", ["i2v", "i2v"], "lists i2v twice"),
        ("row_options", [], "expected a mapping"),
        ("world", [], "expected a mapping"),
        ("train", None, "expected a mapping"),
    ],
)
def test_the_top_level_is_strict(key, value, message):
    refused(key, message, **{key: value})


def test_a_negative_training_seed_is_named_by_its_place():
    refused("train_seeds.1", "expected at least 0", train_seeds=[0, -1])


def test_sizes_follow_from_the_sections():
    study = tiny_study(world={"size": 32}, backbone={"patch": 2}, codec={"channels": 5, "downsample": 8})
    assert study.latent_size == (4, 4) and study.grid == (2, 2) and study.numbers_per_frame == 80
    assert study.target_latents == study.segment.frames == 4


def test_temporal_latents_are_one_and_a_quarter_of_the_rest():
    codec = {"kind": "wan", "temporal": 4, "channels": 4, "downsample": 8, "options": {}}
    assert accepted(codec=codec, segment={"frames": 13}).target_latents == 4


def test_the_base_depends_on_its_own_recipe_and_on_no_other_setting_of_the_study():
    base = tiny_study().base_study
    same = tiny_study(
        seed=3,
        train={"steps": 9, "adamw_lr": 0.01},
        evidence={"rule": "recent"},
        base={"source": "trained"},
        codec={"train_frames": 9, "options": {"whiten": 0}},
        world={"train_rooms": 9},
        study="other",
    ).base_study
    assert base == same
    for sections in ({"base": {"steps": 9}}, {"base": {"seed": 1}}, {"backbone": {"layers": 5}},
                     {"world": {"size": 32}}, {"segment": {"frames": 5}}, {"text": {"dim": 8}},
                     {"codec": {"channels": 6}}):  # fmt: skip
        assert tiny_study(**sections).base_study != base, sections
    assert base.train.steps == tiny_study().base.steps and base.train.optimizer == "muon"
