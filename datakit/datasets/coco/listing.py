"""The bookkeeping of an instances file: which annotation belongs to which photo on disk, and what fits nowhere.

What single entries say is read in `entries`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from ...errors import Problem
from ...keys import object_key, photo_key
from ...places import is_stored
from ..listing import split_suffix
from ..records import Record
from .crowds import brushed
from .doubts import contradictions
from .entries import (
    Annotation,
    Id,
    Ids,
    fault_of,
    first_free,
    id_of,
    lacks,
    mask_fields,
    plain,
    size_of_entry,
    whole,
)
from .photos import PhotoFolder, match_ends, written_name

Objects = dict[Id, list[Annotation]]


@dataclass
class Found:
    """A photo as all its entries together tell it.

    Attributes:
        path: below the folder of photos.
        size: [height, width]; None where no entry says.
        objects: of all its entries.
        entries: how many name it.
    """

    path: str
    size: list[int] | None
    objects: list[Annotation]
    entries: int = 1


class Listing:
    """The bookkeeping of one instances file.

    Args:
        label: of the source.
        file: the instances file.
        folder: of the photos.
        within: where the file is one of several: its split with a slash, to stand in keys and in paths of photos.

    Attributes:
        problems: what does not fit, found by `pair`.
        doubts: key of an object -> how its annotation contradicts itself, found by `pair`.
    """

    def __init__(self, label: str, file: Path, folder: PhotoFolder, within: str = ""):
        self.label, self.path, self.file, self.folder, self.within = label, file, within + file.name, folder, within
        self.problems: list[Problem] = []
        self.doubts: dict[str, str] = {}
        self.shared: set[Id] = set()  # image ids of several photos
        self._climbing: dict[str, bool] = {}
        self._texts: dict[int, str] = {}  # id of an annotation -> how it contradicts itself

    def pair(self, document: Mapping[str, Any]) -> list[Record]:
        """Records of all photos with objects, sorted by key; the rest goes to `problems`.

        Args:
            document: the file, as `file` reads it.
        """
        entries = document["images"]
        objects = self._objects(document, Ids(entries))
        numbers = [id_of(each) for each in entries]
        if len(set(numbers)) < len(numbers):
            self._drop_shared_ids(entries, objects)
        names = [self._name(position, *each) for position, each in enumerate(zip(numbers, entries, strict=True))]
        written = [name for name in names if name is not None]
        files = self.folder.files(written, self.path)
        missing = dict.fromkeys(name for name in written if name not in files)
        ends = match_ends(missing, files, {name for name in written if name in files}) if missing else {}
        places = {name: ends.get(name, name.lstrip("/")) for name in written}
        photos: dict[str, Found] = {}
        for name, number, entry in zip(names, numbers, entries, strict=True):
            if name is not None and number is not None and number not in self.shared:
                self._add(photos, Found(places[name], size_of_entry(entry), objects.pop(number, [])))
        records = [record for key, photo in photos.items() if (record := self._record(key, photo, files))]
        for number, orphans in objects.items():
            self._fail(self._key(f"image-{number}"), orphans, "unknown image", f"no photo has the id {number!r}")
        self._not_listed(files, set(places.values()))
        self.problems.sort(key=lambda problem: problem.key)
        return sorted(records, key=lambda record: record.key)

    def _key(self, name: str) -> str:
        """The key of a photo, or of what has none."""
        return photo_key(self.label, self.within + name)

    def _add(self, photos: dict[str, Found], photo: Found) -> None:
        """Add an entry to the photos; one that names a photo again adds its objects, if it tells the same size."""
        key = self._key(split_suffix(photo.path)[0])
        known = photos.setdefault(key, photo)
        if known is photo:
            return
        if known.path != photo.path:
            self._fail(key, photo.objects, "duplicate name", f"{known.path} and {photo.path} have one name")
        elif known.size and photo.size and known.size != photo.size:
            sizes = f"once as {known.size} and once as {photo.size} (height, width)"
            self._fail(key, photo.objects, "duplicate name", f"two entries name {photo.path}, {sizes}")
        else:
            known.size = known.size or photo.size
            known.objects = known.objects + photo.objects
            known.entries += 1

    def _record(self, key: str, photo: Found, files: Mapping[str, int]) -> Record | None:
        """The record of a photo; None and problems where it has no object, or is not there."""
        if not photo.objects:
            detail = f"{self.file}: no annotation for {photo.path}"
            self.problems.append(Problem(key, "left-out", "list", "no object", detail))
            return None
        if photo.path not in files:
            self._fail(key, photo.objects, "missing image", f"{photo.path} is not in the folder of photos")
            return None
        photo.objects.sort(key=lambda each: each["id"])
        if self._texts:
            numbers = (each["id"] for each in photo.objects)
            self.doubts |= {object_key(key, each): self._texts[each] for each in numbers if each in self._texts}
        annotation: dict[str, Any] = {"size": photo.size, "objects": photo.objects}
        if photo.entries > 1:
            annotation["listed"] = photo.entries
        return Record(key, self.within + photo.path, annotation, files[photo.path])

    def _drop_shared_ids(self, entries: list[Any], objects: Objects) -> None:
        """Fail every annotation whose image id stands for several photos: nobody knows which one is meant."""
        names = {(number, str(written_name(each))) for each in entries if (number := id_of(each)) is not None}
        self.shared = {number for number, count in Counter(number for number, _ in names).items() if count > 1}
        for number in self.shared:
            mine = objects.pop(number, [])
            if mine:
                key, detail = self._key(f"image-{number}"), f"several photos have the id {number!r}"
                self._fail(key, mine, "duplicate image id", detail)

    def _not_listed(self, files: dict[str, int], named: set[str]) -> None:
        """Leave out by name every file of the folder that no entry means."""
        for path in files.keys() - named:
            shown = path.encode("utf-8", "backslashreplace").decode()
            detail = f"{shown}: not read: {self.file} does not name it"
            self.problems.append(Problem(self._key(shown), "left-out", "list", "not listed", detail))

    def _objects(self, document: Mapping[str, Any], ids: Ids) -> Objects:
        """Image id -> its annotations, reduced to what a mask needs; those without an id are numbered by position."""
        objects: Objects = defaultdict(list)
        crowds: list[tuple[Annotation, dict[str, Any]]] = []
        seen: set[int] = set()
        annotations = document["annotations"]
        doubts, odd = contradictions(annotations)
        start: int | None = None
        for position, each in enumerate(annotations):
            if position not in odd and (mine := plain(each)) and mine["id"] not in seen:
                seen.add(mine["id"])
                objects[ids.meant(each["image_id"])].append(mine)
                continue  # as nearly every annotation
            number = whole(each.get("id")) if isinstance(each, dict) else None
            if number is None and isinstance(each, dict) and each.get("id") is None:
                start = first_free(annotations) if start is None else start
                number = start + position
            image, fault = fault_of(each, number)
            if fault:
                self._fail(self._of_entry("annotation", position), [], fault[0], f"annotation {position} {fault[1]}")
            elif number in seen:
                detail = f"entry {position} has the id {number} of another"
                self._fail(self._of_entry("annotation", position), [], "duplicate annotation id", detail)
            else:
                assert number is not None and image is not None  # or `_fault` had named it
                seen.add(number)
                if position in doubts:
                    self._texts[number] = doubts[position]
                mine = mask_fields(number, each)
                if mine["iscrowd"]:
                    crowds.append((mine, each))
                objects[ids.meant(image)].append(mine)
        for crowd, _ in brushed(document, crowds):
            crowd["brushed"] = 1
        return objects

    def _of_entry(self, kind: str, position: int) -> str:
        """The key of an entry that has no photo."""
        return f"{self.label}/{self.within}{kind}-{position}"

    def _name(self, position: int, number: Id | None, entry: Any) -> str | None:
        """The photo's file name as written, '/' between folders; None and a problem where it cannot be used."""
        name = written_name(entry)
        is_bare = name is not None and "/" not in name and name not in (".", "..")
        if is_bare and number is not None and number not in self.shared:
            return name  # of nearly every entry
        key = self._of_entry("photo", position)
        if name is None or number is None:
            found = (
                lacks(entry, "id", "file_name")
                or "has an `id` that is not a number or text, or a `file_name` that is not a name"
            )
            self._fail(key, [], "broken image entry", f"image entry {position} {found}")
            return None
        path = PurePosixPath(name)
        if ".." in path.parts or not path.parts or self._leads_out(path) or self._climbs(str(path.parent)):
            detail = f"`file_name` {name!r} leaves the folder of photos; write it relative to that folder"
            self._fail(key, [], "path outside the source", detail)
            return None
        name = self._inside(path)
        if number in self.shared:
            detail = f"{name!r}: its id {entry['id']!r} is that of another photo, too"
            self._fail(key, [], "duplicate image id", detail)
        return name

    def _leads_out(self, path: PurePosixPath) -> bool:
        """Whether an absolute path is there on this machine, and not in the folder of photos."""
        try:
            return (
                path.is_absolute()
                and Path(path).exists()
                and not (is_stored(self.folder.path) or Path(path).is_relative_to(self.folder.path.absolute()))
            )
        except (OSError, ValueError):
            return True

    def _inside(self, path: PurePosixPath) -> str:
        """A path relative to the folder of photos where it leads there; else as it is."""
        if is_stored(self.folder.path):
            return str(path)
        home = PurePosixPath(self.folder.path.absolute())
        inside = path.relative_to(home) if path.is_absolute() and path.is_relative_to(home) else path
        return str(inside)

    def _climbs(self, parent: str) -> bool:
        """Whether a folder of photos leads elsewhere by a link; a linked file, as DVC keeps them, does no harm."""
        if parent.startswith("/") or is_stored(self.folder.path):
            return False  # of another machine: only the end of it is ever looked for
        if parent not in self._climbing:
            try:
                home = self.folder.path
                inside = (home / parent).resolve().is_relative_to(home.resolve())
            except (OSError, RuntimeError, ValueError):  # links that never end, names too long
                inside = False
            self._climbing[parent] = not inside
        return self._climbing[parent]

    def _fail(self, key: str, objects: list[Annotation], reason: str, detail: str) -> None:
        """One failed problem for every object of a photo, or one for the entry itself."""
        for one in [object_key(key, each["id"]) for each in objects] or [key]:
            self.problems.append(Problem(one, "failed", "list", reason, f"{self.file}: {detail}"))
