"""Mask files as tools save them, each with what it shows; and all readers of masks behind one door."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from datakit.datasets import ReadOptions
from datakit.errors import DatakitError, ItemError
from datakit.samples import Scene
from datakit.video.annotations import read_annotation
from datakit.video.labels import read_labels
from datakit.video.palette import palette
from tests import tiny

Objects = dict[int, NDArray[np.bool_]]
SIZE = (60, 80)


def blocks(*values: int, dtype: type[np.generic] = np.uint8, ignore: int = 0) -> NDArray[np.generic]:
    """(60, 80): a block of each value, apart from each other; the last rows are `void`."""
    plane = np.zeros(SIZE, dtype)
    for number, value in enumerate(values):
        row, column = divmod(number, 10)
        plane[2 + 8 * row : 8 + 8 * row, 2 + 7 * column : 7 + 7 * column] = value
    if ignore:
        plane[-4:] = ignore
    return plane


def disc(value: int = 255, steps: int = 4) -> NDArray[np.uint8]:
    """(60, 80) a disc with an antialiased edge, as `steps` subpixels a side give it."""
    rows, columns = np.mgrid[0 : SIZE[0] * steps, 0 : SIZE[1] * steps]
    inside = (rows - 30 * steps) ** 2 + (columns - 40 * steps) ** 2 < (18 * steps) ** 2
    return (inside.reshape(SIZE[0], steps, SIZE[1], steps).mean(axis=(1, 3)) * value).astype(np.uint8)


def save(path: Path, plane: NDArray[np.generic], colours: list[int] | None = None, **how: object) -> Path:
    """A grey picture of these values, or a palette picture of these indices."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = PillowImage.fromarray(plane)
    if colours is not None:
        picture.putpalette(colours)
    picture.save(path, **how)
    return path


def standard() -> list[int]:
    """The palette of VOC and DAVIS."""
    return list(palette())


def of_build(path: Path, options: ReadOptions, layout: str) -> Objects:
    """What a build, a preview and `validate-source` make of a mask: object id -> pixels."""
    root = path.parent / "set"
    images, masks = {"pairs": ("images", "masks"), "videos": ("JPEGImages/s", "Annotations/s")}[layout]
    plane = np.asarray(PillowImage.open(path))
    tiny.write_picture(root / images / "a.png", tiny.picture(1, plane.shape[:2]))
    (root / masks).mkdir(parents=True, exist_ok=True)
    (root / masks / f"a{path.suffix}").write_bytes(path.read_bytes())
    scene: Scene = tiny.opened("s", root, layout, options=options)[0]
    return {sample.object_id: sample.mask > 0 for sample in scene.samples}


def of_annotation(path: Path, options: ReadOptions) -> Objects:
    """What `propagate` makes of it, with --mask or --davis."""
    labels = read_annotation(path, options)
    return {int(number): labels == number for number in np.unique(labels) if number}


def of_labels(path: Path, options: ReadOptions) -> Objects:
    """What `evaluate` makes of it, on either side."""
    found = read_labels(path, path.name, options)
    return {number: found.labels == number for number in found.ids}


READERS: dict[str, Callable[[Path, ReadOptions], Objects]] = {
    "build": lambda path, options: of_build(path, options, "pairs"),
    "build of a video set": lambda path, options: of_build(path, options, "videos"),
    "propagate": of_annotation,
    "evaluate": of_labels,
}


def answers(path: Path, options: ReadOptions | None = None) -> Iterator[tuple[str, Objects | str]]:
    """Every reader's name, and its objects or the message it refuses the mask with."""
    for name, read in READERS.items():
        try:
            yield name, read(path, options or ReadOptions())
        except (ItemError, DatakitError) as error:
            yield name, str(error)
