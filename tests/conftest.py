"""Small studies, poses and frames that the tests share."""

from __future__ import annotations

import gc
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from tests.shapes import check_shapes

check_shapes()  # before the modules are imported

# ruff: noqa: E402
from echo.evidence.clips import Clips
from echo.evidence.segments import Ranking, Segments
from echo.io.seeding import generator
from echo.study.config import Study, load_rows, parse_study
from echo.world.paths import trajectory

# torch notes its functions that make tensors when a device is first set. While transformers loads a model, linspace is
# another one: noted then, the true one would make CPU tensors on the meta device in all later tests of the process.
with torch.device("meta"):
    torch.empty(0)

pytest_plugins = ["tests.photographs"]
ROOT = Path(__file__).parent.parent
ROWS = load_rows(ROOT / "config" / "rows.yaml")


def of_each_kind() -> list[str]:
    """Names of all rows, but of those as released that differ from an earlier row in numbers alone.

    What a number does to them is tested with the formulas they are held against.
    """
    found, known = [], set()
    for name, entry in ROWS.items():
        numbers = {key: 0 for key, value in entry.items() if type(value) in (int, float)} | {"label": 0}
        kind = str(sorted(({**entry, **numbers, "timestep_shift": 0, "seed_stream": 0}).items()))
        if not name.endswith("_released") or kind not in known:
            found.append(name)
        known.add(kind)
    return found


def tiny_study(**sections) -> Study:
    """All rows at the smallest sizes that still have 2 x 2 cells, 4 layers and 4 segments of 4 frames."""
    data = {
        "study": "tiny",
        "rows": list(ROWS),
        "row_options": {"spatial": {"grid": 2, "tokens": 3}},
        "world": {
            "size": 16,
            "train_rooms": 6,
            "in_domain_rooms": 4,
            "open_domain_rooms": 2,
            "choosing_rooms": 2,
            "identities": 2,
        },
        "segment": {"frames": 4},
        "codec": {"channels": 5, "downsample": 8},
        "text": {"dim": 6, "tokens": 4},
        "backbone": {"layers": 4, "heads": 2, "head_dim": 8, "ffn_dim": 24, "ray_frequencies": 2},
        "evidence": {"frames": 8},
        "train": {"steps": 6, "batch": 3, "warmup": 1, "checkpoint_every": 2},
        "sampler": {"steps": 2},
        "evaluate": {"cases": 4, "batch": 2, "probe_cases": 4, "bootstrap": 100},
    }
    for name, values in sections.items():
        data[name] = {**data[name], **values} if isinstance(data.get(name), dict) else values
    families = {ROWS[row]["family"] for row in data["rows"] if row in ROWS}
    data["row_options"] = {family: options for family, options in data["row_options"].items() if family in families}
    return parse_study(data, ROWS, whole=False)


def pytest_collection_finish() -> None:
    """What was imported stays: the garbage collector, which statsmodels calls for each table, need not look at it."""
    import_module("hypothesis")  # which asks the collector about what other packages imported
    gc.freeze()


@pytest.fixture(autouse=True)
def one_thread():
    """The same bits in every run."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def study() -> Study:
    return tiny_study()


@pytest.fixture(scope="session")
def rows_file() -> dict:
    return yaml.safe_load((ROOT / "config" / "rows.yaml").read_text())


class Held:
    """A latent cache and embeddings in memory, in the interfaces of ``Latents`` and ``Texts``."""

    def __init__(self, videos, latents, poses, text, targets=None):
        self.videos, self._number = list(videos), {name: i for i, name in enumerate(videos)}
        self._latents, self._poses, self._text, self._targets = latents, poses, text, targets

    def get(self, video):
        return self._latents[self._number[video]]

    def targets(self, video):
        return self._targets[self._number[video]]

    def poses(self, video):
        return self._poses[self._number[video]]

    def of(self, video):
        return self._text[self._number[video]]


class Setting:
    """A batch of trajectories with random latents, ready to be written and read."""

    def __init__(self, study: Study, clips: int = 2, kind: str = "train", seed: int = 0):
        self.study = study
        start = np.array([0.0, 0.0, 1.2, 0.0, 0.0, 30.0])
        frames = study.segment.frames
        self.videos = [f"clip_{i}" for i in range(clips)]
        paths = [trajectory(kind, start, frames, generator(seed, "path", i)) for i in range(clips)]
        self.poses = np.stack(paths)
        self.ranking = Ranking.of(study, dict(zip(self.videos, paths, strict=True)))
        self.segments = Segments(study, self.videos, self.poses, self.ranking)
        draw = torch.Generator().manual_seed(seed)
        channels = study.codec.channels
        self.latents = torch.randn(clips, self.poses.shape[1], channels, *study.latent_size, generator=draw)
        self.text = torch.randn(clips, study.text.tokens, study.text.dim, generator=draw)

    @property
    def clips(self) -> Clips:
        held = Held(self.videos, self.latents, self.poses, self.text)
        return Clips(held, held, self.ranking)

    def evidence(self, segment: int, latents: torch.Tensor | None = None, anchor_only: bool = False):
        latents = self.latents if latents is None else latents
        return self.segments.evidence(latents, segment, torch.Generator(), anchor_only)

    def target(self, segment: int):
        return self.segments.target(self.segments.own(self.latents, None, segment), segment)


@pytest.fixture(scope="session")
def setting(study) -> Setting:
    return Setting(study)
