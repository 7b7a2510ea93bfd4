"""Draws docs/use.jpg, the picture of the README, from free photos: python tools/readme_picture.py FOLDER

FOLDER holds coffee.png, rocket.jpg and astronaut.png as scikit-image's wheel has them in `skimage/data`: coffee by
Rachel Michetti (CC0), rocket by SpaceX (CC0), astronaut by NASA (public domain).
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np

from datakit.arrays import Box, Image, Mask, iou
from datakit.photo_files import read_photo
from datakit.samples import Sample
from datakit.transforms import PRESETS
from datakit.triples import make_triples
from model.checkpoint import load_network
from model.compute import Compute
from model.propagate import Propagator
from model.refine import RefineConfig, refine
from model.segmenter import Segmenter

PHOTOS: dict[str, Box] = {
    "coffee.png": (60, 20, 540, 398),
    "rocket.jpg": (290, 60, 345, 390),
    "astronaut.png": (20, 0, 400, 512),
}
HEIGHT, WIDTH, GAP, CAPTION = 200, 300, 6, 26
ORANGE = np.array([255, 128, 0])


def main(folder: Path) -> None:
    """One row a photo: its box, the mask found in it, a guide mask, and what the network makes of that."""
    net, _ = load_network("bundled")
    compute = Compute.chosen(net, "cpu", "fp32")
    rows = [row(net, compute, folder / name, box) for name, box in PHOTOS.items()]
    picture = np.vstack([np.pad(each, ((0, GAP), (0, 0), (0, 0)), constant_values=255) for each in rows])
    cv2.imwrite("docs/use.jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])


def row(net: Segmenter, compute: Compute, path: Path, box: Box) -> Image:
    """The tiles of one photo beside each other, (HEIGHT + CAPTION, W, 3) uint8."""
    photo = read_photo(path, path.name, 10**8)
    found = Propagator(net, compute).box_mask(photo.pixels, {1: box})
    boxed = cv2.rectangle(photo.pixels.copy(), box[:2], (box[2] - 1, box[3] - 1), (0, 230, 230), 3)
    tiles = [tile(boxed, "a box"), tile(painted(photo.pixels, found), "its mask by the bundled network")]
    sample = Sample(f"free/{path.stem}", f"free/{path.stem}", photo, found, 1, 0)
    triple = make_triples(sample, PRESETS["masktrack"], seed=1)[1]
    (scores,) = refine(net, photo.pixels, [triple.guide], RefineConfig(), compute)
    made = (scores > 0).astype(np.uint8)
    tiles.append(tile(painted(photo.pixels, triple.guide), f"a guide mask made of it, IoU {triple.iou:.2f}"))
    tiles.append(tile(painted(photo.pixels, made), f"what the network makes of that, {iou(made, found):.2f}"))
    return np.hstack(tiles)


def painted(image: Image, mask: Mask) -> Image:
    """A photo with its mask in orange and a dark outline."""
    shown = image.copy()
    shown[mask > 0] = (0.45 * shown[mask > 0] + 0.55 * ORANGE).astype(np.uint8)
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return cv2.drawContours(shown, outlines, -1, (60, 20, 0), 2)


def tile(image: Image, caption: str) -> Image:
    """A picture fitted into WIDTH x HEIGHT on white, a caption below."""
    factor = min(WIDTH / image.shape[1], HEIGHT / image.shape[0])
    small = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    canvas = np.full((HEIGHT + CAPTION, WIDTH + GAP, 3), 255, np.uint8)
    left = (WIDTH - small.shape[1]) // 2
    canvas[: small.shape[0], left : left + small.shape[1]] = small
    cv2.putText(canvas, caption, (4, HEIGHT + 18), cv2.FONT_HERSHEY_SIMPLEX, 0.44, (40, 40, 40), 1, cv2.LINE_AA)
    return canvas


if __name__ == "__main__":
    main(Path(sys.argv[1]))
