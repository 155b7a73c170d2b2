"""A training step and a rollout segment at the paper's sizes, timed on a GPU, beside what the plan says of them.

    python -m bench.gpu [--config config/paper.yaml] [--rows ...] [--layers 30] [--frames 81] [--repeats 5]

Weights are random and nothing is downloaded: time and memory do not depend on values. A training step is one
micro-batch, forward, backward and optimizer; a rollout segment is a memory's write and all the sampler's steps.
Utilisation is the plan's FLOPs (forward and backward, without recomputation) over the time and the device's peak.
Prints a table and a JSON line. A row that does not fit is a line of the table. Without CUDA it says so and ends well;
``--device cpu --tiny`` runs the same code at tiny sizes, for a check, where no utilisation is given.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import warnings
from collections.abc import Callable

import torch
from torch import Tensor

from echo.evidence.frames import Frames
from echo.measures.cost.gpus import GPUS, Gpu
from echo.measures.cost.row import RowPlan
from echo.model import flow
from echo.model.row import Row
from echo.study.config import ConfigError, Study, load_study, parse_study
from echo.training.objective import Objective, TrainingBatch

ROWS = ["i2v", "context_k20", "ssm_hybrid", "ssm_blockwise"]
TINY = {"world": {"size": [32, 64]}, "segment": {"frames": 5}, "text": {"dim": 16, "tokens": 4},
        "backbone": {"layers": 5, "heads": 2, "head_dim": 12, "ffn_dim": 48}, "evidence": {"frames": 6},
        "sampler": {"steps": 2}, "train": {"precision": "fp32"}}  # fmt: skip
HEADS = ("row", "step s", "step MFU", "step GiB", "planned", "segment s", "segment MFU", "segment GiB", "planned")
GIB = 2**30


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.gpu", description=__doc__.split("\n")[0])
    parser.add_argument("--config", default="config/paper.yaml")
    parser.add_argument("--rows", nargs="+", default=ROWS)
    parser.add_argument("--layers", type=int, help="transformer blocks, in place of the study's")
    parser.add_argument("--frames", type=int, help="frames of a segment, in place of the study's")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--tiny", action="store_true", help="tiny sizes, for a check of this command")
    given = parser.parse_args()
    if given.device == "cuda" and not torch.cuda.is_available():
        print("bench.gpu: no CUDA device here; nothing was timed (--device cpu --tiny checks the command itself)")
        return 0
    try:
        study = _study(given)
    except ConfigError as error:
        print(f"bench.gpu: {error}", file=sys.stderr)
        return 2
    device = torch.device(given.device)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"
    gpu = _gpu_of(name)
    print(f"{name}, torch {torch.__version__}, {study.train.precision}, {study.backbone.layers} blocks, segment of "
          f"{study.segment.frames} frames, {given.repeats} repeats")  # fmt: skip
    results = [measured(study, row, device, gpu, given.repeats) for row in given.rows]
    lines = [HEADS, *map(_line, results)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEADS))]
    for line in lines:
        print("  ".join(map(str.rjust, line, widths)))
    print(json.dumps({"bench": "gpu", "device": name, "torch": torch.__version__, "layers": study.backbone.layers,
                      "frames": study.segment.frames, "rows": results}))  # fmt: skip
    return 0


def _study(given: argparse.Namespace) -> Study:
    """The study of the command line: its file's, on one GPU and with one clip a step."""
    study = load_study(given.config)
    data = study.model_dump(mode="json")
    for section, values in (TINY if given.tiny else {}).items():
        data[section] |= values
    if given.layers:
        data["backbone"]["layers"] = given.layers
    if given.frames:
        data["segment"]["frames"] = given.frames
    data["train"] |= {"batch": 1, "accumulate": 1}
    data["compute"]["processes"] = 1
    unknown = [row for row in given.rows if row not in study.profiles]
    if unknown:
        raise ConfigError(f"--rows {unknown[0]}: not a row of {given.config}; it has {', '.join(study.rows)}")
    rows = {name: profile.model_dump(exclude={"name"}) for name, profile in study.profiles.items()}
    return parse_study(data, rows, given.config)


def _gpu_of(name: str) -> Gpu | None:
    """The plan's GPU whose words are all in the device's name; of those, the one whose memory is nearest."""
    fits = [gpu for gpu in GPUS.values() if all(part in name for part in gpu.name.removesuffix("GB").split("-")[:1])]
    if not fits or not torch.cuda.is_available():
        return None
    memory = torch.cuda.get_device_properties(0).total_memory
    return min(fits, key=lambda gpu: abs(gpu.memory - memory))


