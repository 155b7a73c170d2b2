"""Section ``evidence``: which past frames every row is handed."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, Strict

from echo.study.sections.section import Exponent, Integer, Section


class EvidenceConfig(Section):
    """The one retriever every row shares."""

    frames: Annotated[Integer, Field(ge=1, le=1000)] = Field(
        default=20,
        description="frames in E: the anchor and frames-1 retrieved. A row whose K is larger is handed these, which is "
        "said at the start; two rows that become the same by it are refused",
    )
    rule: Literal["fov_mid", "fov_cover", "recent"] = Field(
        default="fov_cover",
        description="ranking: `fov_mid` overlap with the segment's middle view (the paper's), `fov_cover` greedy "
        "cover of all the segment's views, `recent` the latest frames",
    )
    policy: Literal["matched"] = Field(default="matched", description="`matched`: every row is handed the same E")
    drop: Annotated[float, Strict(), Field(ge=0, lt=1), Exponent] = Field(
        default=0.1, description="probability in training that E is the anchor alone"
    )
