"""Label maps out of the masks that are given for a video: files, folders of them, frames that were painted on.

Which words of the command line they come from stands in `prompts`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from datakit.arrays import Labels, only_ids
from datakit.datasets import ReadOptions
from datakit.datasets.pairs import MASK_SUFFIXES
from datakit.errors import DatakitError, UsageError
from datakit.validate import touches_all_borders
from datakit.video.annotations import read_objects
from datakit.video.frames import Frames
from datakit.video.labels import list_frames, unused_twins
from datakit.video.painted import is_colour_file, painted_objects
from datakit.wording import counted, shorten

from .colours import ColourIds

IDS = range(1, 255)  # 0 is no object, 255 void


@dataclass(frozen=True)
class MaskPrompt:
    """A mask file and the frame it belongs to, by number or name; None for the first one chosen.

    `as_boxes` gives of every object in it the box alone.
    """

    file: Path
    frame: str | None = None
    as_boxes: bool = False


@dataclass(frozen=True)
class Spacing:
    """Which annotations of a sequence are given in full, from the first that holds an object on.

    Attributes:
        every: of so many, one.
        share: instead, this share of them, evenly spread, at least one.

    Source: arXiv 1612.02646 §5.4: every 40th, 30th, 20th, 10th, 5th, 3rd and 2nd frame.
    """

    every: int = 1
    share: float | None = None

    def places(self, count: int) -> range | list[int]:
        """Which of `count` annotations; the first is among them."""
        if self.share is None:
            return range(0, count, self.every)
        wanted = max(1, min(count, math.floor(self.share * count + 0.5)))
        return [number * count // wanted for number in range(wanted)]


@dataclass(frozen=True)
class SequenceStart:
    """The annotations of a sequence in a tree: frame name -> file, in order of the frames.

    Every object is given in the first file that holds it; `as_boxes` as in `MaskPrompt`. With `spacing` some files are
    given in full besides: all their objects, and that there are no others.

    Source: the rule of YouTube-VOS: an object is given in the frame where it enters (Xu et al., arXiv 1809.03327).
    """

    files: Mapping[str, Path]
    as_boxes: bool = False
    spacing: Spacing | None = None

    def in_full(self, names: Sequence[str]) -> set[str]:
        """Those of the annotations from the first object on that are given in full."""
        return set() if self.spacing is None else {names[place] for place in self.spacing.places(len(names))}


@dataclass
class Given:
    """What was read.

    Attributes:
        masks: place of a frame among the chosen -> (H, W) ids.
        boxed: places of masks of which the boxes alone are given -> (H, W) ids.
        complete: places where all objects are given that are to be seen there.
        begins: frames before this one are known to hold no object.
        numbers: ids of objects 1, 2, 3 … in result pictures, where some are beyond 8 bits; else none.
        remarks: what a user should know, a sentence each.
        colours: which colour is which object, for all masks of the video.
        unnumbered: the first mask that shows one object without a number, if there is one.
        soft: masks whose grey levels were cut at the threshold.
        filling: masks whose one object reaches all four borders, as ground does.
    """

    masks: dict[int, Labels] = field(default_factory=dict)
    boxed: dict[int, Labels] = field(default_factory=dict)
    complete: set[int] = field(default_factory=set)
    begins: int = 0
    numbers: tuple[int, ...] = ()
    remarks: list[str] = field(default_factory=list)
    colours: ColourIds = field(default_factory=ColourIds)
    unnumbered: Path | None = None
    soft: list[Path] = field(default_factory=list)
    filling: list[Path] = field(default_factory=list)


def read_masks(frames: Frames, starts: Sequence[MaskPrompt | SequenceStart], read: ReadOptions) -> Given:
    """Read all masks of a video; where ids are beyond 8 bits, objects are counted from 1 inside.

    Raises:
        UsageError: a frame that is not among the chosen, a mask of another size, an object given twice in a frame.
        DatakitError: a mask that cannot be read, or holds no object.
    """
    given = Given()
    for start in starts:
        if isinstance(start, SequenceStart):
            _read_sequence(given, frames, start, read)
        elif start.file.is_dir():
            _read_folder(given, frames, start, read)
        else:
            if not start.file.exists():
                raise UsageError(f"--mask {start.file}: no such file")
            if start.frame is None:
                _refuse_other_name(frames, start.file)
            place = place_of(frames, start.frame, f"--mask {start.file}")
            labels = _read_mask(given, start.file, frames, place, read)
            elsewhere = f", or say of which frame it is: --mask {start.file}@FRAME" if start.frame is None else ""
            _take(given, place, labels, start.file, start.as_boxes, elsewhere)
    _refuse_unnumbered(given)
    _renumber(given)
    for files, is_what in ((given.soft, f"soft, foreground above {read.threshold}"),
                           (given.filling, "of an object that touches all four borders: inverted?")):  # fmt: skip
        if files:
            given.remarks.append(f"{counted(len(files), 'mask')} {is_what} ({shorten([file.name for file in files])})")
    return given


def _refuse_other_name(frames: Frames, file: Path) -> None:
    """Raise UsageError where a mask goes to the first frame though it is called as another one."""
    first = frames.names[0]
    if file.stem in frames.names[1:]:
        raise UsageError(
            f"--mask {file}: would be given in the first frame, {first}, and is called as another one; write "
            f"--mask {file}@{file.stem}, or @{first} if it is meant so"
        )


def _refuse_unnumbered(given: Given) -> None:
    """Raise UsageError where a mask does not say which of several objects it shows."""
    ids = set().union(*map(_ids_in, [*given.masks.values(), *given.boxed.values()]))
    if given.unnumbered is not None and len(ids) > 1:
        listed = ", ".join(map(str, sorted(ids)))
        raise UsageError(
            f"--mask {given.unnumbered}: is a mask of 0 and 255, which does not say which of the objects {listed} it "
            "shows; save ids, as a palette PNG"
        )


def _take(given: Given, place: int, labels: Labels, file: Path, as_boxes: bool, way_out: str = "") -> None:
    into = given.boxed if as_boxes else given.masks
    before = into.get(place)
    if before is not None and np.intersect1d(before[before > 0], labels[labels > 0]).size:
        raise UsageError(
            f"--mask {file}: holds an object id that another mask of this frame holds; use other ids{way_out}"
        )
    into[place] = labels if before is None else np.where(before > 0, before, labels)
    if hidden := _ids_in(labels) - _ids_in(into[place]):
        raise UsageError(f"--mask {file}: object {min(hidden)} lies wholly under another mask of this frame")


def _read_folder(given: Given, frames: Frames, start: MaskPrompt, read: ReadOptions) -> None:
    """Every picture of a folder at the frame of its name; those without an object are passed over."""
    if start.frame is not None:
        raise UsageError(f"--mask {start.file}@{start.frame}: pictures of a folder go to the frames of their names")
    files = list_frames(start.file, MASK_SUFFIXES)
    if not files:
        raise UsageError(f"--mask {start.file}: holds no pictures; expected masks such as {frames.names[0]}.png")
    empty = []
    for name, file in files.items():
        place = _place_of_file(frames, name, f"--mask {file}")
        labels = _read_mask(given, file, frames, place, read, may_be_empty=True)
        if labels.any():
            _take(given, place, labels, file, start.as_boxes)
        else:
            empty.append(name)
    if len(empty) == len(files):
        raise DatakitError(f"--mask {start.file}: none of its {len(files)} pictures holds an object")
    if twins := unused_twins(files, MASK_SUFFIXES):
        named = shorten([file.name for file in twins])
        given.remarks.append(f"{start.file}: of masks that are there twice, these are not used: {named}")
    if empty:
        given.remarks.append(f"{start.file}: {len(empty)} masks hold no object and are not used: {shorten(empty)}")


def _read_sequence(given: Given, frames: Frames, start: SequenceStart, read: ReadOptions) -> None:
    """Every object at the first file that holds it, and some files in full; it begins with the first object of all."""
    placed = {name: _place_if_chosen(frames, name, file) for name, file in start.files.items()}
    inside = [name for name, place in placed.items() if place is not None]
    known: set[int] = set()
    wanted: set[str] = set()
    full, unused = [], []
    for name, file in start.files.items():
        place = placed[name]
        if place is None:
            continue
        labels = _read_mask(given, file, frames, place, read, may_be_empty=True, may_be_painted=is_colour_file(file))
        new = sorted(_ids_in(labels) - known)
        if new and not known:
            given.begins = place
            wanted = start.in_full(inside[inside.index(name) :])
        if name in wanted and labels.any():
            _take(given, place, labels, file, start.as_boxes)
            given.complete.add(place)
            full.append(name)
        elif new:
            _take(given, place, only_ids(labels, new), file, start.as_boxes)
        elif known:
            unused.append(name)
        known.update(new)
    if not known:
        if not inside:
            name, file = next(iter(start.files.items()))
            raise _not_chosen(frames, name, f"annotation {file}")
        listed = counted(len(inside), "annotation") + (" of the chosen frames" if len(inside) < len(placed) else "")
        raise DatakitError(f"none of its {listed} holds an object, so there is nothing to follow")
    if start.spacing is not None:
        empty = f"; {len(wanted) - len(full)} hold no object and are not used" if len(full) < len(wanted) else ""
        given.remarks.append(f"{len(full)} of {len(inside)} annotations are given in full: {shorten(full, 20)}{empty}")
    elif unused:
        given.remarks.append(f"{len(unused)} annotations of objects known by then are not used: {shorten(unused)}")
    if outside := [name for name in placed if name not in inside]:
        given.remarks.append(
            f"{len(outside)} annotations of frames that are not among the chosen are not used: {shorten(outside)}"
        )


def _place_if_chosen(frames: Frames, name: str, file: Path) -> int | None:
    try:
        return _place_of_file(frames, name, f"annotation {file}")
    except _NotChosen:
        return None


def _read_mask(
    given: Given,
    file: Path,
    frames: Frames,
    place: int,
    read: ReadOptions,
    may_be_empty: bool = False,
    may_be_painted: bool = True,
) -> Labels:
    """Objects of a mask, which may be a frame that was painted on."""
    painted = painted_objects(file, frames[place], read.max_pixels, read.threshold) if may_be_painted else None
    found = painted or read_objects(file, read, may_be_empty)
    if found.labels.shape != frames.size:
        sizes = "is {1}x{0}, the frames are {3}x{2}".format(*found.labels.shape, *frames.size)
        raise UsageError(f"{file}: the mask {sizes}; draw it on a frame written by --first-frame")
    if found.ids == (1,) and not found.numbered and not found.colours:
        given.unnumbered = given.unnumbered or file
    if found.soft:
        given.soft.append(file)
    if len(found.ids) == 1 and touches_all_borders(found.merged()):
        given.filling.append(file)
    return given.colours.matched(file, found)


def _ids_in(labels: Labels) -> set[int]:
    return {int(number) for number in np.unique(labels) if number}


def _renumber(given: Given) -> None:
    """Count objects from 1 where an id is beyond 8 bits; result pictures hold the ids themselves, in 16."""
    maps = [*given.masks.values(), *given.boxed.values()]
    ids = sorted(set().union(*map(_ids_in, maps)))
    if len(ids) > len(IDS):
        raise UsageError(f"{len(ids)} objects are given, and {len(IDS)} at most can be followed at once; give fewer")
    if not ids or ids[-1] <= IDS[-1]:
        return
    numbers = range(1, len(ids) + 1)
    for group in (given.masks, given.boxed):
        for place, labels in group.items():
            table = np.zeros(ids[-1] + 1, np.uint8)
            table[ids] = numbers
            group[place] = table[labels]
    given.numbers = tuple(ids)
    given.remarks.append(
        f"ids beyond 8 bits: result pictures are grey, of 16 bits, with {shorten(list(map(str, ids)), 8)}"
    )


def place_of(frames: Frames, frame: str | None, what: str) -> int:
    """Position among the chosen frames of one that is called by its name, or by its number in the whole video.

    Raises:
        UsageError: there is none, or number and name mean two frames, as 1 does where the first is called 00001.
    """
    if frame is None:
        return 0
    if frame in frames.names:
        return frames.names.index(frame)
    if not frame.isdecimal():
        raise _not_chosen(frames, frame, what)
    named, number = _named(frames, int(frame)), int(frame)
    if frame.startswith("0") and len(frame) > 1:  # a name, as nobody writes a number
        counted: list[int] = []
    else:
        counted = [frames.numbers.index(number)] if number in frames.numbers else []
    if len({*named, *counted}) > 1:
        means = " or ".join(frames.names[place] for place in sorted({*named, *counted}))
        raise UsageError(f"{what}: frame {frame} may be {means}; write its name in full")
    for place in (*counted, *named):
        return place
    raise _not_chosen(frames, frame, what)


def _place_of_file(frames: Frames, name: str, what: str) -> int:
    """Position of the frame that a mask file is called after: by its name, else by the one number in it.

    Never by counting: of frames 00001, 00002 … the file 2.png is the second by its name, the third by counting.
    """
    if name in frames.names:
        return frames.names.index(name)
    numbers = re.findall("[0-9]+", name)
    found = _named(frames, int(numbers[0])) if len(numbers) == 1 else []
    if len(found) > 1:
        names = shorten([frames.names[place] for place in found])
        raise UsageError(f"{what}: {name!r} may be any of the frames {names}; call it as its frame")
    if not found:
        raise _not_chosen(frames, name, what)
    return found[0]


def _named(frames: Frames, number: int) -> list[int]:
    """Places of the frames whose names end in that number, as frame_0005 does."""
    digits = [re.findall("[0-9]+", name) for name in frames.names]
    return [place for place, found in enumerate(digits) if found and int(found[-1]) == number]


class _NotChosen(UsageError):
    """A frame that is not among the chosen ones."""


def _not_chosen(frames: Frames, frame: str, what: str) -> _NotChosen:
    chosen = f"{frames.numbers[0]} to {frames.numbers[-1]} ({frames.names[0]} to {frames.names[-1]})"
    return _NotChosen(f"{what}: frame {frame!r} is not among the chosen ones, {chosen}")
