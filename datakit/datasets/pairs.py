"""One reader for every set of pictures with one mask file each, and the layout that says where they lie.

A new set of that kind is a row of `pair_layouts`. Pairing is left to `listing`, the meaning of
mask values to `masks`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from .. import looking
from ..errors import ItemRef, UsageError
from ..mask_files import read_mask
from ..masks import STILLS, Nature, decode
from ..photo_files import read_photo
from ..places import beneath
from ..samples import Scene
from ..wording import counted, no_such
from .layout import Layout, Match, Sureness
from .listing import Folder, Listing, Rules, list_pairs, split_suffix
from .mask_pattern import MaskPattern
from .mask_samples import scene_of
from .object_masks import ObjectMask, scene_of_files
from .own_tree import example_of, list_tree
from .reader import Reader, ReadOptions, SoftMask
from .records import Record

JPEG = (".jpg", ".jpeg")
IMAGE_SUFFIXES = (
    *(*JPEG, ".jfif", ".jpe", ".png", ".webp", ".bmp", ".tif", ".tiff", ".ppm", ".pgm"),
    *(".avif", ".heic", ".heif", ".hif", ".jp2", ".j2k", ".jpf", ".jpx", ".j2c", ".gif"),
)
MASK_SUFFIXES = (".png", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm", ".pbm", *JPEG)
COMMON = (
    ("images", "masks"),
    ("image", "mask"),
    ("imgs", "masks"),
    ("images", "gt"),
    ("img", "gt"),
)
REPACKED = ("Imgs", "Imgs")  # one folder, as PoolNet and others repack the sets
ROOT = (".", ".")
# folders that tell no set from another
SHARED = {ROOT, REPACKED, ("Images", "Masks"), ("Images", "GT"), ("Image", "GT"), *COMMON}

FolderPair = tuple[str, str]


@dataclass(frozen=True)
class PairsLayout(Layout):
    """A set of pictures with one mask file each.

    Attributes:
        folders: accepted (pictures, masks) folders below the root, the official one first; compared without case.
            The same folder twice means .jpg pictures beside .png masks.
        stands_for: folders that several sets have, and that are taken for this one where nothing else is known.
        mixed: where .jpg pictures beside .png masks are taken for this one: in the `root`, in its `folders`, or no.
        unpaired: what a picture without a mask is.
        nature: what masks are: `ids` of several objects, `soft`, or `any` of what `masks.values` tells apart.
        anywhere: whether photos and masks are found by their names, where none of its folders are there.
    """

    folders: tuple[FolderPair, ...] = ()
    stands_for: tuple[FolderPair, ...] = ()
    mixed: Literal["", "root", "folders"] = ""
    unpaired: Literal["failed", "left-out"] = "failed"
    nature: Nature = "any"
    anywhere: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether it reads photos and masks as any own ones are read."""
        return self.unpaired == "failed" and self.nature == "any"

    @property
    def reader_type(self) -> type[PairsReader]:
        """See the base class."""
        return PairsReader

    def check(self, root: Path, options: ReadOptions) -> None:
        """Soft masks hold no ids; see the base class."""
        if self.nature == "soft" and options.values == "ids":
            raise UsageError(f"{root}: the masks of {self.name} are soft, so --ids cannot be meant; build it by itself")

    def match(self, root: Path) -> Match | None:
        """Whether its folders are there; the surest reason to think so."""
        if not looking.is_folder(root):
            return None
        top = names_in(root)
        for sureness, folders in self._claims(root):
            found = find_folders(root, folders, top)
            if found is not None and (found[0] != found[1] or _mixed(root / found[0] if found[0] else root)):
                where = f"{found[0]}/ and {found[1]}/" if found[0] != found[1] else f"{found[0] or '.'}/"
                return Match(sureness, f"for its {where}")
        if self.anywhere and (example := example_of(root, IMAGE_SUFFIXES, MASK_SUFFIXES)):
            return Match(Sureness.LAST, f"for {example}")
        return None

    def _claims(self, root: Path) -> Iterator[tuple[Sureness, tuple[FolderPair, ...]]]:
        """Folders to look for, the surest first."""
        if _letters(self.name) in _letters(looking.name_of(root)):
            yield Sureness.NAME, self.folders
        yield from ((Sureness.FOLDERS, (pair,)) for pair in self.folders if pair not in SHARED)
        yield Sureness.COMMON, self.stands_for
        if self.mixed and self.mixed == _mixed(root):
            yield Sureness.MIXED, (ROOT,)

    def open(self, label: str, root: Path, images: Path | None, options: ReadOptions) -> Reader:
        """List the set; `root` is the folder of the masks where `images` is given.

        Raises:
            UsageError: its folders are not there, or hold no picture and no mask; or its masks are soft and
                are said to be ids.
        """
        self.check(root, options)
        pattern = MaskPattern.parse(text, MASK_SUFFIXES) if (text := options.mask_name(label)) else None
        rules = Rules(self.unpaired, by_words=self.unpaired == "failed", pattern=pattern)
        both = self._folders(root, images)
        if both is None:
            picture_root, mask_root = root, root
            found = list_tree(label, root, IMAGE_SUFFIXES, pattern.suffixes if pattern else MASK_SUFFIXES, rules)
        else:
            picture_root, mask_root = both[0].root, both[1].root
            found = _list_folders(label, *both, rules)
        if not found.records and all(problem.kind == "left-out" for problem in found.problems):
            where = both[0].path if both else root
            raise UsageError(f"{where}: holds no pictures with masks in layout {self.name}. {self.source}")
        photos = sum(problem.reason in ("missing mask", "no mask") for problem in found.problems)
        strays = sum(problem.reason == "stray file" for problem in found.problems)
        if both and not found.records and photos > 1 and photos + strays == len(found.problems):
            raise UsageError(
                f"{both[1].path}: holds no mask for any of {counted(photos, 'photo')} of {both[0].path}; a mask has "
                "the name of its photo, e.g. 0001.png for 0001.jpg, or say how they are called: --mask-name "
                f"'{{stem}}_mask.png'. Masks that lie elsewhere: {label}:pairs=MASKS --images {label}={both[0].path}"
            )
        reader = PairsReader(label, mask_root, picture_root, found.records, found.problems, options)
        reader.nature = self.nature
        return reader

    def _folders(self, root: Path, images: Path | None) -> tuple[Folder, Folder] | None:
        """Folders of pictures and of masks; None where they are to be found by words, anywhere below the root."""
        if images is not None:
            if not looking.is_folder(images):
                raise UsageError(no_such(images, "the folder of pictures"))
            inside = next((found for _, masks in self.folders if (found := find_folder(root, masks))), "")
            return Folder(images, ""), Folder(root, inside)
        both = find_folders(root, self.folders)
        if self.anywhere and (both is None or both[0] == both[1]):
            return None
        if both is None:
            expected = ", ".join(sorted({f"{a}/ + {b}/" if a != b else f"{a}/" for a, b in self.folders}))
            raise UsageError(f"{root}: no layout {self.name} here: expected one of {expected}. {self.source}")
        return Folder(root, both[0]), Folder(root, both[1])


