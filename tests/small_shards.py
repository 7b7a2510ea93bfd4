"""Finished folders of shards from hand-made samples, for tests of what reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from datakit.files import write_text
from datakit.images import encode_png
from datakit.samples import Photo, Sample
from datakit.shards import Manifest, ShardEntry, ShardHeader, ShardWriter, write_manifest
from datakit.triples import expand
from tests.made import RECIPES

SIZE = (60, 80)


def disc(number: int, nth: int = 0, size: tuple[int, int] = SIZE) -> np.ndarray:
    """(H, W) 0/1: a disc, its place and radius a matter of the photo's and the object's number."""
    mask = np.zeros(size, np.uint8)
    centre = (24 + 5 * (number % 4) + 16 * nth, 22 + 3 * (number % 5))
    return cv2.circle(mask, centre, 12 + number % 3, 1, -1)


def small_samples(
    label: str, photos: int, objects: int = 1, ignore: bool = False, crc32: int = 0
) -> list[list[Sample]]:
    """The samples of each photo, whose green shows all objects at 250 on 10; `ignore` takes the right half out.

    The files' CRC-32 are made up, from `crc32` on.
    """
    made = []
    for number in range(photos):
        masks = [disc(number, nth) for nth in range(objects)]
        pixels = np.full((*SIZE, 3), 10 + number, np.uint8)
        pixels[..., 1] = np.where(np.max(masks, axis=0), 250, 10)
        photo = Photo.decoded(pixels, encode_png(pixels), "", crc32 + number)
        right = np.zeros(SIZE, np.uint8)
        right[:, SIZE[1] // 2 :] = 1
        key = f"{label}/{number:03d}"
        made.append([
            Sample(f"{key}#{nth}" if objects > 1 else key, key, photo, mask, nth + 1, 7, right if ignore else None)
            for nth, mask in enumerate(masks)
        ])  # fmt: skip
    return made


def write_shards(
    folder: Path, label: str = "made", photos: int = 6, per_shard: int = 4, recipes: Any = RECIPES, **options: Any
) -> Path:
    """A finished folder of `photos`, cut at `per_shard`; by default two `masktrack` and one `masktrack-box` each."""
    folder.mkdir(parents=True)
    entries = []
    groups = small_samples(label, photos, **options)
    settings = {"recipes": [recipe.to_dict() for recipe in recipes]}
    names = {recipe.name: recipe.parameter_names for recipe in recipes}
    for number, start in enumerate(range(0, photos, per_shard)):
        path = folder / f"{label}-{number:05d}.h5"
        with ShardWriter(path, ShardHeader(label, settings, {"opencv": "5"}, names)) as writer:
            for sample in [sample for group in groups[start : start + per_shard] for sample in group]:
                for view, triples in expand(sample, recipes, 0):
                    writer.add(view, triples)
            stats = writer.publish()
        counts = stats.photos, stats.samples, stats.triples, stats.samples
        entries.append(ShardEntry(path.name, label, "", stats.bytes, stats.sha256, *counts))
    write_text(folder / "errors.jsonl", "")
    write_manifest(folder, Manifest(settings, {}, {}, tuple(entries), {}, ""))
    return folder
