"""How a base draws a room it has not seen: first frames, sharpness and realism of memory-free rollouts.

    python -m bench.blur shipped/mini shipped/longer [--guidance 1.0 1.5] [--steps 12] [--rooms 48]

Each base continues the replays of rooms of the split ``choosing``, which no reported split shares, by one segment from
the first frame; a base is a folder of ``shipped`` or a file of a training. Columns: PSNR in dB of the first three
frames, LPIPS of the segment, sharpness (gradient energy over that of the true frames, the median of the rooms), kernel
distance of the middle and last frames from the true ones. The first line is the codec alone: what no base can pass.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8

from echo.encoding.codec import Codec, load_codec
from echo.encoding.shipped import verified
from echo.encoding.text import embed
from echo.evidence.segments import Ranking, Segments
from echo.io.tensors import load_tensors, read_header
from echo.measures.efficientnet import EfficientNetLite0
from echo.measures.images import gradient_energy, psnr
from echo.measures.lpips import Lpips
from echo.measures.realism import SIZE, Distances, compared
from echo.model.base import BASE
from echo.model.row import Row
from echo.rollout.cases import choose_cases
from echo.rollout.guide import Guide
from echo.rollout.sampler import CaseBatch, Sampler
from echo.study.config import Study, load_study
from echo.training.windows import ANCHOR
from echo.world.pool import Pool, open_pool
from echo.world.rooms.build import build_pool

SPLIT, BRANCH = "choosing", "replay"
FIRST = 3  # frames after the given one whose PSNR is reported

Frames = UInt8[np.ndarray, "rooms frames height width 3"]


@dataclass(frozen=True)
class Judge:
    """True frames of the segment and the networks that generated ones are compared by."""

    true: Frames
    rooms: list[str]
    lpips: Lpips
    features: EfficientNetLite0

    def columns(self, made: Frames) -> dict[str, float]:
        """The columns of one base."""
        flat_made, flat_true = (frames.reshape(-1, *frames.shape[2:]) for frames in (made, self.true))
        first = psnr(*(frames[:, :FIRST].reshape(-1, *frames.shape[2:]) for frames in (made, self.true)))
        energy = [gradient_energy(frames).reshape(len(self.rooms), -1).sum(1) for frames in (flat_made, flat_true)]
        at = compared(np.arange(made.shape[1]))
        rooms = [room for room in self.rooms for _ in at]
        seen = [self.features.embed(frames[:, at].reshape(-1, *frames.shape[2:]), SIZE) for frames in (made, self.true)]
        return {
            "first three": round(float(first.mean()), 2),
            "LPIPS": round(float(self.lpips(flat_made, flat_true).mean()), 4),
            "sharpness": round(float(np.median(energy[0] / energy[1])), 3),
            "kernel distance": round(float(Distances.of(*seen, rooms).distance()[0]), 3),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bases", nargs="+", type=Path, help="folders of shipped bases, or files of trained ones")
    parser.add_argument("--config", type=Path, default=Path("config/config.yaml"))
    parser.add_argument("--codec", type=Path, default=Path("shipped/longer"), help="folder of the codec they speak")
    parser.add_argument("--guide", type=Path, default=Path("shipped/guide"))
    parser.add_argument("--guidance", nargs="+", type=float, default=[1.0], help="by the guide; 1: none")
    parser.add_argument("--steps", nargs="+", type=int, default=[12], help="of the sampler")
    parser.add_argument("--rooms", type=int, default=48)
    parser.add_argument("--pools", type=Path, default=Path("runs/bench_blur"))
    parser.add_argument("--resources", type=Path, default=Path("resources"))
    given = parser.parse_args()
    torch.set_num_threads(1)
    study = load_study(given.config)
    evaluate = study.evaluate.model_copy(update={"splits": SPLIT, "cases": given.rooms})
    study = study.model_copy(update={"evaluate": evaluate})
    build_pool(study, SPLIT, given.pools, given.resources / "assets")
    pool, codec = open_pool(given.pools), load_codec(verified(given.codec, "codec"))
    chosen = choose_cases(study, BRANCH, pool.info)
    videos, frames = list(chosen.index), study.segment.frames
    shown = np.stack([pool.frames(video, range(frames + 1)) for video in videos])
    latents = torch.stack([codec.encode(torch.from_numpy(one)).float() for one in shown])
    weights = given.resources / "weights"
    judge = Judge(shown[:, 1:], list(chosen["room"]), Lpips(weights), EfficientNetLite0(weights))
    _say({"base": "codec alone"}, judge.columns(_decoded(codec, latents[:, 1:])))
    for path in given.bases:
        for steps, guidance in ((steps, scale) for steps in given.steps for scale in given.guidance):
            row, shift = base(study, path)
            sampling = {"steps": steps, "guidance": guidance}
            settings = study.sampler.model_copy(update=sampling)
            own, guiding = (one.model_copy(update={"sampler": settings}) for one in (row.study, study))
            guide = Guide.load(guiding, given.guide, codec) if guidance != 1 else None
            sampler = Sampler(own, row, guide=guide)
            made = [sampler.rollout(batch)[0][:, 0] for batch in _batches(own, pool, videos, latents)]
            told = {"base": str(path), "shift": shift, **sampling}
            _say(told, judge.columns(_decoded(codec, torch.cat(made))))


def base(study: Study, path: Path) -> tuple[Row, float]:
    """A base with the sizes it was trained with, and the shift that it was trained with."""
    folder = path.is_dir()
    file = verified(path, "base") if folder else path
    rig = json.loads(read_header(file)["rig"])
    own = Study.model_validate({**study.base_study.model_dump(), "backbone": rig["backbone"]})
    shift = float(rig["train"]["timestep_shift"])
    own = own.model_copy(update={"train": own.train.model_copy(update={"timestep_shift": shift})})
    row = Row(own, BASE)
    row.load_state_dict(load_tensors(file))  # copied into float32 weights
    return row, shift


def _batches(study: Study, pool: Pool, videos: list[str], latents: torch.Tensor, size: int = 16) -> Iterator[CaseBatch]:
    """The first segment of each video, with the first frame as its only evidence."""
    for start in range(0, len(videos), size):
        some = videos[start : start + size]
        poses = np.stack([pool.poses(video)[: latents.shape[1]] for video in some])
        segments = Segments(study, some, poses, Ranking(dict.fromkeys(some, ANCHOR)))
        text = latents.new_zeros(len(some), study.text.tokens, study.text.dim)
        for case, words in enumerate(embed(study.text, [pool.caption(video) for video in some])):
            text[case, : len(words)] = words
        yield CaseBatch(BRANCH, some, segments, latents[start : start + size], text)


def _decoded(codec: Codec, latents: torch.Tensor) -> Frames:
    """Frames (rooms, T, H, W, 3) of latents (rooms, T, C, h, w)."""
    return np.stack([codec.decode(one).numpy() for one in latents])


def _say(told: dict[str, object], columns: dict[str, float]) -> None:
    print(json.dumps({**told, **columns}), flush=True)


if __name__ == "__main__":
    main()
