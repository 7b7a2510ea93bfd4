"""Video sets as stills: DAVIS of both years, and sets that annotate some frames only."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests import tiny
from tests.contracts import check_reader


def test_davis_2016_is_one_object_per_frame(tmp_path: Path) -> None:
    """Grey 0/255 masks: keys are sequence and frame, without an object."""
    reader = tiny.opened("davis", tiny.davis_2016(tmp_path))
    check_reader(reader)
    assert [scene.samples[0].key for scene in reader] == [f"davis/cows/{number:05d}" for number in range(3)]


def test_davis_2017_numbers_its_objects(tmp_path: Path) -> None:
    """Palette ids: one sample per object."""
    reader = tiny.opened("davis", tiny.davis_2017(tmp_path))
    assert [sample.key for sample in reader[0].samples] == ["davis/cows/00000#1", "davis/cows/00000#2"]


def test_ids_saved_as_grey_are_ids_all_the_same(tmp_path: Path) -> None:
    """A frame whose palette was lost keeps its objects, void included."""
    root = tiny.davis_2016(tmp_path, 2)
    tiny.write_grey(root / "Annotations/480p/cows/00000.png", tiny.labels(0))
    tiny.write_grey(root / "Annotations/480p/cows/00001.png", tiny.mask(1) * np.uint8(3))
    first, second = tiny.opened("davis", root)
    assert [sample.object_id for sample in first.samples] == [1, 2] and first.samples[0].ignore is not None
    assert [sample.key for sample in second.samples] == ["davis/cows/00001#3"]


def test_frames_without_annotation_are_left_out(tmp_path: Path) -> None:
    """YouTube-VOS annotates every fifth frame; the others are no failures."""
    root = tiny.davis_2016(tmp_path)
    (root / "Annotations/480p/cows/00001.png").unlink()
    reader = tiny.opened("davis", root)
    assert len(reader) == 2 and [(p.kind, p.reason) for p in reader.problems] == [("left-out", "no mask")]
