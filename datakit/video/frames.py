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
from ..datasets.listing import split_suffix
from ..errors import DatakitError, ItemError, UsageError
from ..formats import MAX_PIXELS, SUFFIXES
from ..photo_files import read_photo, read_picture
from .codecs import why_no_frame
from .container import read_index
from .labels import list_frames

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
        other = next((file for file in sorted(path.iterdir()) if split_suffix(file.name)[1] in SUFFIXES), None)
        why = f"; {other.name} {SUFFIXES[split_suffix(other.name)[1]]}" if other else ""
        raise UsageError(f"{path}: holds no pictures; expected frames such as 00000.jpg, or give a video file{why}")
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
        way_out = "or leave out this frame by --start or --stop"
        raise DatakitError(f"{error.problem.detail}; {way_out}") from None


def _open_file(path: Path, chosen: slice) -> FileFrames:
    reel = _Reel(path)
    told, fps = reel.told()
    count = reel.count(chosen.stop)
    if not count:
        raise UsageError(why_no_frame(path, reel.codec))
    numbers = range(count)[chosen]
    _refuse_nothing(path, len(numbers), count)
    remarks = judge_count(path, count, chosen.stop, told, reel.seconds + 1 / fps >= (1 - MOST_MISSING) * told / fps)
    size = (reel.size[0], reel.size[1])
    names = tuple(f"{number:05d}" for number in numbers)
    return FileFrames(path, names, tuple(numbers), size, fps / chosen.step, remarks)


def judge_count(path: Path, count: int, stop: int | None, told: int, reaches_end: bool) -> tuple[str, ...]:
    """What is odd about the number of frames that were decoded.

    Args:
        path: the film.
        count: frames decoded, at most `stop`.
        stop: where decoding was to end.
        told: frames as OpenCV tells them: stored ones, or the length times a rate where none are counted.
        reaches_end: whether the last frame lies where the film is said to end.

    Raises:
        DatakitError: so many are missing that the film is damaged or cut.
    """
    index = read_index(path)
    counted = index is not None and index.shown > 0
    remarks = []
    if index is not None and 0 < index.shown < index.stored:
        remarks.append(f"{path}: its edit list shows {index.shown} of the {index.stored} frames in it, which are taken")
    told = index.shown if index is not None and counted else told
    expected = told if stop is None else min(told, stop)
    if count < expected:
        found = f"{path}: {count} of the {expected} frames it speaks of can be decoded"
        if count >= (1 - MOST_MISSING) * expected:
            remarks.append(found)
        elif reaches_end and not counted:
            remarks.append(
                f"{path}: {count} frames up to its end, where its length and rate speak of {expected}: their distances "
                "vary, or some are lost"
            )
        else:
            raise DatakitError(
                f"{found}; it is damaged or cut. Take what is there with --stop {count}, or copy it anew"
            )
    return tuple(remarks)


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
        self.seconds = 0.0  # from the first frame that was counted to the last
        self.codec = ""  # four characters
        self._capture: Any = None
        self._next = 0
        self._kept: dict[int, Image] = {}

    def told(self) -> tuple[int, float]:
        """Frames and frames per second, as the file says; neither is to be trusted."""
        capture = self._rewound()
        count, fps = capture.get(cv2.CAP_PROP_FRAME_COUNT), capture.get(cv2.CAP_PROP_FPS)
        self.codec = int(capture.get(cv2.CAP_PROP_FOURCC)).to_bytes(4, "little", signed=True).decode("latin-1")
        return max(0, int(count)), float(fps) if 1 <= fps <= 240 else FOLDER_FPS

    def count(self, stop: int | None) -> int:
        """How many frames can be decoded, up to `stop`; notes the size of the first and how far they reach."""
        capture, count, first = self._rewound(), 0, 0.0
        while (stop is None or count < stop) and capture.grab():
            time = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
            if not count:
                self.size = capture.retrieve()[1].shape[:2]
                first = time
            self.seconds = time - first
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
            raise UsageError(why_no_frame(self.path))
        self._capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)  # phones store frames lying and say how to turn them
        return self._capture
