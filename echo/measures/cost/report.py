"""A study's plan as text for a terminal, and as Markdown for docs/scale.md."""

from __future__ import annotations

from math import prod

from echo.measures.cost.gpus import CORE
from echo.measures.cost.row import Tokens
from echo.measures.cost.study import RowCosts, StudyPlan
from echo.measures.cost.training import Training

GIB, GB, TB = 2**30, 1e9, 1e12


def assumptions(plan: StudyPlan) -> list[str]:
    """What the plan is of and what it takes for granted, a line each."""
    study, gpu = plan.study, plan.gpu
    train, compute = study.train, study.compute
    height, width = study.latent_size
    frames = f"{study.segment.frames} frames as {study.target_latents} latents"
    by_text = study.sampler.text_guidance
    guidance = f" of two evaluations each (guidance {by_text:g})" if by_text > 1 else ""
    parallel = f"{compute.processes} processes ({train.sharding}), {train.batch} clips a step"
    lines = [
        f"study {study.study}: {len(plan.rows)} rows x {len(study.train_seeds)} training seeds, {train.steps} steps",
        f"segment: {frames} of {study.codec.channels} x {height} x {width}, {prod(study.grid)} tokens a latent",
        f"{'a' if gpu.unit == CORE.unit else 'GPU:'} {gpu.name}, {gpu.memory / GIB:.0f} GiB, "
        f"{gpu.peak(train.precision) / 1e12:g} TFLOP/s at {train.precision}, of which {plan.reached:.0%} are reached",
        f"training: {parallel} in {train.accumulate} micro-batches, {train.optimizer}, {train.precision}, gradient "
        f"checkpointing {'on' if train.gradient_checkpointing else 'off'}, EMA {'on' if train.ema else 'off'}",
        f"rollout: {study.evaluate.cases} cases a branch, {study.sampler.steps} sampler steps{guidance}, "
        f"{study.evaluate.batch} cases at once",
    ]
    if plan.base:
        lines.insert(4, _base(plan, plan.base))
    return lines


def _base(plan: StudyPlan, base: Training) -> str:
    """What the base's training is, and what it needs of one GPU."""
    study = plan.study
    train = study.base_study.train if study.base.source == "trained" else study.train
    fits = "fits" if base.needed <= plan.gpu.memory else "does NOT fit"
    return (
        f"base: {study.base.steps} steps, {train.batch} segments a step in {train.accumulate} micro-batches, "
        f"{train.optimizer}, {base.precision}; {base.needed / GIB:.1f} GiB with reserve, which {fits}"
    )


def tables(plan: StudyPlan) -> list[tuple[str, list[str], list[list[str]]]]:
    """(title, headings, lines) of each table."""
    one = "core" if plan.gpu.unit == CORE.unit else "GPU"
    return [
        ("What a row is", *_sizes(plan)),
        (f"One micro-batch of a training step, on one {one}", *_steps(plan)),
        ("The whole job of a row and training seed", *_jobs(plan)),
        ("The study", *_totals(plan)),
    ]


def _sizes(plan: StudyPlan) -> tuple[list[str], list[list[str]]]:
    heads = [
        "row",
        "read + anchor + target",
        "tokens",
        "clean pass",
        "parameters",
        "of memory",
        "trained",
        "state numbers",
        "state MB",
    ]
    lines = []
    for row in plan.rows:
        tokens = Tokens(**{name: row.tokens[name] for name in ("read", "anchor", "target", "clean")})
        lines.append([
            row.row, f"{tokens.read:,} + {tokens.anchor:,} + {tokens.target:,}", f"{tokens.sequence:,}",
            f"{tokens.clean:,}", _millions(row.parameters["backbone"] + row.parameters["memory"]),
            _millions(row.parameters["memory"]), _millions(row.parameters["trainable"]), f"{row.state_numbers:,}",
            f"{row.state_bytes / 1e6:.1f}",
        ])  # fmt: skip
    return heads, lines


def _steps(plan: StudyPlan) -> tuple[list[str], list[list[str]]]:
    heads = ["row", "TFLOP", "recomputed", "largest", "seconds", "weights GiB", "gradients", "optimizer", "EMA",
             "exchange", "activations", "with reserve", "fits"]  # fmt: skip
    return heads, [[row.row, *_step(plan, row)] for row in plan.rows]


