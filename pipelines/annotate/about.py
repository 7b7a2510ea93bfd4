"""The description of a project, `project.json`: which pictures, which objects, what each drawing settles."""

from __future__ import annotations

import contextlib
import copy
import json
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from datakit.errors import DatakitError, UsageError
from datakit.files import write_json

from .files import ABOUT, DRAWN, MADE
from .media import Media

FORMAT, VERSION = "masktrack-datakit annotations", 1
PICTURES = {"film": "a film of {} frames", "frames": "{} frames of a film", "stills": "{} photos"}
KINDS = {"media": str, "kind": str, "count": int, "objects": dict, "removed": list, "settled": dict, "bytes": dict}
IDS = range(1, 255)
NAME_LENGTH = 100


class About:
    """What `project.json` says. A change is on disk when its method returns; where that fails, it has not happened.

    Args:
        folder: of the project.
        said: what the file says, as `open_about` gives it.
    """

    def __init__(self, folder: Path, said: dict[str, Any]):
        self._path, self._said = folder / ABOUT, said

    def save(self) -> None:
        """Write it.

        Raises:
            OSError: it cannot be written.
        """
        write_json(self._path, self._said)

    @contextlib.contextmanager
    def _changing(self) -> Iterator[dict[str, Any]]:
        before = copy.deepcopy(self._said)
        try:
            yield self._said
            self.save()
        except BaseException:
            self._said = before
            raise

    @property
    def maker(self) -> str:
        """What the network's masks depend on beside drawings."""
        return str(self._said["maker"])

    @property
    def at(self) -> int:
        """The picture that was looked at last."""
        return int(self._said["at"])

    def note(self, **more: str | int) -> None:
        """Take in `maker` or `at`; on disk with the next `save`."""
        self._said |= more

    # Drawings

    def settled(self, name: str) -> set[int]:
        """Ids of which the drawing on a picture says where they are, or that they are not there."""
        return set(self._said["settled"].get(name, ()))

    def has_bytes(self, name: str) -> bool:
        """Whether the size of the file that was drawn on is noted."""
        return name in self._said["bytes"]

    def note_bytes(self, name: str, size: int | None) -> None:
        """Note the size of the file that was drawn on, so that another picture of its name is told from it."""
        if size is not None:
            self._said["bytes"][name] = size

    @contextlib.contextmanager
    def drawing(self, name: str, settled: Collection[int], size: int | None) -> Iterator[None]:
        """A picture is drawn on by the body."""
        with self._changing() as said:
            said["settled"][name] = sorted(settled)
            self.note_bytes(name, size)
            yield

    @contextlib.contextmanager
    def undrawing(self, name: str) -> Iterator[None]:
        """A drawing is removed by the body."""
        with self._changing() as said:
            for each in (said["settled"], said["bytes"]):
                each.pop(name, None)
            yield

    # Objects

    @property
    def removed(self) -> set[int]:
        """Ids of objects that are shown no more."""
        return set(self._said["removed"])

    def named(self) -> dict[int, str]:
        """Id -> name of all objects that there ever were, ascending."""
        return {
            int(number): each["name"] for number, each in sorted(self._said["objects"].items(), key=lambda o: int(o[0]))
        }

    def objects(self) -> dict[int, str]:
        """Id -> name, ascending, without those that were removed."""
        removed = self.removed
        return {number: name for number, name in self.named().items() if number not in removed}

    def add_object(self, name: str = "") -> int:
        """A new object; its id is the next that was never used.

        Raises:
            UsageError: there are 254 already.
        """
        number = max(self.named(), default=0) + 1
        if number not in IDS:
            raise UsageError(f"all {len(IDS)} object ids are taken")
        with self._changing() as said:
            said["objects"][str(number)] = {"name": plain(name) or f"object {number}"}
        return number

    def name_object(self, number: int, name: str) -> None:
        """Give an object another name.

        Raises:
            UsageError: there is no such object, or no name.
        """
        if number not in self.objects() or not plain(name):
            raise UsageError(f"object {number}: expected one of {list(self.objects())}, and a name")
        with self._changing() as said:
            said["objects"][str(number)]["name"] = plain(name)

    def remove_object(self, number: int, removed: bool = True) -> None:
        """Show an object no more; or again.

        Raises:
            UsageError: there is no such object.
        """
        if number not in self.named():
            raise UsageError(f"object {number}: is none of this project")
        with self._changing() as said:
            said["removed"] = sorted(self.removed | {number} if removed else self.removed - {number})


