"""CVAT for images 1.1 and CVAT for video 1.1: one XML file of shapes for many photos, or for the frames of a clip.

Shapes are filled as CVAT's own export to segmentation masks fills them: outlines by COCO's rule, ellipses by OpenCV,
brushed masks pixel by pixel; painted by `z_order`, a group as one object.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import Problem, UsageError
from .cvat_file import CvatPhoto, read_cvat
from .cvat_frames import entries_of_tracks
from .cvat_shapes import Drawn, cvat_shape, painting_order
from .entries import Entry, broken_file, find_files, pair_entries, strays
from .json_files import Broken
from .layout import Layout, Match, Sureness
from .reader import Reader, ReadOptions
from .records import Record
from .shape_reader import MOST_SHAPES, Annotated, ShapeReader
from .sniff import heads


@dataclass(frozen=True)
class CvatLayout(Layout):
    """A folder with CVAT's annotations.xml and the photos it names, or the file itself."""

    def match(self, root: Path) -> Match | None:
        """For an XML file of annotations."""
        for path, text in heads(root, ".xml"):
            if re.search(r"<annotations[\s>]", text) and re.search(r"<(version|meta|image|track)[\s>]", text):
                return Match(Sureness.FILE if root.is_file() else Sureness.COMMON, f"for CVAT's {path.name}")
        return None

    def open(self, label: str, root: Path, images: Path | None, options: ReadOptions) -> Reader:
        """Read the XML files of a folder, or the one given, and look which of their photos are there.

        Raises:
            UsageError: none of them is CVAT's, or the pictures of a clip are not numbered as its frames are.
        """
        folder = root if root.is_dir() else root.parent
        found = find_files(folder)
        photos = find_files(images).photos if images else found.photos
        files = sorted(name for name in found.others if name.lower().endswith(".xml")) if root.is_dir() else [root.name]
        entries: list[Entry] = []
        problems: list[Problem] = []
        for name in files:
            try:
                document = read_cvat(folder / name)
            except Broken as error:
                if len(files) == 1:
                    raise UsageError(f"{folder / name}: {error}") from None
                problems.append(broken_file(label, name, error))
                continue
            base = "" if images else name.rpartition("/")[0]
            entries += (_entry(name, base, photo) for photo in document.photos)
            beside = [photo for photo in photos if photo.startswith(f"{base}/")] if base else list(photos)
            of_frames, more = entries_of_tracks(label, name, document, beside)
            entries += of_frames
            problems += more
        if not entries:
            raise UsageError(f"{root}: holds no XML file of CVAT's with photos or frames. {self.source}")
        records, more = pair_entries(label, entries, photos)
        problems += more
        if root.is_dir():
            problems += strays(label, found.others, files, "photos and CVAT's .xml files")
        problems.sort(key=lambda problem: problem.key)
        return CvatReader(label, folder, images or folder, records, problems, options)


CVAT = CvatLayout(
    "cvat",
    "CVAT exports `CVAT for images 1.1` and `CVAT for video 1.1` as annotations.xml beside images/"
    " (docs.cvat.ai, formats).",
    ("*.xml", "images/**/*.jpg"),
)


class CvatReader(ShapeReader):
    """Photos of CVAT's files.

    A record's annotation holds "size", [height, width] or None, and "shapes", each [element, number, attributes].
    """

    def annotated(self, record: Record) -> Annotated:
        """The shapes of one photo in painting order; see the base class."""
        drawn, size = record.annotation["shapes"], tuple(record.annotation["size"] or ()) or None
        text = json.dumps(drawn, sort_keys=True, separators=(",", ":"))
        most = self.options.max_pixels
        is_likely = size and size[0] * size[1] <= most and len(drawn) <= MOST_SHAPES
        shapes = [cvat_shape(*each, most=most) for each in painting_order(drawn, size if is_likely else None)]
        return Annotated(tuple(shapes), zlib.crc32(text.encode()), size)


def _entry(name: str, base: str, photo: CvatPhoto) -> Entry:
    """What a file says of one photo."""
    head = photo.head
    written, subset = head.get("name", ""), head.get("subset", "")
    names = (f"images/{subset}/{written}", f"images/{written}", written) if written else ()
    size = [_whole(head.get("height", "")), _whole(head.get("width", ""))]
    shapes = list(_numbered(photo))
    numbers = sorted({number for _, number, _ in shapes})
    more = {"size": None if None in size else size, "shapes": shapes}
    return Entry(names, f"{name}: image {head.get('id', '')[:20]}", base, numbers, more)


def _numbered(photo: CvatPhoto) -> Iterator[Drawn]:
    """The shapes of a photo; those of one group are one object."""
    groups: dict[str, int] = {}
    for position, (tag, attributes) in enumerate(photo.shapes, 1):
        group = attributes.get("group_id", "0")
        yield tag, position if group in ("", "0") else groups.setdefault(group, position), attributes


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
