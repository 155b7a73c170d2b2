"""A complete ``results/<study>/tables`` folder of invented numbers in the results contract, for tests only.

The numbers have the shape of a real study (better memories return better, later frames drift further, inert rows do
not move), so that tables and figures made of them look like real ones; no number in it was measured.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from echo.io.pictures import save_pictures
from echo.io.seeding import generator
from echo.study.profile import parse_row
from echo.study.words import UNTRAINED

ROWS_FILE = Path(__file__).parent.parent / "config" / "rows.yaml"
ENTRIES = yaml.safe_load(ROWS_FILE.read_text())
DEFAULT = yaml.safe_load(ROWS_FILE.with_name("config.yaml").read_text())
ROWS = (*DEFAULT["rows"], "ssm_blockwise_v1")  # of the default study, and the diagnostic one, which the paper lists too
INERT = {name for name, entry in ENTRIES.items() if not parse_row(name, entry).remembers}


def _frames_kept(row: str) -> float:
    """Invented, 1 to 20: what a row keeps, in frames. Where its entry says nothing of frames, a number of its name."""
    entry = ENTRIES[row]
    drawn = generator(0, "frames kept", row).uniform(2, 12)
    return min(entry.get("frames", drawn), 20) / entry.get("ratio", 1)


# Invented: how much of the past each row brings back, 0 to 1.
STRENGTH = {row: 0.0 if row in INERT else 0.3 + 0.035 * _frames_kept(row) for row in ENTRIES}
REFERENCES = {  # invented: what each reference row, which needs no training, would reach
    "codec_ceiling": 1.6, "copy_best": 0.8, "copy_first": 0.4, "mean_colour": 0.1, "reprojection": 1.2, "ridge": 0.9,
}  # fmt: skip
BRANCH_GAIN = {"replay": 2.0, "loop": 5.0, "return_45": 6.0, "return_strict": 5.0, "recall": 10.0}
IDENTITIES = ("duck", "cone", "barrel", "potion", "medkit", "keycard", "chair", "door")
SEGMENTS = 3
ROLLED_OUT = 3  # cases of the rollouts' pictures
PAPER_ROWS = {  # the paper's tables, typed in again by hand from their titles
    1: "i2v context_k5 context_k20 compress_weight spatial ssm_hybrid ssm_blockwise",
    5: "spatial spatial_inject_none spatial_concat_text spatial_cross_attn",
    6: "compress_weight compress_length_r2 compress_length_r4 compress_hybrid_r2 compress_hybrid_r4",
    7: "ssm_hybrid ssm_blockwise ssm_blockwise_v1",
    8: "i2v context_k5 context_k20",
}


def write_tables(
    folder: Path,
    rows: tuple[str, ...] = ROWS,
    train_seeds: tuple[int, ...] = (0,),
    cases: int = 16,
    size: int = 32,
    frames_per_segment: int = 8,
    seed: int = 0,
    references: tuple[str, ...] = (),
    judges: tuple[str, ...] = ("embedded",),
) -> Path:
    """Write the gathered files and samples/; returns ``folder``. judges: the first one's scores are those of cases."""
    folder.mkdir(parents=True, exist_ok=True)
    about = pd.concat([_rows(rows), _reference_rows(references)], ignore_index=True)
    counts = ["kept_numbers", "parameters", "memory_parameters", "frames_read"]
    about.astype(dict.fromkeys(counts, "Int64")).to_csv(folder / "rows.csv", index=False)
    _kept(rows).to_csv(folder / "kept.csv", index=False)
    _timings(rows, seed).to_csv(folder / "timings.csv", index=False)
    runs = [(row, STRENGTH[row], train_seed) for row in rows for train_seed in train_seeds]
    runs += [(name, REFERENCES[name], UNTRAINED) for name in references]
    table = _cases(runs, cases, seed)
    table.to_csv(folder / "cases.csv.xz", index=False)
    judgements(table, judges, seed).to_csv(folder / "judgements.csv.xz", index=False)
    missing = [(judges[-1], rows[0], train_seeds[0], "no answer: not JSON", 2)] if len(judges) > 1 else []
    columns = ["judge_name", "row_name", "train_seed", "reason", "answers"]
    pd.DataFrame(missing, columns=columns).to_csv(folder / "missing_answers.csv", index=False)
    _frames(runs, cases, frames_per_segment, seed).to_parquet(folder / "frames.parquet", index=False)
    _realism(runs, seed).to_csv(folder / "realism.csv", index=False)
    _probes(rows, train_seeds, cases, seed).to_csv(folder / "probes.csv.xz", index=False)
    _audit(rows, train_seeds).to_csv(folder / "audit.csv", index=False)
    _constants(rows).to_csv(folder / "constants.csv", index=False)
    _samples(folder / "samples", rows, size, frames_per_segment, seed)
    return folder


