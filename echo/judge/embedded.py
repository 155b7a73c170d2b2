"""The embedded judge: ImageNet features, colour and structure of a returned view against the first frame.

It needs no language model and no network: the first frame's object mask says where the anchor should be. Four raw
agreements, 1 for identical frames and about 0 for unrelated ones, are each mapped to 0..5 by ``Calibration``:

- appearance, inside the mask: mean of colour agreement and of feature agreement at strides 8 and 16.
- presence: how far the masked region stands out from what its surroundings, carried on into it, would look like,
  compared with how far it did in the first frame, in colour and in features; capped at 1. An object of any identity
  counts. What stands out in another place is not the anchor, so the score is scaled down where neither the scene nor
  the appearance is recognised.
- view, outside the mask: correlation of blurred luminance gradients at two scales. It does not depend on colour or
  contrast, little on blur, and falls within a few degrees of turning.
- scene, outside the mask: mean of coarse colour agreement and of feature agreement at stride 16.

Colour agreement is exp(-dE / 20), dE the mean distance in CIELAB. Feature agreement is the cosine of two feature maps,
position by position, after removing each channel's mean over the first frame and dividing by its spread there, so that
a featureless frame agrees with nothing.

What it cannot do: it knows no identities by name, and an anchor that came back a few pixels aside loses appearance.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from scipy.ndimage import binary_dilation, gaussian_filter
from skimage.color import rgb2lab
from torch.nn import functional

from echo.judge.base import check_case
from echo.judge.rubric import TOP, Scores
from echo.measures.efficientnet import EfficientNetLite0

GRID = 64  # pixels along each side at which colours and gradients are compared
NETWORK_SIZE = 128  # pixels along each side that the network sees
FINE, COARSE = 4, 10  # blocks whose outputs are compared: strides 8 and 16
CHUNK = 16  # cases at a time
TINY = 1e-6


@dataclass(frozen=True)
class Calibration:
    """Raw agreement to score: 5 * ((raw - floor) / (ceiling - floor)) ** power, cut to 0..5. All maps are monotone.

    Floors lie where unrelated pairs do, ceilings at 1 (identical frames) but for presence, where a ceiling of 1 would
    demand the first frame's own contrast of every identity. Set on open-domain rooms: a floor is at or a little above
    the mean of pairs that should score 0. Mean scores on the ten odd-numbered rooms of the default study (80 cases
    of 64 x 64 pixels; total in 0..100, then appearance, presence, view, scene, each in 0..5). They describe the
    judge; they are no held-out test of it, for which rooms the floors were set on was not recorded.

    ====================================  =====  ====  ====  ====  =====
    last frame                            total  app.  pres  view  scene
    ====================================  =====  ====  ====  ====  =====
    identical, or the true return view    100.0  5.00  5.00  5.00   5.00
    blurred by a Gaussian of 1 pixel       91.3  4.21  5.00  4.98   4.20
    blurred by 2 pixels                    79.0  3.20  4.86  4.85   3.24
    blurred by 4 pixels                    48.1  1.86  2.03  4.29   2.06
    noise of 25 grey levels                76.9  3.13  4.97  4.79   2.34
    shifted by 3 pixels                    73.8  3.16  5.00  3.34   3.47
    shifted by 8 pixels                    21.1  0.53  1.82  1.09   1.43
    the room, another identity             48.6  0.37  4.00  4.22   4.16
    the room without its anchor            31.1  0.11  0.44  4.75   4.42
    another room, the same identity        18.7  0.94  1.63  0.47   0.07
    another room, a random identity         3.7  0.15  0.26  0.25   0.03
    the same room, camera at the far end    2.0  0.01  0.08  0.31   0.14
    grey, black or random pixels            0.1  0.01  0.00  0.00   0.00
    ====================================  =====  ====  ====  ====  =====
    """

    appearance_floor: float = 0.20  # another identity in the anchor's place: mean 0.20
    appearance_power: float = 0.7  # lifts what a lossy codec costs a right answer
    presence_floor: float = 0.40  # the anchor gone, background in its place: mean 0.37
    presence_ceiling: float = 0.80  # another identity in its place: mean 0.78
    presence_recognised: float = 0.5  # scene or appearance (of 1) from which presence counts in full
    view_floor: float = 0.25  # another room: mean 0.19 to 0.24
    scene_floor: float = 0.35  # another room: mean 0.29
    colour_scale: float = 20.0  # CIELAB units over which colour agreement falls by e


class EmbeddedJudge:
    """A ``Judge`` on EfficientNet-Lite0's features; ``identity`` is not used."""

    def __init__(self, weights: Path, calibration: Calibration | None = None):
        """weights: the folder of ``efficientnet_lite0.safetensors``."""
        self.network = EfficientNetLite0(weights)
        self.calibration = calibration or Calibration()

    def judge(self, first: np.ndarray, last: np.ndarray, mask: np.ndarray, identity: str | None = None) -> Scores:
        """Scores of one case (see ``echo.judge.base.Judge``): of several last frames, the mean.

        Without a masked pixel appearance and presence are missing (NaN); without an unmasked one view and scene are.
        """
        return self.judge_batch([first], [last], [mask], [identity])[0]

    def judge_batch(self, firsts, lasts, masks, identities) -> list[Scores]:
        """Scores of many cases, all of one frame size."""
        scores = []
        for start in range(0, len(firsts), CHUNK):
            cases = slice(start, start + CHUNK)
            scores += self._chunk(firsts[cases], lasts[cases], masks[cases])
        return scores

    def _chunk(self, firsts, lasts, masks) -> list[Scores]:
        for case in zip(firsts, lasts, masks, strict=True):
            check_case(*case)
        lasts = [last if last.ndim == 4 else last[None] for last in lasts]
        counts = [len(last) for last in lasts]
        # Each case's first frame and mask, once a last frame of it.
        case = np.repeat(np.arange(len(firsts)), counts)
        first, last = self._look(np.stack(firsts)), self._look(np.concatenate(lasts))
        first = {name: value[case] for name, value in first.items()}
        raw = self._raw(first, last, np.stack(masks).astype(np.float32)[case])
        four = np.stack(self._scores(raw), -1)
        ends = np.cumsum(counts)
        return [Scores(*four[end - count : end].mean(0)) for count, end in zip(counts, ends, strict=True)]

    def _look(self, frames: np.ndarray) -> dict[str, np.ndarray]:
        """What is compared of frames (F, H, W, 3): ``lab`` (F, 64, 64, 3), and features (F, h, w, C) at two strides."""
        fine, coarse = self.network.maps(frames, NETWORK_SIZE, (FINE, COARSE))
        small = _resize(frames.transpose(0, 3, 1, 2).astype(np.float32), GRID).transpose(0, 2, 3, 1)
        lab = rgb2lab(np.clip(small / 255, 0, 1)).astype(np.float32)
        return {"lab": lab, **{k: m.permute(0, 2, 3, 1).numpy() for k, m in (("fine", fine), ("coarse", coarse))}}

    def _raw(self, first: dict, last: dict, masks: np.ndarray) -> dict[str, np.ndarray]:
        """Raw agreements (F,) of pairs of frames; masks (F, H, W) of 0 and 1."""
        inside = {size: _resize(masks[:, None], size)[:, 0] for size in (GRID, GRID // 4, GRID // 8)}
        # Pixels beside the mask belong to neither side: features and blurs spill over it.
        around = 1.0 - binary_dilation(inside[GRID] > TINY, np.ones((1, 5, 5))).astype(np.float32)
        beside = 1.0 - binary_dilation(inside[GRID] > TINY, np.ones((1, 3, 3))).astype(np.float32)
        outside = {size: _resize(around[:, None], size)[:, 0] for size in (GRID, GRID // 8)}
        flat = {}
        for name in ("fine", "coarse"):
            mean, spread = (f(first[name], (1, 2), keepdims=True) for f in (np.mean, np.std))
            flat[name] = [(look[name] - mean) / (spread + 1e-3) for look in (first, last)]
        (fine, fine_last), (coarse, coarse_last) = flat["fine"], flat["coarse"]
        labs = first["lab"], last["lab"]
        appearance = (
            self._colour(*labs, 1, inside[GRID])
            + np.clip(_cosine(fine, fine_last, inside[GRID // 4]), 0, 1)
            + np.clip(_cosine(coarse, coarse_last, inside[GRID // 8]), 0, 1)
        ) / 3
        clear = _resize(beside[:, None], GRID // 4)[:, 0]
        colours = [_stands_out(_blur(lab, 1), inside[GRID], beside, 1.0, 12.0) for lab in labs]
        features = [_stands_out(maps, inside[GRID // 4], clear**2, 0.5, 1.5) for maps in (fine, fine_last)]
        presence = sum(np.clip((b + TINY) / (a + TINY), 0, 1) for a, b in (colours, features)) / 2
        view = sum(_cosine(*(_gradients(lab, s) for lab in labs), outside[GRID]) for s in (2.0, 4.0)) / 2
        scene = (
            self._colour(*labs, 3, outside[GRID]) + np.clip(_cosine(coarse, coarse_last, outside[GRID // 8]), 0, 1)
        ) / 2
        return {"appearance": appearance, "presence": presence, "view": view, "scene": scene}

    def _colour(self, a: np.ndarray, b: np.ndarray, sigma: float, weight: np.ndarray) -> np.ndarray:
        """Colour agreement (F,) of Lab frames, both blurred by ``sigma`` pixels."""
        distance = np.linalg.norm(_blur(a - b, sigma), axis=-1)
        return np.exp(-_average(distance, weight) / self.calibration.colour_scale)

    def _scores(self, raw: dict[str, np.ndarray]) -> list[np.ndarray]:
        """Appearance, presence, view and scene, each (F,) in 0..5."""
        c = self.calibration
        appearance = _unit(raw["appearance"], c.appearance_floor) ** c.appearance_power
        view = _unit(raw["view"], c.view_floor)
        scene = _unit(raw["scene"], c.scene_floor)
        recognised = np.fmax(scene, appearance)  # fmax: one of them may be missing
        presence = _unit(raw["presence"], c.presence_floor, c.presence_ceiling)
        presence = presence * _unit(recognised, 0.0, c.presence_recognised)
        return [TOP * score for score in (appearance, presence, view, scene)]


def _unit(raw: np.ndarray, floor: float, ceiling: float = 1.0) -> np.ndarray:
    """Linear from 0 at ``floor`` to 1 at ``ceiling``, cut there; identical frames reach 1 in spite of rounding."""
    return np.clip((raw - floor) / (ceiling - floor) + TINY, 0, 1)


def _resize(x: np.ndarray, size: int) -> np.ndarray:
    """(F, C, H, W) to (F, C, size, size), each new pixel the mean of the old ones under it."""
    if x.shape[2:] == (size, size):
        return x
    if x.shape[2] % size == 0 and x.shape[3] % size == 0:
        return functional.adaptive_avg_pool2d(torch.from_numpy(x), size).numpy()
    return functional.interpolate(torch.from_numpy(x), (size, size), mode="bilinear", antialias=True).numpy()


def _blur(x: np.ndarray, sigma: float) -> np.ndarray:
    return gaussian_filter(x, (0, sigma, sigma, 0))


def _average(x: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Weighted mean (F,) of x (F, h, w); NaN where there is no weight."""
    total = weight.sum((1, 2))
    return np.divide((x * weight).sum((1, 2)), total, out=np.full(len(x), np.nan), where=total > TINY)


def _cosine(a: np.ndarray, b: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Cosine (F,) of maps (F, h, w, C) under weights (F, h, w); two empty maps agree (1), a single one does not (0)."""
    dot, aa, bb = (_average((x * y).sum(-1), weight) for x, y in ((a, b), (a, a), (b, b)))
    empty_a, empty_b = aa < TINY, bb < TINY
    cosine = dot / np.sqrt(np.maximum(aa, TINY) * np.maximum(bb, TINY))
    return np.where(empty_a | empty_b, (empty_a & empty_b).astype(float), cosine)


def _gradients(lab: np.ndarray, sigma: float) -> np.ndarray:
    """Blurred luminance gradients (F, h, w, 2)."""
    light = gaussian_filter(lab[..., 0], (0, 1, 1))
    return _blur(np.stack(np.gradient(light, axis=(1, 2)), -1), sigma)


def _stands_out(x: np.ndarray, inside: np.ndarray, clear: np.ndarray, down: float, across: float) -> np.ndarray:
    """Mean distance (F,) between x (F, h, w, C) inside a mask and its surroundings carried on into the mask.

    Surroundings are carried on by a Gaussian over ``clear`` pixels, wider across than down: in a room what is beside
    an object continues behind it more often than what is above.
    """
    spread = gaussian_filter(clear, (0, down, across))[..., None]
    background = gaussian_filter(x * clear[..., None], (0, down, across, 0)) / (spread + 1e-4)
    return _average(np.linalg.norm(x - background, axis=-1), inside)
