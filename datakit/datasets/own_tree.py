"""Photos and masks anywhere below one folder: which file is which, by the words in its name and in its folders'.

A folder called after masks holds masks. Elsewhere a file is a mask where its name says so and its photo is there:
`x_mask`, `x.jpg.png`, `x.png` beside `x.jpg`, `x_0.png` or `x/0.png` beside `x.jpg`. The key name of a photo is its
path without suffix and without folders called after photos: `train/a` of `train/images/a.jpg`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from .. import looking
from ..errors import Problem
from ..keys import escape_name
from .listing import (
    FileIndex,
    Folder,
    Found,
    Listed,
    Listing,
    Rules,
    is_folder,
    is_utf8,
    listed_files,
    pair_found,
    split_suffix,
    stray,
)
from .mask_names import Role, bases, joined, number_readings, path_role
from .mask_pattern import MaskPattern
from .pairing import Photos, pair_names
from .unpaired import UnreadFile

MASK_SUFFIX = ".png"  # of masks that nothing but their suffix tells from photos
INSTANCES = ("object", "instance")  # in the name of the better of two folders of masks
NO_ROLE = "its name is neither that of a photo nor that of a mask"
ENOUGH = 200  # files of a folder, in order of name, that are looked at to recognise a set
FOLDERS = 300  # folders that are looked at likewise
DEEP = 5  # folders below each other that are looked at likewise


class Place(NamedTuple):
    """A picture file: its name for pairing, the path of its folder, its suffix, what its folders say that it is."""

    name: str
    folder: str
    suffix: str
    role: Role


@dataclass
class Roles:
    """Pictures of a tree by role, each a list of places by path."""

    photos: dict[str, Place] = field(default_factory=dict)
    masks: dict[str, Place] = field(default_factory=dict)
    others: dict[str, Place] = field(default_factory=dict)


def roles_of(paths: Iterable[str]) -> Roles:
    """What every picture is.

    Args:
        paths: '/'-separated, with suffix, as keys have them.
    """
    roles, undecided = Roles(), dict[str, Place]()
    for path in paths:
        place = _place(path)
        {"mask": roles.masks, "other": roles.others}.get(place.role, undecided)[path] = place
    suffixes: dict[str, set[str]] = {}
    for place in undecided.values():
        suffixes.setdefault(place.name, set()).add(place.suffix)
    called = Photos({name: name + min(found) for name, found in suffixes.items()})
    full = {f"{name}{suffix}".casefold() for name, found in suffixes.items() for suffix in found}
    drawn = {place.name for place in roles.masks.values()}  # names that have a mask already
    for path, place in undecided.items():
        role, owner = _by_name(place, called, full, suffixes)
        if role:
            {"mask": roles.masks, "other": roles.others}[role][path] = place
            drawn.add(owner)
    for path, place in undecided.items():
        if path in roles.masks or path in roles.others:
            continue
        is_beside = place.suffix == MASK_SUFFIX and len(suffixes[place.name]) > 1 and place.name not in drawn
        (roles.masks if is_beside else roles.photos)[path] = place
    return _by_file_name(roles)


def _by_file_name(roles: Roles) -> Roles:
    """The same with names of files alone, where no photo has a mask of its path and no two photos one name.

    So it is in two trees that are called differently, as `Task1-2_Input/x.jpg` and `Task1_GroundTruth/x.png`.
    """
    masks = {place.name for place in roles.masks.values()}
    photos = {place.name: place.name + place.suffix for place in roles.photos.values()}
    stems = {name: name.rpartition("/")[2] for name in {*photos, *masks}}
    if len({stems[name] for name in photos}) < len(photos) or len({stems[name] for name in masks}) < len(masks):
        return roles
    if any("/" in name for name in stems) and not pair_names(photos, masks).taken:
        for places in (roles.photos, roles.masks):
            places |= {path: place._replace(name=stems[place.name]) for path, place in places.items()}
    return roles


def _place(path: str) -> Place:
    stem, suffix = split_suffix(path)
    folder, _, name = stem.rpartition("/")
    role, kept = path_role(folder)
    return Place(joined(kept, name), folder, suffix, role)


def _by_name(place: Place, called: Photos, full: set[str], suffixes: dict[str, set[str]]) -> tuple[Role, str]:
    """What a name says that a file is, and of which photo; '' where it says nothing, or there is no such photo."""
    folder, _, stem = place.name.rpartition("/")
    for base in bases(stem, "other"):
        if owner := called.find(joined(folder, base)):
            return "other", owner
    for base in bases(stem, "mask"):
        owner = called.find(joined(folder, base))
        if owner and owner != place.name:
            return "mask", owner
        for part in (each.base for each in number_readings(base)):
            if owner := called.find(joined(folder, part)):
                return "mask", owner
    if place.name.casefold() in full:
        return "mask", split_suffix(place.name)[0]
    if place.suffix != MASK_SUFFIX or len(suffixes[place.name]) > 1:
        return "", ""
    for base, _, is_mask in number_readings(stem):
        marked = bases(base, "mask")
        for part in (base, *marked):
            owner = called.find(joined(folder, part))
            is_told = is_mask or part in marked or (owner and bases(owner.rpartition("/")[2], "photo") == [""])
            if owner and owner != place.name and (is_told or suffixes[owner] != {MASK_SUFFIX}):
                return "mask", owner
    owner = called.find(folder) if folder else None
    return ("mask", owner) if owner and owner != place.name and suffixes[owner] != {MASK_SUFFIX} else ("", "")


def list_tree(
    label: str, root: Path, image_suffixes: Sequence[str], mask_suffixes: Sequence[str], rules: Rules
) -> Listing:
    """Find photos and masks below a folder, and pair them.

    Args:
        label: name of the source in keys.
        root: the folder.
        image_suffixes, mask_suffixes: accepted ones, lower case, in order of preference.
        rules: how they are paired; with a pattern, what it finds are masks, and no word tells anything.
    """
    problems: list[Problem] = []
    files: dict[str, Listed] = {}
    unread: dict[str, list[UnreadFile]] = {}
    accepted = tuple(dict.fromkeys((*image_suffixes, *mask_suffixes)))
    for stem, suffix, file in listed_files(label, Folder(root, ""), accepted, problems, unread):
        files[stem + suffix] = file
    if rules.pattern:
        roles = _by_pattern(files, rules.pattern)
    else:
        roles = roles_of(files)
        unread = {_place(name).name: each for name, each in unread.items()}
    for places, suffixes in ((roles.photos, image_suffixes), (roles.masks, mask_suffixes)):
        for path in [path for path, place in places.items() if place.suffix not in suffixes]:
            roles.others[path] = places.pop(path)
    problems += [stray(label, files[path].path, NO_ROLE) for path in roles.others]
    found = Found(FileIndex(image_suffixes), FileIndex(mask_suffixes), unread, unread, problems, ("", ""))
    names = _unlike(roles.photos)
    for path, name in names.items():
        found.pictures.add(name, files[path])
    _add_masks(label, roles.masks, files, found)
    listing = pair_found(label, found, rules)
    with_masks = {_place(escape_name(record.image)).folder for record in listing.records}
    bare = {
        f"{label}/{names[path]}"
        for path, place in roles.photos.items()
        if with_masks and place.folder not in with_masks and names[path] == place.name
    }
    return Listing(listing.records, [_without_masks(each) if each.key in bare else each for each in listing.problems])


def _without_masks(problem: Problem) -> Problem:
    """A photo without mask in a folder without any, as of a test split, is left out."""
    if problem.reason != "missing mask":
        return problem
    return replace(problem, kind="left-out", reason="no mask", detail=f"{problem.detail}, nor for any photo beside it")


def _by_pattern(files: Iterable[str], pattern: MaskPattern) -> Roles:
    """Masks are what the pattern finds, and what it would find if its photo were there; all else are photos."""
    places = {path: _place(path)._replace(name=split_suffix(path)[0]) for path in files}
    names = {place.name: path for path, place in sorted(places.items(), reverse=True)}
    masks = {place.name for place in places.values() if place.suffix in pattern.suffixes}
    taken = pattern.pair(names, masks).taken
    roles = Roles()
    for path, place in places.items():
        is_mask = place.suffix in pattern.suffixes and (place.name in taken or pattern.fits(place.name))
        (roles.masks if is_mask else roles.photos)[path] = place
    return roles


def _unlike(places: Mapping[str, Place]) -> dict[str, str]:
    """Path -> name, which is the whole path where photos of two folders would be called alike."""
    folders: dict[str, set[str]] = {}
    for place in places.values():
        folders.setdefault(place.name, set()).add(place.folder)
    return {
        path: place.name if len(folders[place.name]) == 1 else split_suffix(path)[0] for path, place in places.items()
    }


def _add_masks(label: str, places: Mapping[str, Place], files: Mapping[str, Listed], found: Found) -> None:
    """Add masks by name; of two folders of masks that of instances is read, and neither where none or both are so."""
    by_name: dict[str, dict[str, list[str]]] = {}
    for path, place in places.items():
        by_name.setdefault(place.name, {}).setdefault(place.folder, []).append(path)
    for name, folders in by_name.items():
        best = [folder for folder in folders if any(word in folder.lower() for word in INSTANCES)]
        if len(folders) > 1 and len(best) != 1:
            photo = found.pictures.files.pop(name, None)
            detail = f"{photo.path if photo else name}: has masks in {', '.join(sorted(folders))}"
            detail += f"; say which, e.g. --mask-name '{min(folders)}/{{stem}}.png'"
            found.problems.append(Problem(f"{label}/{name}", "failed", "list", "several masks", detail))
            continue
        chosen = best[0] if len(best) == 1 else next(iter(folders))
        for folder, paths in folders.items():
            for path in paths:
                if folder == chosen:
                    found.masks.add(name, files[path])
                else:
                    why = f"its photo has a mask of instances in {chosen}"
                    found.problems.append(stray(label, files[path].path, why))


def example_of(root: Path, image_suffixes: Sequence[str], mask_suffixes: Sequence[str]) -> str:
    """A mask and its photo, as `masks/a.png beside a.jpg`, of the first files below a folder; '' without one."""
    accepted = {*image_suffixes, *mask_suffixes}
    roles = roles_of(path for path in _first_files(root) if split_suffix(path)[1] in accepted)
    photos = {place.name: path for path, place in sorted(roles.photos.items(), reverse=True)}
    masks = {place.name: path for path, place in sorted(roles.masks.items(), reverse=True)}
    pairing = pair_names({name: name + split_suffix(path)[1] for name, path in photos.items()}, masks)
    pairs = [*pairing.whole.items(), *((name, each[0].name) for name, each in pairing.objects.items())]
    if not pairs:
        return ""
    photo, mask = min(pairs)
    several = f" and {len(pairing.objects[photo]) - 1} more" if len(pairing.objects.get(photo, ())) > 1 else ""
    return f"{masks[mask]}{several} beside {photos[photo]}"


def _first_files(root: Path) -> Iterator[str]:
    """Paths of the first files of the first folders below a root, in order of name; no link to a folder is followed."""
    waiting, seen = [""], 0
    while waiting and seen < FOLDERS:
        folder, seen = waiting.pop(0), seen + 1
        try:
            entries = sorted(looking.each_entry(root / folder if folder else root), key=lambda entry: entry.name)
        except OSError:
            continue
        shown = [entry for entry in entries if not entry.name.startswith((".", "__MACOSX"))]
        inside = [joined(folder, each.name) for each in shown if is_folder(each) and not each.is_symlink()]
        waiting += inside if folder.count("/") < DEEP else []
        names = (joined(folder, entry.name) for entry in shown if not is_folder(entry))
        yield from itertools.islice((name for name in names if is_utf8(name)), ENOUGH)
