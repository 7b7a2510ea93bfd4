"""What is annotated: a film, a folder of its frames, or a folder of photos, each opened to be looked at in any order.

Decoded pictures are kept up to a number of bytes, however long the film is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from datakit.arrays import Image
from datakit.errors import DatakitError, ItemError, UsageError
from datakit.formats import MAX_PIXELS
from datakit.photo_files import load_picture_file, read_picture
from datakit.recent import Recent
from datakit.video.labels import list_frames, unused_twins
from datakit.video.seeking import SeekingFrames, open_seeking
from datakit.video.video_file import DEFAULT_FPS

Kind = Literal["film", "frames", "stills"]
MOST_TOLD = 10  # files that a message names
KEPT_BYTES = 192_000_000  # decoded pictures; 31 frames of 1080p


def pictures() -> Recent[Image]:
    """Room for decoded pictures, by their places."""
    return Recent(KEPT_BYTES, lambda image: image.nbytes)


@dataclass
class Media:
    """The pictures of a project.

    Attributes:
        path: of the film or folder.
        kind: `film`, `frames` of one in a folder, or `stills`.
        names: of the pictures, as their masks are called.
        fps: frames per second.
        files: of the pictures, where each has one.
        film: its frames, where they are those of a video file.
    """

    path: Path
    kind: Kind
    names: tuple[str, ...]
    fps: float
    read: Callable[[int], Image]
    size: Callable[[int], tuple[int, int]]
    files: tuple[Path, ...] = ()
    film: SeekingFrames | None = None
    _kept: Recent[Image] = field(default_factory=pictures, repr=False)

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, place: int) -> Image:
        """(H, W, 3) uint8 RGB of one picture, upright.

        Raises:
            DatakitError: it cannot be read.
        """
        kept = self._kept.get(place)
        return self._kept.put(place, self.read(place)) if kept is None else kept

    def identity(self) -> str:
        """A short text that changes with the files that are annotated: their names, sizes and times."""
        abouts = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in self.files or (self.path,)]
        return hashlib.blake2b(repr(abouts).encode(), digest_size=8).hexdigest()

    def bytes_of(self, place: int) -> int | None:
        """Bytes of the file that a picture lies in, by which another one of its name is known; None if it is gone."""
        try:
            return (self.files[place] if self.files else self.path).stat().st_size
        except OSError:
            return None

    def once(self, place: int) -> Image:
        """As `media[place]`, for those who need it once: it is not kept."""
        kept = self._kept.get(place)
        return self.read(place) if kept is None else kept

    def apart(self) -> Media:
        """The same pictures by a decoder of their own: two who read a film by turns would each seek anew.

        A picture that is kept here is taken from here: to seek one costs a second in a film of 1080p.
        """
        if self.film is None:
            return self
        film = self.film.twin()
        mine = replace(self, read=film.__getitem__)  # with what is kept here
        return replace(self, read=mine.once, film=film, _kept=pictures())


def open_media(path: Path, stills: bool | None = None) -> Media:
    """Open what is to be annotated.

    Args:
        path: a film, or a folder of pictures.
        stills: whether the pictures of a folder are photos of their own; None for those of several sizes.

    Raises:
        UsageError: there is nothing there, or not what it is said to be.
        DatakitError: a picture cannot be read.
    """
    if path.is_dir():
        return _open_folder(path, stills)
    if not path.exists():
        raise UsageError(f"{path}: no such film or folder; expected a video file, or a folder of frames or photos")
    if stills:
        raise UsageError(f"--stills {path}: is a file; name the folder of the photos")
    frames = open_seeking(path)
    size = frames.size
    return Media(path, "film", frames.names, frames.fps, frames.__getitem__, lambda _place: size, film=frames)


def _open_folder(path: Path, stills: bool | None) -> Media:
    found = list_frames(path)
    if not found:
        raise UsageError(f"{path}: holds no pictures; expected frames such as 00000.jpg, or photos")
    files = tuple(found.values())
    sizes = _sizes_of(files)
    several = next((n for n, size in enumerate(sizes) if size != sizes[0]), None)
    if several is not None and stills is False:
        found_sizes = "{1}x{0} and {3}x{2}".format(*sizes[0], *sizes[several])
        raise UsageError(f"--frames {path}: its pictures are {found_sizes}; frames of a film have one size")
    kind: Kind = "stills" if stills or (stills is None and several is not None) else "frames"
    if kind == "stills" and (twins := unused_twins(found)):  # beside frames they are masks as a rule
        told = ", ".join(f"{file.name} beside {found[file.stem].name}" for file in twins[:MOST_TOLD])
        raise UsageError(f"{path}: pictures of one name, whose masks would be one file: {told}; rename one of each")

    def read(place: int) -> Image:
        try:
            return read_picture(files[place], str(files[place]), MAX_PIXELS)
        except ItemError as error:
            raise DatakitError(error.problem.detail) from None

    return Media(path, kind, tuple(found), DEFAULT_FPS, read, sizes.__getitem__, files)


def _sizes_of(files: Sequence[Path]) -> list[tuple[int, int]]:
    """(H, W) of all pictures.

    Raises:
        DatakitError: some cannot be read; names the first of them.
    """
    sizes, faults = [], []
    for file in files:
        try:
            sizes.append(_size_of(file))
        except DatakitError as error:
            faults.append(str(error))
    if faults:
        more = f"\nand {len(faults) - MOST_TOLD} more" if len(faults) > MOST_TOLD else ""
        raise DatakitError("\n".join(faults[:MOST_TOLD]) + more + "\nmove these elsewhere")
    return sizes


def _size_of(file: Path) -> tuple[int, int]:
    """(H, W) upright, by the header of a JPEG or PNG."""
    try:
        _, _, header = load_picture_file(file, str(file), MAX_PIXELS, checked=())
        if header.form not in ("JPEG", "PNG"):
            H, W, _ = read_picture(file, str(file), MAX_PIXELS).shape
            return H, W
    except ItemError as error:
        raise DatakitError(error.problem.detail) from None
    return header.size[::-1] if header.orientation >= 5 else header.size
