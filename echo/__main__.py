"""``python -m echo STAGE ...``: every stage of the study as one command. Snakemake's rules are these lines."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from echo.study.config import ConfigError, load_study
from echo.study.words import SPLITS
from echo.training.preemption import Preempted

NUMBERS = ("--seed", "--share", "--processes")


def main(arguments: list[str] | None = None) -> int:
    """Run one stage; errors that a user can mend are one line on stderr and exit code 1.

    Training that SIGTERM or SIGUSR1 told to stop checkpoints; the exit code is ``echo.training.preemption.PREEMPTED``.
    """
    parser = argparse.ArgumentParser(prog="echo", description=__doc__)
    parser.add_argument("--threads", type=int, default=1, help="CPU threads; more than one changes the last bits")
    stages = parser.add_subparsers(dest="stage", required=True)

    def stage(name: str, text: str, *options: str, optional: tuple[str, ...] = ()):
        one = stages.add_parser(name, help=text)
        for option in (*options, *optional):
            kind = int if option in NUMBERS else str
            choices = tuple(SPLITS) if option == "--split" else None
            one.add_argument(option, type=kind, choices=choices, required=option not in optional)
        return one

    stage("assets", "fetch the asset pack", "--out")
    stage("weights", "fetch the weights of LPIPS and the judge", "--out")
    stage("pretrained", "find or download the pretrained model", "--study", "--resources", "--out")
    stage(
        "pool",
        "render a split, or cut it from recordings",
        "--study",
        "--split",
        "--out",
        optional=("--assets", "--index"),
    )
    stage("index", "index recordings on disk", "--study", "--out")
    stage("text", "embed a split's captions", "--study", "--pool", "--out", optional=("--pretrained",))
    stage("codec", "fit the codec", "--study", "--pool", "--out", optional=("--pretrained",))
    stage("latents-share", "encode a share of a split", "--study", "--pool", "--codec", "--share", "--out")
    stage("latents", "join the shares of a split", "--study", "--pool", "--codec", "--shares", "--out")
    stage("evidence", "rank a split's evidence", "--study", "--latents", "--out")
    clips = ("--latents", "--text", "--evidence")
    stage(
        "base",
        "the starting weights all rows share",
        "--study",
        *clips,
        "--out",
        optional=("--pretrained", "--processes"),
    )
    stage("train", "train a row", "--study", "--row", "--seed", *clips, "--base", "--out", optional=("--processes",))
    stage("rollout", "roll a row out", "--study", "--row", "--seed", "--run", "--out")
    stage("probe", "erase and swap a row's memory", "--study", "--row", "--seed", "--run", "--out")
    stage(
        "measure",
        "compare a row's rollouts with the truth",
        "--study",
        "--row",
        "--seed",
        "--run",
        "--weights",
        "--out",
    )
    stage("judge", "judge a row's returns", "--study", "--row", "--seed", "--run", "--weights", "--out")
    stage("tables", "gather the study's tables", "--study", "--run", "--out")
    stage("import-released", "convert a released checkpoint", "--study", "--row", "--checkpoint", "--out")
    stage("config-docs", "print config/README.md")
    given = parser.parse_args(arguments)
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, str(given.threads))

    if given.stage == "config-docs":
        from echo.study.docs import render

        print(render(), end="")
        return 0
    from echo.study import stages as run
    from echo.training import launch

    expected = (ConfigError, Preempted, *run.user_errors())
    try:
        study = load_study(given.study) if "study" in given else None
        if "row" in given and given.row not in study.profiles:
            raise ConfigError(f"--row {given.row}: {given.study} has {', '.join(study.profiles)}")
        processes = run.processes(study, given.stage, getattr(given, "processes", None))
        if processes > 1 and not launch.is_worker():
            command = ["-m", "echo", *(sys.argv[1:] if arguments is None else arguments)]
            return launch.launch(given.stage, command, processes)
        values = {k: Path(v) if isinstance(v, str) and k not in ("row", "split") else v for k, v in vars(given).items()
                  if k not in ("stage", "threads", "study", "processes") and v is not None}  # fmt: skip
        run.set_threads(given.threads)
        stage_of = getattr(run, given.stage.replace("-", "_"))
        stage_of(**values) if study is None else stage_of(study, **values)
    except Exception as error:
        # A worker's RuntimeError is a fault, or follows from a peer's: its traceback is worth more than its message.
        fault = launch.is_worker() and isinstance(error, RuntimeError)
        return launch.report(given.stage, error, isinstance(error, expected) and not fault)
    return 0


if __name__ == "__main__":
    sys.exit(main())
