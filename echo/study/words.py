"""The study's words: splits, trajectories and branches, their lengths and labels, in one place. No torch, no numpy.

A pool has ``SPLITS``. Every video of a split follows a trajectory; an evaluation branch is a way to roll out along one.
A study evaluates on the reported splits or on the one that settings are chosen on (``EVALUATED``), never on both.
T is ``segment.frames``: frame 0 is given, segment s (from 1) covers frames 1 + (s-1) T .. s T.
"""

from __future__ import annotations

from dataclasses import dataclass

RETURN_FRAMES = 2  # frames at the end of a return that stand at the first pose again, or of a revisit at its target
UNTRAINED = -1  # the training seed, in tables, of what was not trained: reference rows


@dataclass(frozen=True)
class Split:
    """One set of scenes. ``prefix``: how names of its scenes begin; ``digits``: of the number in them.

    ``revision``: counted up when the split's rooms, paths and cases are to be new ones, so that nothing reported was
    ever seen when settings were chosen.
    """

    name: str
    prefix: str
    digits: int
    trajectories: tuple[str, ...]
    revision: int = 1

    @property
    def stream(self) -> str:
        """The split's part of the names of its random generators."""
        return self.name if self.revision == 1 else f"{self.name}-{self.revision}"


@dataclass(frozen=True)
class Branch:
    """One kind of evaluation.

    ``reported``: the reported split that it is measured on. ``recall``: history is the true one and only the last
    segment is generated. ``measure``: what a case's own numbers compare: every generated ``frame`` with the true one,
    ``mirrored`` frames of the model's own way out and back, or the ``view`` at the end with the true one.
    ``explained``: the branch in half a line, for a legend. ``drift``: whether drift.csv has the PSNR of each of its
    frames. ``samples``: cases kept as pictures.
    """

    name: str
    reported: str
    trajectory: str
    label: str
    measure: str = "view"
    recall: bool = False
    explained: str = ""
    drift: bool = False
    samples: int = 1

    def split(self, on: str) -> str:
        """The split its cases are of, in a study whose ``evaluate.splits`` is ``on``."""
        return self.reported if self.reported in EVALUATED[on] else EVALUATED[on][0]

    @property
    def returns(self) -> bool:
        """Whether the last ``RETURN_FRAMES`` frames are back at the first pose.

        Then the first frame, in which the identity anchor stands, is what a judge compares them with. Other branches
        are not judged: a revisit ends at a view of its own, in which there may be no anchor.
        """
        return self.trajectory in ("return_45", "return_strict")

    @property
    def revisits(self) -> bool:
        """Whether the last ``RETURN_FRAMES`` frames stand beside a view from the middle of the way out."""
        return self.trajectory in AWAY

    @property
    def ends_at_first(self) -> bool:
        """Whether the last frame shows the first view again, so that comparing the two says something."""
        return self.returns or self.trajectory == "loop"

    @property
    def segments(self) -> int:
        """Segments of the whole trajectory."""
        return SEGMENTS[self.trajectory]

    @property
    def generated_segments(self) -> int:
        """Segments that are generated, and not given."""
        return 1 if self.recall else self.segments


# Revisits (``echo.world.revisits``): segments out of sight before the way back.
AWAY = {"revisit_near": 0, "revisit_far": 0, "return_far_8": 8, "return_far_16": 16}

IN_DOMAIN = ("replay", "loop")
OPEN_DOMAIN = ("return_45", "return_strict", *AWAY)
SPLITS: dict[str, Split] = {
    split.name: split
    for split in (
        Split("train", "train", 5, ("train",)),
        Split("in_domain", "in", 3, IN_DOMAIN, revision=2),
        Split("open_domain", "open", 3, OPEN_DOMAIN, revision=2),
        Split("choosing", "choose", 3, (*IN_DOMAIN, *OPEN_DOMAIN)),
    )
}
# The splits of each value of ``evaluate.splits``; a study builds and opens these and "train".
EVALUATED: dict[str, tuple[str, ...]] = {"reported": ("in_domain", "open_domain"), "choosing": ("choosing",)}

# Segments of a trajectory, frame 0 apart; ``echo.world.paths`` draws them.
SEGMENTS = {
    "train": 4, "replay": 3, "loop": 4, "return_45": 2, "return_strict": 3,
    **{revisit: 2 + away + 1 for revisit, away in AWAY.items()},
}  # fmt: skip

BRANCHES: dict[str, Branch] = {
    branch.name: branch
    for branch in (
        Branch("replay", "in_domain", "replay", "replay", measure="frame", drift=True),
        Branch("loop", "in_domain", "loop", "180° loop", measure="mirrored"),
        Branch("return_45", "open_domain", "return_45", "45° return", samples=3),
        Branch(
            "return_strict", "open_domain", "return_strict", "strict return",
            explained="own frames become the past", drift=True, samples=3,
        ),
        Branch(
            "recall", "open_domain", "return_strict", "recall", recall=True,
            explained="the true past, then the way back", samples=3,
        ),
        Branch(
            "revisit_near", "open_domain", "revisit_near", "near revisit", recall=True,
            explained="beside a view from the middle of the way", samples=3,
        ),
        Branch(
            "revisit_far", "open_domain", "revisit_far", "far revisit", recall=True,
            explained="farther beside such a view", samples=3,
        ),
        Branch(
            "return_far_8", "open_domain", "return_far_8", "return after 8", recall=True,
            explained="a near revisit after 8 segments out of sight", samples=3,
        ),
        Branch(
            "return_far_16", "open_domain", "return_far_16", "return after 16", recall=True,
            explained="a near revisit after 16 segments out of sight", samples=3,
        ),
    )
}  # fmt: skip


def splits_of(on: str) -> tuple[str, ...]:
    """All splits that a study builds and opens whose ``evaluate.splits`` is ``on``."""
    return ("train", *EVALUATED[on])


def first_target(segment: int, frames: int) -> int:
    """Number of the first frame that segment ``segment`` (from 1) generates; also how many frames come before it."""
    return 1 + (segment - 1) * frames


def generated_frames(branch: str, frames: int) -> range:
    """Numbers of the frames that a branch generates, in segments of ``frames`` each."""
    count = BRANCHES[branch].segments
    return range(first_target(count - BRANCHES[branch].generated_segments + 1, frames), first_target(count + 1, frames))


def given_frames(branch: str, frames: int) -> range:
    """Numbers of the true frames that a branch gives: all that come before, or the first alone."""
    return range(generated_frames(branch, frames)[0] if BRANCHES[branch].recall else 1)


def segments_of(length: int, frames: int) -> int:
    """Segments in a trajectory of ``length`` frames; raises ValueError unless it is 1 + n T."""
    count, rest = divmod(length - 1, frames)
    if rest or count < 1:
        raise ValueError(f"a trajectory of {length} frames is not 1 + n x {frames} (segment.frames)")
    return count
