"""The commands of the protocol: ``export``, ``answer``, ``score`` and ``leaderboard`` of ``python -m echo``.

Nothing heavy is imported before the command that needs it runs.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from echo.protocol.errors import ProtocolError
from echo.protocol.words import ECHO_1, FIELD_OF_VIEW, FRAMES, IN_ECHO_1, RATE, ROOMS, SIZES, parse_size
from echo.study.words import BRANCHES

app = typer.Typer(rich_markup_mode=None)

Cases = Annotated[Path, typer.Option("--cases", help="the folder that `export` wrote")]
Truth = Annotated[
    Path | None, typer.Option("--truth", help="folder of the truth; CASES.truth beside the cases if none")
]
Weights = Annotated[Path, typer.Option("--weights", help="folder of the networks' weights (`python -m echo weights`)")]
Branches = Annotated[list[str] | None, typer.Option("--branch", help="these branches alone; repeat the option")]


@app.command()
def export(
    cases: Annotated[Path, typer.Argument(help="folder that is written")],
    truth: Truth = None,
    size: Annotated[str, typer.Option("--size", help=f"one of {', '.join(SIZES)}")] = "64",
    rooms: Annotated[int, typer.Option("--cases", min=1, max=ROOMS, help="cases of each branch")] = ROOMS,
    frames: Annotated[int, typer.Option("--segment-frames", min=2, help="frames of a segment")] = FRAMES,
    rate: Annotated[float, typer.Option("--fps", min=0.1, max=1000, help="frames a second")] = RATE,
    branch: Branches = None,
    pool: Annotated[Path | None, typer.Option("--pool", help="cases of this pool, in place of Echo-1's rooms")] = None,
    study: Annotated[Path | None, typer.Option("--study", help="the pool's study: its cases, under its names")] = None,
    field_of_view: Annotated[float, typer.Option("--field-of-view", help="of a pool without a study")] = FIELD_OF_VIEW,
    name: Annotated[str, typer.Option("--name", help="of a pool's set; by default the pool's folder")] = "",
    assets: Annotated[Path, typer.Option("--assets", help="folder of the asset pack")] = Path("resources/assets"),
) -> None:
    """Write the cases of Echo-1, or of a pool, for a model to answer; and their truth in a folder apart."""
    from echo.protocol.export import truth_of, write_set
    from echo.protocol.scenes import Setting

    truth = truth or truth_of(cases)
    try:
        pixels = parse_size(size)
    except ValueError as error:
        raise ProtocolError(f"--size {error}") from None
    known = tuple(BRANCHES) if pool else IN_ECHO_1
    for one in branch or ():
        if one not in known:
            raise ProtocolError(f"--branch {one}: expected some of {', '.join(known)}")
    if pool is not None:
        made = write_set(*_of_pool(pool, study, name, rooms, frames, rate, field_of_view, branch), cases, truth)
    elif study is not None:
        raise ProtocolError("--study: the pool's; name its folder too (--pool)")
    else:
        from echo.protocol.rooms import scenes

        setting = Setting(ECHO_1, pixels, FIELD_OF_VIEW, frames, rate)
        wanted = [one for one in IN_ECHO_1 if not branch or one in branch]
        made = write_set(setting, scenes(setting, rooms, wanted, assets), cases, truth, rooms * len(wanted))
    print(f"{cases}: {made.name}, {len(made.cases)} cases, definition {made.definition}; the truth is in {truth}")


def _of_pool(
    folder: Path,
    study: Path | None,
    name: str,
    count: int,
    frames: int,
    rate: float,
    field_of_view: float,
    branches: list[str] | None,
) -> tuple[Any, Any]:
    """The setting and the scenes of a pool."""
    from echo.protocol.pools import scenes
    from echo.protocol.scenes import Setting
    from echo.study.config import load_study
    from echo.world.pool import open_pool
    from echo.world.recordings.clip_pool import ClipPool

    whole = None if study is None else load_study(study, whole=False)
    pool = open_pool(folder)
    if whole is not None:
        frames, field_of_view = whole.segment.frames, whole.world.field_of_view
    elif isinstance(pool, ClipPool):
        field_of_view = pool.header["field_of_view"]
    name = name or f"{whole.study}-{folder.name}" if whole else name or folder.name
    if name == ECHO_1:
        raise ProtocolError(f"--name {name}: is the name of one set, which is not this pool")
    height, width = pool.frames(pool.videos[0], [0]).shape[1:3]
    setting = Setting(name, (height, width), field_of_view, frames, rate)
    return setting, scenes(setting, pool, count, branches, whole)


@app.command()
def answer(
    cases: Cases,
    out: Annotated[Path, typer.Option("--out", help="folder of the answers")],
    model: Annotated[str | None, typer.Option("--model", help="a Python class, package.module:Class")] = None,
    option: Annotated[list[str] | None, typer.Option("--option", help="NAME=VALUE, a keyword of the class")] = None,
    command: Annotated[str | None, typer.Option("--command", help="a command with {case} and {out}, folders")] = None,
    folder: Annotated[Path | None, typer.Option("--folder", help="answers that are there already")] = None,
    name: Annotated[str, typer.Option("--name", help="of the model; by default the class, command or folder")] = "",
    seconds: Annotated[
        float | None, typer.Option("--timeout", help="seconds that a command may take for a case")
    ] = None,
    swaps: Annotated[bool, typer.Option("--swaps", help="the command takes another case's history too")] = False,
    again: Annotated[bool, typer.Option("--retry", help="try cases again that have failed")] = False,
    video: Annotated[
        bool, typer.Option("--mp4", help="write mp4 in place of PNG: smaller, and a little is lost")
    ] = False,
) -> None:
    """Answer a set of cases by a Python class, a command, or a folder; what was interrupted goes on."""
    from echo.protocol.answer import answer_set
    from echo.protocol.models import Command, Folder, load_class

    given = [one for one in (model, command, folder) if one is not None]
    if len(given) != 1:
        raise ProtocolError("expected one of --model, --command and --folder")
    if option and model is None:
        raise ProtocolError("--option: is for --model")
    options = dict(_option(one) for one in option or ())
    how: dict[str, Any] = {"model": model, "options": options} if model else {"given": str(given[0])}
    if model is not None:
        sys.path.insert(0, str(Path.cwd()))
        made = load_class(model, options)
    else:
        made = Folder(folder) if folder else Command(str(command), seconds, swaps)
    failed = answer_set(cases, out, made, name or str(given[0]), how, again, video)
    print(f"{out}: answered" + (f", {len(failed)} cases failed ({', '.join(list(failed)[:3])} ...)" if failed else ""))


def _option(text: str) -> tuple[str, Any]:
    """NAME=VALUE, the value as YAML has it."""
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise ProtocolError(f"--option {text}: expected NAME=VALUE")
    return name, yaml.safe_load(value)


@app.command()
def score(
    answers: Annotated[Path, typer.Argument(help="folder of answers: NAME.mp4, or NAME/00025.png ..")],
    cases: Cases,
    truth: Truth = None,
    out: Annotated[Path | None, typer.Option("--out", help="folder that is written; ANSWERS.score if none")] = None,
    name: Annotated[str, typer.Option("--name", help="of the model")] = "",
    judge: Annotated[
        list[str] | None, typer.Option("--judge", help="a judge that needs no settings; repeat it")
    ] = None,
    judges: Annotated[Path | None, typer.Option("--judges", help="YAML with a section `judges` of a study")] = None,
    references: Annotated[bool, typer.Option(help="measure reference rows beside the model, once per set")] = True,
    black: Annotated[bool, typer.Option("--failed-as-black", help="count answers that do not fit as failed")] = False,
    weights: Weights = Path("resources/weights"),
    threads: Annotated[int, typer.Option("--threads", min=1, help="CPU threads; more change the last bits")] = 1,
) -> None:
    """Score a folder of answers: score.json and a page with the videos in step."""
    import torch

    from echo.protocol.answers import AnswersError
    from echo.protocol.export import truth_of
    from echo.protocol.score import PAGE, Answers, write_result
    from echo.protocol.score import score as scored
    from echo.protocol.truth import TrueCases

    torch.set_num_threads(threads)
    settings = {**dict.fromkeys(judge or (), {}), **_judges(judges)}
    opened = TrueCases(cases, truth or truth_of(cases))
    try:
        checked = Answers(answers, opened, black)
    except AnswersError as error:
        print("\n".join(error.faults), file=sys.stderr)
        raise
    out = out or answers.with_name(f"{answers.name}.score")
    result = scored(checked, weights, name or checked.record.model or answers.name, settings, references)
    write_result(result, checked, out)
    print(f"{out / PAGE}: {len(opened.set.cases)} cases, {len(checked.failed)} failed")


def _judges(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    if not path.is_file():
        raise ProtocolError(f"{path}: no such file (--judges)")
    held = yaml.safe_load(path.read_text())
    if not isinstance(held, dict) or not isinstance(held.get("judges"), dict):
        raise ProtocolError(f"{path}: expected a section `judges`, as in a study's file (config/README.md)")
    return {str(name): dict(one or {}) for name, one in held["judges"].items()}


@app.command()
def leaderboard(
    results: Annotated[Path, typer.Argument(help="folder of score.json files, gzipped or not, under any names")],
    out: Annotated[Path, typer.Option("--out", help="folder that is written: leaderboard.csv and index.html")],
) -> None:
    """Put results into one table and page; what does not compare is never in one column."""
    from echo.protocol.leaderboard import PAGE, read_board, write_board

    board = read_board(results)
    for line in board.refused:
        print(f"refused: {line}", file=sys.stderr)
    if not board.groups:
        raise ProtocolError(f"{results}: no result that can be shown; {len(board.refused)} were refused, listed above")
    write_board(board, out)
    count = sum(map(len, board.groups.values()))
    print(f"{out / PAGE}: {count} results in {len(board.groups)} groups, {len(board.refused)} refused")
