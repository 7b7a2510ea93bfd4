"""Where objects begin: the words of --mask and --box, and what they come to on the frames of a video."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from datakit.arrays import Box, Labels
from datakit.datasets import ReadOptions
from datakit.errors import UsageError
from datakit.files import digest_json
from datakit.masks import Colour
from datakit.transforms.object_crop import ObjectCrop
from datakit.video.frames import Frames

from .masks import IDS, MaskPrompt, SequenceStart, place_of, read_masks

MANY_OBJECTS = 64  # more are told before work begins


@dataclass(frozen=True)
class BoxPrompt:
    """A box (x0, y0, x1, y1), half-open, its frame as in `MaskPrompt`, and an object id; None for the next free one."""

    box: Box
    frame: str | None = None
    object_id: int | None = None


@dataclass(frozen=True)
class Prompts:
    """What is given of a video's objects.

    Attributes:
        masks: place of a frame among the chosen -> (H, W) uint8 ids.
        boxes: place of a frame -> object id -> box.
        begins: frames before this one are known to hold no object.
        numbers: ids of objects 1, 2, 3 … in result pictures, where some are beyond 8 bits; else none.
        remarks: what a user should know, a sentence each.
        complete: places where all objects are given that are to be seen there; elsewhere others may be, too.
        colours: id -> RGB that it was painted in, where masks were in colours that number nothing.
    """

    masks: Mapping[int, Labels] = field(default_factory=dict)
    boxes: Mapping[int, Mapping[int, Box]] = field(default_factory=dict)
    begins: int = 0
    numbers: Sequence[int] = ()
    remarks: Sequence[str] = ()
    complete: Collection[int] = ()
    colours: Mapping[int, Colour] = field(default_factory=dict)

    def given(self) -> dict[int, list[int]]:
        """Place of a frame -> ids of the objects that are given there."""
        found = {place: {int(number) for number in np.unique(mask) if number} for place, mask in self.masks.items()}
        for place, boxes in self.boxes.items():
            found[place] = found.get(place, set()) | set(boxes)
        return {place: sorted(ids) for place, ids in sorted(found.items())}

    def to_dict(self) -> dict[str, Any]:
        """What outputs depend on, as plain values; masks by their digest."""
        masks = {str(place): digest_json([list(m.shape), m.tobytes().hex()]) for place, m in self.masks.items()}
        boxes = {str(place): {str(n): list(box) for n, box in group.items()} for place, group in self.boxes.items()}
        younger = {"begins": self.begins, "numbers": list(self.numbers), "complete": sorted(self.complete)}
        return {"masks": masks, "boxes": boxes, **{name: value for name, value in younger.items() if value}}


def parse_mask(text: str) -> MaskPrompt:
    """`FILE` or `FILE@FRAME`; an @ in the name of a file that is there belongs to the name."""
    file, at, frame = text.rpartition("@")
    if not at or Path(text).exists():
        return MaskPrompt(Path(text))
    return MaskPrompt(Path(file), frame)


def parse_box(text: str) -> BoxPrompt:
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
        expected = "expected x0,y0,x1,y1[@FRAME][:ID], whole pixels"
        raise UsageError(f"--box {text}: {expected}{_rounded(corners, at + frame + colon + number)}") from None
    if object_id is not None and object_id not in IDS:
        raise UsageError(f"--box {text}: object id {object_id}, expected {IDS[0]} to {IDS[-1]}")
    return BoxPrompt((x0, y0, x1, y1), frame if at else None, object_id)


def _rounded(corners: str, rest: str) -> str:
    """A box of fractions in whole pixels, as a hint; empty where it is no box at all."""
    try:
        numbers = [float(part) for part in corners.split(",")]
        whole = [math.floor(n) for n in numbers[:2]] + [math.ceil(n) for n in numbers[2:]]
    except (ValueError, OverflowError):
        return ""
    return f"; rounded outwards: {_corners(whole)}{rest}" if len(numbers) == 4 else ""


def read_prompts(
    frames: Frames,
    masks: Sequence[MaskPrompt | SequenceStart],
    boxes: Sequence[BoxPrompt],
    read: ReadOptions | None = None,
) -> Prompts:
    """Read and check what is given, on the frames of a video.

    Raises:
        UsageError: nothing is given, a frame that is not among the chosen, a box that does not lie in the frame, or
            one object given twice for a frame.
        DatakitError: a mask that cannot be read, is empty, or of another size than the frames.
    """
    if not masks and not boxes:
        raise UsageError("nothing says which object to follow: give --mask FILE or --box x0,y0,x1,y1")
    given = read_masks(frames, masks, read or ReadOptions())
    if given.numbers and boxes:
        where = f"--box {_corners(boxes[0].box)}"
        raise UsageError(f"{where}: masks hold ids beyond {IDS[-1]}, beside which a box has none; give all by masks")
    _refuse_doubtful(frames, given.masks, boxes)
    boxes = [*boxes, *(box for place, labels in given.boxed.items() for box in boxes_of(labels, frames.names[place]))]
    taken = {int(number) for labels in given.masks.values() for number in np.unique(labels) if number}
    grouped: dict[int, dict[int, Box]] = {}
    for start in boxes:
        place, number = _placed(frames, start, taken)
        if number in grouped.get(place, {}) or (place in given.masks and (given.masks[place] == number).any()):
            raise UsageError(f"--box {_corners(start.box)}: object {number} is given twice in one frame; add :ID")
        taken.add(number)
        grouped.setdefault(place, {})[number] = start.box
    if len(taken) > MANY_OBJECTS:
        given.remarks.append(many_told(len(taken)))
    ordered = dict(sorted(given.masks.items())), dict(sorted(grouped.items()))
    colours = {number: colour for colour, number in given.colours.ids.items()}
    return Prompts(*ordered, given.begins, given.numbers, tuple(given.remarks), frozenset(given.complete), colours)


def _refuse_doubtful(frames: Frames, masks: Mapping[int, Labels], boxes: Sequence[BoxPrompt]) -> None:
    """Raise UsageError where a box without an id may be the object that a mask of a later frame shows."""
    for box in boxes:
        place = place_of(frames, box.frame, f"--box {_corners(box.box)}")
        later = {int(n) for each, labels in masks.items() if each > place for n in np.unique(labels) if n}
        earlier = {int(n) for each, labels in masks.items() if each <= place for n in np.unique(labels) if n}
        if box.object_id is None and (doubtful := later - earlier):
            asked = {each.object_id for each in boxes}
            number, free = min(doubtful), next(n for n in IDS if n not in later | earlier | asked)
            raise UsageError(
                f"--box {_corners(box.box)}: a mask of a later frame shows object {number}; add :{number} to the "
                f"box if that is the same one, or :{free} if it is another"
            )


def many_told(count: int) -> str:
    """What is said of more than `MANY_OBJECTS`."""
    return f"{count} objects are given; each takes about half the time of the first. Are all of them meant?"


def boxes_of(labels: Labels, frame: str) -> list[BoxPrompt]:
    """The boxes of the objects in a label map of the frame of that name."""
    figures = {
        int(number): ObjectCrop.of((labels == number).view(np.uint8)) for number in np.unique(labels[labels > 0])
    }
    return [BoxPrompt(figure.box, frame, number) for number, figure in figures.items()]


def _placed(frames: Frames, start: BoxPrompt, taken: set[int]) -> tuple[int, int]:
    """Frame and object id of a box that lies in the frame."""
    place = place_of(frames, start.frame, f"--box {_corners(start.box)}")
    x0, y0, x1, y1 = start.box
    H, W = frames.size
    if not (0 <= x0 < x1 <= W and 0 <= y0 < y1 <= H):
        expected = f"0 <= x0 < x1 <= {W} and 0 <= y0 < y1 <= {H}"
        hint = ""
        if 0 <= x0 < x0 + x1 <= W and 0 <= y0 < y0 + y1 <= H:
            hint = f". If it is x,y,width,height: give {_corners((x0, y0, x0 + x1, y0 + y1))}"
        raise UsageError(
            f"--box {_corners(start.box)}: does not lie in the frame of {W}x{H}; expected {expected}{hint}"
        )
    free = next((number for number in IDS if number not in taken), None)
    number = start.object_id or free
    if number is None:
        raise UsageError(f"--box {_corners(start.box)}: all {len(IDS)} object ids are taken")
    return place, number


def _corners(box: Sequence[int]) -> str:
    return ",".join(map(str, box))
