"""YOLO segmentation: a text file of outlines to each photo, `class x y x y …` in shares of width and height.

An outline is filled as ultralytics fills it in the photo's own size: corners cut to whole pixels, `cv2.fillPoly`.
Every line is an object of its own, and keeps the pixels that others share with it.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from ... import looking, reading
from ...arrays import Mask
from ...errors import ItemRef, Problem, UsageError
from ...places import Place, beneath
from ..annotation_files import unread
from ..entries import Entry, find_files, pair_entries, strays
from ..json_files import Broken
from ..layout import Layout, Match, Sureness
from ..listing import split_suffix
from ..outlines import BrokenOutline, Ring
from ..pairs import IMAGE_SUFFIXES
from ..reader import Reader, ReadOptions
from ..records import Record
from ..shape_reader import Annotated, ShapeReader
from ..shapes import Fault, Shape, Size, broken, opencv_polygons
from ..sniff import heads
from .shares import shared_shape, shown_size
from .yolo_settings import class_names, has_key_points, is_companion

LEAVES = 0.01  # share of a side by which ultralytics lets corners leave the photo
SNAP = 0.1  # pixels at most between a corner and the whole number that it was before it was written as a share
BOX = 4  # numbers after the class: centre, width and height


class Line(NamedTuple):
    """A line of a text file: its number from 1, and its words."""

    number: int
    words: list[str]


@dataclass(frozen=True)
class YoloLayout(Layout):
    """Photos with a text file of outlines each: in `labels/` where the photo is in `images/`, or beside it."""

    @property
    def reader_type(self) -> type[YoloReader]:
        """See the base class."""
        return YoloReader

    def match(self, root: Path) -> Match | None:
        """For a text file of shares."""
        for path, text in heads(root, ".txt") if looking.is_folder(root) else ():
            if _is_outlines(text):
                return Match(Sureness.COMMON, f"for the outlines in {path.relative_to(root)}")
        return None

    def open(self, label: str, root: Path, images: Path | None, options: ReadOptions) -> Reader:
        """List the photos of a folder and the text file of each.

        Raises:
            UsageError: no photo has one, or the files hold key points.
        """
        if not looking.is_folder(root):
            raise UsageError(f"{root}: expected the folder of a YOLO set, found a file")
        found = find_files(root)
        photos = find_files(images).photos if images else found.photos
        if has_key_points(root, found.others):
            raise UsageError(f"{root}: holds key points (`kpt_shape` in its .yaml), so there are no masks")
        texts = [name for name in found.others if split_suffix(name)[1] == ".txt"]
        paired = _paired(photos, texts)
        entries: list[Entry] = []
        problems: list[Problem] = []
        read: set[str] = set()
        for name, path in zip(sorted(texts), reading.in_turn(root, sorted(texts)), strict=True):
            try:
                data = _read(path)
            except Broken as error:
                problems.append(unread(label, name, error))
                read.add(name)
                continue
            if name in paired or (_SLOT.search(name) and _is_outlines(data[:4096].decode("utf-8-sig", "replace"))):
                names = (paired[name],) if name in paired else _guesses(name)
                entries.append(Entry(names, name, "", [line.number for line in _lines(data)], {}))
                read.add(name)
        if not paired and not entries and not photos:
            way_out = f"give the folder above, or --images {label}=DIR"
            raise UsageError(f"{root}: expected photos and their text files, found no photo: {way_out}")
        if not paired and not entries:
            raise UsageError(f"{root}: no photo has a text file of outlines. {self.source}")
        records, more = pair_entries(label, entries, photos)
        others = [name for name in found.others if not is_companion(name)]
        problems += more + strays(label, others, read, "photos and a text file for each")
        problems.sort(key=lambda problem: problem.key)
        reader = YoloReader(label, root, images or root, records, problems, options)
        reader.classes = class_names(root, found.others)
        return reader


YOLO = YoloLayout(
    "yolo",
    "ultralytics and most exporters to it keep images/NAME.jpg and labels/NAME.txt, a line `class x y x y …` for each"
    " object, or train/images and train/labels, beside a data.yaml (docs.ultralytics.com/datasets/segment).",
    ("images/*.jpg", "labels/*.txt", "data.yaml"),
)


class YoloReader(ShapeReader):
    """Photos with a text file each.

    Attributes:
        classes: number of a class -> its name, where the set has a file of them.
    """

    overlaps = True
    opened_with = ("classes",)
    classes: Mapping[int, str] = MappingProxyType({})

    def annotation_files(self, record: Record) -> Sequence[str]:
        """Its text file; see the base class."""
        return [record.annotation["place"]]

    def take(self, opened_with: Mapping[str, Any]) -> None:
        """Keys of JSON are texts; see the base class."""
        self.classes = {int(number): name for number, name in opened_with["classes"].items()}

    def annotated(self, record: Record) -> Annotated:
        """The outlines of a photo's text file; see the base class."""
        place = record.annotation["place"]
        try:
            data = _read(beneath(self.root, place))
        except Broken as error:
            raise ItemRef(record.key, place).failed("read", "broken annotation file", str(error)) from None
        size = shown_size(beneath(self.images, record.image))
        return Annotated(tuple(self._shapes(data, size)), zlib.crc32(data))

    def _shapes(self, data: bytes, size: Size | None) -> Iterator[Shape]:
        seen: dict[tuple[str, ...], int] = {}
        for number, words in _lines(data):
            name = f"line {number} ({self._class(words[0])})"
            first = seen.setdefault(tuple(words), number)
            if first != number:
                text = f"{name} is the same as line {first}"
                yield Shape(number, name, None, fault=Fault("left-out", "same outline twice", text))
            elif len(words) == 1 + BOX:
                text = f"{name} has a box and no outline, so there is no mask to learn from"
                yield Shape(number, name, None, fault=Fault("left-out", "box only", text))
            else:
                try:
                    yield _outline(number, name, words[1:], size)
                except BrokenOutline as error:
                    yield broken(number, name, error, error.reason)

    def _class(self, word: str) -> str:
        if not (word.isascii() and word.isdigit() and len(word) < 10):
            return f"class {word[:20]!r}"
        known = self.classes.get(int(word))
        return repr(known[:60]) if known else f"class {word}"


