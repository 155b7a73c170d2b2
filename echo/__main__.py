"""The one command line: ``python -m echo COMMAND``, or ``echo-study COMMAND`` where the package is installed.

Every stage of a study is one command, and Snakemake's rules are these lines; ``figure``, ``notebook``, ``plan`` and the
printers of documentation stand beside them. The commands are in the ``command.py`` of the folder that they are about.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

import typer

from echo.encoding.command import app as encoding
from echo.evidence.command import app as evidence
from echo.figures.command import app as figures
from echo.io.errors import UserError
from echo.judge.command import app as judge
from echo.measures.command import app as measures
from echo.model.command import app as model
from echo.protocol.command import app as protocol
from echo.rollout.command import app as rollout
from echo.study.command import app as study
from echo.study.options import ARGUMENTS
from echo.tables.command import app as tables
from echo.training.command import app as training
from echo.world.command import app as world

app = typer.Typer(
    help=__doc__, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None
)
# In the order of the data's way; the protocol's are for anybody's world model.
COMMANDS = (world, encoding, evidence, model, training, rollout, measures, judge, tables, figures, study, protocol)
for commands in COMMANDS:
    app.add_typer(commands)

USAGE = typer.BadParameter.__bases__  # an error in the way the command was called; typer does not export its class


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code.

    An error meant for users (``UserError``) is one line on stderr and exit code 1; any other keeps its trace. Training
    that SIGTERM or SIGUSR1 told to stop checkpoints, and exits with ``echo.training.preemption.PREEMPTED``.
    """
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    ARGUMENTS[:] = sys.argv[1:] if arguments is None else arguments
    command: Callable[..., Any] = typer.main.get_command(app)
    try:
        return int(command(args=list(ARGUMENTS), prog_name="echo", standalone_mode=False) or 0)
    except typer.Exit as exit:
        return exit.exit_code
    except Exception as error:
        return _failed(error)


def _failed(error: Exception) -> int:
    """Tell why the command ends; returns the exit code, or raises ``error`` where its trace is what is needed."""
    if isinstance(error, USAGE):
        message = getattr(error, "format_message", error.__str__)()
        print(f"echo: {message} (python -m echo COMMAND --help lists the options)", file=sys.stderr)
        return 2
    stage = next((word for word in ARGUMENTS if not word.startswith("-")), "")
    if isinstance(error, UserError) and "RANK" not in os.environ:
        print(f"echo {stage}: {' '.join(str(error).split())}", file=sys.stderr)
        return int(getattr(error, "exit_code", 1))
    from echo.training import launch

    return launch.report(stage, error, isinstance(error, UserError))


if __name__ == "__main__":
    sys.exit(main())
