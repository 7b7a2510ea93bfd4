"""Hand-made samples and triples for tests that need no file on disk."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from datakit.images import encode_png
from datakit.samples import Photo, Sample, Triple
from datakit.shards import ShardHeader, ShardStats, ShardWriter
from datakit.transforms import PRESETS
from datakit.triples import make_triples

RECIPES = (PRESETS["masktrack"], PRESETS["masktrack-box"])


def made_photo(seed: int = 0, height: int = 60, width: int = 80) -> Photo:
    """A photo of noise."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Photo.decoded(pixels, encode_png(pixels), "", seed)


def made_mask(height: int = 60, width: int = 80, inset: int = 15) -> np.ndarray:
    """A filled rectangle."""
    mask = np.zeros((height, width), np.uint8)
    mask[inset : height - inset, inset : width - inset] = 1
    return mask


def made_sample(key: str = "made/a", seed: int = 0, ignore: bool = False) -> Sample:
    """A sample whose photo is noise and whose mask is a rectangle."""
    photo = made_photo(seed)
    region = made_mask(inset=25) if ignore else None
    return Sample(key, key.partition("#")[0], photo, made_mask(inset=12 + seed % 5), 1, 7 + seed, region)


def made_triples(sample: Sample, seed: int = 0) -> list[Triple]:
    """Its triples by the recipes `masktrack` and `masktrack-box`."""
    return [triple for recipe in RECIPES for triple in make_triples(sample, recipe, seed)]


def made_header() -> ShardHeader:
    """A header for a shard of made samples."""
    names = {recipe.name: recipe.parameter_names for recipe in RECIPES}
    return ShardHeader("made", {"recipes": [recipe.to_dict() for recipe in RECIPES]}, {"opencv": "5"}, names)


def write_made(path: Path, samples: Iterable[Sample]) -> ShardStats:
    """A shard of made samples with their triples."""
    with ShardWriter(path, made_header()) as writer:
        for sample in samples:
            writer.add(sample, made_triples(sample))
        return writer.publish()
