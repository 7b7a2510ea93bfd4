"""What the outlines of a photo that EXIF turns were drawn on: the photo as its file stores it, or upright.

Tools that write polygons show the photo upright, whatever width and height they write (docs/decisions.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ..arrays import Mask
from ..images import turn
from ..samples import Note, Photo
from .mask_samples import stored_size
from .outlines import SLACK, Outline, Ring, overrun
from .records import Record

SLACK_SHARE = 0.01  # of the longer side: an outline that leaves a frame by less may have been drawn in it, in haste
LESS = 0.5  # outside of one frame at most this share of what is outside of the other: drawn in the first
DEFAULT = "upright"  # LabelMe since 2019, labelImg since 2020, CVAT, Label Studio and every browser since 2020


@dataclass(frozen=True)
class PixelFrame:
    """What the outlines of one photo lie on.

    Attributes:
        name: `stored` or `upright`.
        told: whether outlines fit this frame only, or run lengths are of its size.
        asked: whether an option said so, where nothing else did.
    """

    name: str
    certain: bool = False
    asked: bool = False

    def size(self, photo: Photo) -> tuple[int, int]:
        """(H, W) of the frame."""
        return stored_size(photo) if self.name == "stored" else photo.size

    def upright(self, mask: Mask, photo: Photo) -> Mask:
        """A mask of this frame as it lies on the upright photo."""
        return turn(mask, photo.orientation) if self.name == "stored" else mask


def find_pixel_frame(outlines: Sequence[Outline], photo: Photo, asked: str | None) -> PixelFrame:
    """What all outlines of a photo together say they were drawn on.

    Where EXIF swaps the sides: the one frame that rings fit (within `SLACK` and `SLACK_SHARE`) which do not fit the
    other; where some speak for either, or none fits, the one that far less of them lies outside of; else the
    size of run lengths. Where that tells nothing (half turns, square photos, outlines that fit both): what is asked
    for, else upright.

    Args:
        outlines: of all objects, crowds and small ones included.
        photo: the upright photo.
        asked: `stored`, `upright`, or None.
    """
    if photo.orientation <= 1:
        return PixelFrame(DEFAULT, certain=True)
    stored = stored_size(photo)
    if stored != photo.size:
        rings = [ring for outline in outlines for ring in outline.rings]
        name = _fitting(rings, stored, photo.size) or _of_runs(outlines, stored, photo.size)
        if name:
            return PixelFrame(name, certain=True)
    return PixelFrame(asked, asked=True) if asked else PixelFrame(DEFAULT)


def turned_by_exif(record: Record, photo: Photo, frame: PixelFrame) -> Iterator[Note]:
    """What to tell of a photo that EXIF turns: what its outlines were taken to be drawn on, and how that is known."""
    if photo.orientation <= 1 or frame.asked:
        return
    place = "the upright photo" if frame.name == "upright" else "the photo as stored"
    if frame.certain:
        reason = f"photos turned by EXIF, outlines fit {place} only"
    else:
        other = "stored" if frame.name == "upright" else "upright"
        reason = (
            f"photos turned by EXIF, outlines fit both ways: read as drawn on {place} (if not: --annotated {other})"
        )
    yield Note(record.key, reason, f"{record.image}: EXIF orientation {photo.orientation}, outlines on {place}")


def _fitting(rings: Sequence[Ring], stored: tuple[int, int], upright: tuple[int, int]) -> str:
    slack = max(SLACK, SLACK_SHARE * max(stored))
    fits = [(ring, overrun(ring, stored) <= slack, overrun(ring, upright) <= slack) for ring in rings]
    for_stored = [ring for ring, fits_stored, fits_upright in fits if fits_stored and not fits_upright]
    for_upright = [ring for ring, fits_stored, fits_upright in fits if fits_upright and not fits_stored]
    if bool(for_stored) != bool(for_upright):
        return "stored" if for_stored else "upright"
    neither = [ring for ring, fits_stored, fits_upright in fits if not fits_stored and not fits_upright]
    disputed = [*for_stored, *for_upright] or neither
    lost_stored, lost_upright = (sum(_outside(ring, size) for ring in disputed) for size in (stored, upright))
    if lost_stored <= LESS * lost_upright < lost_upright:
        return "stored"
    return "upright" if lost_upright <= LESS * lost_stored < lost_stored else ""


def _outside(ring: Ring, size: tuple[int, int]) -> float:
    """Area of a ring's box that lies outside of a frame, no more than the frame's own for one ring."""
    low, high = ring.min(axis=0), ring.max(axis=0)
    inside = (high.clip(0, size[::-1]) - low.clip(0, size[::-1])).prod()
    return min(float((high - low).prod() - inside), float(size[0] * size[1]))


def _of_runs(outlines: Iterable[Outline], stored: tuple[int, int], upright: tuple[int, int]) -> str:
    sizes = {outline.runs.size for outline in outlines if outline.runs is not None}
    if stored in sizes and upright not in sizes:
        return "stored"
    return "upright" if upright in sizes and stored not in sizes else ""
