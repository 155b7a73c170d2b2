"""What later stages do with a configuration, as far as it can be tried without data, weights or time.

``try_stages`` raises whatever they raise: the codec and a row on the meta device (shapes without numbers), a
trajectory of each branch and its ranked evidence, the schedule, the cases, and a figure with the row's label.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure

from echo.encoding.codec import build_codec
from echo.evidence.segments import Ranking
from echo.io.seeding import derive, generator
from echo.measures.images import WINDOW
from echo.measures.lpips import SMALLEST
from echo.measures.probed import other_scene
from echo.model import flow
from echo.model.base import BASE
from echo.model.row import Row
from echo.rollout.cases import choose_cases
from echo.study.config import Study, load_study
from echo.study.profile import parse_row
from echo.study.words import BRANCHES, SEGMENTS, SPLITS
from echo.training.optimizers import freeze, rate
from echo.world.paths import trajectory

MANY_FRAMES = 200  # longer trajectories are not ranked: that takes seconds
MANY_LAYERS = 12


def try_stages(study: Study, rows_file: Path, row: str) -> None:
    """Raise what any later stage would raise on this study; ``row``: the one that is built."""
    for stage in (_round_trip, _codec, _paths, _schedule, _cases, _measures):
        stage(study)
    _names(study)
    _written(study, rows_file)
    _row(study, row)
    _label(study.profiles[row].label)


def _round_trip(study: Study) -> None:
    """Jobs read the study as JSON."""
    assert Study.model_validate_json(study.model_dump_json()).model_dump() == study.model_dump()


def _written(study: Study, rows_file: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "study.json"
        path.write_text(study.model_dump_json(indent=1))
        again = load_study(path, rows_file)
    assert again.model_dump() == study.model_dump() and again.profiles == study.profiles


def _codec(study: Study) -> None:
    """Encode and decode frames without numbers."""
    if study.pretrained.given:
        return
    config, world = study.codec, study.world
    with torch.device("meta"):
        codec = build_codec(config)
        latents = codec.analyse(torch.zeros(1, 3, world.height, world.width))
        assert latents.shape == (1, config.channels, *study.latent_size), latents.shape
        signal = codec.synthesise(latents)
    assert signal.shape == (1, 3, world.height, world.width), signal.shape
    deviation = torch.tensor([1e-6, 1.0, 50.0])
    assert torch.isfinite(deviation ** float(config.options.get("whiten", 1.0))).all()


def _paths(study: Study) -> None:
    """A trajectory of each kind, and the evidence of its segments."""
    start, frames = np.array([0.0, 0.0, 1.2, 0.0, 0.0, 30.0]), study.segment.frames
    for kind in SEGMENTS:
        segments = study.segment.train_segments if kind == "train" else None
        draw = generator(study.seed, "path", kind)
        poses = trajectory(kind, start, frames, draw, fov=study.world.field_of_view, segments=segments)
        assert np.isfinite(poses).all()
        if len(poses) <= MANY_FRAMES:
            order = Ranking.of(study, {"video": poses}).order["video"]
            assert order.shape[1] == study.evidence.frames


def _schedule(study: Study) -> None:
    """Rates, levels of noise and weights of the history are finite numbers."""
    train = study.train
    for step in {0, 1, train.steps // 2, train.steps - 1}:
        assert 0 <= rate(step, train.steps, train.warmup, train.cooldown) <= 1
    levels = flow.shift(torch.tensor([0.0, 0.25, 0.5, 0.75, 0.999]), train.timestep_shift)
    assert torch.isfinite(levels).all() and len(levels.unique()) > 1, levels
    weights = np.asarray(study.segment.history_weights)
    np.random.default_rng(0).choice(len(weights), p=weights / weights.sum())
    assert train.batch % (study.compute.processes * train.accumulate) == 0
    assert all(np.isfinite([*train.row_lr.values(), train.adamw_lr, train.muon_lr, study.backbone.attention_gain]))
    derive(study.seed, *map(str, study.train_seeds))


def _cases(study: Study) -> None:
    """Every branch has its cases, and the probes another scene for each of theirs."""
    world = study.world
    for branch in {*study.evaluate.branches, "recall"}:
        split, kind = BRANCHES[branch].split(study.evaluate.splits), BRANCHES[branch].trajectory
        copies = world.scenes(split) // world.rooms(split)
        scenes = min(world.rooms(split), 2 * study.evaluate.cases)
        rooms = [f"{SPLITS[split].prefix}_{number}" for number in range(scenes) for _ in range(copies)]
        info = pd.DataFrame({"room": rooms, "trajectory": kind}, index=[f"video_{i}" for i in range(len(rooms))])
        cases = choose_cases(study, branch, info)
        assert len(cases) == study.evaluate.cases
        if branch == "recall":
            other_scene(list(cases.room)[: study.evaluate.probe_cases])


def _measures(study: Study) -> None:
    assert min(study.world.height, study.world.width) >= max(SMALLEST, WINDOW)
    assert study.evaluate.branches and len(set(study.evaluate.branches)) == len(study.evaluate.branches)


def _names(study: Study) -> None:
    """Rules find row and seed in a path again."""
    wildcards = re.compile(rf"train/(?P<row>{'|'.join(study.rows)})-(?P<seed>\d+)/model")
    for row in study.rows:
        for seed in study.train_seeds:
            found = wildcards.fullmatch(f"train/{row}-{seed}/model")
            assert found and found["row"] == row and int(found["seed"]) == seed


def _row(study: Study, name: str) -> None:
    """One row without numbers: what is trained, and one pass of evidence, memory and velocity."""
    small = study
    if study.backbone.layers > MANY_LAYERS:
        small = study.model_copy(update={"backbone": study.backbone.model_copy(update={"layers": MANY_LAYERS})})
    from echo.measures.cost.row import RowPlan

    everything = study.train.trainable == ("*",)
    profiles = [study.profiles[name]] if everything else list(study.profiles.values())
    profiles += [BASE] if study.base.source in ("trained", "pretrained") else []
    for profile in profiles:
        with torch.device("meta"):
            freeze(Row(small, profile), small.train.trainable)
    one = small.model_copy(
        update={
            "train": small.train.model_copy(update={"batch": 1, "accumulate": 1}),
            "compute": small.compute.model_copy(update={"processes": 1}),
        }
    )
    RowPlan(one, parse_row(name, study.profiles[name].model_dump(exclude={"name"}))).sampling_bytes(1)


def _label(label: str) -> None:
    """A figure whose axis and legend hold the label."""
    figure = Figure()
    axes = figure.subplots()
    axes.plot([0, 1], label=label)
    axes.set_yticks([0], [label])
    assert axes.get_legend_handles_labels()[1] == [label]
    axes.legend()
    figure.canvas.draw()
