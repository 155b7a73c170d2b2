"""What a step really allocates, as torch's allocator tells its profiler."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import torch
from torch.profiler import ProfilerActivity, profile

from echo.model.row import Row
from echo.training.objective import Objective, TrainingBatch


def peak_bytes(row: Row, batch: TrainingBatch, bf16: bool) -> int:
    """Highest number of bytes alive at once in one forward and backward pass, beside weights, gradients and batch."""
    objective = Objective(row)

    def step() -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            loss = objective(batch)
        loss.backward()

    step()  # gradients are there, and are added to in the pass that is measured
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as found:
        step()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trace.json"
        found.export_chrome_trace(str(path))
        events = [e for e in json.loads(path.read_text())["traceEvents"] if e.get("name") == "[memory]"]
    now = peak = 0
    for event in sorted(events, key=lambda e: e["ts"]):
        now += event["args"]["Bytes"]
        peak = max(peak, now)
    return peak
