"""What kind of files lie in a folder, told from the first bytes of the first few: for recognising a source."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from itertools import islice
from pathlib import Path

from .. import looking, reading
from ..files import EXPORT_MANIFEST, is_export_manifest
from ..places import path_of
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
            yield path, reading.read_head(path, HEAD).decode("utf-8-sig", "replace")
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
        return b"\n".join(reading.read_ends(path, COCO_ENDS)).decode("utf-8-sig", "replace")
    except OSError:
        return ""


def _files(root: Path, suffix: str, depth: int) -> Iterator[Path]:
    if looking.is_file(root):
        if root.suffix.lower() == suffix:
            yield root
        return
    try:
        some = sorted(islice(looking.each_entry(root), MOST_ENTRIES), key=lambda entry: entry.name)
    except OSError:
        return
    named = (path_of(each) for each in some if each.name.lower().endswith(suffix))
    yield from (path for path in named if looking.is_file(path))
    if depth:
        for each in some:
            if not each.is_symlink() and is_folder(each) and not each.name.startswith("."):
                yield from _files(path_of(each), suffix, depth - 1)
