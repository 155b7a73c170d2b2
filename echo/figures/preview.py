"""A pool before anything is trained on it: frames of some videos, and the cameras' paths from above.

What a study cannot tell its user later shows here at once: frames upside down or of another room, a camera whose yaw
turns the wrong way, positions in centimetres, a caption of another video.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from echo.figures import FigureError, style
from echo.world.pool import Pool

SHOWN = 8  # frames of a video
INCH = 0.8  # side of a thumbnail
LINE = 110  # letters of a caption


def summary(pool: Pool) -> str:
    """A pool in a few lines: videos, rooms and frames by trajectory, the size of a frame, and what it does not have.

    Raises FigureError for a pool without videos.
    """
    info = pool.info
    if info.empty:
        raise FigureError(f"{pool.folder}: the pool has no video, so there is nothing to draw")
    groups = info.groupby("trajectory", sort=False).agg(
        videos=("frames", "size"), rooms=("room", "nunique"), shortest=("frames", "min"), longest=("frames", "max")
    )
    height, width = pool.frames(pool.videos[0], [0]).shape[1:3]
    lines = [f"{pool.folder}: {len(info)} videos of {info['room'].nunique()} rooms, {width} x {height} pixels"]
    for kind, line in groups.iterrows():
        length = str(line.shortest) if line.shortest == line.longest else f"{line.shortest} to {line.longest}"
        lines.append(f"  {kind or 'no trajectory'}: {line.videos} videos of {line.rooms} rooms, {length} frames")
    silent = sum(not pool.caption(video) for video in pool.videos)
    return "\n".join(lines + ([f"  without a caption: {silent} videos"] if silent else []))


def spread(pool: Pool, count: int) -> list[str]:
    """``count`` videos, the first of each trajectory, then the second, in the pool's order; all if there are fewer."""
    turn = pool.info.groupby("trajectory", sort=False).cumcount().to_numpy()
    order = np.argsort(turn, kind="stable")[:count]
    return [pool.videos[place] for place in sorted(order)]


@style.styled()
def draw(pool: Pool, videos: Sequence[str]) -> Figure:
    """A line for each video: frames from its first to its last, and its path from above with the views' directions.

    Raises FigureError for a name that is no video of the pool, and PoolError for a frame that cannot be read.
    """
    for video in videos:
        if video not in pool.info.index:
            raise FigureError(f"{pool.folder}: no video {video!r}; the first ones are {', '.join(pool.videos[:3])}")
    figure = style.new_figure(0.3 + len(videos) * (INCH + 0.5), (SHOWN + 1.9) * INCH)
    grid = figure.subplots(len(videos), SHOWN + 1, squeeze=False, width_ratios=[*([1] * SHOWN), 1.4])
    for panels, video in zip(grid, videos, strict=True):
        numbers = np.unique(np.linspace(0, pool.length(video) - 1, SHOWN).round().astype(int))
        for axes in panels[:SHOWN]:
            axes.set_axis_off()
        for axes, picture, number in zip(panels, pool.frames(video, numbers), numbers, strict=False):
            axes.imshow(picture, interpolation="nearest")
            axes.text(0.5, -0.04, str(number), transform=axes.transAxes, ha="center", va="top", fontsize=6)
        kind = str(pool.info.loc[video, "trajectory"])
        text = f"{video}{', ' * bool(kind)}{kind}: {pool.caption(video) or 'no caption'}"
        cut = text if len(text) <= LINE else f"{text[: LINE - 1]}…"
        # Not laid out: a long line would push the first frame away from the others.
        panels[0].text(0, 1.06, style.literal(cut), transform=panels[0].transAxes, fontsize=7).set_in_layout(False)
        _path(panels[SHOWN], pool.poses(video), numbers)
    return figure


def _path(axes: Axes, poses: Float64[np.ndarray, "frames 6"], numbers: np.ndarray) -> None:
    """Positions, x forward and y right in metres, seen from above, and an arrow where the shown frames look."""
    x, y, yaw = poses[:, 0], poses[:, 1], np.deg2rad(poses[:, 5])
    reach = max(float(np.ptp(x)), float(np.ptp(y)), 0.2)
    axes.plot(y, x, color=style.REFERENCE_COLOUR, linewidth=0.8)
    axes.plot(y[0], x[0], "o", color="#009E73", markersize=3)
    axes.quiver(y[numbers], x[numbers], np.sin(yaw[numbers]), np.cos(yaw[numbers]), np.arange(len(numbers)),
                cmap="viridis", angles="xy", scale_units="xy", scale=4 / reach, width=0.012)  # fmt: skip
    centre = (y.min() + y.max()) / 2, (x.min() + x.max()) / 2
    axes.set(xlim=(centre[0] - reach, centre[0] + reach), ylim=(centre[1] - reach, centre[1] + reach), aspect="equal")
    axes.tick_params(labelsize=5.5, length=2)
    axes.set_title("from above, m", fontsize=6, fontweight="normal")
