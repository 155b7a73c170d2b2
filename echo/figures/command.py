"""Figures, notebooks, videos and pages to look at, as commands of ``python -m echo``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from echo.study.config import ConfigError
from echo.study.options import (
    Fingerprint,
    Out,
    OutFolder,
    PoolFolder,
    Pools,
    StudyFile,
    TablesFolder,
    application,
    by_split,
    checked_study,
    run_stage,
)

app = application()


@app.command()
def preview(
    pool: Annotated[Path, typer.Argument(help="folder of a split's pool, such as runs/quick/pool/train")],
    out: Annotated[Path, typer.Option("--out", help="file to write: .jpg, .png, .pdf or .svg")] = Path("preview.jpg"),
    videos: Annotated[int, typer.Option("--videos", min=1, help="how many, spread over the trajectories")] = 8,
    video: Annotated[list[str] | None, typer.Option("--video", help="a video by name; repeat the option")] = None,
) -> None:
    """Look at a pool before anything is trained on it: frames, captions, and paths from above."""
    from echo.figures import preview as drawn
    from echo.figures.saving import save
    from echo.world.pool import open_pool

    opened = open_pool(pool)
    print(drawn.summary(opened))
    save(drawn.draw(opened, video or drawn.spread(opened, videos)), out)
    print(f"{out}: written")


@app.command()
def video(
    study: StudyFile,
    branch: Annotated[str, typer.Option("--branch", help="a branch of the study")],
    rollout: Annotated[list[Path], typer.Option("--rollout", help="the shown rows' rollouts of it; repeat the option")],
    pool: PoolFolder,
    out: Out,
    fingerprint: Fingerprint = None,
) -> None:
    """Write a branch's video, as mp4 and GIF: the truth, a copy, and two rows side by side."""
    checked = checked_study(study, "video", None, fingerprint)
    if branch not in checked.evaluate.branches:
        raise ConfigError(f"--branch: no branch {branch!r}; the study has {', '.join(checked.evaluate.branches)}")
    run_stage("video", study=checked, branch=branch, rollouts=rollout, pool=pool, out=out)


@app.command()
def viewer(
    study: StudyFile,
    rollout: Annotated[
        list[Path], typer.Option("--rollout", help="folders of rollouts, row by row, then of reference rows; repeat it")
    ],
    probes: Annotated[list[Path], typer.Option("--probes", help="probed frames, row by row; repeat the option")],
    pool: Pools,
    out: Out,
    fingerprint: Fingerprint = None,
) -> None:
    """Write the page on which to look at one case after the other, in a browser."""
    checked = checked_study(study, "viewer", None, fingerprint)
    pools = by_split(checked, "--pool", pool)
    run_stage("viewer", study=checked, rollouts=rollout, probes=probes, pools=pools, out=out)


@app.command()
def policies(
    out: OutFolder,
    tables: Annotated[
        list[Path] | None,
        typer.Option(
            "--tables", help="tables of a study; repeat it; those of the compared studies that are there if none"
        ),
    ] = None,
    resamples: Annotated[int, typer.Option("--resamples", help="bootstrap resamples of an interval")] = 2000,
) -> None:
    """Compare studies that differ in evidence and recipe: how ranks move, and what explains the spread."""
    import pandas as pd

    from echo.figures.policies import draw_ranks
    from echo.figures.saving import save
    from echo.tables.policies_page import write_policies
    from echo.tables.side_by_side import STUDIES

    there = [Path("results", name, "tables") for name in STUDIES]
    write_policies(tables or [path for path in there if (path / "record.json").is_file()], out, resamples)
    save(draw_ranks(pd.read_csv(out / "ranks.csv")), out / "ranks.png")


@app.command()
def figure(
    name: Annotated[str, typer.Argument(help="name of the figure: a module of echo/figures")],
    tables: TablesFolder,
    out: Annotated[Path, typer.Option("--out", help="file to write: .png, .jpg, .pdf or .svg")],
) -> None:
    """Draw one figure from a study's tables."""
    from echo.figures import draw_to

    draw_to(name, tables, out)


@app.command()
def captions(
    files: Annotated[list[str], typer.Argument(help="names of figures' files, in the page's order")],
    out: Annotated[Path, typer.Option("--out", help="the page, beside these files")],
) -> None:
    """Write a page of figures with their captions."""
    from echo.figures.captions import page
    from echo.io.files import write_text

    write_text(out, page(files))


@app.command()
def notebook(
    path: Annotated[Path, typer.Argument(help="for example notebooks/01_answer.ipynb")],
    tables: TablesFolder,
    out: Annotated[Path, typer.Option("--out", help="the executed notebook")],
) -> None:
    """Execute a notebook on a study's tables."""
    from echo.figures.notebook import execute

    execute(path, out, tables)
