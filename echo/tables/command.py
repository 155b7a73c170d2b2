"""Tables and pages of numbers, as commands of ``python -m echo``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from echo.study.options import (
    Fingerprint,
    OutFolder,
    PicturesFolder,
    Pools,
    StudyFile,
    TablesFolder,
    Threads,
    WeightsFolder,
    application,
    by_split,
    checked_study,
    prepare,
    run_stage,
)

app = application()


@app.command()
def tables(
    study: StudyFile,
    measures: Annotated[list[Path], typer.Option("--measures", help="a run's folder of measures; repeat the option")],
    judge: Annotated[list[Path], typer.Option("--judge", help="a run's judgements, judge by judge; repeat the option")],
    probes: Annotated[list[Path], typer.Option("--probes", help="a run's certificate; repeat the option")],
    realism: Annotated[list[Path], typer.Option("--realism", help="a run's distances; repeat the option")],
    rollout: Annotated[list[Path], typer.Option("--rollout", help="rollouts of the first seed, row by row")],
    record: Annotated[list[Path], typer.Option("--record", help="the records of all stages; repeat the option")],
    pool: Pools,
    out: OutFolder,
    reference: Annotated[list[Path] | None, typer.Option("--reference", help="records of reference rows")] = None,
    fingerprint: Fingerprint = None,
) -> None:
    """Gather the study's tables. Runs are given in the study's order: row by row, seed by seed, then reference rows."""
    checked = checked_study(study, "tables", None, fingerprint)
    run_stage(
        "tables",
        study=checked,
        measures=measures,
        judged=judge,
        probes=probes,
        realism=realism,
        rollouts=rollout,
        references=reference or [],
        records=record,
        pools=by_split(checked, "--pool", pool),
        out=out,
    )


@app.command()
def publish(
    tables: Annotated[Path, typer.Option("--tables", help="the run's tables, runs/<study>/tables")],
    out: Annotated[Path, typer.Option("--out", help="the folder that is committed, results/<study>/tables")],
) -> None:
    """Replace the committed tables by a run's; after an error the old ones are as they were."""
    from echo.io.publish import publish_folder

    publish_folder(tables, out)


@app.command()
def result_tables(
    tables: TablesFolder,
    reference: Annotated[str | None, typer.Option("--reference", help="row that differences are taken against")] = None,
    threshold: Annotated[
        float | None, typer.Option("--threshold", help="grey levels above which a probed memory counts as used")
    ] = None,
    resamples: Annotated[int | None, typer.Option("--resamples", help="bootstrap resamples of an interval")] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="seed of the bootstrap")] = None,
) -> None:
    """Compute a folder's result tables again from its gathered ones (cases.csv.xz and its companions).

    What is not given is as the study had it, by its record.json in the folder.
    """
    from echo.tables.build import rebuild_tables

    rebuild_tables(tables, reference=reference, threshold=threshold, resamples=resamples, seed=seed)


@app.command()
def findings(
    tables: Annotated[
        list[Path] | None, typer.Option("--tables", help="tables of a study; repeat it; the reported studies' if none")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="docs/findings.md; printed if not given")] = None,
) -> None:
    """Put the findings of the committed studies side by side, one page for all evidence policies."""
    from echo.io.files import write_text
    from echo.tables.findings_page import findings_page
    from echo.tables.told import reported

    page = findings_page(tables or reported(Path("results")))
    if out is None:
        print(page, end="")
    else:
        write_text(out, page)


@app.command()
def open_domain(
    study: StudyFile,
    rollout: Annotated[list[Path], typer.Option("--rollout", help="rollouts of all runs, run by run, then by branch")],
    judge: Annotated[list[Path], typer.Option("--judge", help="a run's judgements, judge by judge; repeat the option")],
    pool: PicturesFolder,
    weights: WeightsFolder,
    out: OutFolder,
    fingerprint: Fingerprint = None,
    threads: Threads = 1,
) -> None:
    """Tables and strips of the rollouts from pictures; runs as for `tables`, with the reference rows there can be."""
    checked = checked_study(study, "open_domain", None, fingerprint)
    prepare(threads)
    run_stage("open_domain", study=checked, rollouts=rollout, judged=judge, pool=pool, weights=weights, out=out)
