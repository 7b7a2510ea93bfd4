"""`datakit validate-source --preview`: twelve photos of each source as a build would understand them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from datakit.arrays import Image
from datakit.datasets import AnyReader
from datakit.errors import DatakitError, ItemError, Problem, UsageError
from datakit.files import check_writable, replacing
from datakit.images import encode_png
from datakit.keys import photo_of
from datakit.looking import is_file
from datakit.photo_files import read_picture
from datakit.places import is_folder
from datakit.preview.scene_sheet import Block, Tile, scene_sheet
from datakit.wording import counted

SHOWN = 12  # photos of a source
MOST_FAULTY = 4  # of them, where something is wrong
PHOTO_THERE = ("missing mask", "no mask", "several masks")  # reasons of listing that speak of a photo


def check_preview(path: Path) -> None:
    """Refuse a file that cannot be written, before the work begins.

    Raises:
        UsageError: it is no .png, or a folder.
        DatakitError: its folder cannot be written to.
    """
    if path.suffix.lower() != ".png" or is_folder(path):
        raise UsageError(f"--preview {path}: expected the name of a picture, one that ends in .png")
    check_writable(path.parent, f"--preview {path}")


def write_preview(path: Path, readers: Mapping[str, AnyReader], problems: Mapping[str, Sequence[Problem]]) -> None:
    """Write the sheet.

    Args:
        path: a .png file; its folder is made when missing.
        readers: label -> source.
        problems: label -> all that is wrong with it.

    Raises:
        DatakitError: there is no photo to show.
    """
    blocks = [_block(label, reader, problems.get(label, ())) for label, reader in readers.items()]
    blocks = [block for block in blocks if block.tiles]
    if not blocks:
        raise DatakitError(f"--preview {path}: no photo to show; the report above says why")
    with replacing(path) as part:
        part.write_bytes(encode_png(scene_sheet(blocks, "Photos and objects as they are read"), compact=True))


def _block(label: str, reader: AnyReader, problems: Sequence[Problem]) -> Block:
    by_photo: dict[str, list[Problem]] = defaultdict(list)
    for problem in problems:
        by_photo[photo_of(problem.key)].append(problem)
    keys = [record.key for record in reader.records]
    chosen = _chosen(keys, by_photo)
    tiles = [_tile(reader, at, by_photo.get(keys[at], [])) for at in chosen]
    listed = [key for key in by_photo if key not in set(keys) and any(p.kind == "failed" for p in by_photo[key])]
    tiles += [_listed_tile(reader, key, by_photo[key]) for key in listed[: SHOWN - len(tiles)]]
    shown = f"{len(chosen)} of {counted(len(keys), 'photo')}"
    more = f", {counted(len(listed), 'item')} that cannot be read" if listed else ""
    return Block(f"{label}: read as {reader.layout}, {shown}{more}", tuple(tiles))


def _chosen(keys: Sequence[str], by_photo: Mapping[str, Sequence[Problem]]) -> list[int]:
    """Places of the photos to show: some where something is wrong, the others evenly over the source."""
    faulty = [at for at, key in enumerate(keys) if key in by_photo][:MOST_FAULTY]
    others = [at for at in range(len(keys)) if at not in set(faulty)]
    room = min(SHOWN - len(faulty), len(others))
    evenly = [others[round(place)] for place in np.linspace(0, len(others) - 1, room)] if room else []
    return sorted({*faulty, *evenly})


def _tile(reader: AnyReader, at: int, problems: Sequence[Problem]) -> Tile:
    record = reader.records[at]
    try:
        scene = reader[at]
    except ItemError as error:
        return Tile(record.key, None, tuple(problems) or (error.problem,), _photo(reader, record.image))
    photo = None if scene.samples else _photo(reader, record.image)
    return Tile(scene.key, scene, tuple(problems) or scene.problems, photo)


def _listed_tile(reader: AnyReader, key: str, problems: Sequence[Problem]) -> Tile:
    """What listing ruled out; its problem begins with the path of the photo, where that is what is there."""
    found = next((problem for problem in problems if problem.reason in PHOTO_THERE), None)
    return Tile(key, None, tuple(problems), _photo(reader, found.detail.partition(": ")[0]) if found else None)


def _photo(reader: AnyReader, path: str) -> Image | None:
    """(H, W, 3) uint8 RGB of a picture below the reader's folders; None where it cannot be read."""
    for folder in (reader.images, reader.root):
        if is_file(folder / path):
            try:
                return read_picture(folder / path, path, reader.options.max_pixels)
            except ItemError:
                return None
    return None
