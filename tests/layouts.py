"""Small right trees for `check-layout`, one for each loader and task: two videos of two objects, or four stills."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image

from tests.labelled import PALETTE, SIZE, labels_of

VIDEOS = ("bear", "dog")
FRAMES = 16


def photo(path: Path, number: int = 0) -> Path:
    """A picture of the size of all masks here."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((*SIZE, 3), 40 + number, np.uint8)).save(path)
    return path


def mask(path: Path, labels: np.ndarray) -> Path:
    """A palette PNG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(labels.astype(np.uint8))
    image.putpalette(PALETTE)
    image.save(path)
    return path


def davis(root: Path, frames: int = FRAMES, masks: int = FRAMES, size: str = "") -> Path:
    """JPEGImages and Annotations with a mask for the first `masks` frames; below `size` where it is named."""
    for video in VIDEOS:
        for number in range(frames):
            photo(root / "JPEGImages" / size / video / f"{number:05d}.jpg", number)
            if number < masks:
                mask(root / "Annotations" / size / video / f"{number:05d}.png", labels_of(number, (1, 2)))
    return root


def aot_davis(root: Path, masks: int = FRAMES) -> Path:
    """With the resolution and the lists that AOT looks for."""
    davis(root, masks=masks, size="480p")
    (root / "ImageSets/2017").mkdir(parents=True)
    for split in ("train", "val"):
        (root / f"ImageSets/2017/{split}.txt").write_text("".join(f"{name}\n" for name in VIDEOS))
    return root


def youtube_vos(root: Path, masks: int = FRAMES) -> Path:
    """With a meta.json."""
    davis(root, masks=masks)
    frames = [f"{number:05d}" for number in range(FRAMES)]
    objects = {str(each): {"category": "animal", "frames": frames} for each in (1, 2)}
    (root / "meta.json").write_text(json.dumps({"videos": {name: {"objects": objects} for name in VIDEOS}}))
    return root


def sa_v(root: Path) -> Path:
    """A folder for each object, with a mask of 0 and 255 for each frame it is in."""
    davis(root, masks=0)
    for video in VIDEOS:
        for number in range(FRAMES):
            for each in (1, 2):
                plane = (labels_of(number, (1, 2)) == each) * np.uint8(255)
                path = root / f"Annotations/{video}/{each - 1:03d}/{number:05d}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(plane).save(path)
    return root


def flat(root: Path) -> Path:
    """Stills as Cutie and XMem read them: one set, and two classes of fss."""
    for number in range(4):
        for folder in ("ecssd", "fss/cat", "fss/pot"):
            photo(root / folder / f"{number}.jpg", number)
            Image.fromarray((labels_of(number) * 255).astype(np.uint8)).save(root / folder / f"{number}.png")
    return root


def aot_static(root: Path) -> Path:
    """Stills as AOT reads them: two of its five sets."""
    for name in ("ECSSD", "COCO"):
        for number in range(4):
            photo(root / f"JPEGImages/{name}/{number:03d}.jpg", number)
            mask(root / f"Annotations/{name}/{number:03d}.png", labels_of(number, (1, 2)))
    return root


RIGHT = {
    ("cutie", "train"): davis,
    ("cutie", "inference"): lambda root: davis(root, masks=1),
    ("cutie", "static"): flat,
    ("xmem", "train"): davis,
    ("xmem", "inference"): lambda root: davis(root, masks=1),
    ("xmem", "static"): flat,
    ("aot", "train"): aot_davis,
    ("aot", "inference"): lambda root: aot_davis(root, masks=1),
    ("aot", "static"): aot_static,
    ("sam2", "train"): davis,
    ("sam2", "inference"): lambda root: davis(root, masks=1),
    ("mose", "train"): davis,
    ("mose", "inference"): lambda root: davis(root, masks=1),
    ("youtube-vos", "train"): youtube_vos,
    ("youtube-vos", "inference"): lambda root: youtube_vos(root, masks=1),
}
