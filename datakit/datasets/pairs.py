"""One reader for every set of pictures with one mask file each, over one table of where they lie.

A new set of that kind is a new row. Pairing is left to `listing`, the meaning of
mask values to `masks`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

from ..errors import UsageError
from ..headers import Place
from ..mask_files import read_mask
from ..mask_values import Nature
from ..photo_files import read_photo
from ..samples import Scene
from .listing import Folder, list_pairs
from .masks import scene_of
from .reader import Reader, ReadOptions
from .records import Record

JPEG = (".jpg", ".jpeg")
IMAGE_SUFFIXES = (*JPEG, ".png", ".webp", ".bmp", ".tif", ".tiff")
MASK_SUFFIXES = (".png", ".bmp", ".gif", ".tif", ".tiff", ".webp", *JPEG)
COMMON = (
    ("images", "masks"),
    ("image", "mask"),
    ("imgs", "masks"),
    ("images", "gt"),
    ("img", "gt"),
)
REPACKED = ("Imgs", "Imgs")  # one folder, as PoolNet and others repack the sets


@dataclass(frozen=True)
class Layout:
    """Where one set keeps its pictures and masks.

    Attributes:
        name: as on the command line.
        folders: accepted (pictures, masks) folders below the root, the official one first; compared without case.
            The same folder twice means .jpg pictures beside .png masks.
        source: how the official archive lies, and where it comes from.
        unpaired: what a picture without a mask is.
        nature: what masks are: `ids` of several objects, `soft`, or `any` of what `mask_values` tells apart.
    """

    name: str
    folders: tuple[tuple[str, str], ...]
    source: str
    unpaired: Literal["failed", "left-out"] = "failed"
    nature: Nature = "any"


ROWS = (
    Layout(
        "msra10k",
        (REPACKED, ("MSRA10K_Imgs_GT/Imgs", "MSRA10K_Imgs_GT/Imgs"), *COMMON, (".", ".")),
        "MSRA10K_Imgs_GT.zip holds Readme.txt and one folder Imgs with N.jpg and N.png side by side, 10 000 of each"
        " (mmcheng.net/msra10k; Cheng et al., Global Contrast Based Salient Region Detection, TPAMI 2015).",
    ),
    Layout(
        "ecssd",
        (("images", "ground_truth_mask"), *COMMON, REPACKED),
        "images.zip and ground_truth_mask.zip unpack to images/0001.jpg and ground_truth_mask/0001.png, 1 000 of each"
        " (Shi et al., Hierarchical Image Saliency Detection on Extended CSSD, TPAMI 2016).",
    ),
    Layout(
        "sod",
        (("Images", "Masks"), ("Images", "GT"), ("Image", "GT"), *COMMON, REPACKED),
        "SOD.zip itself holds .mat boundaries for the 300 pictures of BSDS300 (Movahedi and Elder, Design and"
        " Perceptual Validation of Performance Measures for Salient Object Segmentation, 2010); what everybody"
        " uses, and what is read here, is the same as pictures with PNG masks.",
    ),
    Layout(
        "pascal-s",
        (("datasets/imgs/pascal", "datasets/masks/pascal"), ("imgs/pascal", "masks/pascal"), *COMMON, REPACKED),
        "salObj.zip unpacks to datasets/imgs/pascal/N.jpg and datasets/masks/pascal/N.png, 850 of each, beside other"
        " sets (Li et al., The Secrets of Salient Object Segmentation, CVPR 2014).",
        nature="soft",
    ),
    Layout(
        "duts",
        (
            ("DUTS-TR-Image", "DUTS-TR-Mask"),
            ("DUTS-TR/DUTS-TR-Image", "DUTS-TR/DUTS-TR-Mask"),
            ("DUTS-TE-Image", "DUTS-TE-Mask"),
            ("DUTS-TE/DUTS-TE-Image", "DUTS-TE/DUTS-TE-Mask"),
            *COMMON,
            REPACKED,
        ),
        "DUTS-TR.zip unpacks to DUTS-TR/DUTS-TR-Image/*.jpg and DUTS-TR/DUTS-TR-Mask/*.png, 10 553 of each, DUTS-TE.zip"
        " likewise, 5 019 (Wang et al., Learning to Detect Salient Objects with Image-Level Supervision, CVPR 2017).",
    ),
    Layout(
        "hku-is",
        (("imgs", "gt"), ("HKU-IS/imgs", "HKU-IS/gt"), *COMMON, REPACKED),
        "HKU-IS.rar unpacks to imgs/*.png (the pictures are PNG) and gt/*.png, 4 447 of each (Li and Yu, Visual"
        " Saliency Based on Multiscale Deep Features, CVPR 2015).",
    ),
    Layout(
        "fss-1000",
        (("fewshot_data", "fewshot_data"), ("fewshot_data/fewshot_data",) * 2, (".", ".")),
        "fewshot_data.zip unpacks to one folder per class with 1.jpg … 10.jpg and 1.png … 10.png, 224x224, 1 000"
        " classes (Li et al., FSS-1000: A 1000-Class Dataset for Few-Shot Segmentation, CVPR 2020).",
    ),
    Layout(
        "pairs",
        (*COMMON, ("images", "ground_truth_mask"), ("imgs", "gt"), REPACKED, (".", ".")),
        "Any two folders with files of equal names, or one folder with .jpg pictures beside .png masks.",
    ),
)
LAYOUTS = {row.name: row for row in ROWS}


def find_folder(root: Path, inside: str) -> str | None:
    """The folder `inside` below `root` as it is really spelt, compared without case; None where there is none."""
    if inside == ".":
        return "" if root.is_dir() else None
    found = ""
    for part in inside.split("/"):
        try:
            here = [entry.name for entry in os.scandir(root / found) if entry.name.lower() == part.lower()]
        except OSError:
            return None
        if not here:
            return None
        found = f"{found}/{part if part in here else min(here)}".lstrip("/")
    return found if (root / found).is_dir() else None


def find_folders(root: Path, row: Layout) -> tuple[str, str] | None:
    """The first of the row's folder pairs that exists below `root`, as it is really spelt."""
    for image_dir, mask_dir in row.folders:
        images, masks = find_folder(root, image_dir), find_folder(root, mask_dir)
        if images is not None and masks is not None:
            return images, masks
    return None