def _outline(number: int, name: str, words: list[str], size: Size | None) -> Shape:
    """One object.

    Raises:
        BrokenOutline: its numbers are none, too few or odd, or no shares.
    """
    try:
        shares = np.array(words, np.float64)
    except ValueError:
        raise BrokenOutline("broken shape", "holds words that are not numbers") from None
    if len(shares) < 6 or len(shares) % 2:
        found = f"holds {len(shares)} numbers after the class, expected x, y of three or more corners"
        more = "; is the last one a confidence?" if len(shares) > 6 else ""
        raise BrokenOutline("broken shape", found + more)
    if not np.isfinite(shares).all():
        raise BrokenOutline("broken shape", "has coordinates that are not finite")
    if np.abs(shares).max() > 2:
        found = f"has coordinates up to {np.abs(shares).max():.0f}, expected shares of width and height, 0 to 1"
        raise BrokenOutline("outline in pixels, not shares", f"{found}; divide x by the width and y by the height")
    ring, step = shares.reshape(-1, 2), _step(words)

    def pixels(size: Size) -> Ring:
        return ring * size[::-1]

    def paint(size: Size) -> Mask:
        return opencv_polygons([pixels(size)], lambda corners: _whole(corners, step * max(size)))(size)

    return shared_shape(number, name, pixels, paint, size)


def _whole(corners: Ring, slack: float) -> Ring:
    """Corners cut to whole pixels, but for those that rounding as a share has put a little below a whole number."""
    nearest = np.rint(corners)
    return np.where(np.abs(corners - nearest) <= min(slack, SNAP) + 1e-9, nearest, np.trunc(corners))


def _step(words: Iterable[str]) -> float:
    """Half of the last decimal place that shares are written with; 0 where one has an exponent."""
    decimals = [len(word.partition(".")[2]) for word in words if "e" not in word.lower()]
    return 0.5 * 10.0 ** -max(decimals, default=99)


_SLOT = re.compile(r"(?:^|(?<=/))labels(?=/)(?!.*/labels/)", re.IGNORECASE)  # the last folder of that name
_IMAGES = re.compile(r"(?:^|(?<=/))images(?=/)(?!.*/images/)", re.IGNORECASE)


def _paired(photos: Iterable[str], texts: Iterable[str]) -> dict[str, str]:
    """Text file -> its photo: `labels/` for the last `images/` in the photo's path, else beside it; as ultralytics."""
    slots: dict[str, str] = {}
    for text in sorted(texts):
        stem = split_suffix(text)[0]
        slots.setdefault(stem, text)
        slots[_SLOT.sub("images", stem, count=1)] = text
    paired: dict[str, str] = {}
    for photo in sorted(photos):
        stem = split_suffix(photo)[0]
        own = slots.get(_IMAGES.sub("images", stem, count=1)) or slots.get(stem)
        if own is not None:
            paired.setdefault(own, photo)
    return paired


def _guesses(text: str) -> tuple[str, ...]:
    """Photos that a text file in `labels/` may be of."""
    stem = split_suffix(text)[0]
    stems = (_SLOT.sub("images", stem, count=1), _SLOT.sub("", stem, count=1).replace("//", "/").lstrip("/"))
    return tuple(each + suffix for each in stems for suffix in IMAGE_SUFFIXES)


def _is_outlines(text: str) -> bool:
    """Whether a text begins with a class and shares."""
    words = next((line.split() for line in text.splitlines() if line.strip()), [])
    try:
        numbers = np.array(words, np.float64)
    except ValueError:
        return False
    shares = numbers[1:]
    inside = (shares >= -LEAVES) & (shares <= 1 + LEAVES)
    return len(shares) >= BOX and bool(numbers[0] % 1 == 0 and inside.all())


def _lines(data: bytes) -> Iterator[Line]:
    for number, line in enumerate(data.decode("utf-8-sig", "replace").splitlines(), 1):
        words = line.split()
        if words:
            yield Line(number, words)


def _read(path: Place | str) -> bytes:
    """A text file's bytes.

    Raises:
        Broken: it cannot be read.
    """
    try:
        return reading.read_file(path)
    except OSError as error:
        raise Broken(f"cannot be read: {error}") from None
