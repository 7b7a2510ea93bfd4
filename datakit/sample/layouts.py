"""Writes the drawn data set in the on-disk layouts of ECSSD, COCO and DAVIS.

Every picture has a generator of its own, so a larger sample begins with the smaller one.
What is in the pictures is left to `scenes`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ..arrays import Mask, bounding_box
from ..images import encode_jpeg, encode_palette_png, encode_png
from ..seeds import generator
from .figures import FIGURES
from .scenes import Still, clip, group_scene, several_objects_scene, single_object_scene

FRAMES = 24
QUALITY = 92
SEQUENCE = "crossing"
PALETTE = (0, 0, 0, 128, 0, 0, 0, 128, 0, 128, 128, 0)
CATEGORIES = tuple(FIGURES)


@dataclass(frozen=True)
class SampleData:
    """Where the embedded sample lies and how much it is.

    Attributes:
        ecssd: root of the saliency set (`images/`, `ground_truth_mask/`).
        coco: annotation file of the instance set (pictures in `../val2017`).
        davis: root of the video set (`JPEGImages/480p`, `Annotations/480p`).
        photos: pictures of the saliency set.
        scenes: pictures of the instance set.
        objects: annotations of the instance set, the crowd among them.
        frames: frames of the one clip.
    """

    ecssd: Path
    coco: Path
    davis: Path
    photos: int
    scenes: int
    objects: int
    frames: int


def draw_sample_data(out: Path, seed: int = 0, photos: int = 24) -> SampleData:
    """Draw a small data set with exact masks: photos of one or a few objects, crowded scenes, a clip.

    Args:
        out: folder for `ecssd`, `coco` and `davis`; made when missing, files of the same name are replaced.
        seed: the same seed gives the same pictures and masks.
        photos: pictures in the ECSSD layout; the COCO set has a third of that, at least two.

    Returns:
        Paths and counts.

    Raises:
        OSError: `out` cannot be written.
    """
    draw_saliency_set(out / "ecssd", seed, photos)
    scenes = max(2, photos // 3)
    coco, objects = draw_instance_set(out / "coco", seed, scenes)
    draw_video_set(out / "davis", seed)
    return SampleData(out / "ecssd", coco, out / "davis", photos, scenes, objects, FRAMES)


def draw_saliency_set(root: Path, seed: int, photos: int) -> None:
    """ECSSD layout: `images/0001.jpg` and `ground_truth_mask/0001.png` with values 0 and 255."""
    for k in range(photos):
        still = single_object_scene(generator(seed, f"sample/ecssd/{k:04d}", 0), k)
        _write(root / "images" / f"{k + 1:04d}.jpg", encode_jpeg(still.image, QUALITY))
        mask = (still.labels > 0).astype(np.uint8) * np.uint8(255)
        _write(root / "ground_truth_mask" / f"{k + 1:04d}.png", encode_png(mask))


def draw_instance_set(root: Path, seed: int, scenes: int) -> tuple[Path, int]:
    """COCO layout: `val2017/*.jpg` and `annotations/instances_val2017.json`.

    The first scene has a crowd and a tiny object.

    Returns:
        The annotation file and the number of annotations.
    """
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for k in range(scenes):
        rng = generator(seed, f"sample/coco/{k:04d}", 0)
        still = several_objects_scene(rng) if k else group_scene(rng)
        file, (H, W) = f"{k + 1:012d}.jpg", still.labels.shape
        _write(root / "val2017" / file, encode_jpeg(still.image, QUALITY))
        images.append({"id": k + 1, "file_name": file, "height": H, "width": W})
        annotations += annotate(still, k + 1, first_id=len(annotations) + 1, crowd=0 if k else 3)
    categories = [{"id": n, "name": name, "supercategory": "drawn"} for n, name in enumerate(CATEGORIES, 1)]
    info = {"description": "drawn by datakit sample-data", "version": "1.0"}
    path = root / "annotations" / "instances_val2017.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {"info": info, "licenses": [], "images": images, "annotations": annotations, "categories": categories}
    path.write_text(json.dumps(document))
    return path, len(annotations)


def draw_video_set(root: Path, seed: int) -> None:
    """DAVIS layout: JPEG frames and palette PNG ids of one clip of two fish that cross."""
    rng = generator(seed, "sample/davis/crossing", 0)
    for k, (image, labels) in enumerate(clip(rng, FRAMES)):
        _write(root / "JPEGImages" / "480p" / SEQUENCE / f"{k:05d}.jpg", encode_jpeg(image, QUALITY))
        _write(root / "Annotations" / "480p" / SEQUENCE / f"{k:05d}.png", encode_palette_png(labels, PALETTE))


def annotate(still: Still, image_id: int, first_id: int, crowd: int) -> list[dict[str, Any]]:
    """COCO annotations of a picture's objects, those wholly hidden left out.

    Args:
        still: the picture.
        image_id: its number in the file.
        first_id: annotation ids count from here.
        crowd: object id that is annotated as a crowd, in uncompressed run lengths; 0 for none.
    """
    annotations: list[dict[str, Any]] = []
    for number, name in enumerate(still.names, 1):
        mask = (still.labels == number).astype(np.uint8)
        shape: Any = run_lengths(mask) if number == crowd else polygons(mask)
        box = bounding_box(mask if number == crowd else filled(mask))
        if box is None:
            continue
        record = {"id": first_id + len(annotations), "image_id": image_id, "category_id": CATEGORIES.index(name) + 1}
        area = int((mask if number == crowd else filled(mask)).sum())
        size = {"bbox": [box[0], box[1], box[2] - box[0], box[3] - box[1]], "area": area}
        annotations.append(record | {"segmentation": shape, "iscrowd": int(number == crowd)} | size)
    return annotations


def filled(mask: Mask) -> Mask:
    """The (H, W) mask without its holes: COCO's polygons cannot say them."""
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return cv2.drawContours(np.zeros_like(mask), contours, -1, 1, cv2.FILLED).astype(np.uint8)


def polygons(mask: Mask) -> list[list[int]]:
    """Outer outlines along the pixels' edges, which COCO's rasteriser turns back into exactly `filled(mask)`.

    Returns:
        One [x, y, x, y, …] per connected region, corners only.
    """
    large = np.kron(filled(mask), np.ones((4, 4), np.uint8))
    contours, _ = cv2.findContours(large, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return [_corners((contour[:, 0].astype(np.int32) + 2) // 4).ravel().tolist() for contour in contours]


def _corners(path: NDArray[np.int32]) -> NDArray[np.int32]:
    """The turning points of a closed path of unit steps."""
    path = path[(path != np.roll(path, 1, axis=0)).any(axis=1)]
    before, after = path - np.roll(path, 1, axis=0), np.roll(path, -1, axis=0) - path
    turning: NDArray[np.int32] = path[(before != after).any(axis=1)]
    return turning


def run_lengths(mask: Mask) -> dict[str, list[int]]:
    """Uncompressed COCO run lengths: down the columns, the first run is of zeros."""
    flat = np.concatenate([[0], mask.ravel(order="F"), [2]])
    ends = np.flatnonzero(flat[1:] != flat[:-1])
    counts = np.diff(np.concatenate([[0], ends])).tolist()
    return {"size": list(mask.shape), "counts": counts}


def _write(path: Path, encoded: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encoded)
