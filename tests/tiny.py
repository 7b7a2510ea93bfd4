"""Miniature data sets in their true official on-disk layouts, for every test that needs one.

Each function writes below the folder it is given and returns the root to open. Pictures
are a gradient with a bright rectangle on it, drawn from the photo's number alone.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from datakit.datasets import AnyReader, ReadOptions, SourceOptions, SourceSpec, open_source
from tests import tiny_tools, tiny_videos
from tests.drawing import SIZE, labels, mask, picture, write_picture

VOC_PALETTE = [0, 0, 0, 128, 0, 0, 0, 128, 0, 128, 128, 0] + [0] * (252 * 3 - 3) + [224, 224, 192]


def opened(
    label: str, root: Path, layout: str | None = None, images: Path | None = None, options: ReadOptions | None = None
) -> AnyReader:
    """The reader of a source; its layout is recognised where none is named."""
    return open_source(SourceSpec(label, layout, root), SourceOptions(options or ReadOptions(), images))


def write_grey(path: Path, plane: NDArray[Any]) -> Path:
    """A grey mask file with these very values."""
    return write_picture(path, plane)


def write_palette(path: Path, ids: NDArray[np.uint8], palette: list[int] | None = None) -> Path:
    """A palette PNG whose indices are the ids, with VOC's colours."""
    path.parent.mkdir(parents=True, exist_ok=True)
    stored = PillowImage.fromarray(ids)
    stored.putpalette(palette or VOC_PALETTE)
    stored.save(path)
    return path


def write_rotated_jpeg(path: Path, image: NDArray[np.uint8], orientation: int) -> Path:
    """A JPEG of these stored pixels that asks by EXIF to be shown turned."""
    path.parent.mkdir(parents=True, exist_ok=True)
    exif = PillowImage.Exif()
    exif[0x0112] = orientation
    PillowImage.fromarray(image).save(path, quality=95, subsampling=0, exif=exif)
    return path


def pair(
    images: Path, masks: Path, name: str, number: int, suffix: str = ".jpg", foreground: int = 255, size: Any = SIZE
) -> None:
    """One picture and its grey PNG mask."""
    write_picture(images / f"{name}{suffix}", picture(number, size))
    write_grey(masks / f"{name}.png", mask(number, size) * np.uint8(foreground))


def ecssd(root: Path, count: int = 3) -> Path:
    """images/0001.jpg and ground_truth_mask/0001.png, grey 0 and 255."""
    for number in range(1, count + 1):
        pair(root / "images", root / "ground_truth_mask", f"{number:04d}", number)
    return root


def msra10k(root: Path, count: int = 3) -> Path:
    """MSRA10K_Imgs_GT/Imgs/N.jpg beside N.png, and a readme."""
    folder = root / "MSRA10K_Imgs_GT" / "Imgs"
    for number in range(1, count + 1):
        pair(folder, folder, str(number * 1000), number)
    (folder.parent / "Readme.txt").write_text("cite us")
    return folder.parent


def sod(root: Path, count: int = 3) -> Path:
    """Images/N.jpg and Masks/N.png."""
    for number in range(1, count + 1):
        pair(root / "Images", root / "Masks", str(number * 2092), number)
    return root


def pascal_s(root: Path, count: int = 3) -> Path:
    """datasets/imgs/pascal/N.jpg and datasets/masks/pascal/N.png, soft: the rim was seen by half of the annotators."""
    for number in range(1, count + 1):
        pair(root / "datasets/imgs/pascal", root / "datasets/masks/pascal", str(number), number)
        soft = cv2.erode(mask(number), np.ones((3, 3), np.uint8)) * 128 + mask(number) * 106
        write_grey(root / "datasets/masks/pascal" / f"{number}.png", soft.astype(np.uint8))
    return root


def duts(root: Path, count: int = 3) -> Path:
    """DUTS-TR/DUTS-TR-Image/*.jpg and DUTS-TR/DUTS-TR-Mask/*.png."""
    top = root / "DUTS-TR"
    for number in range(1, count + 1):
        pair(top / "DUTS-TR-Image", top / "DUTS-TR-Mask", f"ILSVRC2012_test_{number:08d}", number)
    return top


def hku_is(root: Path, count: int = 3) -> Path:
    """imgs/N.png (PNG pictures) and gt/N.png."""
    for number in range(1, count + 1):
        pair(root / "imgs", root / "gt", f"{number:04d}", number, suffix=".png")
    return root


