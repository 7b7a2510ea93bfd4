"""Folders of label pictures, one file a frame: which sequences and frames there are, and what a file says.

For segmented videos and their ground truth, where ids must mean what they say: a picture that leaves that
open is refused. Still images with masks, which may be soft, are left to `datasets`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..datasets import ReadOptions
from ..datasets.listing import split_suffix
from ..datasets.pair_layouts import VIDEO_FOLDERS
from ..datasets.pairs import JPEG, MASK_SUFFIXES
from ..errors import UsageError
from ..masks import SCORED, LabelMap, read_label_map
from ..places import Entry, entries_in
from ..wording import no_such

REPORT = "_report"  # beside sequences of predictions: pictures to look at, no labels
FRAME_SUFFIXES = (*JPEG, ".png", ".webp", ".bmp", ".tif", ".tiff")
PLACES = ("", *(annotations for _, annotations in VIDEO_FOLDERS))

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


def open_labels(root: Path) -> LabelFolder:
    """Find the sequences of a folder of sequence folders, of a whole DAVIS tree, or of one sequence folder.

    Hidden folders, `_report` and files that are no pictures are passed over. Of two pictures with one name, as an
    overlay beside its labels, the one in the better suited format is taken, PNG first.

    Raises:
        UsageError: it is no folder, or holds no picture where labels could be.
    """
    if not root.is_dir():
        raise UsageError(no_such(root, "a folder of label pictures, or of one folder a sequence"))
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


def list_frames(
    folder: Path, suffixes: tuple[str, ...] = FRAME_SUFFIXES, without: Collection[str] = ()
) -> dict[str, Path]:
    """The pictures of one folder: name without suffix -> file, in order of the frames.

    Args:
        folder: where to look; not below it.
        suffixes: accepted ones, lower case, the preferred first.
        without: names of files that are passed over.
    """
    best: dict[str, tuple[int, str]] = {}
    for entry in _entries(folder):
        stem, suffix = split_suffix(entry.name)
        if suffix in suffixes and not entry.name.startswith(".") and not entry.is_dir() and entry.name not in without:
            offered = (suffixes.index(suffix), entry.name)
            best[stem] = min(best.get(stem, offered), offered)
    return {name: folder / best[name][1] for name in sorted(best, key=frame_order)}


def unused_twins(frames: Frames, suffixes: tuple[str, ...] = FRAME_SUFFIXES) -> list[Path]:
    """Pictures beside those of a folder that `list_frames` passed over, since another one has the same name."""
    taken = set(frames.values())
    folders = dict.fromkeys(file.parent for file in frames.values())
    files = [folder / entry.name for folder in folders for entry in _entries(folder) if not entry.is_dir()]
    names = [(file, *split_suffix(file.name)) for file in files if file not in taken]
    return sorted(file for file, stem, suffix in names if stem in frames and suffix in suffixes)


def frame_order(name: str) -> tuple[Any, ...]:
    """Sorts frame names as people count: frame2 before frame10, and 00002 before 00010."""
    return tuple(int(part) if k % 2 else part for k, part in enumerate(re.split("([0-9]+)", name))), name


def _entries(folder: Path) -> list[Entry]:
    try:
        return entries_in(folder)
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


def read_labels(path: Path, place: str, options: ReadOptions | None = None) -> LabelMap:
    """Read one label picture whose ids must mean what they say.

    Args:
        path: the file.
        place: sequence and frame, for messages.
        options: what grey values are, if somebody said so.

    Raises:
        ItemError: it cannot be read, or leaves open what its ids are.
    """
    return read_label_map(path, place, SCORED, options or ReadOptions())
