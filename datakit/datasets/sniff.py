"""What kind of files lie in a folder, told from the first bytes of the first few: for recognising a source."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator
from pathlib import Path

from ..files import EXPORT_MANIFEST, is_export_manifest
from .listing import is_folder

MOST_LOOKED = 40  # files of one kind whose heads are read
MOST_ENTRIES = 2000  # of one folder
HEAD = 4096  # bytes
COCO_ENDS = 65536  # bytes of the beginning and of the end of a file that may be COCO's: its lists come in any order
OTHER_KINDS = re.compile(r'"(?:segments_info|videos|video_id|shapes|sequences)"\s*:|"image"\s*:\s*\{')


def heads(root: Path, suffix: str, depth: int = 2) -> Iterator[tuple[Path, str]]:
    """Path and first characters of the first few files of a kind, in order of name; folders after files.

    Args:
        root: a folder, or a file, which is then the only one.
        suffix: of the files, lower case: `.json`.
        depth: folders below the root that are looked into.
    """
    left = MOST_LOOKED
    for path in _files(root, suffix, depth):
        if path.name == EXPORT_MANIFEST and is_export_manifest(path):
            continue
        try:
            with path.open("rb") as file:
                yield path, file.read(HEAD).decode("utf-8-sig", "replace")
        except OSError:
            continue
        left -= 1
        if not left:
            return


def stems_in(folder: Path, suffixes: Collection[str]) -> set[str]:
    """Names of a folder's first files of some kinds, without suffix; of `a.jpg.json` also `a`."""
    stems = {path.stem for suffix in suffixes for path in _files(folder, suffix, 0)}
    return stems | {Path(stem).stem for stem in stems}


def coco_files(root: Path, depth: int = 2) -> Iterator[tuple[Path, str]]:
    """Path, and what was read, of the JSON files that hold COCO instances by their contents, whatever they are called.

    Args: as `heads`.
    """
    for path, _ in heads(root, ".json", depth):
        text = _ends(path)
        has_all = all(f'"{name}"' in text for name in ("image_id", "segmentation"))
        if has_all and ('"file_name"' in text or '"coco_url"' in text) and not OTHER_KINDS.search(text):
            yield path, text


def _ends(path: Path) -> str:
    """The beginning and the end of a file; nothing where it cannot be read."""
    try:
        with path.open("rb") as file:
            data = file.read(COCO_ENDS)
            file.seek(max(file.seek(0, os.SEEK_END) - COCO_ENDS, len(data)))
            return (data + b"\n" + file.read(COCO_ENDS)).decode("utf-8-sig", "replace")
    except OSError:
        return ""


def _files(root: Path, suffix: str, depth: int) -> Iterator[Path]:
    if root.is_file():
        if root.suffix.lower() == suffix:
            yield root
        return
    try:
        with os.scandir(root) as entries:
            some = sorted((entry for entry, _ in zip(entries, range(MOST_ENTRIES), strict=False)), key=lambda e: e.name)
    except OSError:
        return
    yield from (Path(each.path) for each in some if each.name.lower().endswith(suffix) and Path(each.path).is_file())
    if depth:
        for each in some:
            if not each.is_symlink() and is_folder(each) and not each.name.startswith("."):
                yield from _files(Path(each.path), suffix, depth - 1)
