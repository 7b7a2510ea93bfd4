"""Where objects begin: the words of --mask and --box, and what they come to on the frames of a video."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from datakit.arrays import Box, Labels
from datakit.deformations.figure import Figure
from datakit.errors import UsageError
from datakit.files import digest_json
from datakit.video.annotations import read_annotation
from datakit.video.frames import Frames

IDS = range(1, 255)  # 0 is no object, 255 void


@dataclass(frozen=True)
class MaskStart:
    """A mask file and the frame it belongs to, by number or name; None for the first one chosen.

    `as_boxes` gives of every object in it the box alone.
    """

    file: Path
    frame: str | None = None
    as_boxes: bool = False


@dataclass(frozen=True)
class BoxStart:
    """A box (x0, y0, x1, y1), half-open, its frame as in `MaskStart`, and an object id; None for the next free one."""

    box: Box
    frame: str | None = None
    object_id: int | None = None


@dataclass(frozen=True)
class Start:
    """What is given of a video's objects.

    Attributes:
        masks: place of a frame among the chosen -> (H, W) uint8 ids.
        boxes: place of a frame -> object id -> box.
    """

    masks: Mapping[int, Labels] = field(default_factory=dict)
    boxes: Mapping[int, Mapping[int, Box]] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """What outputs depend on, as plain values; masks by their digest."""
        masks = {str(place): digest_json([list(m.shape), m.tobytes().hex()]) for place, m in self.masks.items()}
        boxes = {str(place): {str(n): list(box) for n, box in group.items()} for place, group in self.boxes.items()}
        return {"masks": masks, "boxes": boxes}


def parse_mask(text: str) -> MaskStart:
    """`FILE` or `FILE@FRAME`; an @ in the name of a file that is there belongs to the name."""
    file, at, frame = text.rpartition("@")
    if not at or Path(text).exists():
        return MaskStart(Path(text))
    return MaskStart(Path(file), frame)


def parse_box(text: str) -> BoxStart:
    """`x0,y0,x1,y1[@FRAME][:ID]`.

    Raises:
        UsageError: it is something else.
    """
    rest, colon, number = text.partition(":")
    corners, at, frame = rest.partition("@")
    try:
        x0, y0, x1, y1 = (int(part) for part in corners.split(","))
        object_id = int(number) if colon else None
    except ValueError:
        raise UsageError(f"--box {text}: expected x0,y0,x1,y1[@FRAME][:ID], whole pixels") from None
    if object_id is not None and object_id not in IDS:
        raise UsageError(f"--box {text}: object id {object_id}, expected {IDS[0]} to {IDS[-1]}")
    return BoxStart((x0, y0, x1, y1), frame if at else None, object_id)


def read_start(frames: Frames, masks: Sequence[MaskStart], boxes: Sequence[BoxStart]) -> Start:
    """Read and check what is given, on the frames of a video.

    Raises:
        UsageError: nothing is given, a frame that is not among the chosen, a box that does not lie in the frame, or
            one object given twice for a frame.
        DatakitError: a mask that cannot be read, is empty, or of another size than the frames.
    """
    if not masks and not boxes:
        raise UsageError("nothing says which object to follow: give --mask FILE or --box x0,y0,x1,y1")
    read: dict[int, Labels] = {}
    for mask in masks:
        place, labels = place_of(frames, mask.frame, f"--mask {mask.file}"), _read_mask(mask.file, frames)
        if mask.as_boxes:
            boxes = [*boxes, *boxes_of(labels, frames.names[place])]
        else:
            read[place] = _merged(read.get(place), labels, mask.file)
    taken = {int(number) for labels in read.values() for number in np.unique(labels) if number}
    grouped: dict[int, dict[int, Box]] = {}
    for start in boxes:
        place, number = _placed(frames, start, taken)
        if number in grouped.get(place, {}) or (place in read and (read[place] == number).any()):
            raise UsageError(f"--box {_words(start.box)}: object {number} is given twice in one frame; add :ID")
        taken.add(number)
        grouped.setdefault(place, {})[number] = start.box
    return Start(dict(sorted(read.items())), dict(sorted(grouped.items())))


def boxes_of(labels: Labels, frame: str) -> list[BoxStart]:
    """The boxes of the objects in a label map of the frame of that name."""
    figures = {int(number): Figure.of((labels == number).view(np.uint8)) for number in np.unique(labels[labels > 0])}
    return [BoxStart(figure.box, frame, number) for number, figure in figures.items()]


def place_of(frames: Frames, frame: str | None, what: str) -> int:
    """Place among the chosen frames of one that is called by its name, or by its number in the whole video."""
    if frame is None:
        return 0
    if frame in frames.names:
        return frames.names.index(frame)
    if frame.isdecimal() and int(frame) in frames.numbers:
        return frames.numbers.index(int(frame))
    chosen = f"{frames.numbers[0]} to {frames.numbers[-1]} ({frames.names[0]} to {frames.names[-1]})"
    raise UsageError(f"{what}: frame {frame!r} is not among the chosen ones, {chosen}")


def _read_mask(file: Path, frames: Frames) -> Labels:
    labels = read_annotation(file)
    if labels.shape != frames.size:
        sizes = "is {1}x{0}, the frames are {3}x{2}".format(*labels.shape, *frames.size)
        raise UsageError(f"{file}: the mask {sizes}; draw it on a frame written by --first-frame")
    return labels


def _merged(before: Labels | None, labels: Labels, file: Path) -> Labels:
    if before is None:
        return labels
    if np.intersect1d(before[before > 0], labels[labels > 0]).size:
        raise UsageError(f"--mask {file}: holds an object id that another mask of this frame holds; use other ids")
    return np.where(before > 0, before, labels)


def _placed(frames: Frames, start: BoxStart, taken: set[int]) -> tuple[int, int]:
    """Frame and object id of a box that lies in the frame."""
    place = place_of(frames, start.frame, f"--box {_words(start.box)}")
    x0, y0, x1, y1 = start.box
    H, W = frames.size
    if not (0 <= x0 < x1 <= W and 0 <= y0 < y1 <= H):
        expected = f"0 <= x0 < x1 <= {W} and 0 <= y0 < y1 <= {H}"
        raise UsageError(f"--box {_words(start.box)}: does not lie in the frame of {W}x{H}; expected {expected}")
    free = next((number for number in IDS if number not in taken), None)
    number = start.object_id or free
    if number is None:
        raise UsageError(f"--box {_words(start.box)}: all {len(IDS)} object ids are taken")
    return place, number


def _words(box: Box) -> str:
    return ",".join(map(str, box))
