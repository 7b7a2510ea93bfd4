"""Folders of label pictures, one file a frame: which sequences and frames there are, and what a file says.

For segmented videos and their ground truth, where ids must mean what they say: a picture that leaves that
open is refused. Still images with masks, which may be soft, are left to `datasets`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ..arrays import Labels, Mask
from ..datasets import ReadOptions
from ..datasets.listing import split_suffix
from ..datasets.masks import LARGEST_GREY_ID, VOID
from ..datasets.pairs import IMAGE_SUFFIXES, JPEG, MASK_SUFFIXES
from ..datasets.videos import VIDEOS
from ..errors import UsageError
from ..headers import Place
from ..images import MaskFile, read_mask, turn

REPORT = "_report"  # beside sequences of predictions: pictures to look at, no labels
PLACES = ("", *(annotations for _, annotations in VIDEOS.folders))

Frames = Mapping[str, Path]


@dataclass(frozen=True)
class LabelFolder:
    """Sequences found under a folder.

    Attributes:
        root: the folder that holds them, or the one sequence itself.
        sequences: name -> frame name (file name without suffix) -> file; frames in order.
        single: whether `root` is itself a sequence.
    """

    root: Path
    sequences: Mapping[str, Frames]
    single: bool = False


@dataclass(frozen=True)
class LabelMap:
    """The objects of one frame.

    Attributes:
        labels: (H, W) uint8 object ids; 0 where no object is, and where `void` is.
        ids: those of the objects, ascending.
        void: (H, W) uint8, 1 where nobody judges; None where every pixel is judged.
        numbered: whether the picture itself numbers its objects; a mask of 0 and 255 shows one object without a
            number, which is called 1.
    """

    labels: Labels
    ids: tuple[int, ...]
    void: Mask | None = None
    numbered: bool = True


def open_labels(root: Path) -> LabelFolder:
    """Find the sequences of a folder of sequence folders, of a whole DAVIS tree, or of one sequence folder.

    Hidden folders, `_report` and files that are no pictures are passed over. Of two pictures with one name, as an
    overlay beside its labels, the one in the better suited format is taken, PNG first.

    Raises:
        UsageError: it is no folder, or holds no picture where labels could be.
    """
    if not root.is_dir():
        raise UsageError(f"{root}: no such folder; expected one of label pictures, or of one folder a sequence")
    for place in PLACES:
        folders = sorted(entry.name for entry in _entries(root / place) if entry.is_dir())
        found = {name: list_frames(root / place / name, MASK_SUFFIXES) for name in folders if is_sequence_name(name)}
        sequences = {name: frames for name, frames in found.items() if frames}
        if sequences:
            return LabelFolder(root / place, sequences)
    frames = list_frames(root, MASK_SUFFIXES)
    if not frames:
        expected = "pictures such as 00000.png, or folders of them"
        raise UsageError(f"{root}: holds no label pictures; expected {expected}")
    return LabelFolder(root, {root.resolve().name: frames}, single=True)


def is_sequence_name(name: str) -> bool:
    """Whether a folder of this name may hold a sequence."""
    return name != REPORT and not name.startswith(".")


def list_frames(folder: Path, suffixes: tuple[str, ...] = IMAGE_SUFFIXES) -> dict[str, Path]:
    """The pictures of one folder: name without suffix -> file, in order of the frames.

    Args:
        folder: where to look; not below it.
        suffixes: accepted ones, lower case, the preferred first.
    """
    best: dict[str, tuple[int, str]] = {}
    for entry in _entries(folder):
        stem, suffix = split_suffix(entry.name)
        if suffix in suffixes and not entry.name.startswith(".") and not entry.is_dir():
            offered = (suffixes.index(suffix), entry.name)
            best[stem] = min(best.get(stem, offered), offered)
    return {name: folder / best[name][1] for name in sorted(best, key=frame_order)}


def frame_order(name: str) -> tuple[Any, ...]:
    """Sorts frame names as people count: frame2 before frame10, and 00002 before 00010."""
    return (*(int(part) if k % 2 else part for k, part in enumerate(re.split("([0-9]+)", name))), name)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise UsageError(f"{folder}: cannot be listed: {error.strerror}") from None


def photos_beside(root: Path) -> Path | None:
    """Folder of the photos that belong to a folder of ground truth, by the one layout that all sets of videos share.

    Returns:
        …/JPEGImages/480p/SEQ for …/Annotations/480p/SEQ; None where there is no such folder.
    """
    parts = root.resolve().parts
    if "Annotations" not in parts:
        return None
    at = len(parts) - 1 - parts[::-1].index("Annotations")
    photos = Path(*parts[:at], "JPEGImages", *parts[at + 1 :])
    return photos if photos.is_dir() else None


def read_labels(path: Path, place: str) -> LabelMap:
    """Read one label picture.

    * palette: indices are ids, 255 is void;
    * grey, one value beside 0: that value is the id up to 32, else the object has id 1 (0/255, 0/128);
    * grey, values up to 32: ids, and beside them 255 is void;
    * JPEG, which cannot keep a value: one object, id 1, where grey is above the middle.

    Args:
        path: the file.
        place: sequence and frame, for messages.

    Raises:
        ItemError: it cannot be read, or holds more grey levels than ids have: a soft mask, or ids that were
            saved as the greys of their colours.
    """
    stored = read_mask(path, place, ReadOptions().max_pixels, place)
    plane = turn(stored.plane, stored.orientation)
    if path.suffix.lower() in JPEG:
        plane = (plane > np.iinfo(plane.dtype).max // 2).view(np.uint8)
    values = _values(plane)
    ids = tuple(value for value in values if value != VOID)
    if stored.coding == "palette" or (ids and max(ids) <= LARGEST_GREY_ID):
        return _numbered(plane.astype(np.uint8, copy=False), ids, VOID in values)
    if len(values) <= 1:
        return LabelMap((plane > 0).view(np.uint8), (1,) if values else ())
    raise _ambiguous(stored, values, place)


def _values(plane: NDArray[Any]) -> list[int]:
    """The values of a plane beside 0, ascending."""
    top = int(plane.max(initial=0))
    if cv2.sumElems(plane)[0] == top * cv2.countNonZero(plane):  # nearly always one value, or none
        return [top] if top else []
    if plane.dtype == np.uint8:  # without the sorting of `unique`, eight times as fast
        counts = cv2.calcHist([plane], [0], None, [256], [0, 256])
        return [int(value) for value in np.flatnonzero(counts) if value]
    return [int(value) for value in np.unique(plane) if value]


def _numbered(plane: Labels, ids: tuple[int, ...], has_void: bool) -> LabelMap:
    if not has_void:
        return LabelMap(plane, ids)
    is_void = plane == VOID
    return LabelMap(np.where(is_void, np.uint8(0), plane), ids, is_void.view(np.uint8))


def _ambiguous(stored: MaskFile, values: list[int], place: str) -> Exception:
    found = f"{len(values)} grey levels beside 0 ({', '.join(map(str, values[:4]))} …)"
    expected = f"one, or object ids up to {LARGEST_GREY_ID}"
    way_out = "save ids as a palette PNG, and cut a soft mask at a threshold of your choice"
    return Place(place, place).failed("mask", "ambiguous labels", f"holds {found}, expected {expected}; {way_out}")
