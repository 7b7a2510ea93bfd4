"""Views: what they change, what they refuse, and that their slices stay small."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from datakit.datasets import Concat, MinArea, PairsReader, ReadOptions, Record, Resize, Subset
from datakit.errors import UsageError
from tests import tiny


def test_slice_of_a_view_is_as_small_as_the_slice_beneath() -> None:
    """What travels to a worker holds the records of its own photos only."""
    records = (Record(f"e/{n:06d}", f"images/{n:06d}.jpg", [f"masks/{n:06d}.png", n], n) for n in range(2000))
    reader = MinArea(PairsReader("e", Path(), Path(), records, (), ReadOptions()), 5)
    assert len(pickle.dumps(reader[:1])) < len(pickle.dumps(reader)) / 20
    assert len(reader[3:9].records) == 6


def test_concat_sorts_by_key_where_labels_do_not(tmp_path: Path) -> None:
    """The keys of `a-b` stand before those of `a`."""
    root = tiny.ecssd(tmp_path, 2)
    both = Concat([tiny.opened("a", root), tiny.opened("a-b", root)])
    assert [record.key for record in both.records] == ["a-b/0001", "a-b/0002", "a/0001", "a/0002"]
    assert [both[index].key for index in range(-4, 0)] == [record.key for record in both.records]


def test_concat_refuses_equal_labels_and_nothing(tmp_path: Path) -> None:
    """Keys would not be unique."""
    reader = tiny.opened("a", tiny.ecssd(tmp_path, 1))
    for readers in ([reader, reader], []):
        with pytest.raises(UsageError, match="different labels"):
            Concat(readers)


def test_concat_slices_across_its_parts(tmp_path: Path) -> None:
    """A slice over the seam holds a piece of each part; listing problems stay with the whole."""
    root = tiny.ecssd(tmp_path, 3)
    (root / "images" / "Thumbs.db").write_bytes(b"x")
    both = Concat([tiny.opened("a", root), tiny.opened("b", root)])
    part = both[2:4]
    assert [scene.key for scene in part] == ["a/0003", "b/0001"] and len(part.parts) == 2
    assert len(both.problems) == 2 and part.problems == () and len(both[6:]) == 0


@pytest.mark.parametrize("indices", [[0, 0], [3], [-1]])
def test_subset_refuses_what_is_not_there(tmp_path: Path, indices: list[int]) -> None:
    """Indices are different and in range."""
    with pytest.raises(UsageError, match="0 to 2"):
        Subset(tiny.opened("a", tiny.ecssd(tmp_path, 3)), indices)


def test_min_area_moves_objects_to_problems(tmp_path: Path) -> None:
    """Objects are neither lost nor doubled."""
    reader = tiny.opened("c", tiny.coco(tmp_path), options=ReadOptions(min_area=0, crowds=True))
    whole, cut = reader[0], MinArea(reader, 37)[0]
    assert [sample.object_id for sample in cut.samples] == [1, 7]
    assert len(cut.samples) + len(cut.problems) == len(whole.samples)


def test_resize_keeps_photo_masks_and_void_together(tmp_path: Path) -> None:
    """All objects share one photo of the new size; void shrinks with it."""
    reader = Resize(tiny.opened("v", tiny.voc(tmp_path), options=ReadOptions(min_area=0)), 32)
    first, second = reader[0].samples
    assert first.photo is second.photo and first.image.shape == (24, 32, 3)
    assert first.mask.shape == first.ignore.shape == (24, 32) and first.photo.normalised == "resized"


def test_object_that_vanishes_by_resizing_is_named(tmp_path: Path) -> None:
    """A six-pixel square is gone at eight pixels; the problem says so."""
    reader = Resize(tiny.opened("c", tiny.coco(tmp_path, 1), options=ReadOptions(min_area=0)), 4)
    scene = reader[0]
    assert [(p.key, p.reason) for p in scene.problems][-1] == ("c/000000000001#2", "empty mask")
    assert [sample.object_id for sample in scene.samples] == [1]


def test_resize_refuses_nonsense(tmp_path: Path) -> None:
    """On opening, not in a worker."""
    reader = tiny.opened("a", tiny.ecssd(tmp_path, 1))
    with pytest.raises(UsageError, match="at least 1 pixel"):
        Resize(reader, 0)
    with pytest.raises(UsageError, match="jpeg:QUALITY"):
        Resize(reader, None, "gif")


def test_jpeg_pixels_are_those_of_the_bytes(tmp_path: Path) -> None:
    """A lossy codec shows its loss to the deformations too."""
    reader = Resize(tiny.opened("a", tiny.ecssd(tmp_path, 1)), None, "jpeg:20")
    plain = tiny.opened("a", tmp_path)[0].samples[0]
    sample = reader[0].samples[0]
    assert sample.photo.normalised == "recoded" and not np.array_equal(sample.image, plain.image)
