"""Small videos for tests: a folder of frames or a file, their exact labels, and a propagator that needs no weights."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from datakit.images import encode_palette_png
from datakit.video.palette import palette
from pipelines.propagate.network import prompt_masks
from pipelines.propagate.passes import Step, plan_passes, run_passes
from tests.tiny import write_picture

SIZE = (48, 64)


def frame(number: int, size: tuple[int, int] = SIZE) -> NDArray[np.uint8]:
    """(H, W, 3) RGB, smooth, another one for each number; its upper left corner is bright."""
    rows, columns = np.mgrid[0 : size[0], 0 : size[1]]
    image = np.stack([rows * 3, columns * 2, np.full(size, number * 20 % 200)], axis=2).astype(np.uint8)
    image[: size[0] // 3, : size[1] // 3] = 250
    return image


def labels(number: int = 0, size: tuple[int, int] = SIZE) -> NDArray[np.uint8]:
    """(H, W) ids: 1 a block that moves to the right, 2 one that stays."""
    plane = np.zeros(size, np.uint8)
    plane[8:20, 5 + number : 20 + number] = 1
    plane[30:40, 30:50] = 2
    return plane


def draw_folder(root: Path, count: int = 6, suffix: str = ".png") -> Path:
    """A folder of frames 00000, 00001 …"""
    for number in range(count):
        write_picture(root / f"{number:05d}{suffix}", frame(number))
    return root


def draw_file(path: Path, count: int = 6, size: tuple[int, int] = SIZE, codec: str = "MJPG") -> Path:
    """A video file of the same frames."""
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*codec), 12, size[::-1])
    assert writer.isOpened()
    for number in range(count):
        writer.write(cv2.cvtColor(frame(number, size), cv2.COLOR_RGB2BGR))
    writer.release()
    return path


def encode_file(
    path: Path,
    count: int = 6,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    times: Sequence[int] = (),
    size: tuple[int, int] = SIZE,
    **options: str,
) -> Path:
    """A video file of the same frames by PyAV, as other programs write it; `times` of the frames in 1/100 s."""
    import av

    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, 100, options)
        stream.height, stream.width, stream.pix_fmt, stream.time_base = *size, pix_fmt, Fraction(1, 100)
        for number in range(count):
            picture = av.VideoFrame.from_ndarray(frame(number, size), "rgb24")
            picture.pts, picture.time_base = times[number] if times else 4 * number, Fraction(1, 100)
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return path


def edit_list(path: Path, first: int, count: int, fps: int) -> Path:
    """Let the edit list of an MP4 of OpenCV's show `count` frames from `first` on, as cutting without encoding does."""
    data = bytearray(path.read_bytes())
    at = data.find(b"elst") + 4
    assert data[at : at + 8] == bytes(7) + b"\1", "one edit, version 0"
    units = [struct.unpack_from(">I", data, data.find(name) + 16)[0] for name in (b"mvhd", b"mdhd")]
    struct.pack_into(">II", data, at + 8, count * units[0] // fps, first * units[1] // fps)
    path.write_bytes(data)
    return path


def write_labels(path: Path, plane: NDArray[np.uint8]) -> Path:
    """A palette PNG of ids."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode_palette_png(plane, palette()))
    return path


def draw_tree(root: Path, names: tuple[str, ...] = ("cat", "dog"), count: int = 4) -> Path:
    """A tree as DAVIS lays it out, annotated in the first frame."""
    for name in names:
        draw_folder(root / "JPEGImages/480p" / name, count, ".jpg")
        write_labels(root / "Annotations/480p" / name / "00000.png", labels())
    return root


class Drifting:
    """Moves every mask by a pixel a frame, further the longer it goes on: what it makes depends on all before."""

    def __init__(self) -> None:
        self.before: NDArray[np.uint8] | None = None
        self.steps = 0
        self.ids: set[int] = set()
        self.margins: dict[int, float] = {}  # the less, the longer it goes on

    @property
    def lost(self) -> set[int]:
        """Ids without a pixel."""
        return self.ids - {int(number) for number in np.unique(self.before)}

    def replay(self, made: NDArray[np.uint8], mask: NDArray[np.uint8] | None = None, frame: object = None) -> None:
        """As `Propagator.replay`."""
        self.before, self.steps = made, self.steps + 1
        self.ids |= {int(number) for number in np.unique(made) if number}

    def step(self, image: Any, mask: NDArray[np.uint8] | None = None, flow: Any = None) -> NDArray[np.uint8]:
        """As `Propagator.step`."""
        moved = np.zeros(image.shape[:2], np.uint8) if self.before is None else np.roll(self.before, self.steps, 1)
        made = moved if mask is None else np.where(mask > 0, mask, moved)
        given = set() if mask is None else set(np.unique(mask).tolist())
        self.margins = dict.fromkeys(sorted(self.ids - given), 1 - 0.1 * self.steps)
        self.replay(made)
        return made

    def box_mask(self, image: Any, boxes: Any) -> NDArray[np.uint8]:
        """As `Propagator.box_mask`."""
        plane = np.zeros(image.shape[:2], np.uint8)
        for number, (x0, y0, x1, y1) in boxes.items():
            plane[y0:y1, x0:x1] = number
        return plane


class DriftingEngine:
    """An engine, see `pipelines.propagate.network`, of such propagators."""

    def __init__(self, *_: Any):
        self.choice = _[0] if _ else None

    def settings(self) -> dict[str, Any]:
        """Its settings."""
        return {"drifting": True, "given": dict(self.choice.given) if self.choice else {}}

    def run(self, frames: Any, start: Any, written: Any, scratch: Path) -> Iterator[Step]:
        """All frames."""
        masks = prompt_masks(Drifting(), frames, start)
        passes = plan_passes(len(frames), masks, start.begins, start.complete)
        yield from run_passes(passes, Drifting, frames, written, lambda _: None)


def written(out: Path, name: str = "clip") -> set[str]:
    """Names of the files of a propagation's report."""
    return {path.name for path in (out / "_report" / name).iterdir() if path.name[0] != "."}


def contents(out: Path) -> dict[str, bytes]:
    """What must be equal between propagations: everything but how long frames took."""
    timed = ("frames.jsonl", "report.json", ".lock", ".lock-holder.json")
    return {
        str(path.relative_to(out)): path.read_bytes()
        for path in out.rglob("*")
        if path.is_file() and path.name not in timed
    }
