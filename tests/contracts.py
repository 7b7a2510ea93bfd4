"""What every member of a family must keep: a new reader is finished when it passes its check."""

from __future__ import annotations

import json
import pickle
import unicodedata
from collections.abc import Iterator
from typing import Any

import numpy as np

from datakit.arrays import check_image, check_mask, check_same_size
from datakit.errors import ItemError
from datakit.images import decode_picture
from datakit.samples import Sample, Scene


def check_reader(reader: Any) -> None:
    """The contract of a reader or view: a sorted Sequence of sound scenes, the same twice and after pickling."""
    keys = [record.key for record in reader.records]
    assert len(reader) == len(keys) > 0
    assert keys == sorted(set(keys)), "keys are unique and sorted"
    assert all(unicodedata.is_normalized("NFC", key) for key in keys)
    json.dumps([list(record) for record in reader.records])
    check_problems(reader.problems)
    scenes = [scene_or_error(reader, index) for index in range(len(reader))]
    assert scenes == [scene_or_error(reader, index) for index in range(len(reader))], "twice the same"
    check_indexing(reader, scenes)
    travelled = pickle.loads(pickle.dumps(reader[:2]))
    assert [scene_or_error(travelled, index) for index in range(len(travelled))] == scenes[:2]
    for index, key in enumerate(keys):
        check_scene(reader, index, key)


def check_indexing(reader: Any, scenes: list[Any]) -> None:
    """Negative indices, slices of slices, the end of the sequence."""
    assert scene_or_error(reader, -1) == scenes[-1]
    half = reader[1:]
    assert type(half) is type(reader) and len(half) == len(scenes) - 1 and tuple(half.problems) == ()
    assert [record.key for record in half[::2].records] == [record.key for record in reader.records][1:][::2]
    if len(half):
        assert scene_or_error(half, 0) == scenes[1]
    try:
        reader[len(reader)]
    except IndexError:
        return
    raise AssertionError("an index behind the end gives no IndexError")


def check_scene(reader: Any, index: int, key: str) -> None:
    """One record gives a sound scene, or an ItemError about itself."""
    try:
        scene: Scene = reader[index]
    except ItemError as error:
        assert error.problem.key == key and error.problem.kind == "failed"
        return
    assert scene.key == key
    check_problems(scene.problems)
    assert scene.samples or scene.problems, f"{key}: neither a sample nor a reason"
    assert [sample.object_id for sample in scene.samples] == sorted({sample.object_id for sample in scene.samples})
    for sample in scene.samples:
        check_sample(sample, key)


def check_sample(sample: Sample, photo_key: str) -> None:
    """Image and mask keep the house's conventions, and the stored bytes are the pixels."""
    assert sample.photo_key == photo_key and sample.key in (photo_key, f"{photo_key}#{sample.object_id}")
    check_image(sample.image, sample.key)
    check_mask(sample.mask, sample.key)
    check_same_size(sample.image, sample.mask, sample.key)
    assert sample.mask.any() and sample.mask.flags.c_contiguous
    assert np.array_equal(decode_picture(sample.photo.encoded), sample.image)
    if sample.ignore is not None:
        check_mask(sample.ignore, sample.key)
        check_same_size(sample.image, sample.ignore, sample.key)
        assert not (sample.ignore & sample.mask).any()


def check_problems(problems: Any) -> None:
    """A problem says what, of which kind, and where, without a path that is true on one machine only."""
    for problem in problems:
        assert problem.kind in ("failed", "left-out")
        assert problem.stage in ("list", "read", "decode", "mask", "select", "deform")
        assert problem.key and 0 < len(problem.reason) <= 30 and len(problem.detail) > 15
        assert " /" not in problem.detail and not problem.detail.startswith("/")


def scene_or_error(reader: Any, index: int) -> Any:
    """A scene or its error, as plain values that can be compared."""
    try:
        return tuple(plain(reader[index]))
    except ItemError as error:
        return error.problem


def plain(scene: Scene) -> Iterator[Any]:
    """The parts of a scene in comparable form."""
    yield scene.key, scene.problems
    for sample in scene.samples:
        ignore = None if sample.ignore is None else sample.ignore.tobytes()
        photo = sample.photo
        yield sample.key, sample.object_id, sample.source_crc32, sample.mask.tobytes(), ignore
        yield photo.encoded, photo.pixels.tobytes(), photo.normalised, photo.source_crc32, photo.orientation
