"""Where photos and masks lie below a folder, and what is in a video's two folders: names only."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import UsageError
from ..wording import shorten

PAIRS = (("JPEGImages", "Annotations"), ("images", "masks"), ("JPEGImages_24fps", "Annotations_6fps"))
SPLITS = ("", "train", "valid", "val", "test", "trainval")
RESOLUTIONS = ("Full-Resolution", "1080p", "480p")
PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".gif")
AOT_SETS = ("COCO", "ECSSD", "MSRA10K", "PASCAL-S", "PASCALVOC2012")
FLAT_SETS = ("fss", "DUTS-TR", "DUTS-TE", "ecssd", "BIG_small", "HRSOD_small")
NUMBER = re.compile("[0-9]+")


@dataclass(frozen=True)
class Tree:
    """Two folders of folders.

    Attributes:
        base: the folder that holds both, and lists of names beside them.
        photos, masks: with a folder for each video, or set of stills.
    """

    base: Path
    photos: Path
    masks: Path

    def videos(self) -> list[str]:
        """Names of folders on either side, hidden ones left out."""
        names = {entry for side in (self.photos, self.masks) for entry in folders_of(side)}
        return sorted(name for name in names if not name.startswith("."))


@dataclass(frozen=True)
class Listing:
    """One video, without a file opened.

    Attributes:
        name: of the video.
        photos, masks: its folders.
        frames: names of all that lies in `photos`, sorted as text.
        files: names of all files in `masks`, sorted as text.
        objects: names of the folders in `masks`, and of all that lies in each.
    """

    name: str
    photos: Path
    masks: Path
    frames: tuple[str, ...]
    files: tuple[str, ...]
    objects: tuple[tuple[str, tuple[str, ...]], ...]

    @property
    def mask_names(self) -> tuple[str, ...]:
        """Names of mask files, of all objects together where each has a folder."""
        inside = {name for _, names in self.objects for name in names}
        return tuple(sorted({*self.files, *inside})) if inside else self.files


def names_in(folder: Path) -> tuple[str, ...]:
    """All names in a folder, sorted as text; none where there is no such folder."""
    try:
        return tuple(sorted(os.listdir(folder)))  # noqa: PTH208, names alone
    except (FileNotFoundError, NotADirectoryError):
        return ()
    except OSError as error:
        raise UsageError(f"{folder}: cannot be listed: {error.strerror}") from None


def folders_of(folder: Path) -> list[str]:
    """Names of the folders in a folder."""
    return [name for name in names_in(folder) if (folder / name).is_dir()]


def files_of(folder: Path) -> list[str]:
    """Names of all else in a folder."""
    return [name for name in names_in(folder) if not (folder / name).is_dir()]


def listing(tree: Tree, name: str) -> Listing:
    """What one video holds."""
    photos, masks = tree.photos / name, tree.masks / name
    objects = tuple((each, names_in(masks / each)) for each in folders_of(masks) if not each.startswith("."))
    return Listing(name, photos, masks, names_in(photos), tuple(files_of(masks)), objects)


def stem(name: str) -> str:
    """A name without its last suffix."""
    return os.path.splitext(name)[0]  # noqa: PTH122, as the loaders do


def suffix(name: str) -> str:
    """The last suffix of a name, as written."""
    return os.path.splitext(name)[1]  # noqa: PTH122, as the loaders do


def is_picture(name: str) -> bool:
    """Whether a name is one of a picture, and not of a file that a system hides."""
    return not name.startswith(".") and suffix(name).lower() in PICTURES


def find_trees(root: Path) -> list[Tree]:
    """Pairs of folders of videos below a root: in it, in its splits, and by DAVIS's resolutions."""
    found = []
    for split in SPLITS:
        base = root / split
        for photos, masks in PAIRS:
            sides = base / photos, base / masks
            if sides[0].is_dir() and sides[1].is_dir():
                sizes = [size for size in RESOLUTIONS if (sides[0] / size).is_dir()]
                found += [Tree(base, sides[0] / size, sides[1] / size) for size in sizes] or [Tree(base, *sides)]
    return found


def is_flat(root: Path) -> bool:
    """Whether a folder holds stills with masks beside them: itself, in classes, or in the known sets."""
    inside = names_in(root)
    if any(name in FLAT_SETS for name in inside):
        return True
    near = [root, *(root / name for name in inside[:20] if (root / name).is_dir())]
    return any(is_picture(name) for folder in near for name in names_in(folder))


def is_aot_static(tree: Tree) -> bool:
    """Whether folders of a tree are sets of stills: named as one of the five, or without any list of videos."""
    known = {name.casefold() for name in AOT_SETS}
    return any(name.casefold() in known for name in folders_of(tree.photos))


def no_tree(root: Path) -> UsageError:
    """That nothing here looks like what a loader reads, and what there is."""
    if not root.is_dir():
        return UsageError(f"{root}: is no folder")
    pairs = ", ".join("/ and ".join(pair) + "/" for pair in PAIRS)
    there = shorten(list(names_in(root)), 8) or "nothing"
    hint = ""
    if root.name in {side for pair in PAIRS for side in pair}:
        hint = f"; give the folder above it, {root.parent}"
    return UsageError(f"{root}: expected {pairs}, or stills with masks beside them; it holds {there}{hint}")


def in_number_order(names: Sequence[str]) -> bool:
    """Whether sorting names as text sorts their last numbers as well."""
    numbers = [int(found[-1]) for name in names if (found := NUMBER.findall(stem(name)))]
    return len(numbers) < len(names) or numbers == sorted(numbers)
