"""Frames of a video in order: a folder of pictures, or any file OpenCV decodes.

A video is looked through once before it is used, so that a frame that cannot be read or has another size is named
before anything is made of the others. Label pictures are left to `labels`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import cv2

from ..arrays import Image
from ..errors import DatakitError, ItemError, UsageError
from ..images import read_photo, read_picture
from .labels import list_frames

MAX_PIXELS = 100_000_000
FOLDER_FPS = 24.0  # of pictures in a folder, which do not say; that of DAVIS
KEPT_BYTES = 64_000_000  # decoded frames a video file keeps for those who go backwards
MOST_MISSING = 0.1  # of the frames a file speaks of, before it is called damaged


class Frames(Protocol):
    """The chosen frames of a video."""

    @property
    def names(self) -> tuple[str, ...]:
        """Of the frames, as their outputs are called."""

    @property
    def numbers(self) -> tuple[int, ...]:
        """Of the frames, as the whole video counts them from 0."""

    @property
    def size(self) -> tuple[int, int]:
        """(H, W) of every frame."""

    @property
    def fps(self) -> float:
        """Frames per second of what was chosen."""

    @property
    def remarks(self) -> tuple[str, ...]:
        """What is odd about the video, a sentence each."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Image:
        """(H, W, 3) uint8 RGB of one frame, upright."""


@dataclass(frozen=True)
class FolderFrames:
    """Frames that are pictures of a folder; see `Frames`. `files` are theirs."""

    files: tuple[Path, ...]
    names: tuple[str, ...]
    numbers: tuple[int, ...]
    size: tuple[int, int]
    fps: float = FOLDER_FPS
    remarks: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> Image:
        try:
            image = read_picture(self.files[index], str(self.files[index]), MAX_PIXELS)
        except ItemError as error:
            raise DatakitError(error.problem.detail) from None
        _check_size(str(self.files[index]), (image.shape[0], image.shape[1]), self.size)
        return image


@dataclass(frozen=True)
class FileFrames:
    """Frames of a video file; see `Frames`. Going on is cheap; going back decodes anew, many frames at once."""

    path: Path
    names: tuple[str, ...]
    numbers: tuple[int, ...]
    size: tuple[int, int]
    fps: float
    remarks: tuple[str, ...] = ()
    _reel: _Reel = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_reel", _Reel(self.path))

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, index: int) -> Image:
        image = self._reel.frame(self.numbers[index])
        _check_size(f"{self.path}, frame {self.numbers[index]}", (image.shape[0], image.shape[1]), self.size)
        return image

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.path, self.names, self.numbers, self.size, self.fps, self.remarks)


def open_frames(path: Path, start: int = 0, stop: int | None = None, stride: int = 1) -> Frames:
    """Open a video and look through the frames that were chosen.

    Args:
        path: a folder of pictures, in the order people count, or a video file.
        start: number of the first frame.
        stop: number after the last frame; None for all.
        stride: of every so many frames, one.

    Raises:
        UsageError: there is no such video, no frame in it, or none is chosen.
        DatakitError: a frame cannot be read or has another size than the first.
    """
    if path.is_dir():
        return _open_folder(path, slice(start, stop, stride))
    if not path.exists():
        raise UsageError(f"{path}: no such video; expected a folder of frames or a video file")
    return _open_file(path, slice(start, stop, stride))


def _open_folder(path: Path, chosen: slice) -> FolderFrames:
    frames = list_frames(path)
    if not frames:
        raise UsageError(f"{path}: holds no pictures; expected frames such as 00000.jpg, or give a video file")
    numbers = range(len(frames))[chosen]
    _refuse_nothing(path, len(numbers), len(frames))
    names = tuple(frames)
    files = tuple(frames[names[number]] for number in numbers)
    size = _size_of(files[0])
    for file in files[1:]:
        _check_size(str(file), _size_of(file), size)
    fps = FOLDER_FPS / (chosen.step or 1)
    return FolderFrames(files, tuple(names[number] for number in numbers), tuple(numbers), size, fps)


