"""Bytes a study writes, and the arithmetic of its codec."""

from __future__ import annotations

from collections.abc import Callable

import torch

from echo.encoding.latents import STORAGE
from echo.measures.cost.walk import Walk
from echo.measures.images import PART_BYTES
from echo.study.config import Study
from echo.study.words import AWAY, BRANCHES, EVALUATED, SEGMENTS, SPLITS

BASE_BYTES = 2  # of a number in the base's clips (float16)


def clips(study: Study) -> dict[str, tuple[int, int]]:
    """(clips, segments of them all) of each split."""
    world = study.world
    found = {"train": (world.train_rooms, world.train_rooms * study.segment.train_segments)}
    for split in EVALUATED[study.evaluate.splits]:
        scenes = world.scenes(split)
        kinds = [kind for kind in SPLITS[split].trajectories if world.source == "rooms" or kind not in AWAY]
        found[split] = (scenes * len(kinds), scenes * sum(SEGMENTS[kind] for kind in kinds))
    return found


def frames(study: Study) -> int:
    """Frames of all clips, the first frame of each included."""
    return sum(count + segments * study.segment.frames for count, segments in clips(study).values())


def latent_bytes(study: Study) -> int:
    """The latent cache: every frame coded alone and, with temporal latents, every segment coded as a whole too.

    And the clips of a base that is trained on rooms of its own.
    """
    segments = sum(count for _, count in clips(study).values())
    whole = segments * study.target_latents if study.codec.temporal > 1 else 0
    cached = (frames(study) + whole) * STORAGE[study.codec.storage].itemsize
    return (cached + base_frames(study) * BASE_BYTES) * study.numbers_per_frame


def train_latent_bytes(study: Study) -> int:
    """Latents of the training split, which a training hashes once, whatever the number of its processes."""
    count, segments = clips(study)["train"]
    whole = segments * study.target_latents if study.codec.temporal > 1 else 0
    coded = count + segments * study.segment.frames + whole
    return coded * STORAGE[study.codec.storage].itemsize * study.numbers_per_frame


def measured_bytes(study: Study) -> int:
    """Memory that measuring a row's rollouts takes beside the networks: one case, and what compares its frames.

    A case's true frames, those that were generated, as many again that are picked of the true ones, and
    ``PART_BYTES`` of frames in float64, four times over.
    """
    size = study.world.height * study.world.width * 3
    branches = [BRANCHES[name] for name in study.evaluate.branches]
    frames = max(1 + (b.segments + 2 * b.generated_segments) * study.segment.frames for b in branches)
    return frames * size + 4 * 8 * min(PART_BYTES, frames * size)


def base_frames(study: Study) -> int:
    """Frames of the clips that the base is trained on, where the study trains one on rooms of its own."""
    one = 1 + study.base.segments * study.segment.frames
    return study.base.rooms * one if study.base.source == "trained" else 0


def rollout_bytes(study: Study) -> int:
    """The generated frames of one row and training seed, one byte a colour."""
    segments = sum(
        1 if BRANCHES[name].recall else SEGMENTS[BRANCHES[name].trajectory] for name in study.evaluate.branches
    )
    return study.evaluate.cases * segments * study.segment.frames * study.world.height * study.world.width * 3


def codec_flops(study: Study) -> dict[str, int]:
    """FLOPs of coding one frame alone, of coding a segment's targets, and of decoding them.

    Counted for ``codec.kind: wan``, the one whose arithmetic matters; 0 for the others.
    """
    if study.codec.kind != "wan":
        return {"frame": 0, "segment": 0, "decode": 0}
    from diffusers.models.autoencoders.autoencoder_kl_wan import AutoencoderKLWan

    with torch.device("meta"):
        model = AutoencoderKLWan(**{"z_dim": study.codec.channels, **study.codec.options})
    size = (study.world.height, study.world.width)
    together = study.segment.frames if study.codec.temporal > 1 else 1
    latents = study.target_latents if study.codec.temporal > 1 else 1
    each = study.target_latents // latents

    @torch.no_grad()
    def counted(run: Callable[[torch.Tensor], object], *shape: int) -> int:
        with Walk() as walk:
            run(torch.empty(1, *shape, device="meta"))
        return walk.tally().forward

    frame = counted(model.encode, 3, 1, *size)
    return {
        "frame": frame,
        "segment": counted(model.encode, 3, together, *size) if together > 1 else 0,
        "decode": each * counted(model.decode, study.codec.channels, latents, *study.latent_size),
    }


def codec_work(study: Study) -> int:
    """FLOPs of filling the latent cache."""
    cost = codec_flops(study)
    segments = sum(count for _, count in clips(study).values())
    return frames(study) * cost["frame"] + segments * cost["segment"]