class PairsReader(Reader):
    """Pictures with one mask file each.

    A record's annotation is as `listing.Listing` says.
    """

    opened_with = ("nature",)
    nature: Nature = "any"

    def read(self, record: Record) -> Scene:
        """Decode one picture and its mask file, or those of its objects; see the base class."""
        limit = self.options.max_pixels
        photo = read_photo(beneath(self.images, record.image), record.image, limit, record.key)
        if isinstance(record.annotation, dict):
            files = [ObjectMask(number, path) for number, path, _ in record.annotation["objects"]]
            return scene_of_files(record.key, photo, self.root, files, self.options, STILLS[self.nature])
        mask_path = record.annotation[0]
        mask = read_mask(beneath(self.root, mask_path), mask_path, limit, record.key)
        return scene_of(ItemRef(record.key, mask_path), photo, mask, self.options, STILLS[self.nature])

    def soft_mask(self, record: Record) -> SoftMask | None:
        """The mask file of a photo, if its grey levels are cut at the threshold; see the base class."""
        paths = self.annotation_files(record)
        return next((soft for path in paths if (soft := self._cut(record.key, path))), None)

    def listed_samples(self, record: Record) -> int:
        """How many samples listing expects of a photo; see the base class."""
        return len(record.annotation["objects"]) if isinstance(record.annotation, dict) else 1

    def annotation_files(self, record: Record) -> Sequence[str]:
        """Its mask file, or those of its objects; see the base class."""
        if isinstance(record.annotation, dict):
            return [path for _, path, _ in record.annotation["objects"]]
        return [record.annotation[0]]

    def _cut(self, key: str, path: str) -> SoftMask | None:
        mask = read_mask(beneath(self.root, path), path, self.options.max_pixels, key)
        found = decode(mask, self.options, ItemRef(key, path), STILLS[self.nature])
        return SoftMask(path, len(np.unique(mask.plane))) if found.soft else None


