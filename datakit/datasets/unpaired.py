"""What is left when pictures and masks are paired by name: why each has no partner, told once per photo.

A photo in a format that is not read, a photo with a mask file per object and a mask of a slightly other name
are each one fault with one way out, not a missing mask here and a missing picture there.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from ..errors import Problem
from ..formats import Unread
from .mask_names import bases

# where a longer name may go on after the name of its photo, or end before it; '#', '@' and '~' as keys have them
SEPARATOR = re.compile(r"[_\-. /(]|%23|%40|%7E")
MOST_NAMED = 4  # masks of one photo that a message names
SAY_WHICH = "say what masks are called: --mask-name, a pattern with {} in it"


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
        doubtful: pictures -> masks that each may be all of theirs.
    """

    pictures: dict[str, str]
    masks: dict[str, str]
    unread_pictures: dict[str, list[UnreadFile]]
    unread_masks: dict[str, list[UnreadFile]]
    doubtful: Mapping[str, list[str]] = field(default_factory=dict)


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
    for photo, names in alone.doubtful.items():
        yield _doubtful(f"{label}/{photo}", pictures.pop(photo), [alone.masks[name] for name in names])
    for name in {name for names in alone.doubtful.values() for name in names}:
        del masks[name]
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
    yield from _without_masks(label, pictures, inside[1], unpaired)
    yield from _without_pictures(label, masks, owners, inside[0])
    files = {file for found in (alone.unread_pictures, alone.unread_masks) for same in found.values() for file in same}
    for path, key, kind in files:
        if path not in reported:
            yield Problem(f"{label}/{key}", "left-out", "list", "stray file", f"{path}: not read: it {kind}")


def _without_masks(
    label: str, pictures: Mapping[str, str], inside: str, unpaired: Literal["failed", "left-out"]
) -> Iterator[Problem]:
    reason = "missing mask" if unpaired == "failed" else "no mask"
    for name, path in pictures.items():
        detail = f"{path}: no mask of that name in {inside or '.'}"
        yield Problem(f"{label}/{name}", unpaired, "list", reason, detail)


def _without_pictures(
    label: str, masks: Mapping[str, str], owners: Mapping[str, str | None], inside: str
) -> Iterator[Problem]:
    for name, path in masks.items():
        owner = owners[name]
        if owner is not None and bases(name.rpartition("/")[2], "other"):
            detail = f"{path}: not read: {owner} has a mask of its own"
            yield Problem(f"{label}/{name}", "left-out", "list", "stray file", detail)
            continue
        detail = f"{path}: no picture of that name in {inside or '.'}"
        if owner is not None:
            detail += f"; {owner} is there, with a mask of its own name; {SAY_WHICH.format('{stem}')}"
        yield Problem(f"{label}/{name}", "failed", "list", "missing image", detail)


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


def _doubtful(key: str, picture: str, masks: list[str]) -> Problem:
    """The problem of a photo with masks of which each may be all of it, or with one that another photo has as well."""
    if len(masks) == 1:
        detail = f"{picture}: its mask {masks[0]} would be that of another photo, too; {SAY_WHICH.format('{folder}')}"
        return Problem(key, "failed", "list", "mask of two photos", detail)
    detail = f"{picture}: has {len(masks)} masks, {_named(masks)}, of which each may be all of it"
    return Problem(key, "failed", "list", "several masks", f"{detail}; {SAY_WHICH.format('{stem}')}")


def _named(masks: list[str]) -> str:
    return ", ".join(masks[:MOST_NAMED]) + (f" and {len(masks) - MOST_NAMED} more" if len(masks) > MOST_NAMED else "")


def _other_names(key: str, picture: str, masks: list[str], inside: str) -> Problem:
    """The problem of a photo whose masks do not bear its name."""
    wanted = f"{picture.rpartition('/')[2].rpartition('.')[0]}.png"
    if len(masks) == 1:
        detail = f"{picture}: no mask of that name in {inside or '.'}, but {masks[0]}; rename it to {wanted}"
        return Problem(key, "failed", "list", "mask of another name", f"{detail}, or {SAY_WHICH.format('{stem}')}")
    detail = f"{picture}: has {len(masks)} masks, {_named(masks)}, beside photos with one of their own name"
    return Problem(key, "failed", "list", "several masks", f"{detail}; {SAY_WHICH.format('{stem}')}")