def fss_1000(root: Path, count: int = 4) -> Path:
    """fewshot_data/CLASS/N.jpg beside N.png, two per class, masks as RGB."""
    for number in range(count):
        folder = root / "fewshot_data" / ("ab_wheel", "zucchini")[number % 2]
        pair(folder, folder, str(number // 2 + 1), number)
        write_picture(folder / f"{number // 2 + 1}.png", np.repeat(mask(number)[..., None] * np.uint8(255), 3, axis=2))
    return root


def pairs(root: Path, count: int = 3) -> Path:
    """images/*.jpg and masks/*.png, in subfolders."""
    for number in range(1, count + 1):
        pair(root / "images", root / "masks", f"part{number % 2}/photo {number}", number)
    return root


def voc(root: Path, count: int = 3) -> Path:
    """VOC2012 with JPEGImages, SegmentationObject, XML in Annotations and one photo without a mask."""
    top = root / "VOCdevkit" / "VOC2012"
    for number in range(count + 1):
        name = f"2007_{number:06d}"
        write_picture(top / "JPEGImages" / f"{name}.jpg", picture(number))
        if number < count:
            write_palette(top / "SegmentationObject" / f"{name}.png", labels(number))
            write_palette(top / "SegmentationClass" / f"{name}.png", mask(number) * np.uint8(15))
    (top / "Annotations").mkdir()
    (top / "Annotations" / "2007_000000.xml").write_text("<annotation/>")
    return top


def davis_2016(root: Path, frames: int = 3) -> Path:
    """JPEGImages/480p/SEQ/00000.jpg and Annotations/480p/SEQ/00000.png, grey 0 and 255."""
    for number in range(frames):
        sequence = Path("480p/cows")
        pair(root / "JPEGImages" / sequence, root / "Annotations" / sequence, f"{number:05d}", number)
    return root


def davis_2017(root: Path, frames: int = 3) -> Path:
    """The same folders with palette ids."""
    davis_2016(root, frames)
    for number in range(frames):
        ids = labels(number)
        write_palette(
            root / "Annotations/480p/cows" / f"{number:05d}.png", np.where(ids == 255, 0, ids).astype(np.uint8)
        )
    return root


def coco(root: Path, count: int = 3) -> Path:
    """val2017/*.jpg and annotations/instances_val2017.json: per photo two polygons, then a crowd on the first.

    Annotation ids count up from 1; 2k - 1 is an object of 24x32 pixels, 2k one of 6x6.
    """
    images, annotations = [], []
    for number in range(1, count + 1):
        file = f"{number:012d}.jpg"
        write_picture(root / "val2017" / file, picture(number))
        images.append({"id": number, "file_name": file, "height": SIZE[0], "width": SIZE[1]})
        top, left = 4 + number % 7, 6 + number % 11
        for nth, (height, width) in enumerate(((24, 32), (6, 6))):
            annotations.append(coco_box(2 * number - 1 + nth, number, (left, top, left + width, top + height)))
    crowd = {"counts": [48 * 10, 480, 48 * 64 - 960], "size": list(SIZE)}
    annotations.append({"id": 2 * count + 1, "image_id": 1, "iscrowd": 1, "segmentation": crowd, "category_id": 1})
    return coco_file(root, images, annotations)


def roboflow(root: Path, count: int = 2) -> Path:
    """{train,valid}/_annotations.coco.json beside the photos, category 0 the project; ids begin anew in each split."""
    for start, split in enumerate(("train", "valid")):
        images, annotations = [], []
        for number in range(count):
            file = f"photo{start * count + number}_jpg.rf.{number:032x}.jpg"
            write_picture(root / split / file, picture(start * count + number))
            images.append({"id": number, "license": 1, "file_name": file, "height": SIZE[0], "width": SIZE[1]})
            top, left = 4 + (start * count + number) % 7, 6 + (start * count + number) % 11
            annotations.append(coco_box(number, number, (left, top, left + 32, top + 24)))
        categories = [{"id": 0, "name": "things", "supercategory": "none"}, {"id": 1, "name": "a"}]
        document = {"info": {}, "categories": categories, "images": images, "annotations": annotations}
        (root / split / "_annotations.coco.json").write_text(json.dumps(document))
    (root / "README.roboflow.txt").write_text("exported")
    return root


def coco_panoptic(root: Path, count: int = 3) -> Path:
    """val2017/*.jpg, annotations/panoptic_val2017.json and its PNGs: a thing, a crowd, stuff, and void above."""
    images, annotations = [], []
    for number in range(1, count + 1):
        name = f"{number:012d}"
        write_picture(root / "val2017" / f"{name}.jpg", picture(number))
        ids = np.full(SIZE, 70_000 + number)
        ids[:2], ids[-4:, :8] = 0, 300
        ids[mask(number) > 0] = 9_000_000 + number
        write_panoptic(root / "annotations/panoptic_val2017" / f"{name}.png", ids)
        images.append({"id": number, "file_name": f"{name}.jpg", "height": SIZE[0], "width": SIZE[1]})
        segments = [
            {"id": 70_000 + number, "category_id": 187, "iscrowd": 0},
            {"id": 300, "category_id": 1, "iscrowd": 1},
            {"id": 9_000_000 + number, "category_id": 1, "iscrowd": 0},
        ]
        annotations.append({"image_id": number, "file_name": f"{name}.png", "segments_info": segments})
    categories = [{"id": 1, "name": "person", "isthing": 1}, {"id": 187, "name": "sky-other", "isthing": 0}]
    document = {"images": images, "annotations": annotations, "categories": categories}
    (root / "annotations" / "panoptic_val2017.json").write_text(json.dumps(document))
    return root


def write_panoptic(path: Path, ids: NDArray[Any]) -> Path:
    """An RGB PNG of segment ids, R + 256 G + 65536 B."""
    return write_picture(path, np.stack([ids % 256, ids // 256 % 256, ids // 65536], axis=2).astype(np.uint8))


def coco_box(number: int, image_id: int, box: tuple[int, int, int, int]) -> dict[str, Any]:
    """A polygon annotation of a half-open box (x0, y0, x1, y1)."""
    x0, y0, x1, y1 = box
    outline = [x0, y0, x1, y0, x1, y1, x0, y1]
    return {"id": number, "image_id": image_id, "iscrowd": 0, "segmentation": [outline], "category_id": 1}


def coco_file(root: Path, images: list[Any], annotations: list[Any]) -> Path:
    """annotations/instances_val2017.json with these lists."""
    path = root / "annotations" / "instances_val2017.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "a"}]}))
    return path


LAYOUTS = {
    "msra10k": msra10k,
    "ecssd": ecssd,
    "sod": sod,
    "pascal-s": pascal_s,
    "duts": duts,
    "hku-is": hku_is,
    "fss-1000": fss_1000,
    "pairs": pairs,
    "voc": voc,
    "videos": davis_2017,
    "coco": coco,
    "roboflow": roboflow,
    "coco-panoptic": coco_panoptic,
    **tiny_tools.LAYOUTS,
    **tiny_videos.LAYOUTS,
}
