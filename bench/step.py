"""Overhead of our training step: forward and backward through the row against the bare transformer on the same tokens.

    python -m bench.step [--config config/config.yaml] [--repeats 30]

Both run in turn in one process on one thread: ours as training calls it (evidence, write, read-out, actions, rays,
loss, backward), the bare one as diffusers' forward with a timestep a token and a mean squared error. Prints one line a
row and a JSON line; the ratio is of medians. The optimizers' step comes on top of either and is timed apart.
"""

from __future__ import annotations

import argparse
import json
import time

import numpy as np
import torch
from diffusers import WanTransformer3DModel

from echo.evidence.segments import Ranking, Segments
from echo.io.seeding import generator, torch_generator
from echo.model import flow
from echo.model.row import Row
from echo.study.config import Study, load_study
from echo.training.muon import Muon
from echo.training.optimizers import matrices
from echo.world.paths import trajectory

SEGMENT = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", default="config/config.yaml")
    parser.add_argument("--rows", nargs="+", default=["i2v", "context_k5"])
    parser.add_argument("--repeats", type=int, default=30)
    given = parser.parse_args()
    torch.set_num_threads(1)
    study = load_study(given.config)
    ratios = {row: ratio(study, row, given.repeats) for row in given.rows}
    print(json.dumps({"bench": "step", "study": study.study, "ratios": ratios}))


def ratio(study: Study, name: str, repeats: int) -> float:
    """Median time of our step over the bare transformer's, on a batch of the study's size at segment 3."""
    batch, (rows, columns), channels = study.train.batch, study.latent_size, study.codec.channels
    start = np.array([0, 0, 1.25, 0, 0, 0.0])
    paths = [trajectory("train", start, study.segment.frames, generator(0, "bench", i)) for i in range(batch)]
    videos = [str(i) for i in range(batch)]
    segments = Segments(study, videos, np.stack(paths), Ranking.of(study, dict(zip(videos, paths, strict=True))))
    latents = torch.randn(batch, len(paths[0]), channels, rows, columns)
    own = segments.own(latents, None, SEGMENT)
    text = torch.randn(batch, study.text.tokens, study.text.dim)
    row, noise = Row(study, study.profiles[name]), torch_generator(0, "bench")

    def ours() -> None:
        evidence, target = segments.evidence(latents, SEGMENT, noise), segments.target(own, SEGMENT)
        t, drawn = torch.rand(batch, generator=noise), torch.randn(target.latents.shape, generator=noise)
        noisy = target.with_latents(flow.interpolate(target.latents, drawn, t))
        state = row.write(None, evidence, text)
        flow.loss(row(noisy, t, evidence.span(0, 1), text, state), target.latents, drawn).backward()

    given = segments.evidence(latents, SEGMENT, noise)
    read = row.read(row.write(None, given, text), segments.target(own, SEGMENT), given.span(0, 1))
    frames = 1 + study.segment.frames + (read.frames.count if read.frames is not None else 0)
    bare_in = torch.randn(batch, channels, frames, rows, columns)
    times = torch.rand(batch, frames * study.grid[0] * study.grid[1]) * 1000

    held = row.backbone.transformer
    transformer = WanTransformer3DModel(**{k: v for k, v in held.config.items() if not k.startswith("_")})

    def bare() -> None:
        out = transformer(bare_in, times, text, return_dict=False)[0]
        out.square().mean().backward()

    seconds: dict[str, list[float]] = {"ours": [], "bare": []}
    for repeat in range(repeats + 2):
        for label, step in (("ours", ours), ("bare", bare)):
            row.zero_grad(set_to_none=True)
            before = time.perf_counter()
            step()
            if repeat >= 2:
                seconds[label].append(time.perf_counter() - before)
    medians = {label: float(np.median(values)) for label, values in seconds.items()}
    found = medians["ours"] / medians["bare"]
    added = optimizers(row, repeats)
    share = added / (medians["ours"] + added)
    print(
        f"{name}: {frames} frames, ours {medians['ours']:.3f} s, bare {medians['bare']:.3f} s, ratio {found:.3f}; "
        f"optimizers {added:.3f} s, {share:.0%} of the step"
    )
    return round(found, 3)


def optimizers(row: Row, repeats: int) -> float:
    """Median seconds of one Muon and AdamW step, with the parameters shared out as in training."""
    chosen = matrices(row)
    known = {id(weight) for weight in chosen}
    others = [weight for weight in row.parameters() if id(weight) not in known]
    both = Muon(chosen, lr=1e-4), torch.optim.AdamW(others, lr=1e-4, fused=True)
    for weight in row.parameters():
        weight.grad = torch.randn_like(weight)
    seconds = []
    for _ in range(repeats):
        before = time.perf_counter()
        for one in both:
            one.step()
        seconds.append(time.perf_counter() - before)
    return float(np.median(seconds))


if __name__ == "__main__":
    main()
