"""Probed frames are kept and found again, and refused where they are others'."""

import numpy as np
import pytest

from echo.io.tensors import TensorFileError
from echo.measures.probed import Probed, ProbeFileError, SceneError, other_scene
from echo.measures.verdict import PROBES


def invented(cases=("x", "y")):
    draw = np.random.default_rng(0)
    return Probed({name: draw.integers(0, 256, (len(cases), 2, 4, 4, 3), np.uint8) for name in ("intact", *PROBES)},
                  list(cases))  # fmt: skip


def test_changes_are_mean_absolute_differences():
    probed = invented()
    for probe in PROBES:
        for i in range(2):
            pairs = zip(
                probed.frames["intact"][i].ravel().tolist(), probed.frames[probe][i].ravel().tolist(), strict=True
            )
            assert probed.changes[probe][i] == pytest.approx(np.mean([abs(a - b) for a, b in pairs]))


def test_what_is_kept_is_found_again(tmp_path):
    probed = invented()
    probed.save(tmp_path / "probes.safetensors")
    found = Probed.load(tmp_path / "probes.safetensors", ["x", "y"])
    assert found.cases == probed.cases
    for name, frames in probed.frames.items():
        np.testing.assert_array_equal(found.frames[name], frames)


def test_other_cases_other_probes_and_damage_are_refused(tmp_path):
    path = tmp_path / "probes.safetensors"
    invented().save(path)
    with pytest.raises(ProbeFileError, match="not the probes of the study's 2 cases; .*probes.safetensors"):
        Probed.load(path, ["y", "x"])
    part = invented()
    Probed({name: part.frames[name] for name in ("intact", "swap")}, part.cases).save(path)
    with pytest.raises(ProbeFileError):
        Probed.load(path, ["x", "y"])
    invented().save(path)
    path.write_bytes(path.read_bytes()[:-1] + b"\x00")
    with pytest.raises(TensorFileError):
        Probed.load(path, ["x", "y"])


def test_swap_takes_another_scene():
    assert other_scene(["a", "a", "b", "b"]) == [2, 2, 0, 0]
    with pytest.raises(SceneError, match="at least two scenes, all 2 are of 'a'"):
        other_scene(["a", "a"])
