"""What is left when pictures and masks are paired by name: why each has no partner, told once per photo.

A photo in a format that is not read, a photo with a mask file per object and a mask of a slightly other name
are each one fault with one way out, not a missing mask here and a missing picture there.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from ..errors import Problem
from ..formats import Unread

# where a longer name may go on after the name of its photo, or end before it; '#', '@' and '~' as keys have them
SEPARATOR = re.compile(r"[_\-. /(]|%23|%40|%7E")
MOST_NAMED = 4  # masks of one photo that a message names


class UnreadFile(NamedTuple):
    """A file of a kind that is not read: its path, that path as keys have it, its kind."""

    path: str
    key: str
    kind: Unread


@dataclass(frozen=True)
class Unpaired:
    """Files without a partner of their name.

    Attributes:
        pictures: key name -> path of pictures without a mask.
        masks: key name -> path of masks without a picture.
        unread_pictures, unread_masks: key name -> files of kinds that are not read, beside either; the same where
            both lie in one folder.
    """

    pictures: dict[str, str]
    masks: dict[str, str]
    unread_pictures: dict[str, list[UnreadFile]]
    unread_masks: dict[str, list[UnreadFile]]


def unpaired_problems(
    label: str,
    alone: Unpaired,
    paired: Collection[str],
    inside: tuple[str, str],
    unpaired: Literal["failed", "left-out"],
) -> Iterator[Problem]:
    """A problem for every photo or mask that found no partner, and for every file of a kind that is not read.

    Args:
        label: name of the source in keys.
        alone: the files.
        paired: key names of all pictures that are read.
        inside: folders of the pictures and of the masks, for messages.
        unpaired: what a picture without a mask is.
    """
    pictures, masks = dict(alone.pictures), dict(alone.masks)
    photos = {**{name: files[0].path for name, files in alone.unread_pictures.items()}, **pictures}
    everyone = photos.keys() | set(paired)
    folded = {name.casefold(): name for name in sorted(everyone, reverse=True)}
    owners = {name: _owner(name, everyone, folded) for name in sorted(masks)}
    owned: dict[str, list[str]] = {}
    for name, owner in owners.items():
        if owner in photos:
            owned.setdefault(str(owner), []).append(name)
    reported: set[str] = set()  # paths of unread files that a problem speaks of
    for photo, names in owned.items():
        paths = [masks.pop(name) for name in names]
        picture = pictures.pop(photo, None)
        if picture is not None:
            yield _other_names(f"{label}/{photo}", picture, paths, inside[1])
            continue
        unread = alone.unread_pictures[photo][0]
        reported.add(unread.path)
        yield Problem(f"{label}/{photo}", "failed", "list", unread.kind.reason, f"{unread.path}: {unread.kind}")
    for name in sorted(pictures.keys() & alone.unread_masks.keys()):
        unread = alone.unread_masks[name][0]
        reported.add(unread.path)
        detail = f"{pictures.pop(name)}: its mask {unread.path} {unread.kind}"
        yield Problem(f"{label}/{name}", "failed", "list", unread.kind.reason, detail)
    for name, path in pictures.items():
        reason = "missing mask" if unpaired == "failed" else "no mask"
        yield Problem(f"{label}/{name}", unpaired, "list", reason, f"{path}: no mask of that name in {inside[1]}")
    for name, path in masks.items():
        detail = f"{path}: no picture of that name in {inside[0]}"
        if owners[name] is not None:
            detail += f"; {owners[name]} is there, with a mask of its own name"
        yield Problem(f"{label}/{name}", "failed", "list", "missing image", detail)
    files = {file for found in (alone.unread_pictures, alone.unread_masks) for same in found.values() for file in same}
    for path, key, kind in files:
        if path not in reported:
            yield Problem(f"{label}/{key}", "left-out", "list", "stray file", f"{path}: not read: it {kind}")


def _owner(name: str, photos: Collection[str], folded: Mapping[str, str]) -> str | None:
    """The photo that a mask's name means: its own, one it begins with, one it ends with, the same of other case."""
    if name in photos:
        return name
    found = _part_of(name, photos)
    if found is None:
        alike = name.casefold()
        found = folded.get(alike if alike in folded else _part_of(alike, folded) or "")
    return found


def _part_of(name: str, photos: Collection[str]) -> str | None:
    """The photo whose name a longer name begins with, the longest such; else one that it ends with; else None."""
    cuts = [match.span() for match in SEPARATOR.finditer(name)]
    begins = (name[:start] for start, _ in reversed(cuts))
    folder = name.rpartition("/")[0]
    ends = (f"{folder}/{name[end:]}".lstrip("/") for _, end in cuts if end > len(folder) + bool(folder))
    return next((part for part in (*begins, *ends) if part in photos), None)


def _other_names(key: str, picture: str, masks: list[str], inside: str) -> Problem:
    """The problem of a photo whose masks do not bear its name."""
    wanted = f"{picture.rpartition('/')[2].rpartition('.')[0]}.png"
    if len(masks) == 1:
        detail = f"{picture}: no mask of that name in {inside or '.'}, but {masks[0]}; a mask is called as its photo is"
        return Problem(key, "failed", "list", "mask of another name", f"{detail}: rename it to {wanted}")
    named = ", ".join(masks[:MOST_NAMED]) + (f" and {len(masks) - MOST_NAMED} more" if len(masks) > MOST_NAMED else "")
    way_out = f"merge them into one label picture {wanted}: 0 the ground, 1, 2, 3 … the objects"
    detail = f"{picture}: has {len(masks)} masks, {named}; a mask file per object is not read yet: {way_out}"
    return Problem(key, "failed", "list", "several masks", detail)
