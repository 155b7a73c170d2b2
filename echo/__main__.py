"""``python -m echo STAGE ...``: every stage of the study as one command. Snakemake's rules are these lines."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from echo.config import SPLITS, ConfigError, load_study


def main(arguments: list[str] | None = None) -> int:
    """Run one stage; errors that a user can mend are one line on stderr and exit code 1."""
    parser = argparse.ArgumentParser(prog="echo", description=__doc__)
    parser.add_argument("--threads", type=int, default=1, help="CPU threads; more than one changes the last bits")
    stages = parser.add_subparsers(dest="stage", required=True)

    def stage(name: str, text: str, *options: str):
        one = stages.add_parser(name, help=text)
        for option in options:
            kind, choices = (int, None) if option == "--seed" else (str, SPLITS if option == "--split" else None)
            one.add_argument(option, type=kind, choices=choices, required=True)
        return one

    stage("assets", "fetch the asset pack", "--study", "--out")
    stage("weights", "fetch the weights of LPIPS and the judge", "--study", "--out")
    stage("pool", "render a split", "--study", "--split", "--assets", "--out")
    stage("codec", "fit the codec", "--study", "--pool", "--out")
    stage("latents", "encode a split", "--study", "--pool", "--codec", "--out")
    stage("evidence", "rank a split's evidence", "--study", "--latents", "--out")
    stage("base", "train, or draw, the shared starting weights", "--study", "--latents", "--evidence", "--out")
    stage("train", "train a row", "--study", "--row", "--seed", "--latents", "--evidence", "--base", "--out")
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
        from echo.config_docs import render

        print(render(), end="")
        return 0
    from echo import stages as run

    try:
        study = load_study(given.study)
        if "row" in given and given.row not in study.profiles:
            raise ConfigError(f"--row {given.row}: {given.study} has {', '.join(study.profiles)}")
        values = {k: v if k in ("row", "seed", "split") else Path(v) for k, v in vars(given).items()
                  if k not in ("stage", "threads", "study")}  # fmt: skip
        run.set_threads(given.threads)
        getattr(run, given.stage.replace("-", "_"))(study, **values)
    except (ConfigError, *run.user_errors()) as error:
        print(f"echo {given.stage}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