def _rows(rows) -> pd.DataFrame:
    lines = []
    for row in rows:
        entry = ENTRIES[row]
        lines.append(
            {
                "row_name": row,
                "family": entry["family"],
                "label": entry["label"],
                "remembers": row not in INERT,
                "kept_numbers": 0 if row in INERT else round(1024 * _frames_kept(row)) + 128 * len(lines),
                "parameters": 1_900_000 + 10_000 * len(lines),
                "memory_parameters": 10_000 * len(lines),
                "frames_read": entry.get("frames", 20),
            }
        )
    return pd.DataFrame(lines)


def _kept(rows) -> pd.DataFrame:
    """Of a stream: what a row keeps of frames fills up, other states are of one size from the first segment."""
    lines = []
    for row in rows:
        frames = ENTRIES[row].get("frames")
        for segment in range(1, 18):
            held = min(frames, 1 + 8 * (segment - 1)) / frames if frames else 1
            numbers = 0 if row in INERT else round(1024 * _frames_kept(row) * held)
            lines.append((row, "streaming", segment, numbers, 4 * numbers, numbers, 4 * numbers))
    columns = "row_name policy segment numbers bytes state_numbers state_bytes".split()
    return pd.DataFrame(lines, columns=columns)


def _reference_rows(references) -> pd.DataFrame:
    lines = [
        {"row_name": name, "family": "reference", "label": f"invented {name.replace('_', ' ')}", "remembers": False,
         "kept_numbers": None if name == "codec_ceiling" else 500 * (1 + i), "parameters": 0, "memory_parameters": 0,
         "frames_read": None}
        for i, name in enumerate(references)
    ]  # fmt: skip
    return pd.DataFrame(lines)


def _timings(rows, seed) -> pd.DataFrame:
    draw = generator(seed, "timings")
    lines = [{"stage": "pool", "row_name": "", "seconds": 95.0, "peak_mb": 800.0}]
    for row in rows:
        lines.append({"stage": "train", "row_name": row, "seconds": 70 + 90 * STRENGTH[row] + draw.uniform(0, 20),
                      "peak_mb": 1500 + 900 * STRENGTH[row]})  # fmt: skip
        lines.append({"stage": "rollout", "row_name": row, "seconds": 30 + 25 * STRENGTH[row], "peak_mb": 900.0})
    return pd.DataFrame(lines)


def _scene_of(branch: str, case: int) -> tuple[str, str, str, str]:
    """Split, scene, anchor and case name of a branch's case number."""
    if branch in ("replay", "loop"):
        return "in_domain", f"in_{case:03d}", "", f"in_{case:03d}__{branch}"
    room, anchor = divmod(case, 4)
    trajectory = "return_45" if branch == "return_45" else "return_strict"
    name = f"open_{room:02d}"
    return "open_domain", name, IDENTITIES[anchor], f"{name}_{IDENTITIES[anchor]}__{trajectory}"


def _cases(runs, cases, seed) -> pd.DataFrame:
    lines = []
    for branch, gain in BRANCH_GAIN.items():
        for case in range(cases):
            split, scene, anchor, name = _scene_of(branch, case)
            level = 14 + generator(seed, "scene", scene).normal(0, 1.0)  # what is hard is hard for every row
            for row, strength, train_seed in runs:
                draw = generator(seed, "case", branch, name, row, train_seed)
                psnr = level + gain * strength + draw.normal(0, 0.7)
                unit = float(np.clip((psnr - 10) / 20, 0, 1))
                line = {"row_name": row, "train_seed": train_seed, "branch": branch, "split": split, "scene": scene,
                        "anchor": anchor, "case": name, "psnr": psnr, "ssim": 0.2 + 0.6 * unit,
                        "lpips": 0.7 - 0.5 * unit, "sharpness": 0.4 + 0.5 * unit}  # fmt: skip
                if split == "open_domain":
                    line |= {"first_psnr": psnr - 0.3, "first_ssim": 0.19 + 0.6 * unit,
                             "first_lpips": 0.71 - 0.5 * unit, "appearance": 5 * unit, "presence": 4.5 * unit,
                             "view": 4 * unit, "scene_score": 3.5 * unit}  # fmt: skip
                    line["judge"] = 20 * (0.45 * line["appearance"] + 0.25 * line["presence"]
                                          + 0.20 * line["view"] + 0.10 * line["scene_score"])  # fmt: skip
                lines.append(line)
    return pd.DataFrame(lines)


