"""The yaw of a clip's camera, followed in its frames alone: poses of generated frames are not known.

- Each frame is drawn on a cylinder around the camera, where a turn shifts all columns by the same angle.
- The turn between two frames is the shift at which their gradients agree best: the cosine of the gradients in the
  columns that both show, which is the normalised cross-correlation over the overlap (Padfield, "Masked object
  registration in the Fourier domain", 2012; scikit-image's is of whole pixels, searches up and down too, and takes six
  times as long). A parabola through the peak gives parts of a column.
- A frame is compared with a key frame, which is replaced when the camera has turned by ``NEXT_KEY`` of the field of
  view, so that errors do not add up in a camera that turns slowly or not at all; then with the last frame; and then,
  where neither agrees, with all earlier ones.
- A frame that agrees with none, or shows nothing, is not followed: its yaw is NaN.

Height, pitch and roll must stay about the same. Walking is taken for turning in part; ``python -m bench.departure``
measures how far off that is.
"""

from __future__ import annotations

import numpy as np
from einops import rearrange
from jaxtyping import Float, Float32, Float64
from scipy.ndimage import gaussian_filter

from echo.measures.images import Frames, PerFrame

FOLLOWED = 0.6  # least agreement of two frames' gradients, of 1, at which the turn between them counts as known
REACH = 0.35  # largest turn between two frames that is looked for, of the field of view
NEXT_KEY = 0.08  # turn from the key frame, of the field of view, at which a frame becomes the next one
LEAST_ENERGY = 0.01  # mean squared difference of grey levels (of 255) up to which columns show nothing

COLUMNS, ROWS = 96, 24  # of the cylinder
SMOOTHED = 1 / 40  # standard deviation of the Gaussian before sampling, of a frame's width

Gradients = Float32[np.ndarray, "frames columns gradients"]


def yaw_path(frames: Frames, known: Float[np.ndarray, " given"], field_of_view: float) -> PerFrame:
    """Yaw of each frame in degrees, positive to the right; NaN where a frame cannot be followed.

    known: yaw of the first frames, at least of one, which is kept; field_of_view: horizontal, in degrees. Yaw is
    continued from the known one and is not brought into any range.
    """
    gradients, given = cylinder_gradients(frames, field_of_view), len(known)
    yaw = np.full(len(frames), np.nan)
    yaw[:given] = known
    key = last = given - 1
    shows = np.square(gradients).mean((1, 2)) > LEAST_ENERGY
    for number in given + np.flatnonzero(shows[given:]):
        followed = np.flatnonzero(np.isfinite(yaw[:number]))
        for candidates in (np.array([key]), np.array([last]), followed):
            shifts, agreements = turns(gradients[candidates], gradients[number])
            best = int(agreements.argmax())
            if agreements[best] >= FOLLOWED:
                key, last = int(candidates[best]), number
                yaw[number] = yaw[key] + shifts[best] * field_of_view / COLUMNS
                if abs(shifts[best]) >= NEXT_KEY * COLUMNS:
                    key = number
                break
    return yaw


def turns(
    before: Gradients, after: Float32[np.ndarray, "columns gradients"]
) -> tuple[Float64[np.ndarray, " frames"], Float64[np.ndarray, " frames"]]:
    """By how many columns the camera turned right from each frame to another, and how well the two agree then.

    The agreement is a cosine, and -1 where no turn within ``REACH`` is a peak or one of the frames shows nothing.
    """
    count, columns = before.shape[:2]
    reach = int(REACH * columns)
    shifts = np.arange(-reach, reach + 1)
    # The sum along a diagonal of all products of columns is the product at one shift. Rows are padded so that reading
    # them one number shorter brings diagonals under each other.
    products = np.zeros((count, columns, 2 * columns), np.float32)
    products[:, :, :columns] = (before @ after.T)[:, :, ::-1]
    skewed = products.reshape(count, -1)[:, : columns * (2 * columns - 1)]
    sums = rearrange(skewed, "frames (rows shifts) -> frames rows shifts", rows=columns).sum(1)
    own, other = overlap_energy(before, shifts), overlap_energy(after[None], -shifts)
    least = LEAST_ENERGY * before.shape[2] * (columns - np.abs(shifts))
    shown = (own > least) & (other > least)
    agreement = np.where(shown, sums[:, columns - 1 + shifts] / np.sqrt(np.where(shown, own * other, 1)), -1)
    best = agreement.argmax(1)
    inside, every = np.clip(best, 1, len(shifts) - 2), np.arange(count)
    left, peak, right = (agreement[every, inside + step] for step in (-1, 0, 1))
    bend = left - 2 * peak + right
    part = np.where(bend < 0, (left - right) / np.where(bend < 0, 2 * bend, 1), 0)
    return shifts[inside] + np.clip(part, -0.5, 0.5), np.where(best == inside, peak, -1)


def overlap_energy(gradients: Gradients, shifts: np.ndarray) -> Float64[np.ndarray, "frames shifts"]:
    """Sum of squares over the columns that are still in view when the content moves left by ``shifts`` columns."""
    by_column = np.square(gradients).sum(2, dtype=np.float64)
    summed = np.pad(np.cumsum(by_column, 1), ((0, 0), (1, 0)))
    columns = by_column.shape[1]
    return summed[:, columns + np.minimum(shifts, 0)] - summed[:, np.maximum(shifts, 0)]


def cylinder_gradients(frames: Frames, field_of_view: float) -> Gradients:
    """Gradients across and down of the grey frames on a cylinder: columns at equal angles, rows at equal heights.

    The rows are those that every column has inside the frame.
    """
    height, width = frames.shape[1:3]
    grey = gaussian_filter(frames.mean(-1, dtype=np.float32), (0, SMOOTHED * width, SMOOTHED * width))
    half = np.deg2rad(field_of_view) / 2
    angle = (2 * (np.arange(COLUMNS) + 0.5) / COLUMNS - 1) * half
    focal = width / 2 / np.tan(half)
    level = ((np.arange(ROWS) + 0.5) / ROWS - 0.5) * height * np.cos(half)
    down, across = level[:, None] / np.cos(angle) + height / 2 - 0.5, focal * np.tan(angle) + width / 2 - 0.5
    drawn = _bilinear(grey, down, np.broadcast_to(across, down.shape))
    sideways, downward = np.diff(drawn, axis=2)[:, :-1], np.diff(drawn, axis=1)[:, :, :-1]
    return np.ascontiguousarray(rearrange([sideways, downward], "two frames rows columns -> frames columns (two rows)"))


def _bilinear(
    grey: Float32[np.ndarray, "frames height width"],
    down: Float64[np.ndarray, "rows columns"],
    across: Float64[np.ndarray, "rows columns"],
) -> Float32[np.ndarray, "frames rows columns"]:
    """Frames sampled at pixel positions, which are brought inside the frame."""
    limits = zip((down, across), grey.shape[1:], strict=True)
    down, across = (np.clip(place, 0, size - 1) for place, size in limits)
    row, column = np.minimum(down.astype(int), grey.shape[1] - 2), np.minimum(across.astype(int), grey.shape[2] - 2)
    below, beside = (down - row).astype(np.float32), (across - column).astype(np.float32)
    upper = grey[:, row, column] * (1 - beside) + grey[:, row, column + 1] * beside
    lower = grey[:, row + 1, column] * (1 - beside) + grey[:, row + 1, column + 1] * beside
    return upper * (1 - below) + lower * below
