"""A project: a folder of plain files that holds what was drawn by hand and what the network made of it.

`project.json` says what is annotated, `drawn/NAME.png` and `made/NAME.png` are palette PNGs of object ids, `made.jsonl`
has a line for each mask that was made (docs/annotate.md). A file is replaced in one step, and what was drawn is on disk
before it is said to be saved.
"""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from datakit.arrays import Labels, only_ids
from datakit.datasets import ReadOptions
from datakit.errors import DatakitError, ItemError, UsageError
from datakit.files import PART_PREFIX, canonical_json
from datakit.images import is_whole_png
from datakit.video.labels import read_labels

from .about import About, open_about
from .files import (
    DRAWN,
    LOG,
    MADE,
    as_before_on_failure,
    ids_in,
    read_rows,
    stamps,
    write_mask,
    write_rows,
)
from .media import Media

AS_IDS = ReadOptions(values="ids")
FROM, WITHOUT = "from", "without"  # in a line of the log: which drawings a mask was made of, which objects were removed
BELOW, UPON = "below", "upon"  # what goes on below a drawing; what of that a mask began with
Mark = tuple[str, frozenset[int]]  # a digest of a drawing, and the ids that are in it


class DrawnMeanwhile(UsageError):
    """A drawing was changed by another page since the one that is to take its place was begun."""


