"""The files of a small study's runs, as its stages write them, for tests that gather or damage them."""

from __future__ import annotations

import json
import shutil
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from echo.io.files import write_json
from echo.io.seeding import generator
from echo.measures.departed import DEPARTED, departs
from echo.measures.realism import Distances, save_distances
from echo.measures.verdict import PROBES
from echo.rollout.cases import choose_cases
from echo.rollout.frames import Rollout
from echo.study.config import Study
from echo.study.provenance import hashes, record_of
from echo.study.words import BRANCHES, SEGMENTS, SPLITS, UNTRAINED
from echo.tables.build import build_tables
from echo.tables.contrasts import contrasts
from echo.tables.files import FINDINGS_READ
from echo.tables.findings import FINDINGS, NULL
from tests.conftest import tiny_study
from tests.synthetic import write_tables

ROWS = ("i2v", "context_k5")
TRAINED = {"train_seed": 0, "base_sha256": "ab" * 32, "digest": "of this code", "rejected_steps": 0, "device": "cpu",
           "precision": "fp32", "processes": 1, "libraries": {"torch": "2"}}  # fmt: skip
SEEDS = (0, 7)
REFERENCES = ("codec_ceiling", "copy_first")
T = 4
SIZE = 8


class InventedPool:
    """Videos of one split, in the interface of a pool; frame f of video v is one grey level."""

    def __init__(self, split: str, scenes: int = 3, anchors: tuple[str, ...] = ("duck", "cone")) -> None:
        lines = [
            (f"{split}_{scene}_{anchor}__{trajectory}", split, f"{split}_{scene}", anchor, trajectory,
             1 + SEGMENTS[trajectory] * T)
            for scene in range(scenes) for anchor in anchors for trajectory in SPLITS[split].trajectories
        ]  # fmt: skip
        columns = ["video", "split", "room", "anchor", "trajectory", "frames"]
        self.info = pd.DataFrame(lines, columns=columns).set_index("video")

    def frames(self, video: str, indices: np.ndarray | None = None) -> np.ndarray:
        length = int(self.info.frames[video])
        levels = (17 * list(self.info.index).index(video) + np.arange(length)) % 256
        every = np.broadcast_to(levels[:, None, None, None], (length, SIZE, SIZE, 3)).astype(np.uint8)
        return every if indices is None else every[np.asarray(indices)]


@dataclass
class Runs:
    """A study, its pools, and the folder that holds the files of its runs and of its reference rows."""

    study: Study
    pools: dict[str, InventedPool]
    folder: Path

    def paths(self, pattern: str) -> list[Path]:
        """One path per run, in the study's order."""
        return [self.folder / pattern.format(run=f"{row}-{seed}") for row in ROWS for seed in SEEDS]

    @property
    def current(self) -> dict[str, str]:
        """The digest that each row's training should have, and has."""
        return dict.fromkeys(ROWS, TRAINED["digest"])

    def measured(self, pattern: str) -> list[Path]:
        """One path per run and reference row, in the study's order."""
        return [*self.paths(pattern), *(self.folder / pattern.format(run=name) for name in REFERENCES)]

    @property
    def inputs(self) -> dict[str, list[Path]]:
        """What the stage ``tables`` is given."""
        return {
            "measures": self.measured("measures/{run}"),
            "judged": [*self.measured("judge/{run}.csv"), *self.measured("second/{run}.csv")],
            "probes": self.paths("probes/{run}.csv"),
            "realism": self.measured("realism/{run}.safetensors"),
            "rollouts": [self.folder / "rollout" / f"{row}-{SEEDS[0]}" for row in ROWS],
            "references": [self.folder / "reference" / name / "record.json" for name in REFERENCES],
            "records": sorted(self.folder.glob("records/*.json")),
        }

    def cases(self, branch: str) -> pd.DataFrame:
        return choose_cases(self.study, branch, self.pools[BRANCHES[branch].split("reported")].info)


@pytest.fixture
def made_runs(written_runs, tmp_path) -> Runs:
    """Runs whose files and pools a test may damage."""
    shutil.copytree(written_runs.folder, tmp_path, dirs_exist_ok=True)
    return Runs(written_runs.study, deepcopy(written_runs.pools), tmp_path)


