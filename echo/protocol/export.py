"""Writing a case set: a folder for models, and the truth in another one, which can be kept from them.

    CASES/set.json, README.md, schema.json
    CASES/cases/NAME/case.json, first.png, mask.png, history/00000.png .., history.mp4, cameras.txt, plucker.npy,
        actions.txt
    TRUTH/truth.json
    TRUTH/NAME/00025.png .., known.safetensors, reprojection/00025.png ..

A case that is there, whole and of the same definition, is not drawn again, so that an export that was killed goes on.
``known.safetensors`` holds which pixels of the measured frames were seen before, and where the anchor is at the end.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from echo.io.files import digest, write_json, write_text
from echo.io.tensors import TensorFileError, read_header, save_tensors
from echo.io.video import write_video
from echo.measures.seen import measured_positions
from echo.protocol import cameras, readme, steps
from echo.protocol.errors import ProtocolError
from echo.protocol.files import write_frames, write_mask
from echo.protocol.manifest import CASE, CASES, SET, TRUTH, CaseFile, CaseSet, Entry, read
from echo.protocol.references import SEES, seeing
from echo.protocol.scenes import Scene, Setting, View
from echo.protocol.versions import versions
from echo.protocol.words import CASE_FORMAT, SET_FORMAT
from echo.study.words import RETURN_FRAMES, first_target
from echo.world.camera import relative_actions
from echo.world.geometry import seen

KNOWN = "known.safetensors"
HISTORY = "history"


def truth_of(cases: Path) -> Path:
    """Where the truth of a set lies unless it is said: beside it."""
    return cases.with_name(f"{cases.name}.truth")


def write_set(setting: Setting, scenes: Iterable[Scene], cases: Path, truth: Path, total: int | None = None) -> CaseSet:
    """Write all cases and then ``set.json``, without which a folder is no set; returns what it holds.

    Raises ProtocolError where another set's files are there.
    """
    _check_free(setting, cases, truth)
    entries: list[Entry] = []
    for scene in tqdm(scenes, desc=setting.name, total=total, mininterval=5):
        entries.append(_made(scene, truth) or _write(scene, cases / CASES / scene.name, truth / scene.name))
    if not entries:
        raise ProtocolError(f"{cases}: no cases; ask for more")
    for entry in entries:
        _write_swap(cases / CASES / entry.name, _other(entries, entry))
    made = CaseSet(
        format=SET_FORMAT,
        **setting.record(),
        definition=digest([entry.definition for entry in entries]),
        pixels=digest([entry.pixels for entry in entries]),
        made_with=versions(),
        cases=entries,
    )
    write_text(cases / "README.md", readme.render(made))
    write_json(cases / "schema.json", {"set": CaseSet.model_json_schema(), "case": CaseFile.model_json_schema()})
    for folder, name in ((truth, TRUTH), (cases, SET)):
        write_json(folder / name, made.model_dump(mode="json"))
    return made


def _check_free(setting: Setting, cases: Path, truth: Path) -> None:
    """Raise ProtocolError unless both folders are new, empty, or of a set with these settings."""
    if cases.resolve() == truth.resolve() or cases.resolve() in truth.resolve().parents:
        raise ProtocolError(f"{truth}: the truth must lie outside {cases}, so that it can be kept from a model")
    if (cases / SET).is_file():
        held = read(CaseSet, cases, SET)
        if {key: getattr(held, key) if key != "size" else list(held.size) for key in setting.record()} != (
            setting.record()
        ):
            raise ProtocolError(f"{cases}: holds {held.name} of other settings; give another folder")
    for folder, names in ((cases, {SET, CASES, "README.md", "schema.json"}), (truth, None)):
        if names is not None and folder.is_dir() and any(path.name not in names for path in folder.iterdir()):
            raise ProtocolError(f"{folder}: holds other files; give a new folder")


def _made(scene: Scene, truth: Path) -> Entry | None:
    """The entry of a case that is there already, whole; its truth is written last."""
    try:
        header = read_header(truth / scene.name / KNOWN)
    except (TensorFileError, OSError):
        return None
    entry = Entry.model_validate(header["entry"])
    return entry if entry.definition == scene.definition else None


def _write(scene: Scene, folder: Path, truth: Path) -> Entry:
    """Draw a case and write its two folders, the truth last."""
    view, setting, given = scene.look(), scene.setting, scene.given
    for old in (folder, truth):
        shutil.rmtree(old, ignore_errors=True)
    entry = Entry(
        name=scene.name, branch=scene.branch, room=scene.room, frames=len(scene.poses), given=given,
        definition=scene.definition, pixels=hashlib.sha256(np.ascontiguousarray(view.rgb).tobytes()).hexdigest()[:16],
    )  # fmt: skip
    matrices, camera = cameras.camera_to_world(scene.poses), cameras.intrinsics(setting.size, setting.field_of_view)
    write_frames(folder / "first", view.rgb[:1], [0])
    (folder / "first" / "00000.png").rename(folder / "first.png")
    (folder / "first").rmdir()
    write_mask(folder / "mask.png", view.masks[0])
    if given > 1:
        write_frames(folder / HISTORY, view.rgb[:given], range(given))
        write_video(folder / f"{HISTORY}.mp4", view.rgb[:given], setting.rate)
    text = cameras.realestate10k(matrices, camera, setting.size, setting.rate, scene.name)
    write_text(folder / "cameras.txt", text)
    np.save(folder / "plucker.npy", cameras.plucker(matrices[given:], camera, setting.size), allow_pickle=False)
    if scene.spelled:
        size = steps.StepSize.of(setting.frames)
        write_text(folder / "actions.txt", steps.text(steps.spell(scene.poses, size)))
    _write_case(folder, scene, matrices, camera)
    write_frames(truth, view.rgb[given:], range(given, len(view.rgb)))
    for name in SEES if view.depth is not None else ():
        write_frames(truth / name, seeing(name, scene, view), range(given, len(view.rgb)))
    header = {"entry": entry.model_dump(), "anchor": scene.anchor, "split": scene.split, "swap": None}
    save_tensors(truth / KNOWN, _known(scene, view), header)
    return entry


def _write_case(folder: Path, scene: Scene, matrices: np.ndarray, camera: np.ndarray) -> None:
    setting = scene.setting.record()
    held: dict[str, Any] = {
        "format": CASE_FORMAT,
        "set": setting.pop("name"),
        **setting,
        "name": scene.name,
        "branch": scene.branch,
        "video": scene.video,
        "caption": scene.caption,
        "anchor": scene.anchor,
        "frames": len(scene.poses),
        "given": scene.given,
        "intrinsics": camera.tolist(),
        "poses": scene.poses.tolist(),
        "relative": relative_actions(scene.poses, scene.poses[scene.given]).tolist(),
        "camera_to_world": matrices.tolist(),
        "steps": scene.steps,
        "swap": None,
    }
    write_text(folder / CASE, json.dumps(held) + "\n")


def _write_swap(folder: Path, other: str | None) -> None:
    """Say in a case's file whose history a swapped one is; that is known when all cases are."""
    held = json.loads((folder / CASE).read_text())
    if held["swap"] != other:
        write_text(folder / CASE, json.dumps({**held, "swap": other}) + "\n")


