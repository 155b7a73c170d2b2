"""The plan of a whole study: what each row needs on one GPU, and what all of them cost together."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from functools import cache

from echo.measures.cost import disk
from echo.measures.cost.gpus import RESERVE, Gpu, gpu_named
from echo.measures.cost.row import FLOAT, RowPlan, rollout_segments
from echo.measures.cost.walk import Tally
from echo.model.base import BASE
from echo.study.config import Study

IDENTITY = {"name", "label", "seed_stream"}  # what a profile is called, and not what it does


@dataclass(frozen=True)
class RowCosts:
    """One row and training seed.

    FLOPs and bytes are of one GPU and micro-batch where they are ``step_`` or ``memory``; ``train_flops`` and
    ``rollout_flops`` are of the whole job.
    """

    row: str
    tokens: dict[str, int]
    parameters: dict[str, int]
    state_numbers: int
    state_bytes: int
    step_flops: dict[str, int]
    memory: dict[str, int]
    rollout_memory: int
    train_flops: float | int
    rollout_flops: float | int
    checkpoint_bytes: int
    resume_bytes: int

    @property
    def needed(self) -> int:
        """Bytes on the GPU in training, the reserve included."""
        return sum(self.memory.values()) + RESERVE


@dataclass(frozen=True)
class StudyPlan:
    """All rows of a study."""

    study: Study
    gpu: Gpu
    rows: list[RowCosts]
    codec_flops: float | int
    latent_bytes: int
    rollout_bytes: int
    hashed_bytes: int
    measured_bytes: int

    def hours(self, flops: float | int) -> float:
        """GPU-hours of so many FLOPs at the planned utilisation."""
        return flops / (self.gpu.peak(self.study.train.precision) * self.study.compute.utilisation) / 3600

    def warnings(self) -> list[str]:
        """One line for each row that does not fit the GPU, in training or in rollouts."""
        found = []
        for row in self.rows:
            for job, needed in (("a training step", row.needed), ("a rollout or probe", row.rollout_memory + RESERVE)):
                if needed > self.gpu.memory:
                    found.append(
                        f"row {row.row}: {job} needs {needed / 2**30:.1f} GiB, but {self.gpu.name} (compute.gpu) has "
                        f"{self.gpu.memory / 2**30:.0f} GiB"
                    )
        return found

    def total(self) -> dict[str, float | int]:
        """GPU-hours and bytes of all rows and training seeds."""
        seeds = len(self.study.train_seeds)
        base = FLOAT * self.rows[0].parameters["backbone"]
        return {
            "encode_hours": self.hours(self.codec_flops),
            "train_hours": seeds * self.hours(sum(row.train_flops for row in self.rows)),
            "rollout_hours": seeds * self.hours(sum(row.rollout_flops for row in self.rows)),
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
            "utilisation": self.study.compute.utilisation,
            "rows": [{**asdict(row), "needed": row.needed} for row in self.rows],
            "total": self.total(),
            "warnings": self.warnings(),
        }


def plan(study: Study, names: list[str] | None = None) -> StudyPlan:
    """Plan ``names`` of the study's rows, all by default. Raises PlanError for a GPU that is not in the table."""
    gpu = gpu_named(study.compute.gpu)
    codec, alike, rows = disk.codec_flops(study), {}, []
    for name in names or study.rows:
        profile = study.profiles[name]
        what = profile.model_dump_json(exclude=IDENTITY)
        if what not in alike:
            alike[what] = RowPlan(study, profile)
            alike[what] = _costs(study, alike[what], codec)
        costs = replace(alike[what], row=name)
        rows.append(costs if name in study.trained_rows else replace(costs, train_flops=0.0, resume_bytes=0))
    return StudyPlan(study, gpu, rows, disk.codec_work(study), disk.latent_bytes(study), disk.rollout_bytes(study),
                     disk.train_latent_bytes(study), disk.measured_bytes(study))  # fmt: skip


def _costs(study: Study, row: RowPlan, codec: dict[str, int]) -> RowCosts:
    fullest = row.chain(len(study.segment.history_weights))
    largest = row.step(fullest[-1], earlier=fullest[:-1])

    @cache
    def step(chain: tuple[int, ...]) -> Tally:
        return largest.tally if chain == fullest else row.step(chain[-1], memory=False, earlier=chain[:-1]).tally

    write, velocity = cache(row.write_flops), cache(row.velocity_flops)
    mean = {"forward": 0.0, "backward": 0.0, "recomputed": 0.0}
    for share, chain in row.situations():
        for part in mean:
            mean[part] += share * getattr(step(chain), part)
    parts = study.train.batch // row.micro_batch
    generated, written = rollout_segments(study, len(row.rollout_chain(2)) > 1)
    guide = RowPlan(study, BASE).velocity_flops(1) if study.sampler.guide else 0
    evaluations = 2 if study.sampler.text_guidance > 1 else 1  # of the row, in each step
    played = 0
    for segment, count in generated.items():
        played += count * (study.sampler.steps * (evaluations * velocity(segment) + guide) + codec["decode"])
        if study.codec.temporal > 1:  # what was generated becomes history frame by frame
            played += count * study.segment.frames * codec["frame"]
    played += sum(count * write(row.rollout_chain(segment)[-1]) for segment, count in written.items())
    weights, parameters = row.weight_bytes(), row.parameters
    checkpoint = FLOAT * (parameters["backbone"] + parameters["memory"])
    sharded = study.compute.processes if study.train.sharding == "fsdp" else 1
    numbers, held = row.state
    return RowCosts(
        row.profile.name,
        {**vars(row.tokens), "sequence": row.tokens.sequence},
        parameters,
        numbers,
        held,
        {**{name: round(value) for name, value in mean.items()}, "largest": largest.tally.total},
        {**weights, "activations": largest.activations},
        checkpoint + row.sampling_bytes(study.evaluate.batch),
        study.train.steps * parts * sum(mean.values()),
        played,
        checkpoint,
        checkpoint + sharded * (weights["optimizer"] + weights["ema"]),
    )
