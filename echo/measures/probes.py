"""Probes: does the output depend on the memory at all? The return is generated again after each intervention.

The return frames of a row that should remember must change, however little, when its memory is erased and when it is
swapped; those of a row that is inert by design must not change in any pixel, whatever is done. What the memory is
worth is measured from the frames that are kept here (``echo.judge.certificates``).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from echo.io.errors import UserError
from echo.measures.interventions import states
from echo.measures.probed import Probed, other_scene
from echo.measures.verdict import verdict
from echo.rollout.sampler import CaseBatch, Sampler
from echo.study.config import Study
from echo.study.profile import Profile
from echo.study.words import RETURN_FRAMES


class MemoryProbeError(UserError):
    """A memory that has no effect, or one that has an effect although it should have none."""


@torch.no_grad()
def probe(sampler: Sampler, batch: CaseBatch, scenes: list[str], decode: Callable[[Tensor], np.ndarray]) -> Probed:
    """The return frames of recall cases, with the memory intact and after each intervention.

    ``evaluate.batch`` cases are generated at once, whatever device the cases of ``batch`` lie on. decode: maps a
    segment's target latents (T', C, H, W) to its last 2 frames (2, H, W, 3) uint8.
    """
    shown: dict[str, list[np.ndarray]] = {}
    others, size = other_scene(scenes), sampler.study.evaluate.batch
    for start in range(0, len(batch.videos), size):
        numbers = list(range(start, min(start + size, len(batch.videos))))
        part = batch.take(numbers, sampler.device)
        strangers = batch.latents[[others[number] for number in numbers]].to(sampler.device)
        for name, state in states(sampler, part, strangers, RETURN_FRAMES):
            latents = sampler.generate(part, part.latents, part.segments.count, state)
            shown.setdefault(name, []).extend(decode(case) for case in latents)
    return Probed({name: np.stack(frames) for name, frames in shown.items()}, list(batch.videos))


def check_probed(profile: Profile, probed: Probed, study: Study) -> None:
    """Raise MemoryProbeError, naming the row, if its changes contradict its profile."""
    changes = probed.changes
    found = verdict(profile.remembers, {name: list(here) for name, here in changes.items()},
                    study.evaluate.probe_threshold)  # fmt: skip
    if not found.fails:
        return
    if profile.remembers:
        still = ", ".join(f"{name} {changes[name].mean():.3f}" for name in found.contradicted_by)
        raise MemoryProbeError(
            f"{profile.name}: this memory does nothing: the return frames change by {still} grey levels on average, "
            "expected more than 0"
        )
    worst = max(found.contradicted_by, key=lambda name: np.nan_to_num(changes[name], nan=np.inf).max())
    case = int(np.nan_to_num(changes[worst], nan=np.inf).argmax())
    raise MemoryProbeError(
        f"{profile.name}: inert by design, yet probe {worst} changes {probed.cases[case]} by "
        f"{changes[worst][case]:.4f} grey levels, expected exactly 0"
    )
