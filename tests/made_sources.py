"""Sources drawn at random with known truth: label pictures in every coding, COCO files, trees of videos.

Each is small, written as tools write it, and comes with the masks that a right reader finds.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage
from pycocotools import mask as coco_mask

from datakit.images import turn
from datakit.video.palette import palette

Plane = NDArray[np.generic]
Masks = dict[int, NDArray[np.bool_]]  # object id -> (H, W), upright
EXIF = 0x0112


def photo(rng: np.random.Generator, size: tuple[int, int]) -> NDArray[np.uint8]:
    """(H, W, 3) smooth noise."""
    small = rng.integers(0, 256, (size[0] // 8 + 2, size[1] // 8 + 2, 3), dtype=np.uint8)
    return cv2.resize(small, size[::-1], interpolation=cv2.INTER_LINEAR).astype(np.uint8)


def write_photo(path: Path, pixels: NDArray[np.uint8], orientation: int) -> None:
    """A JPEG of stored pixels that asks to be turned; 0 writes no EXIF."""
    path.parent.mkdir(parents=True, exist_ok=True)
    exif = PillowImage.Exif()
    if orientation:
        exif[EXIF] = orientation
    PillowImage.fromarray(pixels).save(path, quality=90, exif=exif)


def shapes(rng: np.random.Generator, size: tuple[int, int], ids: list[int], dtype: Any = np.uint16) -> Plane:
    """(H, W): an ellipse or a rectangle for each id, later ones on top of earlier ones."""
    H, W = size
    plane = np.zeros(size, dtype)
    for number in ids:
        y, x = int(rng.integers(4, H - 4)), int(rng.integers(4, W - 4))
        h, w = int(rng.integers(3, max(4, H // 4))), int(rng.integers(3, max(4, W // 4)))
        drawn = np.zeros(size, np.uint8)
        if rng.random() < 0.5:
            cv2.ellipse(drawn, (x, y), (w, h), float(rng.integers(0, 180)), 0, 360, 1, -1)
        else:
            drawn[max(0, y - h) : y + h, max(0, x - w) : x + w] = 1
        plane[drawn > 0] = number
    return plane


def masks_of(plane: Plane, ignore: int = 0) -> Masks:
    """Every value but 0 and void."""
    return {int(n): plane == n for n in np.unique(plane) if n and n != ignore}


def _random_ids(rng: np.random.Generator, top: int) -> list[int]:
    return sorted(rng.choice(np.arange(1, top + 1), int(rng.integers(1, 7)), replace=False).tolist())


def _grey(rng: np.random.Generator, size: tuple[int, int], path: Path) -> Masks:
    value = int(rng.choice([1, 2, 7, 33, 128, 254, 255]))
    plane = shapes(rng, size, [value], np.uint8)
    PillowImage.fromarray(plane).save(path.with_suffix(".png"))
    return {1 if value == 255 else value: plane == value}


def _ids(rng: np.random.Generator, size: tuple[int, int], path: Path) -> Masks:
    count = int(rng.integers(2, 50))
    plane = shapes(rng, size, list(range(1, count)), np.uint8)
    ignore = 255 if rng.random() < 0.4 else 0
    if ignore:
        plane[: size[0] // 8] = ignore
    PillowImage.fromarray(plane).save(path.with_suffix(".png"))
    return masks_of(plane, ignore)


def _ids16(rng: np.random.Generator, size: tuple[int, int], path: Path) -> Masks:
    plane = shapes(rng, size, [300 + 7 * n for n in _random_ids(rng, 4000)])
    PillowImage.fromarray(plane).save(path.with_suffix(".png"))
    return masks_of(plane)


def _palette(rng: np.random.Generator, size: tuple[int, int], path: Path) -> Masks:
    plane = shapes(rng, size, _random_ids(rng, 254), np.uint8)
    plane[-3:] = 255
    picture = PillowImage.fromarray(plane)
    picture.putpalette(list(palette()))
    picture.save(path.with_suffix(".png"))
    return masks_of(plane, 255)


def _white_ground(rng: np.random.Generator, size: tuple[int, int], path: Path) -> Masks:
    """A palette in another order, whose ground is white and not index 0."""
    plane = shapes(rng, size, [1], np.uint8)
    order = np.array([2, 0], np.uint8)[plane]
    picture = PillowImage.fromarray(order)
    picture.putpalette([200, 30, 30, 9, 9, 9, 255, 255, 255])
    picture.save(path.with_suffix(".png"), **({"transparency": 2} if rng.random() < 0.5 else {}))
    return {1: plane == 1}


def _colours(rng: np.random.Generator, size: tuple[int, int], path: Path) -> Masks:
    plane = shapes(rng, size, _random_ids(rng, 20), np.uint8)
    PillowImage.fromarray(np.array(palette(), np.uint8).reshape(-1, 3)[plane]).save(path.with_suffix(".png"))
    return masks_of(plane)


def _alpha(rng: np.random.Generator, size: tuple[int, int], path: Path) -> Masks:
    plane = shapes(rng, size, [1], np.uint8)
    paint, hidden = (int(rng.choice([0, 255])) for _ in range(2))
    grey = np.where(plane > 0, paint, hidden).astype(np.uint8)
    picture = np.dstack([grey, grey, grey, (plane * 255).astype(np.uint8)])
    PillowImage.fromarray(picture).save(path.with_suffix(str(rng.choice([".png", ".tif", ".webp"]))), lossless=True)
    return {1: plane == 1}


def _soft(rng: np.random.Generator, size: tuple[int, int], path: Path) -> Masks:
    large = shapes(rng, (size[0] * 4, size[1] * 4), [255], np.uint8)
    plane = cv2.resize(large, size[::-1], interpolation=cv2.INTER_AREA)
    PillowImage.fromarray(plane).save(path.with_suffix(".png"))
    return {1: plane > 127}


CODINGS: dict[str, Callable[[np.random.Generator, tuple[int, int], Path], Masks]] = {
    "grey": _grey,
    "ids": _ids,
    "ids16": _ids16,
    "palette": _palette,
    "white ground": _white_ground,
    "colours": _colours,
    "alpha": _alpha,
    "soft": _soft,
}


def label_pictures(root: Path, seed: int, count: int) -> dict[str, Masks]:
    """images/ and masks/ of `count` photos: name -> the masks a right reader finds."""
    rng = np.random.default_rng(seed)
    truth = {}
    (root / "masks").mkdir(parents=True)
    for number in range(count):
        coding = list(CODINGS)[number % len(CODINGS)]
        size = (int(rng.integers(24, 150)), int(rng.integers(24, 150)))
        size = (size[0], size[0]) if rng.random() < 0.2 else size
        orientation = int(rng.integers(0, 9))
        name = f"{number:04d}-{coding.replace(' ', '-')}"
        write_photo(root / "images" / f"{name}.jpg", photo(rng, size), orientation)
        stored = CODINGS[coding](rng, size, root / "masks" / name)
        truth[name] = {n: turn(mask, orientation) for n, mask in stored.items() if mask.any()}
    return truth


def coco_file(root: Path, seed: int, count: int) -> tuple[Path, dict[str, Masks]]:
    """annotations.json beside its photos, outlines as polygons and run lengths in every dialect: photo -> masks.

    Photos that EXIF turns were drawn on upright, as browsers show them, and their size is written either way.
    """
    rng = np.random.default_rng(seed)
    images, annotations, truth = [], [], {}
    for number in range(count):
        size = (int(rng.integers(40, 120)), int(rng.integers(121, 200)))  # upright, never square
        orientation = int(rng.choice([0, 1, 5, 6, 7, 8]))
        stored_size = size[::-1] if orientation >= 5 else size
        name = f"{number:04d}.jpg"
        write_photo(root / name, photo(rng, stored_size), orientation)
        written = stored_size if rng.random() < 0.5 else size
        text_ids = rng.random() < 0.3
        entry = {
            "id": str(number) if text_ids else number,
            "file_name": name,
            "height": written[0],
            "width": written[1],
        }
        images.append(entry)
        truth[name.removesuffix(".jpg")] = {}
        for _ in range(int(rng.integers(1, 5))):
            shape = np.array([[0.1, 0.1], [0.9, 0.15], [0.95, 0.9], [0.2, 0.8]]) * (rng.random((4, 2)) * 0.1 + 0.9)
            points = shape * np.array([size[1], size[0]]) * 0.999
            outline = points.ravel().tolist()
            runs = coco_mask.merge(coco_mask.frPyObjects([outline], *size))
            pixels = coco_mask.decode(runs) > 0
            dialect = int(rng.integers(0, 5))
            segmentation: Any = [
                [outline],
                outline,
                [points.tolist()],
                [[{"x": x, "y": y} for x, y in points.tolist()]],
                {"size": list(size), "counts": runs["counts"].decode()},
            ][dialect]
            key = len(annotations) + 1
            annotation = {"id": key, "image_id": number, "category_id": 1, "segmentation": segmentation, "iscrowd": "0"}
            annotations.append(annotation)
            truth[name.removesuffix(".jpg")][key] = pixels
    file = root / "annotations.json"
    file.write_text(json.dumps({"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "x"}]}))
    return file, truth


def video_tree(root: Path, seed: int, name: str = "walk") -> list[Plane]:
    """One sequence of a tree as YouTube-VOS has it: objects enter and leave, annotations are sparse.

    Returns:
        (H, W) uint8 ids of every frame.
    """
    rng = np.random.default_rng(seed)
    count, size = int(rng.integers(6, 16)), (int(rng.integers(32, 70)), int(rng.integers(32, 90)))
    ids = _random_ids(rng, 30)
    enters = {n: int(rng.integers(0, count - 2)) for n in ids}
    leaves = {n: int(rng.integers(enters[n] + 1, count + 1)) for n in ids}
    boxes = {n: (i * size[0] // len(ids), int(rng.integers(0, size[1] // 2))) for i, n in enumerate(ids)}
    height = max(2, size[0] // len(ids) - 1)
    frames = []
    for number in range(count):
        plane = np.zeros(size, np.uint8)
        for n, (y, x) in boxes.items():
            if enters[n] <= number < leaves[n]:
                plane[y : y + height, x + number : x + number + 14] = n
        frames.append(plane)
        (root / "JPEGImages" / name).mkdir(parents=True, exist_ok=True)
        PillowImage.fromarray(photo(rng, size)).save(root / f"JPEGImages/{name}/{number:05d}.jpg")
    known: set[int] = set()
    only_new, with_empty = rng.random() < 0.5, rng.random() < 0.5
    for number, plane in enumerate(frames):
        present = set(masks_of(plane))
        if present - known or (number == 0 and with_empty):
            shown = np.where(np.isin(plane, sorted(present - known)), plane, 0) if only_new else plane
            _write_ids(root / f"Annotations/{name}/{number:05d}.png", shown.astype(np.uint8))
            known |= present
        _write_ids(root / f"truth/{name}/{number:05d}.png", plane)
    return frames


def _write_ids(path: Path, plane: Plane) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = PillowImage.fromarray(plane)
    picture.putpalette(list(palette()))
    picture.save(path)