def judgements(cases: pd.DataFrame, judges: tuple[str, ...], seed: int) -> pd.DataFrame:
    """What each judge says of the cases that return: the first as they have it, each further one less exactly."""
    returns = cases[cases["judge"].notna()].rename(columns={"judge": "score"})
    parts = []
    for number, judge in enumerate(judges):
        own = returns.assign(judge_name=judge)
        draw = generator(seed, "judge", number)
        for name, weight in {"appearance": 9.0, "presence": 5.0, "view": 4.0, "scene_score": 2.0}.items():
            own[name] = (own[name] + 0.6 * number * draw.normal(size=len(own))).clip(0, 5)
            own["score"] = (0 if name == "appearance" else own["score"]) + weight * own[name]
        parts.append(own)
    scores = ["appearance", "presence", "view", "scene_score", "score"]
    keys = ["row_name", "train_seed", "branch", "case", "scene", "judge_name"]
    return pd.concat(parts, ignore_index=True)[[*keys, *scores]]


def _frames(runs, cases, frames_per_segment, seed) -> pd.DataFrame:
    lines = []
    for branch in ("replay", "return_strict"):
        for case in range(cases):
            split, scene, anchor, name = _scene_of(branch, case)
            for row, strength, train_seed in runs:
                draw = generator(seed, "frame", branch, name, row, train_seed)
                for frame in range(1, SEGMENTS * frames_per_segment + 1):
                    psnr = 24 - (1.6 - strength) * 2.4 * np.sqrt(frame) + draw.normal(0, 0.8)
                    lines.append((row, train_seed, branch, split, scene, anchor, name,
                                  1 + (frame - 1) // frames_per_segment, frame, psnr, psnr / 40,
                                  1 - psnr / 30))  # fmt: skip
    columns = "row_name train_seed branch split scene anchor case segment frame psnr ssim lpips".split()
    return pd.DataFrame(lines, columns=columns)


def _audit(rows, train_seeds) -> pd.DataFrame:
    lines = []
    for aspect in ("memory", "initial weights", "learning rates"):
        own = aspect == "memory"
        for train_seed in train_seeds:
            lines += [
                (row, train_seed, aspect, row if own else "the same", own, own and row != rows[0]) for row in rows
            ]
    return pd.DataFrame(lines, columns=["row_name", "train_seed", "aspect", "value", "may_differ", "differs"])


def _constants(rows) -> pd.DataFrame:
    lines = [(row, "train.timestep_shift", "3") for row in rows]
    lines += [
        (row, key, str(value)) for row in rows for key, value in ENTRIES[row].items() if key in ("frames", "ratio")
    ]
    return pd.DataFrame(lines, columns=["row_name", "constant", "value"])


def _realism(runs, seed) -> pd.DataFrame:
    seeds = pd.Series([train_seed for _, _, train_seed in runs]).nunique()
    lines = []
    for row, strength in dict((row, strength) for row, strength, _ in runs).items():
        for branch, gain in {**BRANCH_GAIN, "all": 5.0}.items():
            value = 2.0 - 0.1 * gain * strength + generator(seed, "realism", row, branch).normal(0, 0.05)
            lines.append((row, branch, "kernel distance", value, value - 0.2, value + 0.2, 0.08, 32, 16, seeds))
    columns = ["row_name", "branch", "kind", "value", "low", "high", "floor", "frames", "scenes", "train_seeds"]
    return pd.DataFrame(lines, columns=columns)


LOSES = {"erase": 22.0, "swap": 16.0, "shuffle": 2.0, "keep_seen": 1.0, "keep_unseen": 20.0}  # invented, for strength 1


