"""What each use of masks asks of them, and the one door to a mask file: read, turn upright, decide, refuse.

The rule of what values mean is the same for every use and stands in `values`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from numpy.typing import NDArray

from ..errors import ItemError, ItemRef, Problem
from ..images import turn
from ..mask_files import MaskFile, read_mask
from .values import LabelMap, Nature, Values, objects_of


@dataclass(frozen=True)
class Policy:
    """What one use asks of masks.

    Attributes:
        nature: what its masks are known to be: `ids` of objects, `soft`, or `any`.
        cuts_soft: take a soft mask that nobody said to be one, cut at the threshold; else refuse it.
        counts_colours: take several objects in a colour picture, numbered by colour where no palette is known; else
            refuse them.
        needs_object: refuse a mask without any object.
    """

    nature: Nature = "any"
    cuts_soft: bool = True
    counts_colours: bool = True
    needs_object: bool = False


# Still images of a build: a mask without an object is a problem of its sample, not of the file.
STILLS = {nature: Policy(nature) for nature in ("any", "ids", "soft")}
# Given for a video, by a data set or a paint program: taken as it was meant.
GIVEN = Policy("ids")
GIVEN_OBJECTS = Policy("ids", needs_object=True)
# Ground truth and predictions: a score must not depend on a choice of ours.
SCORED = Policy("ids", cuts_soft=False, counts_colours=False)


class ReadingOptions(Values, Protocol):
    """What `ReadOptions` says of mask files."""

    @property
    def max_pixels(self) -> int: ...


def read_label_map(path: Path, place: str, policy: Policy, options: ReadingOptions) -> LabelMap:
    """The objects of a mask file, upright as its own EXIF orientation says.

    Args:
        path: the file.
        place: what messages call it.
        policy: what the use asks.
        options: what grey values are, if somebody said so, the threshold of soft ones, and the largest picture.

    Raises:
        ItemError: it cannot be read, it cannot be told which pixels are which object, or the policy refuses it.
    """
    stored = read_mask(path, place, options.max_pixels, place)
    upright = replace(stored, plane=turn(stored.plane, stored.orientation))
    return decode(upright, options, ItemRef(place, place), policy)


def decode(mask: MaskFile, options: Values, where: ItemRef, policy: Policy) -> LabelMap:
    """The objects of a mask.

    Args:
        mask: as its file stores it, turned as one likes.
        options: what its values are, if somebody said so, and the threshold of a soft one, 0..254.
        where: for messages.
        policy: what the use asks.

    Raises:
        ItemError: stage `mask`; it cannot be told which pixels are which object, or the policy refuses it.
    """
    found = objects_of(mask, options, where, policy.nature)
    if not policy.cuts_soft and found.soft and not mask.lossy and options.grey == "auto":
        way_out = f"--threshold {options.threshold}, or save it as 0/255"
        raise where.failed("mask", "soft mask", f"is a soft mask; where to cut it is yours to say: {way_out}")
    if not policy.counts_colours and mask.coding == "colour" and not found.numbered and len(found.ids) > 1:
        fault = "holds colours of no known palette, which number no objects; save ids as a palette PNG"
        raise where.failed("mask", "colour mask", fault)
    if policy.needs_object and not found.ids:
        why = "the mask is empty, no pixel belongs to an object; draw it in white on black"
        raise ItemError(Problem(where.key, "failed", "mask", "empty mask", f"{where.path}: {why}"))
    return found


def is_unnumbered(mask: MaskFile, found: LabelMap, policy: Policy) -> bool:
    """Whether a mask shows one object that needs no number: white, or 1 in a grey mask that may be either."""
    return found.ids == (1,) and (not found.numbered or (mask.coding == "grey" and policy.nature == "any"))


def why_empty(plane: NDArray[Any], found: LabelMap, options: Values) -> str:
    """Why a mask holds no object.

    Args:
        plane: its values.
        found: what was made of them.
        options: as they were given to `decode`.
    """
    top = int(plane.max(initial=0))
    if found.ignore is not None:
        return "only void (255), no object"
    if found.soft:
        highest = top if top <= 255 else top // 257
        return f"no pixel above the threshold {options.threshold} (highest value {highest}); lower it with --threshold"
    return "all of it is ground" if top else "every pixel is 0"
