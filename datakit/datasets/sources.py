"""From what a user writes to a reader: labels, layouts, and the guess for a bare folder.

What a layout is stands in `pairs`, `coco`, `voc` and `videos`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from ..errors import UsageError
from ..files import check_local
from .coco import CocoReader
from .listing import split_suffix
from .pairs import COMMON, JPEG, LAYOUTS, REPACKED, Layout, PairsReader, find_folder, find_folders
from .reader import ReadOptions
from .videos import VIDEOS
from .views import AnyReader, MinArea
from .voc import VOC

MASK_FILE_LAYOUTS = {**LAYOUTS, VOC.name: VOC, VIDEOS.name: VIDEOS}
LAYOUT_NAMES = (*MASK_FILE_LAYOUTS, "coco")
DEFAULT_MIN_AREA = {"coco": 400, "voc": 400}  # 20x20 pixels; objects below are mostly annotation noise
EXPORTED = ("_annotations.coco.json", "result.json")  # Roboflow, Label Studio
# folders that tell no set from another
SHARED = {(".", "."), REPACKED, ("Images", "Masks"), ("Images", "GT"), ("Image", "GT"), *COMMON}
LABEL = re.compile(r"[a-z0-9_-]+")


class SourceSpec(NamedTuple):
    """A source as the user named it; `layout` is None where it is to be recognised."""

    label: str
    layout: str | None
    root: Path


def parse_source(text: str) -> SourceSpec:
    """Read `LABEL[:LAYOUT]=ROOT`, or a bare ROOT whose label is its own name in lower case.

    Raises:
        UsageError: the label or the layout is none, or the root is an address such as s3://bucket/x.
    """
    check_local(text, "source")
    name, equals, root = text.partition("=")
    if not equals or "/" in name:  # an '=' inside a path is no separator
        path = Path(text).expanduser()
        label = path.stem if path.suffix.lower() == ".json" else path.absolute().resolve().name
        return SourceSpec(check_label(label.lower(), text), None, path)
    label, colon, layout = name.partition(":")
    if not root:
        raise UsageError(f"source {text!r}: expected LABEL=ROOT, found no ROOT")
    if colon and layout not in LAYOUT_NAMES:
        raise UsageError(f"source {text!r}: unknown layout {layout!r}; the layouts are {', '.join(LAYOUT_NAMES)}")
    return SourceSpec(check_label(label, text), layout if colon else None, Path(root).expanduser())


def check_label(label: str, text: str) -> str:
    """The label, if it is made of a-z, 0-9, '_' and '-' only.

    Raises:
        UsageError: it is not.
    """
    if not LABEL.fullmatch(label):
        raise UsageError(f"source {text!r}: label {label!r} may hold a-z, 0-9, '_' and '-' only; say LABEL=ROOT")
    return label


def open_dataset(
    label: str,
    root: Path | str,
    layout: str | None = None,
    images: Path | str | None = None,
    options: ReadOptions | None = None,
) -> AnyReader:
    """Open a data set, with its smallest objects left out as its layout asks.

    Args:
        label: name of the source in keys.
        root: its folder, or its instances file.
        layout: one of `LAYOUT_NAMES`; None recognises it.
        images: folder of the pictures, where it is not in the layout's place.
        options: how annotations become masks; `min_area` None means 400 for coco and voc, 0 for others.

    Returns:
        A Sequence of Scenes sorted by key.

    Raises:
        UsageError: the root is missing, or not of that layout.
    """
    check_label(label, label)
    root, options = Path(root), options or ReadOptions()
    if not root.exists():
        raise UsageError(f"{root}: no such file or folder; the source {label!r} was said to be there")
    if layout is None:
        layout = "pairs" if images and root.is_dir() and not _instances_files(root) else recognise(root)[0]
    reader: AnyReader
    if layout == "coco":
        file = root if root.is_file() else _only_instances_file(root)
        reader = CocoReader.open(label, file, Path(images) if images else None, options)
    elif layout in MASK_FILE_LAYOUTS:
        row = MASK_FILE_LAYOUTS[layout]
        reader = PairsReader.open(label, root, row, Path(images) if images else None, options)
    else:
        raise UsageError(f"unknown layout {layout!r}; the layouts are {', '.join(LAYOUT_NAMES)}")
    pixels = DEFAULT_MIN_AREA.get(layout, 0) if options.min_area is None else options.min_area
    return MinArea(reader, pixels) if pixels else reader


def recognise(root: Path) -> tuple[str, str]:
    """Guess the layout of a root from its folders and its name.

    Returns:
        The layout's name, and a sentence that says what the guess rests on.

    Raises:
        UsageError: nothing fits; it lists the layouts and what was found.
    """
    if root.is_file() and root.suffix.lower() == ".json":
        return "coco", f"{root.name}: taken for coco, a JSON file of instances"
    if root.is_dir():
        if _instances_files(root):
            file = _only_instances_file(root)
            return "coco", f"{root.name}: taken for coco, for its {file.parent.name}/{file.name}"
        for row in _candidates(root):
            found = find_folders(root, row)
            if found is not None and (found[0] != found[1] or _flat_layout(root / found[0])):
                where = f"{found[0]}/ and {found[1]}/" if found[0] != found[1] else f"{found[0] or '.'}/"
                return row.name, f"{root.name}: taken for {row.name}, for its {where}"
        if _exported_files(root):
            return "coco", f"{root.name}: taken for coco, for its {_only_instances_file(root).name}"
    raise UsageError(
        f"{root}: no known layout. Known: {', '.join(LAYOUT_NAMES)}; say LABEL:LAYOUT=ROOT. Found: {_contents(root)}"
    )


def _candidates(root: Path) -> Iterator[Layout]:
    """Rows to try, the surest first: those the folder's name calls, those with folders of their own, then any pair."""
    name = _letters(root.resolve().name)
    for row in LAYOUTS.values():
        if _letters(row.name) in name:
            in_folders = tuple(pair for pair in row.folders if pair != (".", "."))
            yield row if in_folders == row.folders or _flat_layout(root) else replace(row, folders=in_folders)
    for row in (VOC, VIDEOS, *LAYOUTS.values()):
        own = [pair for pair in row.folders if pair not in SHARED]
        yield from (replace(row, folders=(pair,)) for pair in own)
    yield replace(LAYOUTS["pairs"], folders=COMMON)
    yield replace(LAYOUTS["msra10k"], folders=(REPACKED,))
    if flat := _flat_layout(root):
        yield LAYOUTS[flat]


