"""Cases from a pool: a study's own ones, rendered or cut from recordings, or stretches of other people's videos.

A pool of a study says which trajectory each of its videos follows, and gives the cases of every branch along it. A
pool of plain videos gives the branch ``loop``: a stretch of each, forward and then the same frames backward, so that
every frame is a true one with its true pose, as in ``echo.world.recordings.clip_paths``; that holds for scenes that
stand still.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np

from echo.protocol.errors import ProtocolError
from echo.protocol.scenes import Scene, Setting, View
from echo.protocol.words import branch_of
from echo.rollout.cases import choose_cases
from echo.study.config import Study
from echo.study.words import BRANCHES, segments_of
from echo.world.errors import PoolError
from echo.world.pool import Pool

STRETCH = "loop"  # the branch of a stretch and its reverse


def scenes(
    setting: Setting, pool: Pool, cases: int, branches: Sequence[str] | None, study: Study | None = None
) -> Iterator[Scene]:
    """Up to ``cases`` cases of each branch; branches: by default all that the pool has videos for.

    With ``study`` the cases are the study's own, whose names they keep. Raises ProtocolError where a video's length is
    not that of its branch, or there is no video for a branch.
    """
    plain = not pool.info.trajectory.astype(bool).any()
    offered = [name for name in BRANCHES if name == STRETCH] if plain else _offered(pool)
    for branch in branches or offered:
        if branch not in offered:
            raise ProtocolError(f"{pool.folder}: no videos for branch {branch}; it has {', '.join(offered) or 'none'}")
        chosen = _chosen(pool, branch, cases, plain, setting, study)
        for video in chosen:
            yield _stretch(setting, pool, video) if plain else _whole(setting, pool, video, branch)


def _offered(pool: Pool) -> list[str]:
    there = set(pool.info.trajectory)
    return [name for name, branch in BRANCHES.items() if branch.trajectory in there]


def _chosen(pool: Pool, branch: str, cases: int, plain: bool, setting: Setting, study: Study | None) -> list[str]:
    if study is not None:
        return [str(video) for video in choose_cases(study, branch, pool.info).index[:cases]]
    info = pool.info
    if plain:
        needed = 1 + branch_of(branch).segments // 2 * setting.frames
        long = [str(video) for video in info.index[info.frames >= needed]]
        if not long:
            raise ProtocolError(
                f"{pool.folder}: no video of {needed} frames for a stretch; the longest has {info.frames.max()}; "
                "lower --segment-frames"
            )
        return long[:cases]
    return [str(video) for video in info.index[info.trajectory == branch_of(branch).trajectory]][:cases]


def _whole(setting: Setting, pool: Pool, video: str, branch: str) -> Scene:
    """A video of a trajectory, as it is."""
    try:
        segments = segments_of(pool.length(video), setting.frames)
    except ValueError:
        segments = 0
    if segments != branch_of(branch).segments:
        raise ProtocolError(
            f"{pool.folder}: {video} has {pool.length(video)} frames, branch {branch} has "
            f"{branch_of(branch).segments} segments; --segment-frames (or --study) must be the pool's"
        )
    return _scene(setting, pool, video, branch, np.arange(pool.length(video)))


def _stretch(setting: Setting, pool: Pool, video: str) -> Scene:
    """The beginning of a video, and its reverse."""
    out = np.arange(1 + branch_of(STRETCH).segments // 2 * setting.frames)
    return _scene(setting, pool, video, STRETCH, np.concatenate([out, out[-2::-1]]))


def _scene(setting: Setting, pool: Pool, video: str, branch: str, index: np.ndarray) -> Scene:
    row = pool.info.loc[video]
    name = f"{branch}__{video.replace('/', '-')}"
    return Scene(
        setting, name, branch, str(row["room"]), video, str(row["split"]), str(row["anchor"]), pool.caption(video),
        pool.poses(video)[index], False, partial(_view, setting, pool, video, index),
    )  # fmt: skip


def _view(setting: Setting, pool: Pool, video: str, index: np.ndarray) -> View:
    """The frames of a case; raises ProtocolError where they have another size than the set."""
    which, place = np.unique(index, return_inverse=True)
    rgb = pool.frames(video, which)
    if rgb.shape[1:3] != setting.size:
        raise ProtocolError(
            f"{pool.folder}: {video} has frames of {rgb.shape[1]} x {rgb.shape[2]} pixels (height x width), the "
            f"set has {setting.size[0]} x {setting.size[1]}"
        )
    try:
        depth = pool.depth(video)[index]
    except PoolError:
        depth = None
    try:
        masks = pool.masks(video)[index]
    except PoolError:
        height, width = setting.size
        masks = np.zeros((len(index), height, width), dtype=bool)
        masks[:, height // 4 : height - height // 4, width // 4 : width - width // 4] = True
    return View(rgb[place], masks, depth)
