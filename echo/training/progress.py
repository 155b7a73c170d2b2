"""How a training goes, for people: a line of ``progress.csv`` at every checkpoint, with the mean loss since the last.

A run that goes on from a checkpoint drops the lines of steps that it takes again, so the file reads as if it had never
been interrupted (but for the times).
"""

from __future__ import annotations

from pathlib import Path

from echo.io.files import write_text

HEADER = "step,loss,steps_per_second,seconds"


class Progress:
    """The file's lines, and the losses since the last of them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._sum, self._count = 0.0, 0

    def restart(self, step: int) -> None:
        """Keep the lines up to ``step``, from which the run goes on."""
        lines = self.path.read_text().splitlines()[1:] if self.path.is_file() and step else []
        self._write([line for line in lines if int(line.split(",")[0]) <= step])

    def add(self, loss: float) -> None:
        """Note a step's loss."""
        self._sum, self._count = self._sum + loss, self._count + 1

    def line(self, step: int, speed: float, seconds: float) -> None:
        """Write the line of ``step``: speed in steps a second since the run began or went on; seconds in all."""
        lines = self.path.read_text().splitlines()[1:]
        mean = self._sum / self._count if self._count else float("nan")
        self._write([*lines, f"{step},{mean:.5f},{speed:.3f},{seconds:.1f}"])
        self._sum, self._count = 0.0, 0

    def _write(self, lines: list[str]) -> None:
        write_text(self.path, "\n".join([HEADER, *lines]) + "\n")
