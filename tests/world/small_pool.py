"""A pool of one video of two frames."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from echo.world.layout import COLUMNS


def write_small_pool(folder: Path, split: str | None = None) -> None:
    """The pool as others make it; with ``split``, also the videos.csv that says whose it is."""
    for kind in ("frames/scene", "jsons"):
        (folder / kind).mkdir(parents=True)
    for i in range(2):
        Image.fromarray(np.full((4, 4, 3), i, np.uint8)).save(folder / "frames" / "scene" / f"{i:04d}.png")
    cameras = {str(i): {"position": [i, 0, 0], "rotation": [0, 0, 0]} for i in range(2)}
    (folder / "jsons" / "scene.json").write_text(json.dumps({"CineCameraActor": cameras}))
    (folder / "captions.txt").write_text("scene/0_1.mp4\ta hall\n")
    if split is not None:
        row = pd.DataFrame([("scene", split, "scene", "", "return_45", 2)], columns=COLUMNS)
        row.to_csv(folder / "videos.csv", index=False)
