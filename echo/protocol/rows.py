"""One row of a result: what was measured of a model's, or a reference's, answers to all cases of a set."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from echo.io.files import digest, write_json
from echo.io.seeding import generator
from echo.judge.base import Judge
from echo.measures.realism import Distances
from echo.protocol.errors import ProtocolError
from echo.protocol.files import Frames
from echo.protocol.manifest import CaseSet, Entry
from echo.protocol.measure import TRUE_ANGLE, Meter, judged
from echo.protocol.references import COPIES, SEES, TRUE, copied
from echo.protocol.truth import TrueCases, entries_of
from echo.study.references import label as label_of
from echo.tables.gate import gated, with_gated
from echo.tables.resampling import limits, room_weights
from echo.tables.statistics import interval
from echo.world.untrusted import read_json

RESAMPLES = 2000
DISTANCE = "realism"  # the kernel distance of a branch's frames to the true ones
JUDGED = "judge:{}"  # column of a judge's points
CELLS = (
    "psnr", "ssim", "lpips", "psnr_seen", "psnr_unseen", "ssim_seen", "ssim_unseen", "lpips_seen", "lpips_unseen",
    "seen_given", "first_psnr", "first_lpips", "departure", "departure_share", "departed", "sharpness",
)  # fmt: skip
GATED = ("psnr", "lpips", "first_psnr", "first_lpips")  # that are also given over the cases that departed
Source = Callable[[Entry], Frames]


def measure_row(meter: Meter, source: Source, judges: Mapping[str, Judge], what: str) -> dict[str, Any]:
    """Values of every case, PSNR by segment, and realism by branch; JSON-able. what: of whom, for the progress bar."""
    made = meter.cases.set
    cases, segments, features = {}, {}, {}
    for entry in tqdm(made.cases, desc=what, mininterval=5):
        frames = source(entry)
        found = meter.measure(entry, frames)
        points = {JUDGED.format(name): judged(meter.cases, entry, frames, judge) for name, judge in judges.items()}
        cases[entry.name] = found.values | points
        segments[entry.name] = found.segments
        features[entry.name] = (found.features, found.true_features)
    return {"cases": cases, "segments": segments, DISTANCE: _realism(made, features)}


def _realism(made: CaseSet, features: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> dict[str, Any]:
    """Kernel distance of each branch, with its interval over rooms."""
    found = {}
    for branch in made.branches:
        entries = entries_of(made, branch)
        parts = [features[entry.name] for entry in entries]
        generated, true = (np.concatenate(part) for part in zip(*parts, strict=True))
        rooms = [entry.room for entry, part in zip(entries, parts, strict=True) for _ in part[0]]
        distances = Distances.of(generated, true, rooms)
        low = high = math.nan
        if len(distances.rooms) > 2:
            draw = generator(0, "protocol", DISTANCE, branch)
            drawn = distances.distance(room_weights(len(distances.rooms), RESAMPLES, draw))
            low, high = limits(drawn[np.isfinite(drawn)])
        found[branch] = {"mean": float(distances.distance()[0]), "low": low, "high": high, "cases": len(entries)}
    return found


def summarised(made: CaseSet, row: Mapping[str, Any], judges: list[str]) -> dict[str, dict[str, Any]]:
    """The cells of each branch: mean, low, high and how many cases, by measure; and ``drift``, one for each segment."""
    table = pd.DataFrame.from_dict(row["cases"], orient="index").rename_axis("case").reset_index()
    table.insert(0, "row_name", "row")
    table["branch"] = [made.entry(name).branch for name in table["case"]]
    table["room"] = [made.entry(name).room for name in table["case"]]
    table, columns = with_gated(table), [*CELLS, *map(gated, GATED)]
    for name in judges:
        points = JUDGED.format(name)
        table[gated(points)] = with_gated(table.assign(judge=table[points]))[gated("judge")]
        columns += [points, gated(points)]
    found = {}
    for branch, part in table.groupby("branch", sort=False):
        cells = {name: _cell(part[name], part["room"], str(branch), name) for name in columns}
        drift = pd.DataFrame([row["segments"][name] for name in part["case"]])
        segments = [_cell(drift[place], part["room"], str(branch), f"segment {place}") for place in drift]
        found[str(branch)] = cells | {DISTANCE: row[DISTANCE][branch], "drift": segments}
    return found


def _cell(values: pd.Series, rooms: pd.Series, branch: str, name: str) -> dict[str, float | int]:
    """Rooms are drawn alike for all rows, so that what one gains over another is not the luck of a draw."""
    numbers = values.to_numpy(dtype=np.float64)
    mean, low, high = interval(numbers, rooms.to_numpy(), RESAMPLES, generator(0, "protocol", branch, name))
    return {"mean": float(mean), "low": float(low), "high": float(high), "cases": int(np.isfinite(numbers).sum())}


def departure_error(row: Mapping[str, Any], made: CaseSet) -> dict[str, dict[str, float]]:
    """How far off the estimated departure of the true frames is, in degrees: median and 90th percentile by branch."""
    found = {}
    for branch in made.branches:
        values = [row["cases"][entry.name] for entry in entries_of(made, branch)]
        errors = np.array([abs(one["departure"] - one[TRUE_ANGLE]) for one in values], dtype=np.float64)
        known = errors[np.isfinite(errors)]
        if len(known):
            median, high = (float(np.quantile(known, share)) for share in (0.5, 0.9))
            found[branch] = {"median": median, "p90": high, "cases": len(known)}
    return found


def reference_sources(cases: TrueCases) -> dict[str, tuple[str, Source]]:
    """Label and frames of the truth and of each reference row that this set has; see ``echo.protocol.references``."""
    found: dict[str, tuple[str, Source]] = {
        TRUE: ("the true frames", lambda entry: cases.frames(entry.name, range(entry.given, entry.frames)))
    }
    for name in COPIES:
        found[name] = (label_of(name), lambda entry, name=name: copied(name, cases.of(entry.name)))
    for name in SEES:
        if all(cases.drawn(entry.name, name) is not None for entry in cases.set.cases[:1]):
            found[name] = (label_of(name), lambda entry, name=name: _there(cases.drawn(entry.name, name), entry.name))
    return found


def _there(frames: Frames | None, name: str) -> Frames:
    if frames is None:
        raise ProtocolError(f"{name}: what a reference row drew is missing in the truth; export the cases again")
    return frames


def kept_row(meter: Meter, name: str, source: Source, judges: Mapping[str, Judge], code: str) -> dict[str, Any]:
    """A reference row, measured once and kept beside the truth under what it depends on."""
    made = meter.cases.set
    key = digest([made.definition, made.pixels, code, sorted(judges), name])
    path = meter.cases.truth / "scores" / f"{name}-{key}.json"
    if path.is_file():
        return plain(read_json(path, "scores of a reference row"), math.nan)
    row = measure_row(meter, source, judges, name)
    write_json(path, plain(row, None))
    return row


def plain(value: Any, missing: float | None) -> Any:
    """A JSON-able value with NaN as None, or None as NaN again (``missing``); numpy's numbers become Python's."""
    if isinstance(value, dict):
        return {str(key): plain(one, missing) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one, missing) for one in value]
    if value is None or (isinstance(value, float | np.floating) and not math.isfinite(value)):
        return missing
    return value.item() if isinstance(value, np.generic) else value
