"""Section ``evidence``: how past frames reach a memory."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, Strict

from echo.study.sections.section import Exponent, Integer, Section

# What each policy reads of this section; nothing else changes what a row is trained on.
READ_BY = {"matched": ("frames", "rule"), "streaming": ("eviction",), "as_released": ()}


class EvidenceConfig(Section):
    """The policy by which past frames reach every row's memory."""

    policy: Literal["matched", "streaming", "as_released"] = Field(
        default="matched",
        description="`matched`: every row is handed the same E, chosen from all of history by the poses to come (the "
        "paper's equation 3). `streaming`: each frame is offered once, in order, when it is there; a row keeps what "
        "its profile says and is read later by poses that it did not know. `as_released`: each row is handed what its "
        "authors trained it with, as its entry in rows.yaml says under `evidence`, and continues a rollout from the "
        "segment before. `frames` and `rule` are for `matched`, `eviction` is for `streaming`",
    )
    frames: Annotated[Integer, Field(ge=1, le=1000)] = Field(
        default=20,
        description="frames in E: the anchor and frames-1 retrieved. A row whose K is larger is handed these, which is "
        "said at the start; two rows that become the same by it are refused",
    )
    rule: Literal["fov_mid", "fov_cover", "uniform", "recent"] = Field(
        default="fov_cover",
        description="ranking: `fov_mid` overlap with the segment's middle view (the paper's), `fov_cover` greedy "
        "cover of all the segment's views, `uniform` the segment before at even spacing (the release's evaluation), "
        "`recent` the latest frames",
    )
    eviction: Literal["redundancy", "fifo"] = Field(
        default="redundancy",
        description="what a full bank of frames gives up: `redundancy` the frame whose view the others cover best, "
        "`fifo` the oldest",
    )
    drop: Annotated[float, Strict(), Field(ge=0, lt=1), Exponent] = Field(
        default=0.1, description="probability in training that a memory gets the anchor alone"
    )

    @property
    def most_frames(self) -> int | None:
        """Frames that a row can be handed at once, the anchor included; None where its own K is the only limit."""
        return self.frames if "frames" in READ_BY[self.policy] else None

    @property
    def needs_poses(self) -> str | None:
        """The key by which frames are compared by their cameras' poses; None where none are."""
        by_pose = {"rule": self.rule.startswith("fov"), "eviction": self.eviction == "redundancy"}
        key = next((key for key in by_pose if key in READ_BY[self.policy]), None)
        if key is None:
            return "policy"  # of some rows, overlap labels
        return key if by_pose[key] else None

    def shared(self) -> dict[str, Any]:
        """What training and inference must have alike: the policy and what it reads."""
        return {key: getattr(self, key) for key in (*READ_BY[self.policy], "policy")}
