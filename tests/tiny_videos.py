"""Miniature sets of videos, and of many masks a photo, whose masks stand in JSON or in pictures of 16 bits.

Each function writes below the folder it is given and returns the root to open.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage
from pycocotools import mask as coco_mask

from tests.drawing import SIZE, mask, picture, write_picture

NOWHERE = {"size": list(SIZE), "counts": [SIZE[0] * SIZE[1]]}  # run lengths of an object that is not to be seen


def rle(plane: NDArray[np.uint8]) -> dict[str, Any]:
    """COCO's compressed run lengths, as JSON has them."""
    packed = coco_mask.encode(np.asfortranarray(plane))
    return {"size": list(plane.shape), "counts": packed["counts"].decode()}


def runs(plane: NDArray[np.uint8]) -> dict[str, Any]:
    """COCO's run lengths as a list."""
    flat = np.concatenate([[0], plane.T.ravel(), [2]])
    ends = np.flatnonzero(np.diff(flat) != 0)
    lengths = np.diff(np.concatenate([[0], ends]))
    counts = lengths.tolist() if flat[1] == 0 else [0, *lengths.tolist()]
    return {"size": list(plane.shape), "counts": [int(each) for each in counts]}


def small() -> NDArray[np.uint8]:
    """A second object, partly over the first."""
    plane = np.zeros(SIZE, np.uint8)
    plane[20:40, 30:60] = 1
    return plane


def write_frames(root: Path, names: list[str]) -> None:
    """A frame for each name."""
    for number, name in enumerate(names, 1):
        write_picture(root / name, picture(number))


def ytvis(root: Path, count: int = 3) -> Path:
    """train.json and JPEGImages/v1/: one object in all frames, one in the second only."""
    names = [f"v1/{number * 5:05d}.jpg" for number in range(count)]
    write_frames(root / "JPEGImages", names)
    first = [runs(mask(number)) for number in range(1, count + 1)]
    second = [rle(small()) if number == 1 else None for number in range(count)]
    video = {"id": 1, "file_names": names, "height": SIZE[0], "width": SIZE[1], "length": count}
    annotations = [{"id": 7, "video_id": 1, "category_id": 1, "iscrowd": 0, "segmentations": first}]
    annotations.append({"id": 9, "video_id": 1, "category_id": 2, "iscrowd": 0, "segmentations": second})
    document = {"info": {}, "videos": [video], "annotations": annotations, "categories": []}
    (root / "train.json").write_text(json.dumps(document))
    return root


def sav(root: Path, count: int = 3) -> Path:
    """sav_000001_manual.json beside sav_000001/, every fourth frame annotated; the second object is seen once."""
    names = [f"sav_000001/{4 * number:05d}.jpg" for number in range(count)]
    write_frames(root, names)
    masklet = [[rle(mask(number)), rle(small() * np.uint8(number == 2))] for number in range(1, count + 1)]
    head = {"video_id": "sav_000001", "video_height": float(SIZE[0]), "video_width": float(SIZE[1])}
    document = {**head, "masklet_id": [0, 1], "masklet_num": 2, "masklet": masklet}
    (root / "sav_000001_manual.json").write_text(json.dumps(document))
    return root


def burst(root: Path, count: int = 3) -> Path:
    """train.json and frames/train/YFCC100M/v1/: run lengths without their size."""
    names = [f"{number:05d}.jpg" for number in range(count)]
    write_frames(root / "frames" / "train" / "YFCC100M" / "v1", names)
    segmentations = []
    for number in range(1, count + 1):
        tracks = {"1": {"rle": rle(mask(number))["counts"]}}
        segmentations.append({**tracks, "12": {"rle": rle(small())["counts"]}} if number == 2 else tracks)
    sequence = {"seq_name": "v1", "dataset": "YFCC100M", "height": SIZE[0], "width": SIZE[1], "fps": 1}
    sequence |= {"annotated_image_paths": names, "segmentations": segmentations, "track_category_ids": {}}
    (root / "train.json").write_text(json.dumps({"sequences": [sequence], "split": "train"}))
    return root


def sa1b(root: Path, count: int = 3) -> Path:
    """sa_N.jpg beside sa_N.json: two masks that overlap."""
    for number in range(1, count + 1):
        write_picture(root / f"sa_{number}.jpg", picture(number))
        image = {"image_id": number, "width": SIZE[1], "height": SIZE[0], "file_name": f"sa_{number}.jpg"}
        masks = [{"id": 900 + at, "segmentation": rle(plane)} for at, plane in enumerate((mask(number), small()))]
        (root / f"sa_{number}.json").write_text(json.dumps({"image": image, "annotations": masks}))
    return root


def cityscapes(root: Path, count: int = 3) -> Path:
    """leftImg8bit/ and gtFine/: two cars, a group of cars, road."""
    for number in range(1, count + 1):
        name = f"train/aachen/aachen_{number:06d}_000019"
        write_picture(root / "leftImg8bit" / f"{name}_leftImg8bit.png", picture(number))
        ids = np.full(SIZE, 7, np.uint16)
        ids[mask(number) > 0], ids[:4, :6], ids[40:, 50:] = 26000, 26001, 26
        write_ids(root / "gtFine" / f"{name}_gtFine_instanceIds.png", ids)
        write_ids(root / "gtFine" / f"{name}_gtFine_labelIds.png", np.full(SIZE, 7, np.uint16))
    return root


def write_ids(path: Path, ids: NDArray[np.uint16]) -> None:
    """A grey PNG of 16 bits."""
    path.parent.mkdir(parents=True, exist_ok=True)
    PillowImage.fromarray(ids).save(path)


LAYOUTS = {"ytvis": ytvis, "sav": sav, "burst": burst, "sa-1b": sa1b, "cityscapes": cityscapes}
