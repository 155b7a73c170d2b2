"""GPUs are known by name."""

from __future__ import annotations

import pytest

from echo.measures.cost.gpus import GPUS, PlanError
from echo.measures.cost.study import plan
from tests.measures.cost.steps import small


def test_an_unknown_gpu_is_named():
    with pytest.raises(PlanError, match=r"compute.gpu = Voodoo2: not in the table of GPUs; allowed: A100-40GB, "):
        plan(small(compute={"device": "cuda", "gpu": "Voodoo2"}))
    assert all(gpu.fp32 < gpu.bf16 for gpu in GPUS.values())
