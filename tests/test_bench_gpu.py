"""The GPU's benchmark, as far as a machine without one can run it."""

from __future__ import annotations

import json
import sys

import pytest
import torch

from bench import gpu
from echo.measures.cost.gpus import GPUS
from tests.conftest import ROOT


@pytest.fixture
def run(monkeypatch, capsys):
    """The command with its arguments, to its exit code and what it printed on either stream."""

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.chdir(ROOT)
        monkeypatch.setattr(sys, "argv", ["gpu", *arguments])
        code = gpu.main()
        return code, *capsys.readouterr()

    return call


def test_without_cuda_it_says_so_and_ends_well(run, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    code, out, _ = run()
    assert code == 0
    assert out.startswith("bench.gpu: no CUDA device here")
    assert out.count("\n") == 1


def test_all_rows_run_at_tiny_sizes(run):
    code, out, _ = run("--device", "cpu", "--tiny", "--repeats", "1")
    assert code == 0
    lines = out.splitlines()
    assert [line.split()[0] for line in lines[2:-1]] == gpu.ROWS
    record = json.loads(lines[-1])
    assert record["device"] == "cpu"
    for row in record["rows"]:
        assert row["step_seconds"] > 0 and row["segment_seconds"] > 0
        assert row["step_planned_bytes"] > row["segment_planned_bytes"] > 0
        assert "step_utilisation" not in row


def test_an_unknown_row_is_named_in_one_line(run):
    code, _, err = run("--device", "cpu", "--tiny", "--rows", "telepathy")
    assert (code, err.count("\n")) == (2, 1)
    assert err.startswith("bench.gpu: --rows telepathy: not a row of config/paper.yaml; it has i2v, ")


def test_a_row_that_does_not_fit_is_a_line_of_the_table(run, monkeypatch):
    def too_large(*_):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    monkeypatch.setattr(gpu, "_run", too_large)
    code, out, _ = run("--device", "cpu", "--tiny", "--rows", "i2v")
    assert code == 0
    table, record = out.splitlines()[2:]
    assert table.split()[:4] == ["i2v", "out", "of", "memory"]
    assert json.loads(record)["rows"][0]["error"] == "CUDA out of memory"


@pytest.mark.parametrize(
    ("name", "memory", "found"),
    [("NVIDIA A100-SXM4-80GB", 80, "A100-80GB"), ("NVIDIA A100-PCIE-40GB", 39, "A100-40GB"),
     ("NVIDIA H100 80GB HBM3", 79, "H100-80GB"), ("NVIDIA H200", 139, "H200"), ("NVIDIA L40S", 44, "L40S"),
     ("Tesla K80", 12, None)],
)  # fmt: skip
def test_a_device_is_found_in_the_table_of_gpus(monkeypatch, name, memory, found):
    properties = type("Properties", (), {"total_memory": memory * 2**30})
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: properties)
    assert gpu._gpu_of(name) == (GPUS[found] if found else None)
