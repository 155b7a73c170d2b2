"""Names of the backbone's parameters, without torch: ``train.trainable`` and ``frozen`` are checked before any job.

They are those of ``echo.model.backbone`` on diffusers' WanTransformer3DModel; a test compares the two. A memory's names
all begin with ``memory.`` and are its family's own, which only torch can list.
"""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from echo.study.study import Study

PATTERNS = ("trainable", "frozen")  # keys of the section ``train`` that name parameters
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


def pattern_that_fits_nothing(study: Study) -> tuple[str, str] | None:
    """The first pattern of ``train.trainable`` or ``train.frozen`` that can fit no parameter, after its key's name.

    It fits none of the backbone, and cannot fit a memory's.
    """
    names = backbone_parameters(study)
    for key in PATTERNS:
        for pattern in getattr(study.train, key):
            if not pattern.startswith("memory.") and not _fits(names, (pattern,)):
                return key, pattern
    return None


def row_with_nothing_to_train(study: Study) -> str | None:
    """The first row, or the base, of which ``train.trainable`` and ``train.frozen`` leave nothing to train."""
    train = study.train
    if any(_fits((name,), train.trainable) and not _fits((name,), train.frozen) for name in backbone_parameters(study)):
        return None
    if study.base.source == "pretrained" and study.base.steps:
        return "base"
    return next((name for name, row in study.profiles.items() if row.family in WITHOUT_PARAMETERS), None)


def _fits(names: Iterable[str], patterns: Iterable[str]) -> bool:
    """Whether any of the names fits any of the patterns."""
    patterns = tuple(patterns)
    return any(fnmatchcase(name, pattern) for name in names for pattern in patterns)