@pytest.fixture(scope="session")
def written_runs(tmp_path_factory) -> Runs:
    folder = tmp_path_factory.mktemp("runs")
    study = tiny_study(
        rows=list(ROWS),
        train_seeds=list(SEEDS),
        segment={"frames": T},
        evaluate={"references": list(REFERENCES), "judge": "embedded", "judges": ["second"]},
        judges={"second": {"kind": "embedded"}},
    )
    made = Runs(study, {split: InventedPool(split) for split in SPLITS if split != "train"}, folder)
    for row in ROWS:
        for seed in SEEDS:
            _write_run(made, row, seed, "rollout", f"{row}-{seed}")
    for name in REFERENCES:
        _write_run(made, name, UNTRAINED, "reference", name)
    for number, (stage, row) in enumerate([("pool", None), ("train", ROWS[1]), ("train", ROWS[0]), ("pool", None)]):
        record = {"stage": stage, "row": row, "seconds": float(number), "peak_mb": 10.0}
        if stage == "train":
            record |= TRAINED | {"config": study.model_dump(mode="json")}
        path = folder / "records" / f"{number}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(record))
    return made


def _write_run(made: Runs, row: str, seed: int, kind: str, run: str) -> None:
    draw = generator(seed, row)
    owner = {"row_name": row, "train_seed": seed}
    frames, cases, judged, probes, distances, names = [], [], [], [], {}, {}
    rollout = made.folder / kind / run
    rollout.mkdir(parents=True)
    for branch in made.study.evaluate.branches:
        total, chosen = BRANCHES[branch].segments * T, made.cases(branch)
        start = total - T if BRANCHES[branch].recall else 0
        index = np.arange(start + 1, total + 1)
        for case, about in chosen.iterrows():
            keys = {**owner, "branch": branch, "split": about.split, "scene": about.room, "anchor": about.anchor,
                    "case": case}  # fmt: skip
            cases.append({**keys, **_numbers(draw), "seen_given": 0.5, "seen_past": 0.75, "psnr_seen": 20.0})
            cases[-1] |= {"sharpness": draw.uniform()}
            if departs(branch):
                cases[-1] |= {"departure": 40.0, "departure_share": 0.9, "departed": 1.0}
            if BRANCHES[branch].ends_at_first:
                cases[-1] |= {f"first_{name}": value for name, value in _numbers(draw).items()}
            frames += [{**keys, "segment": (f - 1) // T + 1, "frame": f, **_numbers(draw)} for f in index]
            if BRANCHES[branch].returns:
                scores = dict.fromkeys(("appearance", "presence", "view", "scene_score"), 2.0)
                judged.append({**owner, "branch": branch, "case": case, **scores, "judge": draw.uniform(0, 100)})
        names[branch] = list(chosen.index)
        distances[branch] = _distances(draw, sorted(set(chosen.room)))
        pictures = draw.integers(0, 256, (len(chosen), len(index), SIZE, SIZE, 3)).astype(np.uint8)
        Rollout(pictures, index, list(chosen.index)).save(rollout / f"{branch}.safetensors")
    for case in made.cases("recall").index[: made.study.evaluate.probe_cases if kind == "rollout" else 0]:
        lost = {"change": 3.0, "psnr_drop": 1.0, "seen_drop": 1.0, "lpips_rise": 0.1, "judge_drop": 5.0, "toward": 1.0}
        probes += [{**owner, "probe": probe, "case": case, **lost} for probe in PROBES]
    distances["all"] = _distances(draw, sorted({r for one in distances.values() for r in one.rooms}))
    save_distances(made.folder / "realism" / f"{run}.safetensors", distances, **owner, cases=names)
    numbers = None if row == "codec_ceiling" else 10
    counts = {"state_numbers": numbers, "parameters": 100, "memory_parameters": 5, "frames_read": 4}
    kept = {branch: [kept_at(segment) for segment in range(1, BRANCHES[branch].segments + 1)]
            for branch in made.study.evaluate.branches}  # fmt: skip
    record = {"row": row, "train_seed": seed, "counts": counts, "kept": kept}
    (rollout / "record.json").write_text(json.dumps(record))
    second = [{**line, "view": None, "judge": None} if number == 1 else {**line, "judge": line["judge"] / 2}
              for number, line in enumerate(judged)]  # fmt: skip
    report = {"judge": {"asked": 12, "missing": {"no answer: empty": 1, "no reply: timeout": 2}}}
    for name, lines, said in (("judge", judged, {}), ("second", second, report), ("probes", probes, {})):
        (made.folder / name).mkdir(exist_ok=True)
        path = made.folder / name / f"{run}.csv"
        pd.DataFrame(lines).to_csv(path, index=False)
        write_json(record_of(path), {**hashes(path), **said})
    measures = made.folder / "measures" / run
    measures.mkdir(parents=True)
    pd.DataFrame(cases).to_csv(measures / "cases.csv", index=False)
    pd.DataFrame(frames).to_parquet(measures / "frames.parquet", index=False)
    write_json(measures / "record.json", hashes(measures / "cases.csv", measures / "frames.parquet"))


def _distances(draw: np.random.Generator, rooms: list[str]) -> Distances:
    true, rooms = draw.normal(0, 1, (4 * len(rooms), 5)), [room for room in rooms for _ in range(4)]
    return Distances.of(true + draw.normal(0.5, 0.3, true.shape), true, rooms)


def kept_at(segment: int) -> dict[str, int]:
    """An invented count of what is kept at a segment."""
    return {"segment": segment, "numbers": 10 * segment, "bytes": 44 * segment, "state_numbers": 10, "state_bytes": 40}


def _numbers(draw: np.random.Generator) -> dict[str, float]:
    return {"psnr": draw.uniform(10, 30), "ssim": draw.uniform(), "lpips": draw.uniform()}


@pytest.fixture(scope="session")
def built(tmp_path_factory) -> Path:
    """All tables of invented numbers: all rows, two training seeds, eight cases per branch, three judges."""
    judges = ("embedded", "second", "third")
    folder = write_tables(tmp_path_factory.mktemp("tables"), train_seeds=(0, 1), cases=8, judges=judges)
    build_tables(folder, resamples=100)
    return folder


def told_study(tables: Path, folder: Path, name: str, policy: str) -> Path:
    """A copy of what findings read of a tables folder, as of a study of that name and evidence policy."""
    folder.mkdir(parents=True)
    for file in (*FINDINGS_READ, "cases.csv.xz"):
        if (tables / file).is_file():
            shutil.copy(tables / file, folder / file)
    (folder / "record.json").write_text(json.dumps({"config": {"study": name, "evidence": {"policy": policy}}}))
    return folder


@pytest.fixture(scope="session")
def told(built, tmp_path_factory) -> Path:
    """What findings read of the invented tables, with every contrast that a finding names."""
    folder = told_study(built, tmp_path_factory.mktemp("told") / "tables", "invented", "streaming")
    cases = pd.read_csv(folder / "cases.csv.xz", dtype={"case": str})
    named = [*(claim for finding in FINDINGS for claim in finding.claims), NULL]
    contrasts(cases, named, 100, 0).to_csv(folder / "contrasts.csv", index=False)
    return folder


def departures(cases: pd.DataFrame) -> dict[str, pd.Series]:
    """Invented: ``copy_best`` never leaves, ``spatial`` on two cases of three, all others always; replays need not."""
    leaves = cases["branch"].map(departs)
    number = cases.groupby("branch")["case"].transform(lambda names: pd.factorize(names)[0])
    share = (0.8 + number / 100).where(number % 3 > 0, 0.4)
    share = share.where(cases["row_name"] == "spatial", 1.0).where(cases["row_name"] != "copy_best", 0.01)
    return {"departure": (45 * share).where(leaves), "departure_share": share.where(leaves),
            "departed": (share >= DEPARTED).astype(float).where(leaves)}  # fmt: skip


@pytest.fixture(scope="session")
def beside(tmp_path_factory) -> Path:
    """All tables of invented numbers of three rows, two training seeds, and three reference rows."""
    references = ("codec_ceiling", "copy_best", "ridge")
    folder = tmp_path_factory.mktemp("beside")
    write_tables(folder, ("i2v", "context_k5", "spatial"), train_seeds=(0, 1), cases=8, references=references)
    cases = pd.read_csv(folder / "cases.csv.xz")
    share = cases["case"].map(lambda case: generator(0, "share", case).uniform(0.2, 0.9))
    cases = cases.assign(seen_given=share, seen_past=(1 + share) / 2, psnr_seen=cases["psnr"] + 1,
                         psnr_unseen=(cases["psnr"] - 3).where(share < 0.7))  # fmt: skip
    cases = cases.assign(**departures(cases))
    cases.to_csv(folder / "cases.csv.xz", index=False)
    build_tables(folder, resamples=100)
    return folder