def _letters(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _flat_layout(root: Path) -> str | None:
    """`pairs` where .jpg and .png of one name lie in the root itself, `fss-1000` where they do in its folders."""
    if _has_pairs(root):
        return "pairs"
    folders = sorted(entry.path for entry in os.scandir(root) if entry.is_dir())
    return "fss-1000" if any(_has_pairs(Path(folder)) for folder in folders[:20]) else None


def _has_pairs(folder: Path) -> bool:
    """Whether a .jpg and a .png of one name lie in this folder."""
    try:
        names = [entry.name.lower() for entry in os.scandir(folder)]
    except OSError:
        return False
    stems = {split_suffix(name)[0] for name in names if name.endswith(JPEG)}
    return any(name.endswith(".png") and name[:-4] in stems for name in names)


def _instances_files(root: Path) -> list[Path]:
    folder = find_folder(root, "annotations")
    return sorted((root / folder).glob("instances_*.json")) if folder else []


def _exported_files(root: Path) -> list[Path]:
    """Instances files as annotation tools export them, beside the photos or their folder."""
    return [root / name for name in EXPORTED if (root / name).is_file()]


def _only_instances_file(root: Path) -> Path:
    files = _instances_files(root) or _exported_files(root)
    if len(files) != 1:
        names = ", ".join(str(file.relative_to(root)) for file in files) or "none"
        raise UsageError(f"{root}: expected one annotations/instances_*.json, found {names}; give the file itself")
    return files[0]


def _contents(root: Path) -> str:
    if not root.is_dir():
        return "a file that is no .json" if root.exists() else "nothing, there is no such folder"
    names = sorted(entry.name + ("/" if entry.is_dir() else "") for entry in os.scandir(root))
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "") if names else "nothing"
