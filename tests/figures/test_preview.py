"""A pool's preview: its frames in order, its paths from above, and what it says of itself."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.quiver import Quiver

from echo.__main__ import main
from echo.figures import FigureError
from echo.figures.preview import SHOWN, draw, spread, summary
from echo.io.seeding import generator
from echo.world.layout import info_table


class Turning:
    """Videos of noise; the camera walks forward while it turns to the right by 90 degrees. One has a caption."""

    folder = Path("a/pool")

    def __init__(self, videos: list[tuple[str, str, int]]) -> None:
        self.info = info_table([(name, "train", f"room_{name[0]}", "", kind, count) for name, kind, count in videos])
        self.videos = list(self.info.index)

    def length(self, video):
        return int(self.info.loc[video, "frames"])

    def frames(self, video, indices=None):
        every = generator(0, video).integers(0, 256, (self.length(video), 6, 9, 3)).astype(np.uint8)
        return every if indices is None else every[np.asarray(indices)]

    def poses(self, video):
        poses = np.zeros((self.length(video), 6))
        poses[:, 0], poses[:, 5] = np.linspace(0, 3, len(poses)), np.linspace(0, 90, len(poses))
        return poses

    def caption(self, video, start=0):
        return "a room of $3" if video == "a1" else ""


POOL = Turning([("a1", "replay", 29), ("b1", "replay", 25), ("b2", "loop", 33), ("c2", "loop", 33), ("c3", "", 3)])


def test_the_frames_shown_are_the_videos_from_first_to_last():
    figure = draw(POOL, ["a1", "c3"])
    pictures = [axes.images[0].get_array() for axes in figure.axes if axes.images]
    numbers = [0, 4, 8, 12, 16, 20, 24, 28]
    assert len(pictures) == SHOWN + 3  # of a video with fewer frames, each once
    np.testing.assert_array_equal(np.stack(pictures), np.concatenate([POOL.frames("a1", numbers), POOL.frames("c3")]))
    texts = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert r"a1, replay: a room of \$3" in texts and "c3: no caption" in texts
    assert {str(number) for number in numbers} <= set(texts)


def test_the_path_is_seen_from_above_with_forward_up_and_right_to_the_right():
    panel = draw(POOL, ["b1"]).axes[SHOWN]
    (arrows,) = panel.findobj(Quiver)
    assert (arrows.U[0], arrows.V[0]) == pytest.approx((0, 1)) and (arrows.U[-1], arrows.V[-1]) == pytest.approx((1, 0))
    across, along = panel.lines[0].get_data()
    assert not across.any() and along[0] == 0 and along[-1] == 3
    low, high = panel.get_ylim()
    assert low < 0 and high > 3 and panel.get_aspect() == 1


def test_videos_are_spread_over_the_trajectories_in_the_pools_order():
    assert spread(POOL, 3) == ["a1", "b2", "c3"] and spread(POOL, 4) == ["a1", "b1", "b2", "c3"]
    assert spread(POOL, 9) == POOL.videos


def test_the_summary_counts_what_there_is():
    assert summary(POOL).splitlines() == [
        "a/pool: 5 videos of 3 rooms, 9 x 6 pixels",
        "  replay: 2 videos of 2 rooms, 25 to 29 frames",
        "  loop: 2 videos of 2 rooms, 33 frames",
        "  no trajectory: 1 videos of 1 rooms, 3 frames",
        "  without a caption: 4 videos",
    ]


def test_what_cannot_be_shown_is_one_line(tmp_path, capsys):
    with pytest.raises(FigureError, match="a/pool: no video 'z'; the first ones are a1, b1, b2"):
        draw(POOL, ["z"])
    with pytest.raises(FigureError, match="a/pool: the pool has no video"):
        summary(Turning([]))
    assert main(["preview", str(tmp_path / "absent")]) == 1
    assert capsys.readouterr().err.count("\n") == 1
