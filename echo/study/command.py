"""The documentation of the configuration, as commands of ``python -m echo``."""

from __future__ import annotations

from typing import Annotated

import typer

from echo.study.options import application

app = application()


@app.command()
def config_docs() -> None:
    """Print config/README.md."""
    from echo.study.docs import render

    print(render(), end="")


@app.command()
def config_schema(
    rows: Annotated[
        bool, typer.Option("--rows", help="print config/rows.schema.json, the schema of rows.yaml")
    ] = False,
) -> None:
    """Print config/schema.json, the JSON schema of a study's file."""
    from echo.study.schema import render

    print(render("rows" if rows else "study"), end="")