def read_about(folder: Path) -> dict[str, Any] | None:
    """What `project.json` of a folder says; None where there is none.

    Raises:
        DatakitError: it is damaged, or of another version.
    """
    path = folder / ABOUT
    try:
        about: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if about["format"] != FORMAT or about["version"] != VERSION:
            raise DatakitError(f"{path}: is {about['format']!r}, version {about['version']}; this reads {VERSION}")
        about.setdefault("bytes", {})  # versions before did not note it
        if wrong := [name for name, kind in KINDS.items() if not isinstance(about[name], kind)]:
            raise TypeError(wrong[0])
        PICTURES[about["kind"]]
        {int(number): str(each["name"]) for number, each in about["objects"].items()}
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise DatakitError(f"{path}: damaged ({error!r}); masks are in {DRAWN}/, restore or remove {ABOUT}") from None
    return about


def open_about(folder: Path, media: Media, writes: bool) -> About:
    """The description of a project of these pictures; one without drawings and masks may become one of others.

    Raises:
        UsageError: the folder holds something else, or a project of other pictures.
        DatakitError: it is damaged.
    """
    given = {"media": str(media.path.resolve()), "kind": media.kind, "count": len(media)}
    fresh = {
        "format": FORMAT, "version": VERSION, **given,
        "objects": {}, "removed": [], "settled": {}, "bytes": {}, "maker": "", "at": 0,
    }  # fmt: skip
    about = read_about(folder)
    if about is None:
        check_unused(folder, writes)
        return About(folder, fresh)
    if any(path for part in (DRAWN, MADE) for path in (folder / part).glob("*.png")):
        check_media(folder, about, media)
    return About(folder, {**fresh, **about, **given})


def check_media(folder: Path, about: Mapping[str, Any], media: Media) -> None:
    """Whether a project with drawings is one of these pictures.

    Raises:
        UsageError: it is one of other pictures, or another kind of them.
    """
    path, places = folder / ABOUT, {name: place for place, name in enumerate(media.names)}
    way_out = "name another folder with --project"
    if about["kind"] != media.kind or (media.kind == "film" and about["count"] != len(media)):
        opened = {"stills": ", opened by --stills,", "frames": ", opened by --frames,"}.get(about["kind"], "")
        raise UsageError(
            f"{path}: is a project of {PICTURES[about['kind']].format(about['count'])}{opened} from {about['media']}; "
            f"{media.path} is opened as {PICTURES[media.kind].format(len(media))}. Open it as before, or {way_out}"
        )
    drawn = {name: size for name, size in about["bytes"].items() if (folder / DRAWN / f"{name}.png").is_file()}
    if drawn and not any(name in places for name in drawn):
        raise UsageError(f"{path}: none of the pictures that were drawn on is in {media.path}; {way_out}")
    for name, size in drawn.items():
        now = media.bytes_of(places[name]) if name in places else None
        if now not in (None, size):
            raise UsageError(
                f"{path}: {name} was drawn on a file of {size} bytes, and that of {media.path} has {now}: another "
                f"picture; {way_out}. If only this one is another, move {folder / DRAWN / name}.png elsewhere; if all "
                f'show the same as before, remove "bytes" from {ABOUT}'
            )


def check_unused(folder: Path, writes: bool) -> None:
    """Whether a folder without a project may become one.

    Raises:
        UsageError: it holds something else, or is only to be looked at.
    """
    there = folder.iterdir() if folder.is_dir() else ()
    foreign = sorted(each.name for each in there if not each.name.startswith("."))
    if not writes:
        raise UsageError(f"{folder}: holds no project to look at; open it without --read-only first")
    if foreign:
        raise UsageError(f"{folder}: holds {foreign[0]!r} and is no project; name another with --project")


def plain(name: str) -> str:
    """The name of an object without control characters, and not without end."""
    return " ".join("".join(letter for letter in str(name) if letter.isprintable()).split())[:NAME_LENGTH]
