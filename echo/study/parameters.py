"""Names of the backbone's parameters, without torch, so that ``train.trainable`` is checked before any job.

They are those of ``echo.model.backbone`` on diffusers' WanTransformer3DModel; a test compares the two. A memory's names
all begin with ``memory.`` and are its family's own, which only torch can list.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

from echo.study.study import Study

WITHOUT_PARAMETERS = ("context", "compression")  # families whose memory has none

_ATTENTION = (
    *(f"{layer}.{part}" for layer in ("to_q", "to_k", "to_v", "to_out.0") for part in ("weight", "bias")),
    "norm_q.weight",
    "norm_k.weight",
)
_EMBEDDER = (
    *("time_embedder.linear_1", "time_embedder.linear_2", "time_proj"),
    *("text_embedder.linear_1", "text_embedder.linear_2"),
)
_SHARED = (
    "scale_shift_table",
    *(f"{layer}.{part}" for layer in ("patch_embedding", "proj_out") for part in ("weight", "bias")),
    *(f"condition_embedder.{layer}.{part}" for layer in _EMBEDDER for part in ("weight", "bias")),
)
_BLOCK = (
    "scale_shift_table",
    *(f"attn1.{name}" for name in _ATTENTION),
    *(f"attn2.{name}" for name in _ATTENTION),
    *(f"{layer}.{part}" for layer in ("norm2", "ffn.net.0.proj", "ffn.net.2") for part in ("weight", "bias")),
)


def backbone_parameters(study: Study) -> list[str]:
    """Names of all parameters of the study's backbone."""
    layers = range(study.backbone.layers)
    names = [f"transformer.{name}" for name in _SHARED]
    names += [f"transformer.blocks.{layer}.{name}" for layer in layers for name in _BLOCK]
    names += [f"actions.{layer}.{part}" for layer in layers for part in ("weight", "bias")]
    if study.backbone.ray_frequencies:
        names += ["rays.project.weight", "rays.project.bias"]
    if study.backbone.camera == "attention":
        names += [f"cameras.{layer}.attention.{name}" for layer in layers for name in _ATTENTION]
    return [f"backbone.{name}" for name in names]


def pattern_that_fits_nothing(study: Study) -> str | None:
    """The first pattern of ``train.trainable`` that can fit no parameter: none of the backbone, and no memory's."""
    names = backbone_parameters(study)
    for pattern in study.train.trainable:
        if not pattern.startswith("memory.") and not any(fnmatchcase(name, pattern) for name in names):
            return pattern
    return None


def row_with_nothing_to_train(study: Study) -> str | None:
    """The first row, or the base, whose parameters no pattern of ``train.trainable`` fits."""
    names = backbone_parameters(study)
    if any(fnmatchcase(name, pattern) for pattern in study.train.trainable for name in names):
        return None
    if study.base.source == "pretrained" and study.base.steps:
        return "base"
    return next((name for name, row in study.profiles.items() if row.family in WITHOUT_PARAMETERS), None)
