"""A result as one HTML file that holds all it needs: a table a branch, and videos of some cases that run in step.

A video is a strip of its frames as one WebP picture, drawn frame by frame by one clock, so that all show the same
frame at any time, in any browser.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from echo.io import page as pages
from echo.protocol.files import Frames
from echo.protocol.manifest import Entry
from echo.protocol.rows import JUDGED, reference_sources
from echo.protocol.truth import TrueCases, entries_of
from echo.protocol.words import branch_of
from echo.tables.gate import gated

TEMPLATE = Path(__file__).parent / "page.html"
WIDEST, QUALITY = 160, 80  # pixels of a shown frame, and WebP's quality
CASES = 2  # of each branch
COLUMNS = {  # of a branch's table: measure to heading, decimals
    "psnr": ("PSNR, dB", 1), "psnr_seen": ("on seen pixels", 1), "psnr_unseen": ("never seen", 1), "ssim": ("SSIM", 2),
    "ssim_seen": ("seen", 2), "ssim_unseen": ("never seen", 2), "lpips": ("LPIPS", 2), "lpips_seen": ("seen", 2),
    "lpips_unseen": ("never seen", 2), "realism": ("kernel distance", 2), "sharpness": ("sharpness", 2),
    "departure_share": ("departure, of the true angle", 2), "departed": ("departed", 2),
    "first_psnr": ("closure, dB", 1), "gated_first_psnr": ("closure of the departed, dB", 1),
    "gated_psnr": ("PSNR of the departed, dB", 1),
}  # fmt: skip


@dataclass(frozen=True)
class Strip:
    """The frames of one row of one case, as a picture."""

    branch: str
    case: str
    row: str
    picture: str
    frames: int
    width: int
    height: int


def shown(cases: TrueCases, source: Callable[[Entry], Frames]) -> list[Strip]:
    """Strips of the first cases of each branch: given, true, the model's, and the reference rows'."""
    rows: dict[str, Callable[[Entry], Frames]] = {
        "last given frame": lambda entry: cases.of(entry.name).last[None],
        "true": lambda entry: cases.frames(entry.name, range(entry.given, entry.frames)),
        "answer": source,
    }
    rows |= {label: draw for name, (label, draw) in reference_sources(cases).items() if name != "truth"}
    return [
        _strip(entry, row, draw(entry))
        for branch in cases.set.branches
        for entry in entries_of(cases.set, branch)[:CASES]
        for row, draw in rows.items()
    ]


def _strip(entry: Entry, row: str, frames: Frames) -> Strip:
    height, width = frames.shape[1:3]
    scale = min(1.0, WIDEST / width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = [np.asarray(Image.fromarray(frame).resize(size, Image.Resampling.BOX)) for frame in frames]
    picture = pages.picture_address(np.concatenate(small, 1), "WEBP", quality=QUALITY)
    return Strip(entry.branch, entry.name, row, picture, len(frames), *size)


def render(result: Mapping[str, Any], strips: list[Strip]) -> str:
    """The page; ``result`` as ``echo.protocol.score.score`` gives it."""
    parts, data = _head(result), []
    if strips:
        parts.append('<div id="clock"><button id="play">Stop</button>'
                     '<input type="range" id="time" min="0" value="0" aria-label="frame"></div>')  # fmt: skip
    for branch in result["set"]["branches"]:
        parts += [f"<h2>{html.escape(branch_of(branch).label)} <span class=soft>{branch}</span></h2>",
                  _table(result, branch), _drift(result, branch)]  # fmt: skip
        own = [strip for strip in strips if strip.branch == branch]
        for case in dict.fromkeys(strip.case for strip in own):
            parts.append(f'<div class="case" title="{html.escape(case)}">')
            for strip in (one for one in own if one.case == case):
                name = f"s{len(data)}"
                kind = "first" if strip.row == "answer" else ""
                parts.append(f'<figure class="{kind}"><figcaption>{html.escape(strip.row)}</figcaption>'
                             f'<canvas id="{name}"></canvas></figure>')  # fmt: skip
                data.append({"id": name, "source": strip.picture, "frames": strip.frames, "width": strip.width,
                             "height": strip.height})  # fmt: skip
            parts.append("</div>")
    parts.append(_versions(result))
    title = f"{result['model']['name']} on {result['set']['name']}"
    return filled(title, "\n".join(parts), data, result["set"]["frames_per_second"])


def filled(title: str, body: str, data: list[dict[str, Any]], rate: float) -> str:
    """The template with its parts; ``body`` is HTML, whose own texts are escaped already."""
    return pages.filled(TEMPLATE, title=html.escape(title), rate=f"{rate:g}", data=pages.embedded(data), body=body)


def _head(result: Mapping[str, Any]) -> list[str]:
    made, answers, model = result["set"], result["answers"], result["model"]
    height, width = made["size"]
    failed = f", {len(answers['failed'])} failed (scored as black frames)" if answers["failed"] else ""
    resized = f", {answers['resized']} resized" if answers["resized"] else ""
    lines = [
        f"<h1>{html.escape(model['name'])}</h1>",
        f"<p>{html.escape(made['name'])} at {height} x {width}: {sum(made['branches'].values())} cases, "
        f"{answers['count']} answers{failed}{resized}. Means, and 95 % intervals over rooms.</p>",
    ]
    for branch, one in result["certificate"].items():
        drop = one["seen_drop"]
        says = "its memory is shown to be worth something" if one["remembers"] else "no effect of its memory is shown"
        lines.append(f"<p>{branch}: with another case's history the return loses {_cell(drop, 2)} dB on pixels that "
                     f"could be remembered: {says}.</p>")  # fmt: skip
    return lines


def _table(result: Mapping[str, Any], branch: str) -> str:
    columns = dict(COLUMNS)
    for name in result["judges"]:
        points = JUDGED.format(name)
        columns |= {points: (f"judge {name}", 0), gated(points): (f"{name}, of the departed", 0)}
    held = [row["branches"][branch] for row in result["rows"].values()]
    present = {name: about for name, about in columns.items() if any(_value(one.get(name)) is not None for one in held)}
    head = "".join(f"<th>{html.escape(heading)}</th>" for heading, _ in present.values())
    lines = []
    for key, row in result["rows"].items():
        cells = "".join(f"<td>{_cell(row['branches'][branch].get(name), digits)}</td>"
                        for name, (_, digits) in present.items())  # fmt: skip
        kind = "model" if key == "model" else "reference"
        lines.append(f'<tr class="{kind}"><td>{html.escape(row["label"])}</td>{cells}</tr>')
    return (f'<div class="wide"><table><thead><tr><th></th>{head}</tr></thead><tbody>{"".join(lines)}'
            "</tbody></table></div>")  # fmt: skip


def _drift(result: Mapping[str, Any], branch: str) -> str:
    """PSNR of each segment, where there are several, and how far off departure is."""
    drift = result["rows"]["model"]["branches"][branch]["drift"]
    said = []
    if len(drift) > 1:
        said.append("PSNR by segment, dB: " + ", ".join(_cell(one, 1) for one in drift))
    error = result["departure_error"].get(branch)
    if error and _value({"mean": error["median"]}) is not None:
        said.append(f"departure of the true frames is off by {error['median']:.1f} degrees (median; 90th percentile "
                    f"{error['p90']:.1f})")  # fmt: skip
    return f'<p class="soft">{"; ".join(said)}</p>' if said else ""


def _value(cell: Mapping[str, Any] | None) -> float | None:
    return None if cell is None else cell.get("mean")


def _cell(cell: Mapping[str, Any] | None, digits: int) -> str:
    if cell is None or cell.get("mean") is None:
        return ""
    mean, low, high = (cell.get(name) for name in ("mean", "low", "high"))
    limits = "" if low is None or high is None else f" <small>{low:.{digits}f} to {high:.{digits}f}</small>"
    return f"{mean:.{digits}f}{limits}"


def _versions(result: Mapping[str, Any]) -> str:
    made, versions = result["set"], result["versions"]
    libraries = ", ".join(f"{name} {number}" for name, number in versions["libraries"].items())
    lines = [
        f"set {made['name']}, definition {made['definition']}, pixels {made['pixels']}",
        f"answers {result['answers']['sha256']}; measures {result['measures']}, code {versions['code']}",
        f"python {versions['python']}; {libraries}",
        " ".join(result["command"]),
    ]
    return "<h2>Made with</h2>" + "".join(f'<p class="soft">{html.escape(line)}</p>' for line in lines)
