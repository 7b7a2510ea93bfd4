"""What kind of files lie in a folder, told from the first bytes of the first few: for recognising a source."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from .listing import is_folder

MOST_LOOKED = 40  # files of one kind whose heads are read
MOST_ENTRIES = 2000  # of one folder
HEAD = 4096  # bytes


def heads(root: Path, suffix: str, depth: int = 2) -> Iterator[tuple[Path, str]]:
    """Path and first characters of the first few files of a kind, in order of name; folders after files.

    Args:
        root: a folder, or a file, which is then the only one.
        suffix: of the files, lower case: `.json`.
        depth: folders below the root that are looked into.
    """
    left = MOST_LOOKED
    for path in _files(root, suffix, depth):
        try:
            with path.open("rb") as file:
                yield path, file.read(HEAD).decode("utf-8-sig", "replace")
        except OSError:
            continue
        left -= 1
        if not left:
            return


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