def _other(entries: Sequence[Entry], entry: Entry) -> str | None:
    """The next case of the branch that is of another room and has as much history; None without history."""
    if entry.given == 1:
        return None
    alike = [one for one in entries if one.branch == entry.branch and one.given == entry.given]
    place = alike.index(entry)
    turn = [*alike[place + 1 :], *alike[:place]]
    return next((one.name for one in turn if one.room != entry.room), None)


def _known(scene: Scene, view: View) -> dict[str, np.ndarray]:
    """What scoring needs to know of the frames to generate, eight pixels a byte.

    ``anchor``: masks of the last frames; ``index``, ``given`` and ``past``: as ``echo.measures.seen`` has them, where
    there is depth. given: what a given frame shows; past: what any true frame before the segment shows.
    """
    made = {"anchor": np.packbits(view.masks[-RETURN_FRAMES:].reshape(RETURN_FRAMES, -1), axis=-1)}
    if view.depth is None:
        return made
    frames, view_angle = scene.setting.frames, scene.setting.field_of_view
    drawn = np.arange(scene.given, len(scene.poses))
    index, masks = drawn[measured_positions(scene.branch, drawn)], {"given": [], "past": []}
    for frame in index:
        for name, before in (("given", scene.given), ("past", first_target((frame - 1) // frames + 1, frames))):
            shown = seen(view.depth[frame], scene.poses[frame], view.depth[:before], scene.poses[:before], view_angle)
            masks[name].append(shown & np.isfinite(view.depth[frame]))
    packed = {name: np.packbits(np.array(one).reshape(len(index), -1), axis=-1) for name, one in masks.items()}
    return made | {"index": index.astype(np.int64), **packed}
