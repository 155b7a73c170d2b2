"""GPUs a study can be planned for: memory and peak arithmetic, from the vendor's publications; and a core of a CPU.

Tensor cores' peaks are dense, with sums in float32. Sources: data sheets of A100, H100, H200, L40S, L4 and A10; for the
GeForce cards the appendices of the white papers "NVIDIA Ampere GA102 GPU Architecture" (RTX 3090: 71 and 35.6) and
"NVIDIA Ada GPU Architecture" (RTX 4090: 165.2 and 82.6). L40S, L4 and A10 keep a part of their memory for error
correction; what is left is given.
"""

from __future__ import annotations

from dataclasses import dataclass

from echo.io.errors import UserError

GIB = 2**30
RESERVE = 2 * GIB  # CUDA context, cuBLAS and cuDNN workspaces, communication buffers, fragmentation


class PlanError(UserError):
    """A study that cannot be planned: one line that says why."""


@dataclass(frozen=True)
class Gpu:
    """memory in bytes; peak arithmetic in FLOP/s without sparsity: bf16 tensor cores, and plain fp32.

    reached: the share of it that is reached; None where the study says so (``compute.utilisation``). unit: of its time.
    """

    name: str
    memory: int
    bf16: float
    fp32: float
    reached: float | None = None
    unit: str = "GPU-hours"

    def peak(self, precision: str) -> float:
        """FLOP/s at train.precision."""
        return self.bf16 if precision == "bf16" else self.fp32


GPUS = {
    gpu.name: gpu
    for gpu in (
        Gpu("A100-40GB", 40 * GIB, 312e12, 19.5e12),
        Gpu("A100-80GB", 80 * GIB, 312e12, 19.5e12),
        Gpu("H100-80GB", 80 * GIB, 989e12, 67e12),  # SXM
        Gpu("H200", 140 * GIB, 989e12, 67e12),
        Gpu("L40S", 45 * GIB, 362e12, 91.6e12),
        Gpu("L4", 22 * GIB, 121e12, 30.3e12),
        Gpu("A10", 22 * GIB, 125e12, 31.2e12),
        Gpu("RTX-3090", 24 * GIB, 71e12, 35.6e12),
        Gpu("RTX-4090", 24 * GIB, 165e12, 82.6e12),
    )
}


# What a study on CPUs is planned for: a core on which all rows' trainings reached 47 to 52 GFLOP/s, and rollouts 51 and
# more (docs/performance.md); the memory is what each of two jobs may have of the default study's 6 GB.
CORE = Gpu("CPU core", 3 * GIB, 50e9, 50e9, 1.0, "core-hours")


def gpu_named(name: str) -> Gpu:
    """The GPU of that name; raises PlanError, naming those there are."""
    if name not in GPUS:
        raise PlanError(f"compute.gpu = {name}: not in the table of GPUs; allowed: {', '.join(GPUS)}")
    return GPUS[name]
