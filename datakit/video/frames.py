"""Frames of a video in order: a folder of pictures, which needs nothing, or a video file, which needs PyAV.

A video is looked through once before it is used, so that a frame that cannot be read or has another size is named
before anything is made of the others. Label pictures are left to `labels`.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from ..arrays import Image
from ..datasets.listing import split_suffix
from ..errors import DatakitError, ItemError, UsageError
from ..formats import MAX_PIXELS, SUFFIXES
from ..photo_files import read_photo, read_picture
from ..places import entries_in, exists, is_folder, place_of
from ..wording import counted, shorten
from .labels import list_frames, unused_twins
from .video_file import DEFAULT_FPS, VideoFacts, VideoFile, size_changes

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
    fps: float = DEFAULT_FPS
    remarks: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """One line: folder, number of frames, their width and height."""
        H, W = self.size
        return f"FolderFrames({str(self.files[0].parent)!r}, {counted(len(self), 'frame')} of {W}x{H})"

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
    """Frames of a video file; see `Frames` and `VideoFile`."""

    path: Path
    names: tuple[str, ...]
    numbers: tuple[int, ...]
    size: tuple[int, int]
    fps: float
    remarks: tuple[str, ...] = ()
    _file: VideoFile = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_file", VideoFile(self.path))

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, index: int) -> Image:
        image = self._file.frame(self.numbers[index])
        _check_size(f"{self.path}, frame {self.numbers[index]}", (image.shape[0], image.shape[1]), self.size)
        return image

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.path, self.names, self.numbers, self.size, self.fps, self.remarks)


def open_frames(
    path: str | os.PathLike[str],
    start: int = 0,
    stop: int | None = None,
    stride: int = 1,
    without: Collection[str] = (),
) -> Frames:
    """Open a video and look through the frames that were chosen.

    Args:
        path: a folder of pictures, in the order people count, or a video file; also an address.
        start: number of the first frame.
        stop: number after the last frame; None for all.
        stride: of every so many frames, one.
        without: names of files of the folder that are no frames, such as a mask that was saved there.

    Raises:
        UsageError: there is no such video, no frame in it, or none is chosen.
        DatakitError: a frame cannot be read or has another size than the first.
    """
    place, chosen = place_of(path), slice(start, stop, stride)
    if is_folder(place):
        return _open_folder(place, chosen, without)
    if not exists(place):
        raise UsageError(f"{place}: no such video; expected a folder of frames or a video file")
    return _open_file(place, chosen)


def _open_folder(path: Path, chosen: slice, without: Collection[str]) -> FolderFrames:
    frames = list_frames(path, without=without)
    if not frames:
        listed = sorted(entry.name for entry in entries_in(path))
        other = next((name for name in listed if split_suffix(name)[1] in SUFFIXES), None)
        why = f"; {other} {SUFFIXES[split_suffix(other)[1]]}" if other else ""
        raise UsageError(f"{path}: holds no pictures; expected frames such as 00000.jpg, or give a video file{why}")
    numbers = range(len(frames))[chosen]
    _refuse_nothing(path, len(numbers), len(frames))
    names = tuple(frames)
    files = tuple(frames[names[number]] for number in numbers)
    size = _size_of(files[0])
    for file in files[1:]:
        _check_size(str(file), _size_of(file), size)
    fps = DEFAULT_FPS / (chosen.step or 1)
    remarks = tuple(f"{path / name}: lies among the frames and is not taken for one" for name in sorted(without))
    twins = [file.name for file in unused_twins(frames) if file.name not in without]
    if twins:
        remarks = (*remarks, f"{path}: of frames that are there twice, these are not used: {shorten(twins)}")
    return FolderFrames(files, tuple(names[number] for number in numbers), tuple(numbers), size, fps, remarks)


def _size_of(file: Path) -> tuple[int, int]:
    try:
        return read_photo(file, str(file), MAX_PIXELS).size
    except ItemError as error:
        way_out = "or leave out this frame by --start or --stop"
        raise DatakitError(f"{error.problem.detail}; {way_out}") from None


def _open_file(path: Path, chosen: slice) -> FileFrames:
    facts = VideoFile(path).inspect(chosen.stop)
    numbers = range(facts.count)[chosen]
    _refuse_nothing(path, len(numbers), facts.count)
    remarks = check_count(path, facts, chosen.stop)
    names = tuple(f"{number:05d}" for number in numbers)
    return FileFrames(path, names, tuple(numbers), facts.size, facts.fps / (chosen.step or 1), remarks)


def check_count(path: Path, facts: VideoFacts, stop: int | None) -> tuple[str, ...]:
    """What is odd about the frames that were decoded, a sentence each.

    Args:
        path: the film.
        facts: what decoding has shown.
        stop: where decoding was to end.

    Raises:
        DatakitError: so many are missing that the film is damaged or cut.
    """
    remarks = []
    if 0 < facts.shown < facts.stored:
        stored = f"{facts.shown} of the {facts.stored} frames in it"
        remarks.append(f"{path}: its edit list shows {stored}, which are taken")
    if facts.damaged:
        numbers = shorten([f"{number:05d}" for number in facts.damaged], 8)
        remarks.append(f"{path}: {len(facts.damaged)} frames are damaged, and the decoder mended them: {numbers}")
    expected = facts.shown or round(facts.duration * facts.fps)
    expected = expected if stop is None else min(expected, stop)
    if facts.count >= expected:
        return tuple(remarks)
    found = f"{path}: {facts.count} of the {expected} frames it speaks of can be decoded"
    if facts.count >= (1 - MOST_MISSING) * expected:
        return (*remarks, found)
    if not facts.shown and facts.seconds + 1 / facts.fps >= (1 - MOST_MISSING) * facts.duration:
        text = f"{facts.count} frames up to its end, where its length and rate speak of {expected}"
        return (*remarks, f"{path}: {text}: their distances vary, or some are lost")
    raise DatakitError(f"{found}; it is damaged or cut. Take what is there with --stop {facts.count}, or copy it anew")


def _refuse_nothing(path: Path, chosen: int, count: int) -> None:
    if not chosen:
        raise UsageError(f"{path}: --start and --stop leave none of its {count} frames")


def _check_size(place: str, found: tuple[int, int], size: tuple[int, int]) -> None:
    if found != size:
        raise size_changes(place, found, size)
