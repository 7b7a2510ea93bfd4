"""The files of a project: their names, how masks are written, and how the log is read."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from datakit.arrays import Labels
from datakit.files import PART_PREFIX, canonical_json, replacing
from datakit.images import encode_palette_png
from datakit.video.palette import palette

ABOUT, DRAWN, MADE, LOG, EXPORTS = "project.json", "drawn", "made", "made.jsonl", "export"
LEARNED = "learned.safetensors"


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """The lines of a log, without one that a kill has cut off."""
    with contextlib.suppress(FileNotFoundError):
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            with contextlib.suppress(ValueError, TypeError):
                row = json.loads(line)
                if isinstance(row, dict):
                    yield row


def write_rows(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Replace a log by these lines."""
    with replacing(path) as part:
        part.write_text("".join(canonical_json(row) + "\n" for row in rows), encoding="utf-8")


def ids_in(labels: Labels) -> set[int]:
    """The object ids of a label map."""
    return {int(number) for number in np.flatnonzero(np.bincount(labels.reshape(-1), minlength=1)[1:]) + 1}


def write_mask(path: Path, labels: Labels, synced: bool) -> None:
    """Write a palette PNG of object ids in one step; it is on disk afterwards where `synced`."""
    data = encode_palette_png(labels, palette())
    if synced:
        with replacing(path) as temporary:
            temporary.write_bytes(data)
        return
    temporary = path.parent.with_name(f"{PART_PREFIX}{path.parent.name}-{path.name}")
    temporary.write_bytes(data)
    temporary.replace(path)


@contextlib.contextmanager
def as_before_on_failure(path: Path, aside: Path) -> Iterator[None]:
    """The body changes a file, which is `aside` meanwhile, too; where it fails, all is as it was."""
    there = path.exists()
    if there:
        aside.unlink(missing_ok=True)
        try:
            aside.hardlink_to(path)  # which takes no room on a full disk
        except OSError:
            shutil.copy2(path, aside)
    try:
        yield
    except BaseException:
        if there:
            aside.replace(path)
        else:
            path.unlink(missing_ok=True)
        raise
    aside.unlink(missing_ok=True)


def stamps(folder: Path) -> dict[str, tuple[int, int]]:
    """Name of a file -> what changes whenever it is written; of what was made the log says it."""
    drawn = folder / DRAWN
    found = {}
    for path in [folder / ABOUT, folder / LOG, *(drawn.iterdir() if drawn.is_dir() else ())]:
        with contextlib.suppress(FileNotFoundError):
            about = path.stat()
            found[path.name] = (about.st_mtime_ns, about.st_size)
    return found
