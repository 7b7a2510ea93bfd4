"""The files of a project: their names, and how its description and its log are read."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from datakit.arrays import Labels
from datakit.errors import DatakitError, UsageError
from datakit.files import PART_PREFIX, canonical_json, replacing
from datakit.images import encode_palette_png
from datakit.video.palette import palette

from .media import Media

FORMAT, VERSION = "masktrack-datakit annotations", 1
ABOUT, DRAWN, MADE, LOG, EXPORTS = "project.json", "drawn", "made", "made.jsonl", "export"
LEARNED = "learned.safetensors"
PICTURES = {"film": "a film of {} frames", "frames": "{} frames of a film", "stills": "{} photos"}
NAME_LENGTH = 100
PNG_END = b"\0\0\0\0IEND\xaeB\x60\x82"
KINDS = {"media": str, "kind": str, "count": int, "objects": dict, "removed": list, "settled": dict, "bytes": dict}


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


def open_about(folder: Path, media: Media, writes: bool) -> dict[str, Any]:
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
        return fresh
    if any(path for part in (DRAWN, MADE) for path in (folder / part).glob("*.png")):
        check_media(folder, about, media)
    return {**fresh, **about, **given}


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


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """The lines of a log, without one that a kill has cut off."""
    with contextlib.suppress(FileNotFoundError):
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            with contextlib.suppress(ValueError, TypeError):
                row = json.loads(line)
                if isinstance(row, dict):
                    yield row


def write_rows(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Replace a log by these lines."""
    with replacing(path) as part:
        part.write_text("".join(canonical_json(row) + "\n" for row in rows), encoding="utf-8")


def plain(name: str) -> str:
    """The name of an object without control characters, and not without end."""
    return " ".join("".join(letter for letter in str(name) if letter.isprintable()).split())[:NAME_LENGTH]


def ids_in(labels: Labels) -> set[int]:
    """The object ids of a label map."""
    return {int(number) for number in np.flatnonzero(np.bincount(labels.reshape(-1), minlength=1)[1:]) + 1}


def write_mask(path: Path, labels: Labels, synced: bool) -> None:
    """Write a palette PNG of object ids in one step; it is on disk afterwards where `synced`."""
    data = encode_palette_png(labels, palette())
    if synced:
        with replacing(path) as temporary:
            temporary.write_bytes(data)
        return
    temporary = path.parent.with_name(f"{PART_PREFIX}{path.parent.name}-{path.name}")
    temporary.write_bytes(data)
    temporary.replace(path)


def is_whole(path: Path) -> bool:
    """Whether a PNG is there and was written to its end."""
    try:
        with path.open("rb") as file:
            file.seek(-len(PNG_END), 2)
            return file.read() == PNG_END
    except OSError:
        return False


def stamps(folder: Path) -> dict[str, tuple[int, int]]:
    """Name of a file -> what changes whenever it is written; of what was made the log says it."""
    drawn = folder / DRAWN
    found = {}
    for path in [folder / ABOUT, folder / LOG, *(drawn.iterdir() if drawn.is_dir() else ())]:
        with contextlib.suppress(FileNotFoundError):
            about = path.stat()
            found[path.name] = (about.st_mtime_ns, about.st_size)
    return found
