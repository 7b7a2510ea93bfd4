"""COCO panoptic: segments of things are objects, stuff is left out by name, void is no object's.

Pixels of the miniature are those that datumaro 1.13.12 reads from it: 768 of the thing, 32 of the crowd, 2144 of stuff.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from datakit.datasets import AnyReader, ReadOptions, recognise
from datakit.datasets.coco.panoptic import NO_THINGS, TURNED, UNLISTED
from datakit.errors import UsageError
from datakit.files import canonical_json
from datakit.samples import Scene
from tests import tiny
from tests.contracts import check_problems, check_reader, check_scene
from tests.hostile_sets import VALUES, spots

ALL = ReadOptions(min_area=0, crowds=True)
FILE = "annotations/panoptic_val2017.json"
PNG = "annotations/panoptic_val2017/000000000001.png"


def opened(root: Path, change: Callable[[Any], object] = lambda document: None, **more: Any) -> AnyReader:
    """The miniature of two photos after a change to its document."""
    if not (root / FILE).exists():
        tiny.coco_panoptic(root, 2)
    document = json.loads((root / FILE).read_text())
    change(document)
    (root / FILE).write_text(json.dumps(document))
    return tiny.opened("p", root, **{"options": ALL, **more})


def problems(reader: AnyReader) -> list[tuple[str, str, str]]:
    """(key, kind, reason) of everything that gives no sample."""
    all_of = [*reader.problems, *(problem for scene in reader for problem in scene.problems)]
    return [(problem.key.removeprefix("p/00000000000"), problem.kind, problem.reason) for problem in all_of]


def pixels(scene: Scene) -> dict[int, int]:
    """Of every object."""
    return {sample.object_id: int(sample.mask.sum()) for sample in scene.samples}


def test_things_are_objects_and_stuff_is_left_out_by_name(tmp_path: Path) -> None:
    """Ids count in 65536s of blue and 256s of green; a crowd stays one."""
    reader = opened(tmp_path)
    check_reader(reader)
    assert pixels(reader[0]) == {300: 32, 9_000_001: 768}
    assert problems(reader) == [("1#70001", "left-out", "stuff"), ("2#70002", "left-out", "stuff")]
    assert "sky-other" in reader[0].problems[0].detail
    assert np.array_equal(reader[0].samples[1].mask, tiny.mask(1))
    assert ("1#300", "left-out", "crowd") in problems(opened(tmp_path, options=ReadOptions(min_area=0)))


def test_void_is_the_ignore_region_of_every_object(tmp_path: Path) -> None:
    """Id 0, two rows of the miniature."""
    for sample in opened(tmp_path)[0].samples:
        assert sample.ignore is not None and sample.ignore[:2].all() and not sample.ignore[2:].any()


def test_a_photo_without_void_has_no_ignore_region(tmp_path: Path) -> None:
    """None, and no plane of zeros."""
    tiny.coco_panoptic(tmp_path, 2)
    tiny.write_panoptic(tmp_path / PNG, np.full(tiny.SIZE, 300))
    assert opened(tmp_path)[0].samples[0].ignore is None


def test_segments_that_the_file_does_not_list_are_void_and_told(tmp_path: Path) -> None:
    """With how many pixels nobody claims."""
    reader = opened(tmp_path, lambda document: document["annotations"][0]["segments_info"].pop(1))
    (note,) = reader[0].notes
    assert note.reason == UNLISTED and "1 of them, 300" in note.detail and "32 pixels" in note.detail
    assert int(reader[0].samples[0].ignore.sum()) == 128 + 32 and not reader[1].notes


def test_a_file_that_calls_no_category_a_thing_gives_all_segments(tmp_path: Path) -> None:
    """Datumaro writes `isthing` 0 for every category unless it is told otherwise."""

    def change(document: Any) -> None:
        for category in document["categories"]:
            category["isthing"] = 0

    reader = opened(tmp_path, change)
    assert pixels(reader[0]) == {300: 32, 70_001: 2144, 9_000_001: 768}
    assert [note.reason for note in reader[0].notes] == [NO_THINGS]
    assert [note.reason for note in reader[1:][0].notes] == [NO_THINGS]


def test_merged_things_are_one_sample(tmp_path: Path) -> None:
    """Without stuff and crowds."""
    (sample,) = opened(tmp_path, options=ReadOptions(objects="merged"))[0].samples
    assert sample.key == "p/000000000001" and int(sample.mask.sum()) == 768


def test_a_changed_png_is_a_changed_source(tmp_path: Path) -> None:
    """Its bytes are part of what a sample's CRC-32 is of, also where the JSON file is the same."""
    before = opened(tmp_path)[0].samples[0].source_crc32
    ids = cv2.imread(str(tmp_path / PNG))
    ids[-1, -1] = 0
    cv2.imwrite(str(tmp_path / PNG), ids)
    assert opened(tmp_path)[0].samples[0].source_crc32 != before


def bare(root: Path) -> None:
    """The PNG as a grey one."""
    tiny.write_grey(root / PNG, np.full(tiny.SIZE, 7, np.uint8))


def small(root: Path) -> None:
    """The PNG of another size."""
    tiny.write_panoptic(root / PNG, np.full((48, 63), 300))


def cut(root: Path) -> None:
    """The PNG without its end."""
    (root / PNG).write_bytes((root / PNG).read_bytes()[:-20])