def _list_folders(label: str, pictures: Folder, masks: Folder, rules: Rules) -> Listing:
    """List two folders, or one with .jpg pictures beside .png masks."""
    if pictures.path == masks.path:
        return list_pairs(label, pictures, masks, JPEG, (".png",), rules)
    if rules.pattern is None:
        return list_pairs(label, pictures, masks, IMAGE_SUFFIXES, MASK_SUFFIXES, rules)
    pattern = rules.pattern.below(masks.inside)
    return list_pairs(label, pictures, masks, IMAGE_SUFFIXES, pattern.suffixes, rules._replace(pattern=pattern))


Names = Mapping[str, Sequence[str]]
"""Lower-case name -> names as they are spelt."""


def names_in(folder: Path) -> Names:
    """What lies in a folder; nothing where it cannot be listed."""
    names: dict[str, list[str]] = {}
    try:
        for entry in looking.each_entry(folder):
            names.setdefault(entry.name.lower(), []).append(entry.name)
    except OSError:
        return {}
    return names


def find_folder(root: Path, inside: str, top: Names | None = None) -> str | None:
    """The folder `inside` below `root` as it is really spelt, compared without case; None where there is none.

    Args:
        root: where it is looked for.
        inside: '/'-separated.
        top: what lies in the root, where that is known: a root may hold a million files.
    """
    if inside == ".":
        return "" if looking.is_folder(root) else None
    found = ""
    for part in inside.split("/"):
        here = (names_in(root / found if found else root) if found or top is None else top).get(part.lower())
        if not here:
            return None
        found = f"{found}/{part if part in here else min(here)}".lstrip("/")
    return found if looking.is_folder(root / found) else None


def find_folders(root: Path, folders: Sequence[FolderPair], top: Names | None = None) -> FolderPair | None:
    """The first pair of folders that exists below `root`, as it is really spelt; `top` as `find_folder`."""
    top = names_in(root) if top is None else top
    for image_dir, mask_dir in folders:
        images, masks = find_folder(root, image_dir, top), find_folder(root, mask_dir, top)
        if images is not None and masks is not None:
            return images, masks
    return None


def _letters(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _mixed(folder: Path) -> Literal["", "root", "folders"]:
    """`root` where .jpg and .png of one name lie in the folder itself, `folders` where they do in its folders."""
    if _has_pairs(folder):
        return "root"
    inside = sorted(entry.name for entry in looking.each_entry(folder) if entry.is_dir())
    return "folders" if any(_has_pairs(folder / name) for name in inside[:20]) else ""


def _has_pairs(folder: Path) -> bool:
    """Whether a .jpg and a .png of one name lie in this folder."""
    try:
        names = [entry.name.lower() for entry in looking.each_entry(folder)]
    except OSError:
        return False
    stems = {split_suffix(name)[0] for name in names if name.endswith(JPEG)}
    return any(name.endswith(".png") and name[:-4] in stems for name in names)