def _probes(rows, train_seeds, cases, seed) -> pd.DataFrame:
    lines = []
    for probe, gain in LOSES.items():
        for case in range(cases):
            name = _scene_of("recall", case)[3]
            for row in rows:
                for train_seed in train_seeds:
                    noise = generator(seed, "probe", probe, name, row, train_seed).uniform(0.7, 1.3)
                    change = 0.0 if row in INERT else gain * STRENGTH[row] * noise
                    swapped = (change / 2, change / 4) if probe == "swap" else (None, None)
                    lines.append((row, train_seed, probe, name, change, change / 3, change / 3, change / 200, *swapped))
    columns = "row_name train_seed probe case change psnr_drop seen_drop lpips_rise judge_drop toward".split()
    return pd.DataFrame(lines, columns=columns)


def room_view(seed: int, turn: float, size: int) -> np.ndarray:
    """A picture (size, size, 3) uint8 of an invented room seen at ``turn`` (0 = the first view, 1 = far away)."""
    draw = generator(seed, "room")
    y, x = np.mgrid[0:size, 0:size] / size
    x = x + turn
    picture = np.empty((size, size, 3))
    picture[:] = draw.uniform(90, 200, 3)
    picture += 25 * np.sin(2 * np.pi * 3 * x)[..., None]
    picture[y > 0.72] = draw.uniform(60, 140, 3)
    for _ in range(5):
        left, top, width, height = draw.uniform((0, 0.1, 0.1, 0.15), (1.8, 0.7, 0.35, 0.4))
        picture[(x > left) & (x < left + width) & (y > top) & (y < top + height)] = draw.uniform(20, 240, 3)
    picture[(x - 0.55) ** 2 + (y - 0.62) ** 2 < 0.025] = draw.uniform(0, 255, 3)
    return np.clip(picture, 0, 255).astype(np.uint8)


def _samples(folder: Path, rows, size, frames_per_segment, seed) -> None:
    folder.mkdir(exist_ok=True)
    last = SEGMENTS * frames_per_segment
    for branch in ("replay", "return_45", "return_strict", "recall"):
        replay = branch == "replay"
        indices = np.linspace(0, last, 9).round().astype(int) if replay else np.array([0, last // 2, last])
        numbers = (0,) if replay else (0, 3, 5, 7)
        turns = indices / last if replay else np.sin(np.pi * indices / last)
        truth = np.stack([[room_view(seed + n, float(t), size) for t in turns] for n in numbers])
        images = np.empty((len(rows), *truth.shape), np.uint8)
        for position, row in enumerate(rows):
            noise = generator(seed, "sample", branch, row).normal(0, 1, truth.shape)
            lost = (1 - STRENGTH[row]) * (indices / last)[None, :, None, None, None]
            blurred = truth.mean(axis=(2, 3), keepdims=True)
            images[position] = np.clip((1 - 0.7 * lost) * truth + 0.7 * lost * blurred + 25 * lost * noise, 0, 255)
        names = [_scene_of(branch, n)[3] for n in numbers]
        save_pictures(
            folder / f"{branch}.npz", rows=np.array(rows), cases=np.array(names), frames=indices, images=images,
            truth=truth,
        )  # fmt: skip
    strips = np.stack([[room_view(seed + 50 + n, 0.05 * k, size) for k in range(8)] for n in range(4)])
    save_pictures(folder / "pool.npz", images=strips, labels=np.array([f"open_{n:02d}" for n in range(4)]),
                  columns=np.array(IDENTITIES))  # fmt: skip
    branches = ("replay", "loop", "return_45", "return_strict", "recall")
    moments = np.linspace(0.2, 1, 4)
    truth = np.stack([[[room_view(seed + 10 * b + n, float(t), size) for t in moments] for n in range(ROLLED_OUT)]
                      for b in range(len(branches))])  # fmt: skip
    noise = generator(seed, "rollouts").normal(0, 20, (2, *truth.shape))
    save_pictures(
        folder / "rollouts.npz", 90, rows=np.array([rows[0], rows[-1]]), branches=np.array(branches),
        cases=np.array([[_scene_of(branch, n)[3] for n in range(ROLLED_OUT)] for branch in branches]),
        frames=np.tile((moments * last).astype(int), (len(branches), 1)),
        images=np.clip(truth + noise, 0, 255).astype(np.uint8), truth=truth,
    )  # fmt: skip