def measured(study: Study, name: str, device: torch.device, gpu: Gpu | None, repeats: int) -> dict:
    """Times, utilisation and peak memory of one row, measured and planned."""
    planned = RowPlan(study, study.profiles[name])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's, of kernels that the meta device does not have
        step = planned.step(study.evidence.frames)
        write = planned.write_flops(study.evidence.frames)
        sampling = planned.sampling_bytes(1)
    steps = study.sampler.steps
    weights = sum(weight.nbytes for weight in planned.row.parameters())
    found = {
        "row": name,
        "step_flops": step.tally.forward + step.tally.backward,
        "step_planned_bytes": sum(planned.weight_bytes().values()) + step.activations,
        "segment_flops": write + steps * (step.tally.forward - write),
        "segment_planned_bytes": weights + sampling,
    }
    try:
        found |= _run(study, planned, device, repeats)
    except torch.OutOfMemoryError as error:
        found["error"] = str(error).split(". ")[0]
    if device.type == "cuda":
        torch.cuda.empty_cache()
    peak = gpu.peak(study.train.precision) if gpu else None
    for job in ("step", "segment"):
        if peak and f"{job}_seconds" in found:
            found[f"{job}_utilisation"] = found[f"{job}_flops"] / found[f"{job}_seconds"] / peak
    return found


def _run(study: Study, planned: RowPlan, device: torch.device, repeats: int) -> dict:
    """Median seconds and peak bytes of both jobs."""
    with device:
        row = Row(study, planned.profile)
    row.backbone.checkpointing = study.train.gradient_checkpointing
    given, target = (_filled(planned, count, device) for count in (study.evidence.frames, study.target_latents))
    text = torch.randn(planned.text(1).shape, device=device)
    noise, level = torch.randn_like(target.latents), torch.rand(1, device=device)
    objective = Objective(row)
    optimizer = torch.optim.AdamW(row.parameters(), lr=1e-6, fused=study.train.fused or None)
    casts = torch.autocast(device.type, torch.bfloat16, enabled=study.train.precision == "bf16")

    def train() -> None:
        optimizer.zero_grad(set_to_none=True)
        with casts:
            loss = objective(TrainingBatch([], given, given.span(0, 1), target, level, noise, text))
        loss.backward()
        optimizer.step()

    @torch.no_grad()
    def play() -> None:
        with casts:
            state = row.write(None, given, text)

            def velocity(x: Tensor, t: Tensor) -> Tensor:
                return row(target.with_latents(x), t.to(x), given.span(0, 1), text, state)

            flow.sample(velocity, noise, study.sampler.steps, study.train.timestep_shift)

    found = {}
    for job, run in (("step", train), ("segment", play)):
        if job == "segment":
            optimizer.zero_grad(set_to_none=True)
            optimizer.state.clear()
        seconds, peak = _timed(run, device, repeats)
        found |= {f"{job}_seconds": seconds, f"{job}_bytes": peak}
    return found


def _filled(planned: RowPlan, count: int, device: torch.device) -> Frames:
    shapes = planned.frames(count, 1).tensors()
    values = {name: torch.randn(v.shape, device=device) for name, v in shapes.items() if name != "index"}
    return Frames(**values, index=torch.arange(count, device=device)[None])


def _timed(run: Callable[[], None], device: torch.device, repeats: int) -> tuple[float, int | None]:
    """Median seconds of ``repeats`` runs after one that is not counted, and the peak bytes (None but on CUDA)."""
    cuda = device.type == "cuda"
    if cuda:
        torch.cuda.reset_peak_memory_stats(device)
    seconds = []
    for _ in range(repeats + 1):
        if cuda:
            torch.cuda.synchronize(device)
        before = time.perf_counter()
        run()
        if cuda:
            torch.cuda.synchronize(device)
        seconds.append(time.perf_counter() - before)
    return sorted(seconds[1:])[repeats // 2], torch.cuda.max_memory_allocated(device) if cuda else None


def _line(found: dict) -> tuple[str, ...]:
    """One line of the table."""
    if "error" in found:
        planned = [f"{found[f'{job}_planned_bytes'] / GIB:.2f}" for job in ("step", "segment")]
        return (found["row"], "out of memory", "-", "-", planned[0], "-", "-", "-", planned[1])
    cells = [found["row"]]
    for job in ("step", "segment"):
        share, peak = found.get(f"{job}_utilisation"), found[f"{job}_bytes"]
        cells += [f"{found[f'{job}_seconds']:.3f}", f"{share:.1%}" if share else "-",
                  f"{peak / GIB:.2f}" if peak else "-", f"{found[f'{job}_planned_bytes'] / GIB:.2f}"]  # fmt: skip
    return tuple(cells)


if __name__ == "__main__":
    sys.exit(main())
