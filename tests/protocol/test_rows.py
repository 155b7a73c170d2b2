"""Rows of a result: cells with intervals, the departure's error, reference rows kept beside the truth."""

from __future__ import annotations

import json
import math

import numpy as np

from echo.protocol import rows
from echo.protocol.rows import departure_error, kept_row, plain, reference_sources, summarised


def invented(made, value):
    """A row whose measures are all of one value, apart from the departure."""
    own = dict.fromkeys([*rows.CELLS, "first_ssim"], 1.0) | {"departure": 40.0, "departed": 1.0, "true_angle": 45.0}
    cases = {entry.name: {**own, "psnr": value + place} for place, entry in enumerate(made.cases)}
    realism = dict.fromkeys(made.branches, {"mean": 0.1, "low": 0.0, "high": 0.2, "cases": 2})
    return {"cases": cases, "segments": {entry.name: [10.0, 8.0] for entry in made.cases}, "realism": realism}


def test_cells_are_means_with_intervals_over_rooms(cases):
    made = cases.set
    row = invented(made, 20.0)
    found = summarised(made, row, [])
    assert found["return_45"]["psnr"]["mean"] == 21 and found["revisit_near"]["psnr"]["mean"] == 22
    assert found["return_45"]["psnr"]["low"] <= 21 <= found["return_45"]["psnr"]["high"]
    assert found["return_45"]["gated_psnr"]["mean"] == 21 and found["return_45"]["gated_psnr"]["cases"] == 2
    assert [one["mean"] for one in found["return_45"]["drift"]] == [10, 8]
    row["cases"]["return_45_000"]["departed"] = row["cases"]["return_45_001"]["departed"] = 0.0
    assert math.isnan(summarised(made, row, [])["return_45"]["gated_psnr"]["mean"])
    assert departure_error(row, made)["return_45"] == {"median": 5.0, "p90": 5.0, "cases": 2}


def test_reference_rows_are_measured_once(cases, meter, monkeypatch):
    sources = reference_sources(cases)
    assert list(sources) == ["truth", "copy_first", "copy_best", "mean_colour", "reprojection"]
    assert sources["copy_first"][0] == "copy of the first frame"
    asked = []
    monkeypatch.setattr(rows, "measure_row", lambda meter, source, judges, what: asked.append(what) or {"a": math.nan})
    for code in ("one", "one", "two"):
        assert math.isnan(kept_row(meter, "mine", sources["truth"][1], {}, code)["a"])
    assert asked == ["mine", "mine"]


def test_numbers_become_plain():
    held = plain({"a": np.float64("nan"), "b": [np.int64(3), (np.float32(0.5),)]}, None)
    assert json.dumps(held) == '{"a": null, "b": [3, [0.5]]}'
    assert math.isnan(plain(held, math.nan)["a"])