def _step(plan: StudyPlan, row: RowCosts) -> list[str]:
    flops = row.step_flops
    parts = [_few(row.memory[name] / GIB) for name in ("weights", "gradients", "optimizer", "ema", "exchange")]
    total = flops["forward"] + flops["backward"] + flops["recomputed"]
    return [
        _few((flops["forward"] + flops["backward"]) / 1e12), _few(flops["recomputed"] / 1e12),
        _few(flops["largest"] / 1e12), f"{3600 * plan.hours(total):.2f}", *parts,
        _few(row.memory["activations"] / GIB), f"{row.needed / GIB:.1f}",
        "yes" if row.needed <= plan.gpu.memory else "NO",
    ]  # fmt: skip


def _jobs(plan: StudyPlan) -> tuple[list[str], list[list[str]]]:
    heads = [
        "row",
        f"training {plan.gpu.unit}",
        "wall hours",
        f"rollout {plan.gpu.unit}",
        "rollout or probe GiB",
        "checkpoint GB",
        "while it trains GB",
    ]
    return heads, [
        [
            row.row, _few(plan.row_hours(row)), _few(plan.row_hours(row) / plan.study.compute.processes),
            _few(plan.hours(row.rollout_flops)), _few(row.rollout_memory / GIB),
            _few(row.checkpoint_bytes / GB), _few(row.resume_bytes / GB),
        ]
        for row in plan.rows
    ]  # fmt: skip


def _totals(plan: StudyPlan) -> tuple[list[str], list[list[str]]]:
    total = plan.total()
    sizes = [total[name] for name in ("latent_bytes", "checkpoint_bytes", "resume_bytes", "rollout_bytes")]
    names = ("latents, poses left out", "checkpoints and base", "resume file of one row while it trains", "rollouts")
    work = [("encoding the latents", "encode_hours"), ("training the base", "base_hours"), ("training", "train_hours"),
            ("rollouts and probes", "rollout_hours"), ("all", "gpu_hours")]  # fmt: skip
    lines = [
        [f"{name} ({plan.gpu.name})", f"{_few(total[key])} {plan.gpu.unit}"]
        for name, key in work
        if plan.base or key != "base_hours"
    ]
    limit = plan.study.compute.hours
    if limit is not None:
        fits = "NO" if total["gpu_hours"] > limit else "yes" if plan.whole else "not all rows are planned"
        lines.append([f"fits the {limit:g} {plan.gpu.unit} of compute.hours", fits])
    if plan.rendered:
        lines.append(["frames to render, on CPUs", f"{plan.rendered:,}"])
    lines += [
        [name, f"{value / TB:.3f} TB"]
        for name, value in zip((*names, "all on disk"), [*sizes, sum(sizes)], strict=True)
    ]
    read = [("latents that a training hashes, once for all its processes", "hashed_bytes"),
            ("memory of measuring a row, case by case", "measured_bytes")]  # fmt: skip
    lines += [[name, f"{total[key] / GB:.1f} GB"] for name, key in read]
    return ["what", "cost"], lines


def _few(value: float) -> str:
    """One decimal; below 1, where that would say nothing, two digits."""
    return f"{value:,.1f}" if value >= 0.95 or value == 0 else f"{value:.2g}"


def _millions(count: int) -> str:
    return f"{count / 1e6:,.1f} M"


def text(plan: StudyPlan) -> str:
    """For a terminal: columns aligned."""
    parts = ["\n".join(assumptions(plan))]
    for title, heads, lines in tables(plan):
        widths = [max(len(line[i]) for line in [heads, *lines]) for i in range(len(heads))]
        rows = [[line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])] for line in [heads, *lines]]
        parts.append("\n".join([title, *map("  ".join, rows)]))
    return "\n\n".join(parts) + "\n"


def markdown(plan: StudyPlan) -> str:
    """For docs/scale.md."""
    parts = ["\n".join(f"- {line}" for line in assumptions(plan))]
    for title, heads, lines in tables(plan):
        table = [_line(heads), "|---|" + "---:|" * (len(heads) - 1), *map(_line, lines)]
        parts.append("\n".join([f"### {title}", "", *table]))
    return "\n\n".join(parts) + "\n"


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"