class PairsReader(Reader):
    """Pictures with one mask file each.

    A record's annotation is [path of the mask, bytes of the mask].
    """

    nature: Nature = "any"

    @classmethod
    def open(cls, label: str, root: Path, row: Layout, images: Path | None, options: ReadOptions) -> Self:
        """List a set.

        Args:
            label: name of the source in keys.
            root: folder of the set; the folder of the masks where `images` is given.
            row: where the set keeps its files.
            images: folder of the pictures, where it is not in the row's place.
            options: how masks are read.

        Raises:
            UsageError: the row's folders are not there, or hold no picture and no mask; or its masks are soft and
                are said to be ids.
        """
        if row.nature == "soft" and options.values == "ids":
            raise UsageError(f"{root}: the masks of {row.name} are soft, so --ids cannot be meant; build it by itself")
        picture_folder, mask_folder = _folders(root, row, images)
        one_folder = picture_folder.path == mask_folder.path
        image_suffixes = JPEG if one_folder else IMAGE_SUFFIXES
        mask_suffixes = (".png",) if one_folder else MASK_SUFFIXES
        records, problems = list_pairs(label, picture_folder, mask_folder, image_suffixes, mask_suffixes, row.unpaired)
        if not records and all(problem.kind == "left-out" for problem in problems):
            raise UsageError(f"{picture_folder.path}: holds no pictures with masks in layout {row.name}. {row.source}")
        reader = cls(label, mask_folder.root, picture_folder.root, records, problems, options)
        reader.layout, reader.nature = row.name, row.nature
        return reader

    def read(self, record: Record) -> Scene:
        """Decode one picture and its mask file; see the base class."""
        mask_path, limit = record.annotation[0], self.options.max_pixels
        photo = read_photo(f"{self.images}/{record.image}", record.image, limit, record.key)
        mask = read_mask(f"{self.root}/{mask_path}", mask_path, limit, record.key)
        return scene_of(Place(record.key, mask_path), photo, mask, self.options, self.nature)


def _folders(root: Path, row: Layout, images: Path | None) -> tuple[Folder, Folder]:
    if images is not None:
        if not images.is_dir():
            raise UsageError(f"{images}: expected the folder of pictures, there is no such folder")
        inside = next((found for _, masks in row.folders if (found := find_folder(root, masks))), "")
        return Folder(images, ""), Folder(root, inside)
    both = find_folders(root, row)
    if both is None:
        expected = ", ".join(sorted({f"{a}/ + {b}/" if a != b else f"{a}/" for a, b in row.folders}))
        raise UsageError(f"{root}: no layout {row.name} here: expected one of {expected}. {row.source}")
    return Folder(root, both[0]), Folder(root, both[1])
