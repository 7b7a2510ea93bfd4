"""The label pictures of videos, as `datakit propagate` writes them, together with the frames they belong to."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..datasets import ReadOptions
from ..errors import DatakitError, ItemError, UsageError
from ..formats import MAX_PIXELS
from ..images import encode_png
from ..photo_files import read_photo
from ..video.frames import FolderFrames, Frames, open_frames
from ..video.labels import list_frames, open_labels, read_labels
from ..wording import shorten
from .names import unique_names
from .videos import ExportedVideo, ExportObject, Frame, VideoSource

IDS = ReadOptions(values="ids")
DIGITS = 5  # of a frame's name, as DAVIS, YouTube-VOS and SA-V have them


class LabelVideos(VideoSource):
    """Every sequence of a folder of label pictures as a video of its frames.

    Frames without a label picture are left out.

    Args:
        labels: folder of one sequence, or of a folder for each, as `datakit propagate --out` writes it.
        video: the frames: a film or a folder of pictures, or for several sequences a folder that holds one of
            either for each, by its name.

    Raises:
        UsageError: there are no label pictures, or a sequence has no video.
    """

    unit = "frames"

    def __init__(self, labels: Path, video: Path):
        self.place, self.remarks = str(labels), {}
        found = open_labels(labels)
        self._sequences = list(found.sequences.items())
        self._videos = [_video_of(name, video, len(self._sequences)) for name, _ in self._sequences]
        self.lengths = [len(frames) for _, frames in self._sequences]
        self._names = unique_names(name for name, _ in self._sequences)
        self._rows = np.cumsum([0, *self.lengths]).tolist()

    def identity(self) -> dict[str, Any]:
        """A digest over names, sizes and times of the label pictures, and the videos' paths."""
        digest = hashlib.sha256()
        for (name, frames), video in zip(self._sequences, self._videos, strict=True):
            digest.update(f"{name}\0{video.absolute()}\0".encode())
            for frame, path in frames.items():
                stat = path.stat()
                digest.update(f"{frame}\0{stat.st_size}\0{stat.st_mtime_ns}\0".encode())
        return {"kind": "labels", "files": digest.hexdigest()}

    def __getitem__(self, position: int) -> _LabelVideo:
        name, frames = self._sequences[position]
        return _LabelVideo(self._names[position], name, frames, self._videos[position], self._rows[position])


class _LabelVideo(ExportedVideo):
    """One sequence."""

    is_video = True

    def __init__(self, name: str, label: str, files: Mapping[str, Path], video: Path, row: int):
        self.name, self.label = name, label
        self._files, self._row = files, row
        self._video = open_frames(video, without=_masks_in(video, files))
        self._places = _places(self._video, files, video)
        ids = sorted({number for frame in files for number in np.unique(self._labels(frame)).tolist() if number})
        self.objects = {number: str(each) for number, each in enumerate(ids, 1)}
        plain = all(len(frame) == DIGITS and frame.isascii() and frame.isdigit() for frame in files)
        self._names = list(files) if plain else [f"{number:0{DIGITS}d}" for number in range(len(files))]

    def __len__(self) -> int:
        return len(self._files)

    def __iter__(self) -> Iterator[Frame]:
        for place, (frame, name) in enumerate(zip(self._files, self._names, strict=True)):
            labels = self._labels(frame)
            size, photo = self._photo(self._places[frame])
            if labels.shape != size:
                found = f"is {labels.shape[1]}x{labels.shape[0]} and its frame {size[1]}x{size[0]}"
                raise DatakitError(f"{self._files[frame]}: {found}; give the video that it was made from")
            objects = tuple(
                ExportObject(number, (labels == int(each)).view(np.uint8)) for number, each in self.objects.items()
            )
            key = f"{self.label}/{frame}"
            yield Frame(name, f"{self.name}_{name}", self._row + place, key, size, photo, objects)

    def _labels(self, frame: str) -> NDArray[Any]:
        path = self._files[frame]
        try:
            return read_labels(path, str(path), IDS).labels
        except ItemError as error:
            raise DatakitError(error.problem.detail) from None

    def _photo(self, place: int) -> tuple[tuple[int, int], bytes]:
        """Size and bytes of a frame: those of its file where it is one, else a PNG of its pixels."""
        if not isinstance(self._video, FolderFrames):
            return self._video.size, encode_png(self._video[place])
        path = self._video.files[place]
        try:
            photo = read_photo(path, str(path), MAX_PIXELS)
        except ItemError as error:
            raise DatakitError(error.problem.detail) from None
        return photo.size, bytes(photo.encoded)


def _masks_in(video: Path, files: Mapping[str, Path]) -> set[str]:
    """Names of label pictures that lie among the frames themselves."""
    return {path.name for path in files.values() if path.parent.resolve() == video.resolve()}


def _places(video: Frames, files: Mapping[str, Path], place: Path) -> dict[str, int]:
    """Name of a label picture -> position of its frame.

    Raises:
        UsageError: a label picture has no frame of its name.
    """
    places = {name: position for position, name in enumerate(video.names)}
    if lost := [frame for frame in files if frame not in places]:
        found = f"has no frame {shorten(lost)}, of which there are label pictures"
        raise UsageError(f"--video {place}: {found}; give the video that they were made from")
    return {frame: places[frame] for frame in files}


def _video_of(name: str, video: Path, sequences: int) -> Path:
    """Where the frames of a sequence lie.

    Raises:
        UsageError: nowhere below `video`.
    """
    if video.is_file():
        if sequences == 1:
            return video
        raise UsageError(f"--video {video}: is one film, and there are {sequences} sequences; give a folder of films")
    if (video / name).is_dir():
        return video / name
    films = sorted(path for path in video.glob("*") if path.is_file() and path.stem == name) if video.is_dir() else []
    if films and not list_frames(video):
        return films[0]
    if sequences == 1 and list_frames(video):
        return video
    if not video.exists():
        raise UsageError(f"--video {video}: no such film or folder")
    raise UsageError(
        f"--video {video}: holds no folder and no film {name!r}; name the frames' folders as the sequences"
    )
