import jaxtyping
import numpy as np
import pytest
import torch

from echo.evidence.frames import Frames, join, view
from echo.world.camera import plucker, relative_actions


def some(count: int, start: int = 0) -> Frames:
    return Frames(
        torch.arange(2 * count, dtype=torch.float32).view(2, count, 1, 1, 1) + start,
        torch.zeros(2, count, 12),
        torch.zeros(2, count, 1, 1, 6),
        torch.arange(count).expand(2, count) + start,
    )


def test_shapes_that_disagree_are_named(monkeypatch):
    """Outside of the tests too, where nothing checks the annotated shapes."""
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    with pytest.raises(ValueError, match=r"Frames.actions starts with \(2, 3\), latents with \(2, 4\)"):
        Frames(torch.zeros(2, 4, 1, 1, 1), torch.zeros(2, 3, 12), torch.zeros(2, 4, 1, 1, 6), torch.zeros(2, 4).long())


def test_take_and_chronological_are_inverse():
    frames = some(5)
    order = torch.tensor([[4, 2, 0, 3, 1], [1, 0, 4, 3, 2]])
    shuffled = frames.take(order)
    assert torch.equal(shuffled.index, order)
    back = shuffled.chronological()
    for name, value in frames.tensors().items():
        assert torch.equal(back.tensors()[name], value)


def test_join_gives_missing_weights_one():
    weighted = Frames(*some(2).tensors().values(), torch.full((2, 2), 0.5))
    joined = join([weighted, some(3, 2)])
    assert joined.count == 5
    assert joined.weight.tolist() == [[0.5, 0.5, 1, 1, 1]] * 2
    assert join([some(1), some(1)]).weight is None


def test_view_is_what_the_camera_module_says(setting):
    index = np.array([[3, 0], [1, 2]])
    picked = setting.latents[torch.arange(2)[:, None], torch.from_numpy(index)]
    frames = view(picked, setting.poses, index, 5, (2, 2), 75.0)
    for clip in range(2):
        origin = setting.poses[clip, 5]
        assert torch.equal(frames.latents[clip], setting.latents[clip, index[clip]])
        np.testing.assert_allclose(frames.actions[clip], relative_actions(setting.poses[clip, index[clip]], origin))
        np.testing.assert_allclose(frames.rays[clip], plucker(setting.poses[clip, index[clip]], origin, 2, 75.0))


def test_annotated_shapes_are_checked_in_the_tests():
    with pytest.raises(jaxtyping.TypeCheckError):
        Frames(torch.zeros(2, 4, 1, 1, 1), torch.zeros(2, 4, 11), torch.zeros(2, 4, 1, 1, 6), torch.zeros(2, 4).long())


def test_cameras_are_the_frames_without_their_contents():
    frames = some(3)
    assert frames.cameras.count == 3
    assert frames.cameras.rays is frames.rays and not hasattr(frames.cameras, "latents")
