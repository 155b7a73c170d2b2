"""What each reference row draws of an invented box: copies, regression, reprojection, the ceiling, the mean."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from echo.measures.images import psnr
from echo.rollout.known import load_reference
from echo.rollout.references import codec_ceiling, copy_best, copy_first, mean_colour, reprojection, ridge
from echo.study.references import reference_names
from echo.world.camera import overlap, plucker
from tests.rollout.known_cases import FOV, LosslessCodec, box_case, walk


@pytest.fixture
def codec() -> LosslessCodec:
    return LosslessCodec()


@pytest.fixture
def case(codec):
    """Eight given frames that turn away, then two between the third and fourth of them, and two at the first."""
    poses = walk(8)
    between = (poses[2] + poses[3]) / 2 + (0.05, 0, 0, 0, 0, 0)
    return box_case(poses, np.stack([between, between, poses[0], poses[0]]), codec)


@pytest.mark.parametrize("name", reference_names())
def test_every_reference_draws_all_targets_without_the_truth_unless_it_says_so(name, case, codec):
    module = load_reference(name)
    assert module.READS_TRUTH == (name == "codec_ceiling")
    known = replace(case, truth=case.truth if module.READS_TRUTH else None,
                    depth=case.depth if module.NEEDS_DEPTH else None)  # fmt: skip
    drawn = module.draw(known, codec)
    assert drawn.shape == case.truth.shape and drawn.dtype == np.uint8
    assert (codec.decoded > 0) == (name != "mean_colour")
    kept = module.kept(known)
    assert kept is None if module.READS_TRUTH else kept > 0
    np.testing.assert_array_equal(drawn, module.draw(known, codec))  # nothing is drawn at random anew


@pytest.mark.parametrize("name", [name for name in reference_names() if name != "codec_ceiling"])
def test_what_is_drawn_is_a_function_of_what_is_given(name, case, codec):
    """Another truth at the targets moves nothing."""
    module = load_reference(name)
    other = replace(case, truth=255 - case.truth)
    np.testing.assert_array_equal(module.draw(case, codec), module.draw(other, codec))


def test_the_first_frame_is_copied_and_decoded_once(case, codec):
    np.testing.assert_array_equal(copy_first.draw(case, codec), np.repeat(case.frames[:1], 4, 0))
    assert codec.decoded == 1 and copy_first.kept(case) == case.latents[0].numel()


def test_the_best_frame_is_the_one_that_overlaps_most(case, codec):
    drawn = copy_best.draw(case, codec)
    for place, target in enumerate(case.targets):
        shared = [overlap(target[None], pose[None], FOV)[0, 0] for pose in case.poses]
        np.testing.assert_array_equal(drawn[place], case.frames[int(np.argmax(shared))])
    np.testing.assert_array_equal(drawn[3], case.frames[0])
    alone = replace(case, frames=case.frames[:1], latents=case.latents[:1], poses=case.poses[:1], depth=case.depth[:1])
    np.testing.assert_array_equal(copy_best.draw(alone, codec), copy_first.draw(alone, codec))


def test_of_equal_overlaps_the_latest_frame_is_copied(codec):
    poses = walk(3)
    twice = box_case(poses[[0, 1, 1]], poses[[1, 1]], codec)
    frames = np.stack([twice.frames[0], twice.frames[1], 255 - twice.frames[1]])
    known = replace(twice, frames=frames, latents=codec.encode(torch.from_numpy(frames)))
    np.testing.assert_array_equal(copy_best.draw(known, codec)[0], frames[2])


def test_ridge_is_kernel_regression_solved_the_other_way_round(case):
    """The dual form, with the kernel between cells in place of sums over features, gives the same latents."""
    settings = ridge.Settings(features=64, penalty=0.2)
    grid = tuple(case.latents.shape[2:])
    rays = {name: plucker(poses, case.targets[0], grid, FOV).reshape(-1, 6).astype(float)
            for name, poses in (("given", case.poses), ("targets", case.targets))}  # fmt: skip
    feature = {name: ridge.ray_features(case.poses if name == "given" else case.targets, case, grid, settings)
               for name in rays}  # fmt: skip
    values = case.latents.permute(0, 2, 3, 1).reshape(-1, case.latents.shape[1]).double().numpy()
    kernel = feature["given"] @ feature["given"].T
    weights = np.linalg.solve(kernel + 0.2 * np.eye(len(kernel)), values - values.mean(0))
    expected = values.mean(0) + feature["targets"] @ feature["given"].T @ weights
    got = ridge.regress(case, settings).permute(0, 2, 3, 1).reshape(-1, case.latents.shape[1]).numpy()
    np.testing.assert_allclose(got, expected, atol=1e-5)
    # Many features approach the Gaussian kernel of the scaled rays.
    many = ridge.ray_features(case.poses, case, grid, ridge.Settings(features=20_000))
    scaled = rays["given"] * np.repeat([ridge.SETTINGS.direction, ridge.SETTINGS.moment], 3)
    gauss = np.exp(-np.square(scaled[:, None] - scaled[None]).sum(-1) / 2)
    assert np.abs(many @ many.T - gauss).max() < 0.06


def test_ridge_remembers_a_view_that_it_was_given_and_keeps_a_constant_number(case, codec):
    exact = ridge.draw(case, codec, ridge.Settings(features=512, penalty=1e-6))
    plain = mean_colour.draw(case, codec)
    assert psnr(exact, case.truth)[2] > psnr(plain, case.truth)[2] + 6
    more = box_case(walk(14), case.targets, codec)
    assert ridge.kept(more) == ridge.kept(case) and copy_best.kept(more) > copy_best.kept(case)


def test_another_seed_draws_other_features(case):
    assert not torch.equal(ridge.regress(case), ridge.regress(replace(case, seed=1)))


def test_reprojection_knows_what_any_given_frame_showed(case, codec):
    drawn = reprojection.draw(case, codec)
    assert codec.encoded == 4  # the picture passes through the codec
    for rival in (copy_first, copy_best, mean_colour):
        assert psnr(drawn, case.truth)[0] > psnr(rival.draw(case, codec), case.truth)[0] + 3
    assert np.abs(drawn[2].astype(int) - case.truth[2]).mean() < 4
    with pytest.raises(ValueError, match="needs the depth"):
        reprojection.draw(replace(case, depth=None), codec)


def test_the_ceiling_is_the_truth_through_the_codec(case, codec):
    np.testing.assert_array_equal(codec_ceiling.draw(case, codec), case.truth)  # this codec loses nothing
    assert codec.encoded == codec.decoded == 4
    with pytest.raises(ValueError, match="needs the true frames"):
        codec_ceiling.draw(replace(case, truth=None), codec)


def test_the_mean_colour_has_the_least_error_of_all_plain_pictures(case, codec):
    drawn = mean_colour.draw(case, codec)
    assert len(np.unique(drawn.reshape(-1, 3), axis=0)) == 1
    error = np.square(case.frames - drawn[:1].astype(float)).mean()
    for shift in (-3, 3):
        assert np.square(case.frames - (drawn[:1].astype(float) + shift)).mean() > error