class Project:
    """What is drawn and made of one film or folder of photos; safe to be used by several threads.

    Args:
        folder: of the project; it is made where it is not there.
        media: what is annotated.
        maker: what the network's masks depend on beside drawings, as a short text; who only looks goes by the last
            session's.
        writes: whether it may be changed; else the folder must be there.

    Attributes:
        lock: held while what belongs together is read or changed.

    Raises:
        UsageError: the folder holds something else, or a project of another film.
        DatakitError: its files are damaged.
    """

    def __init__(self, folder: Path, media: Media, maker: str = "", writes: bool = True):
        self.folder, self.media, self.writes = folder, media, writes
        self.lock = threading.RLock()
        self._places = {name: place for place, name in enumerate(media.names)}
        self._seen = stamps(self.folder)
        self._about = open_about(folder, media, writes)
        if writes:
            self._about.note(maker=maker)
            for each in (folder / DRAWN, folder / MADE):
                each.mkdir(parents=True, exist_ok=True)
        self._known: dict[Any, Mark] = {}
        self._marks = self._read_marks(self._about, self._seen)
        self._rows = self._read_rows()
        self._versions = [0] * len(media)
        self._taken_back: dict[int, Labels] = {}  # drawings with removed objects
        self.changed = (0, 0)  # how many drawings were changed, and where the last one was
        if writes:
            for place in self._marks:
                if not self._about.has_bytes(media.names[place]):  # drawn by a version that did not note it
                    self._about.note_bytes(media.names[place], media.bytes_of(place))
            self._about.save()
            write_rows(folder / LOG, self._rows.values())

    def _drawn_places(self) -> list[int]:
        folder = self.folder / DRAWN
        names = [path.stem for path in folder.glob("*.png")] if folder.is_dir() else []
        return sorted(self._places[name] for name in names if name in self._places)

    def _read_marks(self, about: About, seen: Mapping[str, tuple[int, int]]) -> dict[int, Mark]:
        """Of all drawings; those whose files and open objects are as they were are not read again."""
        known: dict[Any, Mark] = {}
        for place in self._drawn_places():
            name = self.media.names[place]
            key = place, seen.get(f"{name}.png"), frozenset(about.settled(name))
            if key in self._known:
                known[key] = self._known[key]
            elif (labels := self._read(DRAWN, place)) is not None:
                known[key] = self._mark(labels, about.settled(name))
        self._known = known
        return {place: mark for (place, _, _), mark in known.items()}

    def _read_rows(self) -> dict[int, dict[str, Any]]:
        rows = {}
        for row in read_rows(self.folder / LOG):
            with contextlib.suppress(KeyError):
                rows[self._places[row["frame"]]] = row
        if self.writes:  # what a crash has torn is made again
            return {place: row for place, row in rows.items() if is_whole_png(self._file(MADE, place))}
        return rows

    def look_again(self) -> list[int] | None:
        """Take in what another session has written since; the places that show something else, None if nothing does.

        Raises:
            UsageError, DatakitError: as when it was opened.
            OSError: the folder cannot be read.
        """
        now = stamps(self.folder)
        if now == self._seen:
            return None
        self._seen = now  # also where reading fails: it is told once
        about, rows = open_about(self.folder, self.media, self.writes), self._read_rows()
        marks = self._read_marks(about, now)
        with self.lock:
            changed = [
                place for place in sorted(self._marks.keys() | self._rows.keys() | marks.keys() | rows.keys())
                if (marks.get(place), rows.get(place)) != (self._marks.get(place), self._rows.get(place))
            ]  # fmt: skip
            for place in changed if about.removed == self._about.removed else range(len(self.media)):
                self._versions[place] += 1
            self._about, self._marks, self._rows = about, marks, rows
            return changed

    # Masks

    def _file(self, part: str, place: int) -> Path:
        return self.folder / part / f"{self.media.names[place]}.png"

    def _read(self, part: str, place: int) -> Labels | None:
        path = self._file(part, place)
        try:
            labels = read_labels(path, str(path), AS_IDS).labels
        except ItemError as error:
            if part == MADE or not path.exists():
                return None
            raise DatakitError(f"{error.problem.detail}; it was drawn by hand: mend it, or move it elsewhere") from None
        if labels.shape != self.media.size(place):
            if part == MADE:
                return None
            raise DatakitError(
                f"{path}: is {labels.shape[1]}x{labels.shape[0]}, not as large as its picture; move it elsewhere and "
                "draw it anew, or bring back the picture that it was drawn on"
            )
        return labels.astype(np.uint8)

    def labels(self, place: int) -> Labels:
        """(H, W) uint8: what is to be seen in a picture: drawn objects, and made ones that the drawing leaves open."""
        with self.lock:
            drawn = self._read(DRAWN, place) if place in self._marks else None
            made = self._read(MADE, place) if place in self._rows else None
            if drawn is None:
                found = np.zeros(self.media.size(place), np.uint8) if made is None else made
            elif made is None:
                found = drawn
            else:
                known = set().union(*(ids for _, ids in self._marks.values())) - self.settled(place)
                open_ = only_ids(made, known)
                found = np.where(drawn > 0, drawn, open_)
            return self._without_removed(found)

    def _without_removed(self, labels: Labels) -> Labels:
        removed = sorted(self._about.removed)
        return np.where(np.isin(labels, removed), np.uint8(0), labels) if removed else labels

    def draw(self, place: int, labels: Labels, settled: Collection[int] | None = None, base: str | None = None) -> None:
        """Keep a drawing: from now on it is what the picture shows, and no propagation changes it.

        Args:
            place: of the picture.
            labels: (H, W) uint8 ids; objects that were removed keep their pixels where it has none.
            settled: ids of objects that are known not to be there if it does not show them; None for all that the
                picture showed before.
            base: digest of the drawing that this one was made from, see `drawing`; None for whatever is there.

        Raises:
            UsageError: another size than the picture's, or an id that is no object of the project.
            DrawnMeanwhile: another drawing than `base` is there.
        """
        self._must_write()
        if labels.shape != self.media.size(place):
            raise UsageError(f"a drawing of {labels.shape}: expected {self.media.size(place)}, the picture's size")
        with self.lock:
            if unknown := ids_in(labels) - set(self.objects()):
                raise UsageError(f"object {min(unknown)}: is none of this project; add it first")
            shown = self.settled(place) | ids_in(self.labels(place)) if settled is None else set(settled)
            known = shown & self._about.named().keys() | ids_in(labels)
            labels, size = self._with_hidden(place, labels), self.media.bytes_of(place)
            mark = self._mark(labels, known)
            self._check_base(place, base, mark[0])
            with self._drawing_kept(place), self._about.drawing(self.media.names[place], known, size):
                write_mask(self._file(DRAWN, place), labels, synced=True)
            self._marks[place] = mark
            self._has_changed(place)

    def drawing(self, place: int) -> str:
        """Digest of a drawing and of what it settles; empty where there is none."""
        return self._marks[place][0] if place in self._marks else ""

    def _check_base(self, place: int, base: str | None, wanted: str) -> None:
        """Whether a drawing is still the one that was changed; or what it becomes, if the answer to that was lost."""
        if base is not None and self.drawing(place) not in (base, wanted):
            raise DrawnMeanwhile(
                "another tab has changed it meanwhile. It is shown as it is now; draw again what is missing"
            )

    def _drawing_kept(self, place: int) -> contextlib.AbstractContextManager[None]:
        """Where a change of a drawing fails, its file is as before."""
        path = self._file(DRAWN, place)
        return as_before_on_failure(path, self.folder / f"{PART_PREFIX}{path.name}")

    def _with_hidden(self, place: int, labels: Labels) -> Labels:
        """A drawing with the pixels that removed objects have in the one before it; they may be brought back."""
        before = self._read(DRAWN, place) if place in self._marks else self._taken_back.get(place)
        removed = sorted(self._about.removed)
        if before is None or not removed:
            return labels
        return np.where((labels == 0) & np.isin(before, removed), before, labels)

    def undraw(self, place: int, base: str | None = None) -> None:
        """Take back a drawing; the picture shows again what was made of it.

        Raises:
            DrawnMeanwhile: as `draw`.
        """
        self._must_write()
        with self.lock:
            self._check_base(place, base, "")
            before = self._read(DRAWN, place) if place in self._marks and self._about.removed else None
            with self._drawing_kept(place), self._about.undrawing(self.media.names[place]):
                self._file(DRAWN, place).unlink(missing_ok=True)
            if before is not None:  # if that is undone, removed objects are there again
                self._taken_back[place] = before
            self._marks.pop(place, None)
            self._has_changed(place)

    def _has_changed(self, place: int) -> None:
        self._versions[place] += 1
        self.changed = (self.changed[0] + 1, place)

    def keep_made(self, place: int, labels: Labels, row: Mapping[str, Any]) -> None:
        """Keep what the network has made of a picture, with a line of the log; a drawing stays on top of it."""
        self._must_write()
        with self.lock:
            write_mask(self._file(MADE, place), labels, synced=False)
            self._rows[place] = {"frame": self.media.names[place], **row}
            with (self.folder / LOG).open("a", encoding="utf-8") as log:
                log.write(canonical_json(self._rows[place]) + "\n")
            self._versions[place] += 1

    def note(self, place: int, **more: Any) -> None:
        """Add to the line of a mask that was made."""
        with self.lock:
            self._rows[place] = {**self._rows[place], **more}
            with (self.folder / LOG).open("a", encoding="utf-8") as log:
                log.write(canonical_json(self._rows[place]) + "\n")

    def made_by(self, maker: str) -> None:
        """From now on masks depend on something else beside drawings: those that were made are to be made again."""
        with self.lock:
            self._about.note(maker=maker)
            with contextlib.suppress(OSError):  # it is so all the same, and written with the next change
                self._about.save()

    def drawn_ids(self, place: int) -> set[int]:
        """Objects that a drawing shows."""
        return set(self._marks[place][1] - self._about.removed)

    # What is known of pictures

    @property
    def drawn(self) -> list[int]:
        """Places of the pictures that were drawn on, ascending."""
        return sorted(self._marks)

    def settled(self, place: int) -> set[int]:
        """Ids of which a drawing says where they are, or that they are not there."""
        with self.lock:
            if place not in self._marks:
                return set()
            return self._about.settled(self.media.names[place]) | self._marks[place][1]

    @staticmethod
    def _mark(labels: Labels, settled: Collection[int]) -> Mark:
        digest = hashlib.blake2b(labels.tobytes(), digest_size=6)
        digest.update(canonical_json(sorted(settled)).encode())
        return digest.hexdigest(), frozenset(ids_in(labels))

    def open_ids(self, place: int, forwards: bool = True) -> set[int]:
        """Objects of earlier drawings of which this one says nothing: they go on below it; backwards, of later ones."""
        others = [self._marks[each][1] for each in self.drawn if (each < place if forwards else each > place)]
        return set().union(*others) - self.settled(place) - self._about.removed

    def hidden(self) -> list[int]:
        """Objects that were removed, and that some drawing shows."""
        return sorted(self._about.removed & set().union(*(ids for _, ids in self._marks.values())))

    def is_current(self, row: Mapping[str, Any] | None, origin: str) -> bool:
        """Whether a mask was made of drawings that are the same now, and none of its objects was hidden then."""
        return row is not None and row.get(FROM) == origin and {*row.get(WITHOUT, ())} <= self._about.removed

    def origin(self, left: int | None, right: int | None) -> str:
        """What masks between two drawings are made of, as a short text; None where there is no drawing."""
        marks = ["-" if each not in self._marks else self._marks[each][0] for each in (left, right)]
        if left is not None and self.open_ids(left):
            marks += [self._marks[each][0] for each in self.drawn if each < left]
        return " ".join([self._about.maker, *marks])

    @property
    def made_places(self) -> list[int]:
        """Places of the pictures of which the network has made something, ascending."""
        return sorted(self._rows)

    def row(self, place: int) -> dict[str, Any] | None:
        """The line of a mask that was made; None where there is none."""
        return self._rows.get(place)

    def made(self, place: int) -> Labels | None:
        """(H, W) uint8: what the network has made of a picture."""
        return self._read(MADE, place) if place in self._rows else None

    def version(self, place: int) -> int:
        """Grows with every change of a picture's masks."""
        return self._versions[place]

    # Objects

    def objects(self) -> dict[int, str]:
        """Id -> name, ascending, without those that were removed."""
        return self._about.objects()

    def add_object(self, name: str = "") -> int:
        """A new object; its id is the next that was never used.

        Raises:
            UsageError: there are 254 already.
        """
        self._must_write()
        with self.lock:
            return self._about.add_object(name)

    def name_object(self, number: int, name: str) -> None:
        """Give an object another name.

        Raises:
            UsageError: there is no such object, or no name.
        """
        self._must_write()
        with self.lock:
            self._about.name_object(number, name)

    def remove_object(self, number: int, removed: bool = True) -> None:
        """Show an object no more, in no picture; or again. Its pixels stay in the files.

        Raises:
            UsageError: there is no such object.
        """
        self._must_write()
        with self.lock:
            self._about.remove_object(number, removed)
            self._versions = [version + 1 for version in self._versions]
            self.changed = (self.changed[0] + 1, self.changed[1])

    @property
    def at(self) -> int:
        """The picture that was looked at last."""
        return min(max(0, self._about.at), len(self.media) - 1)

    def leave_at(self, place: int) -> None:
        """Remember which picture is looked at."""
        if self.writes:
            with self.lock:
                self._about.note(at=place)
                self._about.save()

    def _must_write(self) -> None:
        if not self.writes:
            raise UsageError("this project is open to be looked at only; start without --read-only to change it")
