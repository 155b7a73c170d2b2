"""A page with a study's figures, each with its caption and the module that draws it: README.md in its folder."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePath

from echo import figures

HEAD = """# Figures

Drawn from [the tables](../tables/tables.md) by `snakemake figures --cores all`, which writes charts as PDF too. They
are made for a column of text 6.75 inches wide.
"""


def page(files: Iterable[str]) -> str:
    """Markdown. ``files``: names of the figures' files, which lie beside the page."""
    parts = [HEAD]
    for file in files:
        name = PurePath(file).stem
        said = figures.about(name)
        title, _, text = said.text.partition(":")
        caption = f"**{title.strip()}.** {_sentence(text)}" if text else f"**{title.strip()}**"
        reads = ", ".join(f"`{read}`" for read in figures.reads(name))
        parts.append(f"![{said.title}]({file})\n\n{caption}\n\n*{said.source}, from {reads}*\n".replace("``", "`"))
    return "\n".join(parts)


def _sentence(text: str) -> str:
    """A caption's text, which follows a colon in the module's docstring."""
    text = text.strip()
    return text[:1].upper() + text[1:]
