"""CVAT's XML 1.1, read element by element: images with their shapes, or tracks whose shapes lie on frames.

No tree is built, so that a file of any length takes the memory of what is kept of it. defusedxml refuses entities.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from xml.etree.ElementTree import ParseError

from ...places import Place
from ...reading import chunks
from ..json_files import Broken

NO_SHAPES = ("tag",)  # they say something of the whole photo
OUTLINES = (
    "points",
    "xtl",
    "ytl",
    "xbr",
    "ybr",
    "cx",
    "cy",
    "rx",
    "ry",
    "rotation",
    "rle",
    "left",
    "top",
    "width",
    "height",
)
KEPT = frozenset((*OUTLINES, "z_order", "group_id", "label", "frame", "outside"))  # attributes of a shape
MOST_DEPTH = 32  # CVAT's own files have six levels
CHUNK = 1 << 20  # bytes
META = ("mode", "size", "start_frame", "stop_frame", "width", "height")

Attributes = dict[str, str]


@dataclass
class CvatPhoto:
    """An `image` element.

    Attributes:
        head: its attributes: id, name, width, height, subset.
        shapes: name and attributes of the elements in it.
    """

    head: Attributes
    shapes: list[tuple[str, Attributes]] = field(default_factory=list)


@dataclass
class CvatFile:
    """What a file holds.

    Attributes:
        photos: in order.
        tracks: head and shapes of each `track`, in order.
        meta: first text of the elements `META` below `meta`.
    """

    photos: list[CvatPhoto] = field(default_factory=list)
    tracks: list[CvatPhoto] = field(default_factory=list)
    meta: dict[str, str] = field(default_factory=dict)

    def number(self, name: str) -> int | None:
        """A whole number of the meta data; None where there is none."""
        text = self.meta.get(name, "").strip()
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def read_cvat(path: Place | str) -> CvatFile:
    """What an XML file holds.

    Raises:
        Broken: it cannot be read, is damaged, holds entities, or is another tool's.
    """
    from defusedxml.common import DefusedXmlException  # here, since no other source needs it
    from defusedxml.ElementTree import DefusedXMLParser

    found = CvatFile()
    try:
        target = _Target(found)
        parser = DefusedXMLParser(target=target)
        expat = parser.parser  # called straight, which takes half of the time
        expat.ordered_attributes = False
        expat.StartElementHandler, expat.EndElementHandler = target.start, target.end
        for chunk in chunks(path, CHUNK):
            parser.feed(chunk)
        parser.close()
    except DefusedXmlException:
        raise Broken("holds XML entities, which CVAT never writes; export it anew") from None
    except (ParseError, OSError, ValueError, LookupError) as error:
        if isinstance(error, Broken):
            raise
        raise Broken(f"cannot be read as XML: {error}; export it anew") from None
    return found


class _Target:
    """What the parser calls for every element."""

    def __init__(self, found: CvatFile):
        self._found = found
        self._path: list[str] = []
        self._open: CvatPhoto | None = None
        self._text: list[str] | None = None

    def start(self, tag: str, attributes: Attributes) -> None:
        self._path.append(tag)
        depth = len(self._path)
        if depth > MOST_DEPTH:
            raise Broken(f"is nested deeper than {MOST_DEPTH} elements; export it anew")
        if depth == 1 and tag != "annotations":
            raise Broken(f"begins with <{tag[:40]}>, CVAT's files with <annotations>", is_damage=False)
        if depth == 2 and tag in ("image", "track"):
            self._open = CvatPhoto(dict(attributes))
            (self._found.photos if tag == "image" else self._found.tracks).append(self._open)
        elif depth == 3 and self._open is not None and tag not in NO_SHAPES:
            kept = {name: value for name, value in attributes.items() if name in KEPT}
            self._open.shapes.append((tag, kept))
        self._text = [] if tag in META and depth > 2 and self._path[1] == "meta" else None

    def data(self, text: str) -> None:
        if self._text is not None:
            self._text.append(text)

    def end(self, tag: str) -> None:
        if self._text is not None:
            self._found.meta.setdefault(tag, "".join(self._text)[:40])
            self._text = None
        self._path.pop()
        if len(self._path) == 1:
            self._open = None

    def close(self) -> Any:
        return None
