"""The frames of a clip that CVAT's tracks lie on, as stills: which picture is which frame, told by numbers in names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

from ...errors import Problem, UsageError
from ...keys import photo_key
from ..entries import Entry, left_out
from ..listing import split_suffix
from .cvat_file import CvatFile
from .cvat_shapes import Drawn

NUMBER = re.compile(r"(\d{1,9})$")
WAY_OUT = "export the task as `CVAT for images 1.1`, which holds the names of its photos"


def entries_of_tracks(
    label: str, name: str, document: CvatFile, photos: Iterable[str]
) -> tuple[list[Entry], list[Problem]]:
    """An entry for every frame that has a picture, and a problem for every other.

    A shape that is `outside` says where its track ends, and is none. Tracks of one group are one object.

    Args:
        label: name of the source in keys.
        name: of the XML file, relative to the root.
        document: what it holds.
        photos: pictures of the clip, relative to their folder.

    Raises:
        UsageError: pictures are not numbered as the frames are.
    """
    frames, problems = _frames(label, name, document)
    if not frames:
        return [], problems
    pictures = _numbered(photos)
    _check_numbers(name, document, frames, pictures)
    size = [document.number("height"), document.number("width")]
    entries: list[Entry] = []
    for frame in sorted(frames):
        found = pictures.get(frame, [])
        if len(found) == 1:
            numbers = sorted({number for _, number, _ in frames[frame]})
            more = {"size": None if None in size else size, "shapes": frames[frame]}
            entries.append(Entry((found[0],), f"{name}: frame {frame}", "", numbers, more))
        else:
            why = f"{' and '.join(found[:2])} have its number" if found else "no picture has its number"
            problems.append(left_out(label, f"{name}/frame {frame}", "frame without picture", why))
    return entries, problems


def _frames(label: str, name: str, document: CvatFile) -> tuple[dict[int, list[Drawn]], list[Problem]]:
    """Frame -> its shapes; a problem for every shape that lies on none."""
    groups: dict[str, int] = {}
    frames: dict[int, list[Drawn]] = {}
    problems: list[Problem] = []
    for position, track in enumerate(document.tracks, 1):
        group = track.head.get("group_id", "0")
        number = position if group in ("", "0") else groups.setdefault(group, position)
        head: dict[str, str] = {key: track.head[key] for key in ("label", "group_id") if key in track.head}
        for tag, attributes in track.shapes:
            frame = attributes.get("frame", "")
            if not (frame.isascii() and frame.isdigit() and len(frame) < 10):
                text = f"{name}: track {position}: <{tag}> has the frame {frame[:20]!r}, expected a whole number"
                problems.append(Problem(photo_key(label, name), "failed", "list", "broken shape", text))
                continue
            shapes = frames.setdefault(int(frame), [])
            if attributes.get("outside") != "1":
                shapes.append((tag, number, {**head, **attributes}))
    return frames, problems


def _numbered(photos: Iterable[str]) -> dict[int, list[str]]:
    """Number at the end of a name -> the pictures that have it."""
    pictures: dict[int, list[str]] = {}
    for photo in sorted(photos):
        number = NUMBER.search(PurePosixPath(split_suffix(photo)[0]).name)
        if number:
            pictures.setdefault(int(number[1]), []).append(photo)
    return pictures


def _check_numbers(name: str, document: CvatFile, frames: Iterable[int], pictures: Mapping[int, list[str]]) -> None:
    """Refuse pictures whose numbers cannot be those of frames: CVAT counts from 0.

    Raises:
        UsageError: as said.
    """
    if not any(frame in pictures for frame in frames):
        raise UsageError(
            f"{name}: is of a clip, and no picture has the number of one of its frames, as frame_000000.png has;"
            f" {WAY_OUT}, or the frames with it"
        )
    first, count = document.number("start_frame") or 0, document.number("size")
    last = document.number("stop_frame")
    if last is None and count is not None:
        last = first + count - 1
    if last is None:
        return
    if min(pictures) == first + 1 and max(pictures) == last + 1:
        raise UsageError(
            f"{name}: its frames are {first} to {last}, the pictures {min(pictures)} to {max(pictures)}, so each would"
            f" get the masks of the one after it; number them from {first} (ffmpeg: -start_number {first})"
        )
    if document.meta.get("mode") == "annotation" and max(pictures) > last:
        picture = pictures[max(pictures)][0]
        raise UsageError(
            f"{name}: is of single photos, frames 0 to {last} in its own order, so {picture} is none of them; {WAY_OUT}"
        )