@pytest.mark.parametrize(
    ("spoil", "reason"), [(bare, "no panoptic PNG"), (small, "size mismatch"), (cut, "truncated image")]
)
def test_a_png_that_cannot_be_used_fails_each_of_its_things(
    tmp_path: Path, spoil: Callable[[Path], None], reason: str
) -> None:
    """So that segments can be counted; the other photo is read."""
    tiny.coco_panoptic(tmp_path, 2)
    spoil(tmp_path)
    reader = opened(tmp_path)
    check_reader(reader)
    assert problems(reader) == [
        ("1#70001", "left-out", "stuff"),
        ("1#300", "failed", reason),
        ("1#9000001", "failed", reason),
        ("2#70002", "left-out", "stuff"),
    ]
    assert len(reader[1].samples) == 2


def test_a_segment_without_a_pixel_is_an_empty_mask(tmp_path: Path) -> None:
    """Left out as anywhere."""
    more = {"id": 5, "category_id": 1, "iscrowd": 0}
    reader = opened(tmp_path, lambda document: document["annotations"][0]["segments_info"].append(more))
    assert ("1#5", "left-out", "empty mask") in problems(reader)


def broken(document: Any) -> None:
    """A segment twice, segments without a number, entries without what they need, a photo twice, names that climb."""
    first, second = document["annotations"]
    first["segments_info"] += [{"id": 300}, {"id": 0}, {"id": "x"}, 5]
    document["annotations"] += [{"image_id": 1}, 7, {**second}, {**first, "image_id": 9, "file_name": "../../x.png"}]


def test_broken_entries_are_named_one_by_one(tmp_path: Path) -> None:
    """Each costs itself alone."""
    reader = opened(tmp_path, broken)
    check_reader(reader)
    assert [(problem.key, problem.reason) for problem in reader.problems] == [
        ("p/annotation-0-3", "broken segment"),
        ("p/annotation-0-4", "broken segment"),
        ("p/annotation-0-5", "broken segment"),
        ("p/annotation-0-6", "broken segment"),
        ("p/annotation-2", "broken annotation"),
        ("p/annotation-3", "broken annotation"),
        *[(f"p/annotation-4#{number}", "duplicate annotation") for number in (300, 70002, 9000002)],
        *[(f"p/annotation-5#{number}", "missing mask") for number in (300, 70001, 9000001)],
        *[(f"p/annotation-5-{place}", "broken segment") for place in (3, 4, 5, 6)],
    ]
    assert pixels(reader[0]) == {300: 32, 9_000_001: 768}


def test_photos_that_exif_turns_take_their_segments_along(tmp_path: Path) -> None:
    """A PNG of the stored size is turned, one of the upright size stays, and a half turn is told."""
    tiny.coco_panoptic(tmp_path, 2)
    for number, orientation in ((1, 6), (2, 3)):
        tiny.write_rotated_jpeg(tmp_path / f"val2017/{number:012d}.jpg", tiny.picture(number), orientation)
    quarter, half = opened(tmp_path)
    assert np.array_equal(quarter.samples[1].mask, np.rot90(tiny.mask(1), -1)) and not quarter.notes
    assert np.array_equal(half.samples[1].mask, tiny.mask(2)[::-1, ::-1])
    assert [note.reason for note in half.notes] == [TURNED]
    upright = opened(tmp_path, options=ReadOptions(min_area=0, annotated={"p": "upright"}))[1]
    assert np.array_equal(upright.samples[0].mask, tiny.mask(2)) and not upright.notes
    assert np.array_equal(quarter.samples[0].ignore[:, -2:], np.ones((64, 2)))


def test_the_png_may_lie_beside_the_photos_or_the_file(tmp_path: Path) -> None:
    """ROOT/panoptic_val2017 as well as annotations/panoptic_val2017; nowhere is an error that names the places."""
    tiny.coco_panoptic(tmp_path, 2)
    (tmp_path / PNG).parent.rename(tmp_path / "panoptic_val2017")
    assert len(opened(tmp_path)[0].samples) == 2
    (tmp_path / "panoptic_val2017").rename(tmp_path / "elsewhere")
    with pytest.raises(UsageError, match="its PNGs, such as 000000000001"):
        opened(tmp_path)


def test_instances_come_first_where_both_are_there(tmp_path: Path) -> None:
    """The same photos twice would be no more; the panoptic file itself is recognised by its name."""
    tiny.coco_panoptic(tmp_path, 2)
    tiny.coco(tmp_path, 2)
    assert recognise(tmp_path)[0] == "coco"
    assert recognise(tmp_path / FILE)[0] == "coco-panoptic"
    with pytest.raises(UsageError, match="LABEL:coco-panoptic=FILE"):
        tiny.opened("p", tmp_path / FILE, "coco")
    with pytest.raises(UsageError, match="LABEL:coco=FILE"):
        tiny.opened("p", tmp_path / "annotations/instances_val2017.json", "coco-panoptic")


@pytest.mark.parametrize("seed", range(40))
def test_changed_documents_cost_no_more_than_what_they_change(tmp_path: Path, seed: int) -> None:
    """Values replaced or removed at random: refused with a sentence, or every photo is sound or has reasons."""
    rng = random.Random(seed)
    tiny.coco_panoptic(tmp_path, 2)
    document = json.loads((tmp_path / FILE).read_text())
    for _ in range(rng.choice((1, 1, 2, 4))):
        *parents, last = rng.choice(list(spots(document)))
        holder = document
        for key in parents:
            holder = holder[key]
        if rng.random() < 0.2:
            del holder[last]
        else:
            holder[last] = rng.choice(VALUES)
    (tmp_path / FILE).write_text(json.dumps(document))
    try:
        reader = tiny.opened("p", tmp_path / FILE, options=ALL)
    except UsageError as error:
        assert len(str(error)) > 40
        return
    check_problems(reader.problems)
    for index, record in enumerate(reader.records):
        canonical_json(record).encode()
        check_scene(reader, index, record.key)
    assert len(reader) + len(reader.problems) >= 2
