"""A project in the formats of other programs, below its folder `export/`: each folder or file whole or not there."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from datakit.errors import DatakitError, ItemError
from datakit.export import EXPORTERS, ExportedVideo, ExportObject, Frame
from datakit.export.coding import document_bytes
from datakit.export.names import plain_name, unique_names
from datakit.files import PART_PREFIX, put_in_place
from datakit.formats import JPEG_START, MAX_PIXELS
from datakit.images import encode_jpeg, encode_palette_png
from datakit.photo_files import read_photo
from datakit.preview.overlay import overlay, shown_size
from datakit.video.palette import palette
from datakit.video.video_writer import VideoWriter

from .files import EXPORTS, ids_in
from .jobs import Advance, Event
from .project import Project

UNNAMED, GIVEN = "object", re.compile(r"object \d+")  # the category, and what the page calls an object at first
JPEG_QUALITY = 95  # of the frames of a film
Writer = Callable[[Project, Path, Advance], None]


class FolderSink:
    """Writes the files of an exporter below a folder; see `datakit.export.Sink`."""

    def __init__(self, root: Path):
        self._root = root

    def add(self, path: str, data: bytes) -> None:
        """Write a file."""
        target = self._root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)

    def note(self, reason: str) -> None:
        """What a format cannot hold of a video is in docs/export.md."""


class NamedCategories(FolderSink):
    """Writes a COCO file with the names of objects as its categories; what nobody has named is an `object`."""

    def add(self, path: str, data: bytes) -> None:
        """Write a file."""
        if path.endswith(".json"):
            document = json.loads(data)
            names = [UNNAMED if GIVEN.fullmatch(each["source_id"]) else each["source_id"]
                     for each in document["annotations"]]  # fmt: skip
            numbers = {name: number for number, name in enumerate(dict.fromkeys(names), 1)}
            for each, name in zip(document["annotations"], names, strict=True):
                each["category_id"] = numbers[name]
            document["categories"] = [
                {"id": number, "name": name, "supercategory": UNNAMED} for name, number in numbers.items()
            ]
            data = document_bytes(**document)
        super().add(path, data)


class AnnotatedVideo(ExportedVideo):
    """The pictures of a project with their masks, of photos those that were drawn. Objects are numbered from 1."""

    def __init__(self, project: Project, advance: Advance):
        self._advance = advance
        self._project, self.label = project, plain_name(project.media.path.stem)
        self.name, self.is_video = self.label, project.media.kind != "stills"
        shown = shown_objects(project)
        self._ids = list(shown)
        self.objects = dict(enumerate(shown.values(), 1))
        self._stems = [f"{self.name}_{each}" for each in unique_names(project.media.names)]
        self._places = range(len(project.media)) if self.is_video else sorted(project.drawn)

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[Frame]:
        for row, place in enumerate(self._places):
            name = self._project.media.names[place]
            labels = self._project.labels(place)
            objects = tuple(ExportObject(n, (labels == each).view(np.uint8)) for n, each in enumerate(self._ids, 1))
            size, stem = (labels.shape[0], labels.shape[1]), self._stems[place]
            photo = photo_bytes(self._project, place)
            yield Frame(f"{row:05d}", stem, row, f"{self.label}/{name}", size, photo, objects)
            self._advance(len(self) - row - 1)


def shown_objects(project: Project) -> dict[int, str]:
    """Id -> name of the objects that some picture shows, ascending."""
    objects, seen = project.objects(), set().union(*(project.drawn_ids(place) for place in project.drawn))
    for place in project.made_places:  # an object whose drawings were taken back may still be in what was made of them
        if seen >= objects.keys():
            break
        seen |= ids_in(project.labels(place))
    return {number: name for number, name in objects.items() if number in seen}


def photo_bytes(project: Project, place: int) -> bytes:
    """A picture's file where it is upright as JPEG or PNG, else a PNG of it; a frame of a film as JPEG.

    Raises:
        DatakitError: it cannot be read.
    """
    media = project.media
    if not media.files:
        return encode_jpeg(media[place], JPEG_QUALITY)
    try:
        return bytes(read_photo(media.files[place], str(media.files[place]), MAX_PIXELS).encoded)
    except ItemError as error:
        raise DatakitError(error.problem.detail) from None


def _by_exporter(name: str, to: type[FolderSink] = FolderSink) -> Writer:
    def write(project: Project, part: Path, advance: Advance) -> None:
        exporter, sink = EXPORTERS[name], to(part)
        exporter.close([exporter.write(AnnotatedVideo(project, advance), sink)], sink)

    return write


def _film(project: Project, part: Path, advance: Advance) -> None:
    """Every frame with its objects drawn on it."""
    media = project.media
    with VideoWriter(part, shown_size(media.size(0)), media.fps) as film:
        for place, name in enumerate(media.names):
            film.add(overlay(media[place], project.labels(place), name))
            advance(len(media) - place - 1)


def _pairs(project: Project, part: Path, advance: Advance) -> None:
    """`images/` and `masks/` of the photos that show an object, as `build-shards` reads them: layout `pairs`."""
    for folder in ("images", "masks"):
        (part / folder).mkdir(parents=True)
    media, numbers = project.media, np.zeros(256, np.uint8)
    for number, each in enumerate(shown_objects(project), 1):
        numbers[each] = number
    for place, name in enumerate(media.names):
        labels = numbers[project.labels(place)]
        if labels.any():
            photo = photo_bytes(project, place)
            suffix = ".jpg" if photo.startswith(JPEG_START) else ".png"
            (part / "images" / f"{name}{suffix}").write_bytes(photo)
            (part / "masks" / f"{name}.png").write_bytes(encode_palette_png(labels, palette()))
        advance(len(media) - place - 1)


VIDEO, ALL = ("film", "frames"), ("film", "frames", "stills")
FORMATS: Mapping[str, tuple[str, Sequence[str], Writer]] = {
    "davis": ("DAVIS: frames and palette PNGs", VIDEO, _by_exporter("davis")),
    "pairs": ("pairs: photos and masks that build-shards reads", ALL, _pairs),
    "coco": ("COCO: one JSON, masks as RLE", ALL, _by_exporter("coco", NamedCategories)),
    "overlay.mp4": ("MP4: the film with its masks", VIDEO, _film),
}
"""What an export is called below `export/` -> in words, kinds of media that it is for, and what writes it."""


def export_to(project: Project, formats: Sequence[str], advance: Advance) -> None:
    """Write a project in some formats of `FORMATS`; each takes the place of an earlier one when it is whole.

    Raises:
        DatakitError: a picture cannot be read, or none shows an object.
    """
    if not shown_objects(project):
        raise DatakitError("nothing to export: no picture shows an object yet")
    folder = project.folder / EXPORTS
    folder.mkdir(exist_ok=True)
    for number, name in enumerate(formats):
        part, others = folder / f"{PART_PREFIX}{name}", (len(formats) - number - 1) * len(project.media)
        _remove(part)
        try:
            FORMATS[name][2](project, part, partial(_plus, advance, others))
            _take_place(part, folder / name)
        finally:
            _remove(part)


def _plus(advance: Advance, others: int, left: int, event: Event | None = None) -> None:
    advance(left + others, event)


def _take_place(part: Path, path: Path) -> None:
    """Replace a file or folder by the finished one."""
    if part.is_file():
        put_in_place(part, path)
        return
    old = path.with_name(f"{PART_PREFIX}old-{path.name}")
    _remove(old)
    if path.exists():
        path.rename(old)
    part.rename(path)
    _remove(old)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
