"""CVAT for images 1.1 and CVAT for video 1.1: one XML file of shapes for many photos, or for the frames of a clip.

Shapes are filled as CVAT's own export to segmentation masks fills them: outlines by COCO's rule, ellipses by OpenCV,
brushed masks pixel by pixel; painted by `z_order`, a group as one object.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from ... import looking
from ...errors import Problem
from ...places import Place
from ..annotation_files import AnnotationFiles, FileReader, crc32_of
from ..entries import Entry
from ..layout import Match, Sureness
from ..records import Record
from ..shape_reader import MOST_SHAPES, Annotated
from ..sniff import heads
from .cvat_file import CvatFile, CvatPhoto, read_cvat
from .cvat_frames import entries_of_tracks
from .cvat_shapes import Drawn, cvat_shape, painting_order

OWN = re.compile(r"<annotations[\s>].*<(version|meta|image|track)[\s>]", re.DOTALL)


class CvatReader(FileReader):
    """Photos of CVAT's files.

    A record's annotation holds "size", [height, width] or None, and "shapes", each [element, number, attributes].
    """

    @classmethod
    def load(cls, path: Place | str) -> CvatFile:
        """What an XML file holds; see the base class."""
        return read_cvat(path)

    @classmethod
    def entries(cls, name: str, document: CvatFile) -> Iterable[Entry]:
        """The `image` elements of a file; see the base class."""
        return (_entry(name, position, photo) for position, photo in enumerate(document.photos, 1))

    def annotated(self, record: Record) -> Annotated:
        """The shapes of one photo in painting order; see the base class."""
        drawn, size = record.annotation["shapes"], tuple(record.annotation["size"] or ()) or None
        most = self.options.max_pixels
        is_likely = size and size[0] * size[1] <= most and len(drawn) <= MOST_SHAPES
        shapes = [cvat_shape(*each, most=most) for each in painting_order(drawn, size if is_likely else None)]
        return Annotated(tuple(shapes), crc32_of(drawn), size)


class CvatLayout(AnnotationFiles):
    """A folder with CVAT's annotations.xml and the photos it names, or the pictures of the clip it tracks."""

    def match(self, root: Path) -> Match | None:
        """For an XML file of annotations."""
        for path, text in heads(root, self.suffix):
            if OWN.search(text):
                return Match(Sureness.FILE if looking.is_file(root) else Sureness.COMMON, f"for CVAT's {path.name}")
        return None

    def of_file(
        self, label: str, name: str, document: CvatFile, photos: Iterable[str]
    ) -> tuple[list[Entry], list[Problem]]:
        """Its photos, and the frames of its tracks; see the base class."""
        entries, problems = super().of_file(label, name, document, photos)
        base = name.rpartition("/")[0]
        clip = [photo for photo in photos if photo.startswith(f"{base}/")] or photos if base else photos
        frames, more = entries_of_tracks(label, name, document, clip)
        return [*entries, *frames], [*problems, *more]


CVAT = CvatLayout(
    "cvat",
    "CVAT exports `CVAT for images 1.1` and `CVAT for video 1.1` as annotations.xml beside images/"
    " (docs.cvat.ai, formats).",
    ("*.xml", "images/**/*.jpg"),
    reader=CvatReader,
    what="XML file of CVAT's with photos or frames",
    suffix=".xml",
)


def _entry(name: str, position: int, photo: CvatPhoto) -> Entry:
    """What a file says of one photo."""
    head = photo.head
    written, subset = head.get("name", ""), head.get("subset", "")
    names = [
        f"{folder}{written}" for folder in (f"images/{subset}/" if subset else "images/", "images/", "") if written
    ]
    size = [_whole(head.get("height", "")), _whole(head.get("width", ""))]
    shapes = list(_numbered(photo))
    numbers = sorted({number for _, number, _ in shapes})
    more = {"size": None if None in size else size, "shapes": shapes}
    base = name.rpartition("/")[0]
    own = _whole(head.get("id", ""))
    place = f"{name}: image at place {position}" if own is None else f"{name}: image {own}"
    return Entry(tuple(dict.fromkeys(names)), place, base, numbers, more)


def _numbered(photo: CvatPhoto) -> Iterator[Drawn]:
    """The shapes of a photo; those of one group are one object."""
    groups: dict[str, int] = {}
    for position, (tag, attributes) in enumerate(photo.shapes, 1):
        group = attributes.get("group_id", "0")
        yield tag, position if group in ("", "0") else groups.setdefault(group, position), attributes


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
