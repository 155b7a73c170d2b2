"""The pages as a site: ``snakemake site`` (workflow/rules/site.smk) has Sphinx build it.

Its source is this project's folder, so that every link of the pages, which are read in the repository too, holds here.
The notebooks are those that the study's own rule has executed.
"""

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parent.parent.parent
STUDY = os.environ.get("ECHO_STUDY", "mini")
sys.path.insert(0, str(ROOT))

project = "Echo"
html_title = "Echo"
html_theme = "furo"
html_show_copyright = False
root_doc = "docs/index"
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
include_patterns = [
    "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "config/README.md", "docs/*.md", "results/*/tables/tables.md",
    "results/mini/tables/findings.md", "results/mini/figures/README.md", "results/*/*.md",
    f"runs/{STUDY}/notebooks/*.ipynb",
]  # fmt: skip
exclude_patterns = [".*", "resources", "shipped", "runs/*/[!n]*"]  # not walked through
suppress_warnings = ["myst.header"]  # pages with parts that commands print begin these at the third level
html_extra_path = ["root", *(str(path) for path in ROOT.glob("results/mini/videos/revisit_near.mp4"))]
nb_execution_mode = "off"
myst_heading_anchors = 3
autodoc_typehints = "signature"
autodoc_member_order = "bysource"


def fields(lines: list[str]) -> Iterator[str]:
    """A docstring whose ``name: text``, for arguments and attributes, are items of a list; without code within bold."""
    inside = False
    for line in re.sub(r"\*\*[^*]+\*\*", lambda bold: bold[0].replace("``", ""), "\n".join(lines)).split("\n"):
        field = re.match(r"(\w+(?:, \w+)*): +(?=\S)", line)
        if field:
            if not inside:
                yield ""
            yield f"- *{field[1]}*: {line[field.end() :]}"
        elif inside and line.startswith(" "):
            yield f"  {line.strip()}"
        else:
            if inside and line:
                yield ""
            yield line
        inside = bool(field) or (inside and line.startswith(" "))


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""

    def as_items(app: Sphinx, what: str, name: str, found: object, options: object, lines: list[str]) -> None:
        lines[:] = fields(lines)

    app.connect("autodoc-process-docstring", as_items)
