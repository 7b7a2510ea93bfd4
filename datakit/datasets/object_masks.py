"""A mask file for each object of a photo: each file one sample, so that objects that overlap keep all of their own.

One damaged file costs its own object alone. Where all objects are merged, it costs the photo.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from ..arrays import Mask
from ..errors import ItemError, ItemRef
from ..keys import object_key
from ..mask_files import read_mask
from ..masks import Policy
from ..places import beneath
from ..samples import Photo, Sample, Scene
from .mask_samples import scene_of
from .reader import ReadOptions


class ObjectMask(NamedTuple):
    """The mask file of one object: its number within the photo, its path relative to the root."""

    number: int
    path: str


def scene_of_files(
    key: str, photo: Photo, root: Path, files: Sequence[ObjectMask], options: ReadOptions, policy: Policy
) -> Scene:
    """The objects of a photo, each from a mask file of its own.

    Args:
        key: of the photo.
        photo: upright.
        root: folder that the paths are relative to.
        files: by number, ascending; one or more.
        options: what grey values are, threshold, and whether objects are merged.
        policy: what the layout asks of masks.

    Raises:
        ItemError: objects are merged, and a file cannot be used.
    """
    scenes = []
    for number, path in files:
        try:
            scenes.append(_scene_of_file(ItemRef(object_key(key, number), path), photo, root, number, options, policy))
        except ItemError as error:
            if options.objects == "merged":
                raise ItemError(replace(error.problem, key=key)) from None
            scenes.append(Scene(error.problem.key, (), (error.problem,)))
    samples = tuple(sample for scene in scenes for sample in scene.samples)
    problems = tuple(problem for scene in scenes for problem in scene.problems)
    notes = tuple(replace(note, key=key) for scene in scenes for note in scene.notes)
    if options.objects == "each":
        samples = tuple(replace(sample, photo_key=key) for sample in samples)
        return Scene(key, samples, problems, notes)
    if not samples:
        return Scene(key, (), (replace(problems[0], key=key),), notes)
    return Scene(key, (_merged(key, photo, samples),), (), notes)


def _scene_of_file(
    where: ItemRef, photo: Photo, root: Path, number: int, options: ReadOptions, policy: Policy
) -> Scene:
    mask = read_mask(beneath(root, where.path), where.path, options.max_pixels, where.key)
    scene = scene_of(where, photo, mask, options, policy)
    if len(scene.samples) > 1:
        found = f"holds {len(scene.samples)} objects, expected one in a mask file of one object"
        raise where.failed("mask", "several objects", f"{found}; call it as its photo, or merge them: --objects merged")
    samples = tuple(replace(sample, key=where.key, object_id=number) for sample in scene.samples)
    return replace(scene, samples=samples)


def _merged(key: str, photo: Photo, samples: Sequence[Sample]) -> Sample:
    """All objects of a photo as one; what is void for one and object of none stays void."""
    mask: Mask = samples[0].mask.copy()
    crc32 = 0
    for sample in samples:
        mask |= sample.mask
        crc32 = zlib.crc32(sample.source_crc32.to_bytes(4, "little"), crc32)
    void = [sample.ignore for sample in samples if sample.ignore is not None]
    ignore = None
    if void:
        ignore = void[0].copy()
        for each in void[1:]:
            ignore |= each
        ignore &= 1 - mask
    return Sample(key, key, photo, mask, 1, crc32, ignore)
