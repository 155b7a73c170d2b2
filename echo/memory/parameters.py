"""Names of the memories' parameters, from shapes alone, so that ``train.trainable`` is checked before any job.

The backbone's names are known without torch (``echo.study.parameters``); a memory's are its family's own. Memories are
built on torch's meta device, without numbers, and only for a study that has such a pattern: to import torch takes
seconds.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

from echo.study.config import ConfigError, Study
from echo.study.parameters import PATTERNS

ALL = "memory.*"  # fits every memory that has parameters


def memory_parameters(study: Study, row: str) -> list[str]:
    """Names of the parameters of a row's memory, as training matches them: ``memory.`` and the name within."""
    import torch

    from echo.memory.base import sizes_of
    from echo.memory.registry import build_memory

    with torch.device("meta"):
        memory = build_memory(study.profiles[row], sizes_of(study), 0)
    return [f"memory.{name}" for name, _ in memory.named_parameters()]


def check_trainable(study: Study) -> None:
    """Raise ConfigError for a pattern like ``memory.x`` that fits no parameter of a row whose memory has some."""
    asked = [(key, name) for key in PATTERNS for name in getattr(study.train, key)]
    asked = [(key, name) for key, name in asked if name.startswith("memory.") and name != ALL]
    for row in study.rows if asked else ():
        names = memory_parameters(study, row)
        for key, pattern in asked:
            if names and not any(fnmatchcase(name, pattern) for name in names):
                raise ConfigError(
                    f"study {study.study}: `train.{key}` = {pattern!r}: fits no parameter of {row}'s memory; "
                    f"its names are {', '.join(names[:3])}, ..."
                )
