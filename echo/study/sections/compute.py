"""Section ``compute``: what the study runs on."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, Strict

from echo.study.sections.section import Exponent, Integer, Section


class Compute(Section):
    """What the study runs on; results depend on it by rounding alone."""

    device: Literal["cpu", "cuda"] = Field(
        default="cpu",
        description="what jobs ask a cluster for: `cuda` asks for a GPU for each process of a training, and one for "
        "encoding, rollouts and probes (workflow/rules/resources.smk); wherever a GPU is at hand, it is used",
    )
    processes: Annotated[Integer, Field(ge=1, le=4096)] = Field(
        default=1, description="processes, and so GPUs, of one training job"
    )
    latent_shares: Annotated[Integer, Field(ge=1, le=4096)] = Field(
        default=1, description="jobs among which the encoding of a split is shared; each takes a fixed share of it"
    )
    gpu: Annotated[str, Field(min_length=1, max_length=100)] = Field(
        default="A100-80GB",
        description="the GPU that `python -m echo plan` plans for; echo/measures/cost/gpus.py lists them",
    )
    utilisation: Annotated[float, Strict(), Field(gt=0, le=1), Exponent] = Field(
        default=0.35, description="share of the GPU's peak arithmetic that a training step is planned to reach"
    )
    hours: Annotated[float, Strict(), Field(gt=0, le=1e6), Exponent] | None = Field(
        default=None,
        description="GPU-hours that the whole study may take by the plan, which says whether it fits; on one GPU these "
        "are hours of a clock, without what CPUs do before and beside it. null: no limit",
    )
