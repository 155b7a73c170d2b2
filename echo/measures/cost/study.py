"""The plan of a whole study: what each row needs on one GPU, and what all of them cost together."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from functools import cache

from echo.measures.cost import disk
from echo.measures.cost.gpus import CORE, RESERVE, Gpu, gpu_named
from echo.measures.cost.row import FLOAT, RowPlan, rollout_segments
from echo.measures.cost.training import Training, base_training, training
from echo.model.base import BASE
from echo.study.config import Study

IDENTITY = {"name", "label", "seed_stream"}  # what a profile is called, and not what it does


@dataclass(frozen=True)
class RowCosts:
    """One row and training seed.

    FLOPs and bytes are of one GPU and micro-batch where they are ``step_`` or ``memory``; ``train_flops``,
    ``muon_flops`` (``Training``) and ``rollout_flops`` are of the whole job.
    """

    row: str
    tokens: dict[str, int]
    parameters: dict[str, int]
    state_numbers: int
    state_bytes: int
    step_flops: dict[str, int]
    memory: dict[str, int]
    rollout_memory: int
    train_flops: float
    muon_flops: float
    rollout_flops: float
    checkpoint_bytes: int
    resume_bytes: int

    @property
    def needed(self) -> int:
        """Bytes on the GPU in training, the reserve included."""
        return sum(self.memory.values()) + RESERVE


@dataclass(frozen=True)
class StudyPlan:
    """Rows of a study, all by default. base: its training, where the study trains one."""

    study: Study
    gpu: Gpu
    rows: list[RowCosts]
    base: Training | None
    codec_flops: float
    latent_bytes: int
    rollout_bytes: int
    hashed_bytes: int
    measured_bytes: int
    rendered: int

    def hours(self, flops: float, precision: str | None = None) -> float:
        """Hours of one GPU or core for so many FLOPs; ``precision``: theirs, by default the rows'."""
        peak = self.gpu.peak(precision or self.study.train.precision)
        return flops / (peak * self.reached) / 3600

    @property
    def reached(self) -> float:
        """The share of the peak that is planned to be reached."""
        return self.study.compute.utilisation if self.gpu.reached is None else self.gpu.reached

    def row_hours(self, row: RowCosts) -> float:
        """GPU-hours of one training of a row."""
        return self.hours(row.train_flops) + self.hours(row.muon_flops, "fp32")

    @property
    def base_hours(self) -> float:
        """GPU-hours of the base's training, 0 where the study trains none."""
        base = self.base
        return self.hours(base.flops, base.precision) + self.hours(base.muon_flops, "fp32") if base else 0.0

    @property
    def whole(self) -> bool:
        """Whether all rows of the study are planned."""
        return len(self.rows) == len(self.study.rows)

    def warnings(self) -> list[str]:
        """One line for each row that does not fit the GPU, in training or in rollouts, and for too many GPU-hours."""
        jobs = [("the base: a training step", self.base.needed)] if self.base else []
        for row in self.rows:
            jobs += [(f"row {row.row}: a training step", row.needed),
                     (f"row {row.row}: a rollout or probe", row.rollout_memory + RESERVE)]  # fmt: skip
        key = "" if self.gpu.unit == CORE.unit else " (compute.gpu)"
        has = f"but {self.gpu.name}{key} has {self.gpu.memory / 2**30:.0f} GiB"
        found = [f"{job} needs {needed / 2**30:.1f} GiB, {has}" for job, needed in jobs if needed > self.gpu.memory]
        limit, total = self.study.compute.hours, self.total()["gpu_hours"]
        if limit is not None and total > limit:
            what = "the study needs" if self.whole else f"these rows alone ({len(self.rows)}) need"
            found.append(f"{what} {total:.1f} {self.gpu.unit} of {self.gpu.name}, more than compute.hours = {limit:g}")
        return found

    def total(self) -> dict[str, float]:
        """GPU-hours and bytes of all rows and training seeds."""
        seeds = len(self.study.train_seeds)
        base = FLOAT * self.rows[0].parameters["backbone"]
        hours = {
            "encode_hours": self.hours(self.codec_flops),
            "base_hours": self.base_hours,
            "train_hours": seeds * sum(map(self.row_hours, self.rows)),
            "rollout_hours": seeds * self.hours(sum(row.rollout_flops for row in self.rows)),
        }
        return {
            **hours,
            "gpu_hours": sum(hours.values()),
            "rendered_frames": self.rendered,
            "latent_bytes": self.latent_bytes,
            "hashed_bytes": self.hashed_bytes,
            "checkpoint_bytes": base + seeds * sum(row.checkpoint_bytes for row in self.rows),
            "resume_bytes": max(row.resume_bytes for row in self.rows),
            "measured_bytes": self.measured_bytes,
            "rollout_bytes": seeds * len(self.rows) * self.rollout_bytes,
        }

    def record(self) -> dict:
        """The plan as JSON holds it."""
        return {
            "study": self.study.study,
            "gpu": asdict(self.gpu),
            "utilisation": self.reached,
            "base": {**asdict(self.base), "needed": self.base.needed} if self.base else None,
            "rows": [{**asdict(row), "needed": row.needed} for row in self.rows],
            "total": self.total(),
            "warnings": self.warnings(),
        }


