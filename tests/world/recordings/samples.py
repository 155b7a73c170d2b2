"""Writers of small recordings of every source, each frame with its number readable from the picture."""

from __future__ import annotations

import json
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image
from scipy.spatial.transform import Rotation

from echo.study.config import Study
from echo.study.words import BRANCHES
from tests.conftest import tiny_study

SIZE = (24, 32)  # height, width
FX = 0.8  # focal length of RealEstate10K's cameras, in parts of the frame's width
INDEXES = (0, 6, 12, 20)  # frames of SpatialVID's clips that have a pose


def picture(number: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    """A frame (H, W, 3) that says its number in three grey blocks of eight levels each."""
    image = np.zeros((*size, 3), np.uint8)
    for digit, columns in zip((number // 64 % 8, number // 8 % 8, number % 8), np.array_split(np.arange(size[1]), 3),
                              strict=True):  # fmt: skip
        image[:, columns] = 16 + 32 * digit
    return image


def number_of(image: np.ndarray) -> int:
    """The number that ``picture`` wrote, read back from a frame (H, W, 3) that may be compressed."""
    blocks = np.array_split(np.arange(image.shape[1]), 3)
    digits = [int((image[4:-4, b[2:-2]].mean() - 16) / 32 + 0.5) for b in blocks]
    return digits[0] * 64 + digits[1] * 8 + digits[2]


def write_video(
    path: Path,
    frames: int,
    size: tuple[int, int] = (48, 96),
    fps: int = 30,
    container_format: str | None = None,
    turned: int = 0,
    pixels: Fraction | None = None,
    **options: str,
) -> None:
    """An H.264 video of ``picture`` 0 .. frames - 1, with B-frames and a key frame every ``g`` frames.

    turned: the quarter turns clockwise by which its pictures were turned, which the file tells players to undo;
    pixels: width over height of a pixel.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w", format=container_format) as container:
        stream = container.add_stream("libx264", rate=fps, options={"g": "12", "bf": "2", **options})
        stream.height, stream.width, stream.pix_fmt = *size[:: -1 if turned % 2 else 1], "yuv420p"
        if turned:
            stream.set_display_rotation(90 * turned)
        if pixels:
            stream.codec_context.sample_aspect_ratio = pixels
        for number in range(frames):
            turn = np.ascontiguousarray(np.rot90(picture(number, size), -turned))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(turn, format="rgb24")))
        container.mux(stream.encode())


def turning_poses(frames: int, degrees: float = 3.0, radius: float = 0.0) -> np.ndarray:
    """Level poses (F, 6) that turn steadily to the right, on a circle of ``radius``."""
    yaw = degrees * np.arange(frames)
    poses = np.zeros((frames, 6))
    poses[:, 0], poses[:, 1] = radius * np.cos(np.deg2rad(yaw)), radius * np.sin(np.deg2rad(yaw))
    poses[:, 2], poses[:, 5] = 1.5, (yaw + 180) % 360 - 180
    return poses


def write_scene(folder: Path, scene: str, poses: np.ndarray, labels: bool = True) -> None:
    """A scene in the Context-as-Memory layout; ``poses`` (F, 6) in metres."""
    for kind in ("frames", "overlap_labels"):
        (folder / kind / scene).mkdir(parents=True, exist_ok=True)
    cameras = {}
    for i, pose in enumerate(poses):
        Image.fromarray(picture(i)).save(folder / "frames" / scene / f"{i:04d}.png")
        cameras[str(i)] = {"position": (100 * pose[:3]).tolist(), "rotation": pose[3:].tolist()}
        if labels:
            label = {"overlapping_frames": [j for j in range(len(poses)) if abs(i - j) <= 2]}
            (folder / "overlap_labels" / scene / f"{i}.json").write_text(json.dumps(label))
    path = folder / "jsons" / f"{scene}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"CineCameraActor": cameras}))
    half = len(poses) // 2
    with (folder / "captions.txt").open("a") as file:
        file.write(f"{scene}/0_{half - 1}.mp4\tfirst half of {scene}\n")
        file.write(f"{scene}/{half}_{len(poses) - 1}.mp4\tsecond half of {scene}\n")


def clip_study(**world: object) -> Study:
    """A study of clips with segments of 8 frames, small enough for ``turning_pool``."""
    world = {"source": "context_as_memory", "path": "given", "held_out_videos": 2, "size": [16, 16],
             "field_of_view": 60.0, "train_rooms": 7, "in_domain_rooms": 4, "open_domain_rooms": 4,
             **world}  # fmt: skip
    branches = [name for name, branch in BRANCHES.items() if not branch.revisits]
    return tiny_study(world=world, segment={"frames": 8, "train_segments": 4}, evaluate={"branches": branches})


def camera_line(timestamp: int, quaternion: object, translation: object, aspect: float = 0.75) -> str:
    """A line of a camera file with a rotation (x, y, z, w) and translation (3,), world to camera.

    aspect: height over width of the frames, of square pixels.
    """
    matrix = np.concatenate([Rotation.from_quat(quaternion).as_matrix(), np.reshape(translation, (3, 1))], 1)
    return " ".join(map(repr, [timestamp, FX, FX / aspect, 0.5, 0.5, 0.0, 0.0, *map(float, matrix.ravel())]))


def write_cameras(path: Path, timestamps: Sequence[int], walk: float = 0.1, aspect: float = 0.75) -> None:
    """A camera that turns to the right by two degrees per line and walks along its world's z by ``walk``."""
    lines = ["https://www.youtube.com/watch?v=abc"]
    for i, timestamp in enumerate(timestamps):
        turned = Rotation.from_euler("y", -2 * i, degrees=True)  # world to camera
        lines.append(camera_line(timestamp, turned.as_quat(), turned.apply([0, 0, -walk * i]), aspect))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")


def write_clip(folder: Path, name: str, frames: int = 24, indexes: Sequence[int] = INDEXES) -> None:
    """A camera that turns right by one degree and walks ahead by 0.1 per frame; world-to-camera quaternions."""
    notes = folder / "annotations" / name
    notes.mkdir(parents=True)
    rows = []
    for i in indexes:
        turned = Rotation.from_euler("y", -i, degrees=True)
        rows.append([*turned.apply([0, 0, -0.1 * i]), *turned.as_quat()])
    np.save(notes / "poses.npy", np.array(rows))
    np.save(notes / "intrinsics.npy", np.tile([0.7, 1.4, 0.5, 0.5], (len(indexes), 1)))
    (notes / "indexes.txt").write_text("".join(f"{n} {i}\n" for n, i in enumerate(indexes)))
    (notes / "caption.json").write_text(json.dumps({"Caption": {"SceneSummary": f"a walk,\nclip {name}"}}))
    write_video(folder / "videos" / f"{name}.mp4", frames)