def _size_of(file: Path) -> tuple[int, int]:
    try:
        return read_photo(file, str(file), MAX_PIXELS).size
    except ItemError as error:
        way_out = "mend or remove it, or leave it out by --start or --stop"
        raise DatakitError(f"{error.problem.detail}; {way_out}") from None


def _open_file(path: Path, chosen: slice) -> FileFrames:
    reel = _Reel(path)
    told, fps = reel.told()
    count = reel.count(chosen.stop)
    if not count:
        raise UsageError(f"{path}: holds no frame that can be decoded; expected a video, or give a folder of frames")
    numbers = range(count)[chosen]
    _refuse_nothing(path, len(numbers), count)
    expected = told if chosen.stop is None else min(told, chosen.stop)
    remarks = []
    if count < expected:
        found = f"{path}: {count} of the {expected} frames it speaks of can be decoded"
        if count < (1 - MOST_MISSING) * expected:
            raise DatakitError(
                f"{found}; it is damaged or cut. Take what is there with --stop {count}, or copy it anew"
            )
        remarks.append(found)
    size = (reel.size[0], reel.size[1])
    names = tuple(f"{number:05d}" for number in numbers)
    return FileFrames(path, names, tuple(numbers), size, fps / chosen.step, tuple(remarks))


def _refuse_nothing(path: Path, chosen: int, count: int) -> None:
    if not chosen:
        raise UsageError(f"{path}: --start and --stop leave none of its {count} frames")


def _check_size(place: str, found: tuple[int, int], size: tuple[int, int]) -> None:
    if found != size:
        sizes = "is {1}x{0}, the frames before are {3}x{2}".format(*found, *size)
        raise DatakitError(
            f"{place}: {sizes}; all frames of a video have one size: convert them, or choose with --stop"
        )


class _Reel:
    """A video file under the reading head: frames by number, forwards at once, backwards by decoding anew."""

    def __init__(self, path: Path):
        self.path = path
        self.size = (0, 0)
        self._capture: Any = None
        self._next = 0
        self._kept: dict[int, Image] = {}

    def told(self) -> tuple[int, float]:
        """Frames and frames per second, as the file says; neither is to be trusted."""
        capture = self._rewound()
        count, fps = capture.get(cv2.CAP_PROP_FRAME_COUNT), capture.get(cv2.CAP_PROP_FPS)
        return max(0, int(count)), float(fps) if 1 <= fps <= 240 else FOLDER_FPS

    def count(self, stop: int | None) -> int:
        """How many frames can be decoded, up to `stop`; notes the size of the first."""
        capture, count = self._rewound(), 0
        while (stop is None or count < stop) and capture.grab():
            if not count:
                self.size = capture.retrieve()[1].shape[:2]
            count += 1
        self._next = count
        return count

    def frame(self, number: int) -> Image:
        """(H, W, 3) uint8 RGB of one frame, turned upright as the file asks."""
        if number in self._kept:
            return self._kept[number]
        backwards = number < self._next
        if backwards or self._capture is None:
            self._rewound()
        room = max(1, KEPT_BYTES // (3 * self.size[0] * self.size[1] or KEPT_BYTES)) if backwards else 1
        self._kept = {}
        while self._next <= number:
            if not self._capture.grab():
                raise DatakitError(f"{self.path}: frame {self._next} cannot be decoded any more; was the file changed?")
            if self._next > number - room:
                self._kept[self._next] = cv2.cvtColor(self._capture.retrieve()[1], cv2.COLOR_BGR2RGB)
                self.size = self._kept[self._next].shape[:2]
            self._next += 1
        return self._kept[number]

    def _rewound(self) -> Any:
        if self._capture is not None:
            self._capture.release()
        self._capture, self._next = cv2.VideoCapture(str(self.path)), 0
        if not self._capture.isOpened():
            raise UsageError(
                f"{self.path}: OpenCV cannot open it as a video (damaged, or no decoder for its codec in this build); "
                "give a folder of frames, or convert it, e.g. to MP4 with H.264"
            )
        self._capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)  # phones store frames lying and say how to turn them
        return self._capture
