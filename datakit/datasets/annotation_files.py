"""Layouts of annotation tools: which files of a folder are theirs, which photos these mean, and reading the shapes.

A tool is a subclass of `PhotoFileReader` (a file a photo), `ListedReader` (a file of many, masks as COCO writes them)
or `FileReader`, which says what stands in a file, and an `AnnotationFiles` with its name and tree.
"""

from __future__ import annotations

import json
import zlib
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from .. import looking, reading
from ..errors import ItemRef, Problem, UsageError
from ..places import Place, beneath
from .entries import Entry, find_files, left_out, pair_entries, strays
from .json_files import Broken, load_json
from .layout import Layout, Match, Sureness
from .reader import Reader, ReadOptions
from .records import Record
from .shape_reader import Annotated, ShapeReader
from .shapes import Shape, Size, coco_shape
from .sniff import heads


class FileReader(ShapeReader):
    """Photos whose shapes stand in annotation files.

    Attributes:
        holds: keys that every file of the tool has, each with its type; a file without them is of another tool.
    """

    holds: ClassVar[tuple[tuple[str, type], ...]] = ()

    @classmethod
    def load(cls, path: Place | str) -> Any:
        """What a file holds.

        Raises:
            Broken: it is damaged, or of another kind.
        """
        document = load_json(path)
        is_own = isinstance(document, dict) and all(isinstance(document.get(key), of) for key, of in cls.holds)
        if cls.holds and not is_own:
            named = " and ".join(f"{'list ' if of is list else ''}`{key}`" for key, of in cls.holds)
            raise Broken(f"holds no {named}, as files of this tool do", is_damage=False)
        return document

    @classmethod
    def unwanted(cls, files: Sequence[str]) -> dict[str, str]:
        """Files that are not read because others are, each with the reason."""
        return {}

    @classmethod
    @abstractmethod
    def entries(cls, name: str, document: Any) -> Iterable[Entry]:
        """What the file called `name` says of its photos; each `base` is the file's own folder.

        Raises:
            Broken: it is of another kind.
        """


class ListedReader(FileReader):
    """Photos of files that hold many; a record's `drawn` lists (number, name, segmentation) of its objects.

    Objects keep the pixels that others cover, since every one has a mask of its own in the file.
    """

    overlaps = True

    def annotated(self, record: Record) -> Annotated:
        """The segmentations of a photo; see the base class."""
        drawn, size = record.annotation["drawn"], record.annotation["size"]
        shapes = tuple(coco_shape(number, name, segmentation) for number, name, segmentation in drawn)
        return Annotated(shapes, crc32_of(drawn), (size[0], size[1]) if size else None)


class PhotoFileReader(FileReader):
    """Photos with an annotation file each; a record's `place` is the path of that file."""

    @classmethod
    def entries(cls, name: str, document: Any) -> Iterable[Entry]:
        """The one photo of a file."""
        return (cls.entry(name, document),)

    @classmethod
    @abstractmethod
    def entry(cls, name: str, document: Any) -> Entry:
        """Which photo and objects the file called `name` is about; its `base` is the file's own folder."""

    @classmethod
    @abstractmethod
    def shapes(cls, document: Any, most: int) -> Iterator[Shape]:
        """The shapes in painting order.

        Args:
            document: what `load` gave.
            most: pixels of a picture inside the file, at most.
        """

    @classmethod
    def size(cls, document: Any) -> Size | None:
        """(H, W) of the photo that was drawn on, where the file says so."""
        return None

    def annotation_files(self, record: Record) -> Sequence[str]:
        """Its file; see the base class."""
        return [record.annotation["place"]]

    def annotated(self, record: Record) -> Annotated:
        """The shapes of a photo's file; see the base class."""
        place = record.annotation["place"]
        try:
            document = self.load(beneath(self.root, place))
        except Broken as error:
            raise ItemRef(record.key, place).failed("read", "broken annotation file", str(error)) from None
        return Annotated(tuple(self.shapes(document, self.options.max_pixels)), crc32_of(document), self.size(document))


@dataclass(frozen=True)
class AnnotationFiles(Layout):
    """A folder of annotation files, with the photos beside them or elsewhere in the folder; or one file.

    Attributes:
        reader: of its files.
        marks: texts that stand in the beginning of a file, all of them, for it to be recognised.
        what: what such a file is called in messages.
        suffix: of the files, lower case.
        companions: names of files that belong to the tool's export and say nothing of a photo.
    """

    reader: type[FileReader] = field(kw_only=True)
    marks: tuple[str, ...] = ()
    what: str = ""
    suffix: str = ".json"
    companions: tuple[str, ...] = ()

    @property
    def reader_type(self) -> type[FileReader]:
        """See the base class."""
        return self.reader

    def match(self, root: Path) -> Match | None:
        """For a file whose beginning shows what it is."""
        for path, text in heads(root, self.suffix):
            if all(mark in text for mark in self.marks):
                return Match(Sureness.FILE if looking.is_file(root) else Sureness.COMMON, f"for what {path.name} holds")
        return None

    def open(self, label: str, root: Path, images: Path | None, options: ReadOptions) -> Reader:
        """List the annotation files of a folder, or the one given, and the photos they name.

        Raises:
            UsageError: none of the files is one.
        """
        is_folder = looking.is_folder(root)
        folder = root if is_folder else root.parent
        found = find_files(folder)
        for name in [name for name in found.others if name.rpartition("/")[2] in self.companions]:
            del found.others[name]
        files = sorted(name for name in found.others if name.lower().endswith(self.suffix))
        photos = find_files(images).photos if images else found.photos
        entries: list[Entry] = []
        problems: list[Problem] = []
        unwanted = self.reader.unwanted(files) if is_folder else {}
        problems += (left_out(label, name, "stray file", why) for name, why in unwanted.items())
        names = [each for each in files if each not in unwanted] if is_folder else [root.name]
        for name, path in zip(names, reading.in_turn(folder, names), strict=True):
            try:
                of_file, others = self.of_file(label, name, self.reader.load(path), photos)
            except Broken as error:
                problems.append(unread(label, name, error))
            else:
                entries += (entry._replace(base="", itself="") if images else entry for entry in of_file)
                problems += others
        if not entries:
            why = next((f" ({problem.detail})" for problem in problems if problem.kind == "failed"), "")
            raise UsageError(f"{root}: holds no {self.what}{why}. {self.source}")
        records, more = pair_entries(label, entries, photos)
        problems += more
        if is_folder:
            problems += strays(label, found.others, files, f"photos and files of the layout {self.name}")
        problems.sort(key=lambda problem: problem.key)
        return self.reader(label, folder, images or folder, records, problems, options)

    def of_file(self, label: str, name: str, document: Any, photos: Iterable[str]) -> tuple[list[Entry], list[Problem]]:
        """What a file says of its photos, and what of it belongs to none; a layout may ask which photos there are.

        Raises:
            Broken: it is of another kind.
            UsageError: it is this layout's, and cannot be read until the user does something.
        """
        return list(self.reader.entries(name, document)), []


def crc32_of(document: Any) -> int:
    """CRC-32 of the canonical JSON of what a file says."""
    return zlib.crc32(json.dumps(document, sort_keys=True, separators=(",", ":")).encode())


def unread(label: str, name: str, error: Broken) -> Problem:
    """The problem of a file that is damaged, or of another kind."""
    if not error.is_damage:
        return left_out(label, name, "stray file", str(error))
    problem = left_out(label, name, "broken annotation file", str(error))
    return Problem(problem.key, "failed", problem.stage, problem.reason, problem.detail)