def plan(study: Study, names: list[str] | None = None) -> StudyPlan:
    """Plan ``names`` of the study's rows, all by default. Raises PlanError for a GPU that is not in the table.

    A study on CPUs is planned for cores of one.
    """
    gpu = gpu_named(study.compute.gpu) if study.compute.device == "cuda" else CORE
    codec, alike, rows = disk.codec_flops(study), {}, []
    for name in names or study.rows:
        profile = study.profiles[name]
        what = profile.model_dump_json(exclude=IDENTITY)
        if what not in alike:
            alike[what] = RowPlan(study, profile)
            alike[what] = _costs(study, alike[what], codec)
        costs = replace(alike[what], row=name)
        imported = {} if name in study.trained_rows else {"train_flops": 0.0, "muon_flops": 0.0, "resume_bytes": 0}
        rows.append(replace(costs, **imported))
    rendered = disk.frames(study) + disk.base_frames(study) if study.world.source == "rooms" else 0
    return StudyPlan(study, gpu, rows, base_training(study), disk.codec_work(study), disk.latent_bytes(study),
                     disk.rollout_bytes(study), disk.train_latent_bytes(study), disk.measured_bytes(study),
                     rendered)  # fmt: skip


def _costs(study: Study, row: RowPlan, codec: dict[str, int]) -> RowCosts:
    trained = training(row, study.train.steps)
    write, velocity = cache(row.write_flops), cache(row.velocity_flops)
    generated, written = rollout_segments(study, len(row.rollout_chain(2)) > 1)
    guide = RowPlan(study, BASE).velocity_flops(1) if study.sampler.guide else 0
    evaluations = 2 if study.sampler.text_guidance > 1 else 1  # of the row, in each step
    played = 0
    for segment, count in generated.items():
        played += count * (study.sampler.steps * (evaluations * velocity(segment) + guide) + codec["decode"])
        if study.codec.temporal > 1:  # what was generated becomes history frame by frame
            played += count * study.segment.frames * codec["frame"]
    played += sum(count * write(row.rollout_chain(segment)[-1]) for segment, count in written.items())
    weights, parameters = trained.memory, row.parameters
    checkpoint = FLOAT * (parameters["backbone"] + parameters["memory"])
    sharded = study.compute.processes if study.train.sharding == "fsdp" else 1
    numbers, held = row.state
    return RowCosts(
        row.profile.name,
        {**vars(row.tokens), "sequence": row.tokens.sequence},
        parameters,
        numbers,
        held,
        trained.step_flops,
        trained.memory,
        checkpoint + row.sampling_bytes(study.evaluate.batch),
        trained.flops,
        trained.muon_flops,
        played,
        checkpoint,
        checkpoint + sharded * (weights["optimizer"] + weights["ema"]),
    )
