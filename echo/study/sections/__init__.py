"""The sections of a study's configuration, one module each. No torch here: Snakemake reads them to build its graph.

The ``description`` of every key is what ``config/README.md`` and ``config/schema.json`` print. A bound is there where a
later stage could not work beyond it, or where nothing but a slip of the pen lies there. A section knows its own keys
alone; rules between sections are in ``echo.study.checks``.
"""

from __future__ import annotations

from echo.study.sections.backbone import Backbone
from echo.study.sections.base import Base
from echo.study.sections.codec import Codec
from echo.study.sections.compute import Compute
from echo.study.sections.evaluate import Evaluate
from echo.study.sections.evidence import EvidenceConfig
from echo.study.sections.open_domain import OpenDomain
from echo.study.sections.people import People
from echo.study.sections.pretrained import Pretrained
from echo.study.sections.sampler import Sampler
from echo.study.sections.section import Flag, Integer, Number, Section, Seed
from echo.study.sections.segment import Segment
from echo.study.sections.text import Text
from echo.study.sections.train import Train
from echo.study.sections.world import World

__all__ = [
    "Backbone", "Base", "Codec", "Compute", "Evaluate", "EvidenceConfig", "Flag", "Integer", "Number", "OpenDomain",
    "People", "Pretrained", "Sampler", "Section", "Seed", "Segment", "Text", "Train", "World",
]  # fmt: skip
