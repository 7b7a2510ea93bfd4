"""Photos that EXIF turns: outlines drawn on what the tool showed, whatever width and height it wrote."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as PillowImage
from PIL import ImageOps
from pycocotools import mask as coco_mask

from datakit.datasets import ReadOptions
from datakit.samples import Scene
from tests import tiny

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")  # of pycocotools, under numpy 2
STORED = (48, 64)
FAR = [[40, 8, 62, 8, 62, 30, 40, 30], [4, 30, 20, 30, 20, 44, 4, 44]]  # fits a frame 64 wide only
NEAR = [[10, 8, 30, 8, 30, 20, 10, 20]]  # fits 48 x 64 and 64 x 48


def swap(polygons: list[list[int]]) -> list[list[int]]:
    """x for y: an outline for a frame 64 high."""
    return [[polygon[i ^ 1] for i in range(len(polygon))] for polygon in polygons]


def drawn_mask(segmentation: Any, size: tuple[int, int]) -> NDArray[np.uint8]:
    return coco_mask.decode(coco_mask.frPyObjects(segmentation, *size)).max(axis=2)


def turned(mask: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """What Pillow makes of a mask of the stored pixels."""
    picture = PillowImage.fromarray(mask)
    picture.getexif()[0x0112] = orientation
    return np.asarray(ImageOps.exif_transpose(picture))


def scene(
    root: Path, orientation: int, written: Any, *segmentations: Any, stored: Any = STORED, **annotated: str
) -> Scene:
    """A photo with this EXIF orientation, written as of this size, with these outlines."""
    tiny.write_rotated_jpeg(root / "val2017" / "a.jpg", tiny.picture(1, stored), orientation)
    height, width = written or (None, None)
    image = {"id": 1, "file_name": "a.jpg", "height": height, "width": width}
    annotations = [{"id": n, "image_id": 1, "segmentation": each} for n, each in enumerate(segmentations, 1)]
    options = ReadOptions(min_area=0, annotated={label.strip("_"): drawn for label, drawn in annotated.items()})
    return tiny.opened("c", tiny.coco_file(root, [image], annotations), options=options)[0]


def upright_size(orientation: int) -> tuple[int, int]:
    return STORED[::-1] if orientation >= 5 else STORED


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("written", ["stored", "upright", "missing"])
@pytest.mark.parametrize("drawn", ["stored", "upright"])
def test_table_of_exif_written_and_drawn(tmp_path: Path, orientation: int, written: str, drawn: str) -> None:
    """The right mask for all eight; where both frames are of one size, what is asked for, else upright."""
    sizes = {"stored": STORED, "upright": upright_size(orientation), "missing": None}
    is_tall = orientation >= 5 and drawn == "upright"
    outline = swap(FAR) if is_tall else FAR
    truth = drawn_mask(outline, STORED[::-1] if is_tall else STORED)
    if drawn == "stored":
        truth = turned(truth, orientation)
    asked = {"c": drawn} if 2 <= orientation <= 4 else {}
    found = scene(tmp_path, orientation, sizes[written], outline, **asked)
    assert np.array_equal(found.samples[0].mask, truth) and not found.problems
    only = f"photos turned by EXIF, outlines fit the {'photo as stored' if drawn == 'stored' else 'upright photo'} only"
    assert [note.reason for note in found.notes] == ([only] if orientation >= 5 else [])


@pytest.mark.parametrize("orientation", range(2, 9))
@pytest.mark.parametrize(
    "options", [{}, {"c": "upright"}, {"c": "stored"}, {"_": "stored"}, {"c": "upright", "_": "stored"}]
)
def test_where_it_cannot_be_told_options_decide_else_upright(tmp_path: Path, orientation: int, options: Any) -> None:
    """Half turns, and outlines that fit both ways; told where nobody said so."""
    found = scene(tmp_path, orientation, STORED, NEAR, **options)
    asked = options.get("c", options.get("_"))
    truth = turned(drawn_mask(NEAR, STORED), orientation)
    if asked != "stored":
        truth = drawn_mask(NEAR, upright_size(orientation))
    assert np.array_equal(found.samples[0].mask, truth)
    told = [note.reason for note in found.notes]
    assert len(told) == (not options) and all("fit both ways" in each and "--annotated stored" in each for each in told)


def test_square_photo_cannot_tell(tmp_path: Path) -> None:
    """EXIF 6 of a square: upright, or as asked."""
    found = scene(tmp_path, 6, (64, 64), NEAR, stored=(64, 64))
    assert np.array_equal(found.samples[0].mask, drawn_mask(NEAR, (64, 64))) and len(found.notes) == 1
    asked = scene(tmp_path, 6, (64, 64), NEAR, stored=(64, 64), c="stored")
    assert np.array_equal(asked.samples[0].mask, turned(drawn_mask(NEAR, (64, 64)), 6)) and not asked.notes


def test_all_outlines_of_a_photo_decide_together(tmp_path: Path) -> None:
    """One outline fits upright only; the other, which fits both ways, lies on the same photo."""
    found = scene(tmp_path, 6, STORED, NEAR, swap(FAR))
    assert np.array_equal(found.samples[0].mask, drawn_mask(NEAR, (64, 48)))
    other = scene(tmp_path, 6, STORED, NEAR, FAR)
    assert np.array_equal(other.samples[0].mask, turned(drawn_mask(NEAR, STORED), 6))


def test_outlines_decide_against_the_option(tmp_path: Path) -> None:
    """--annotated is for what the file does not tell."""
    found = scene(tmp_path, 6, STORED, swap(FAR), c="stored")
    assert np.array_equal(found.samples[0].mask, drawn_mask(swap(FAR), (64, 48)))


@pytest.mark.parametrize("over", [0, 1, 2])
def test_pixels_over_the_edge_do_not_decide(tmp_path: Path, over: int) -> None:
    """An upright outline two pixels beyond the lower edge is still upright; what it lies in is tried with tolerance."""
    outline = [[4, 30, 40, 30, 40, 64 + over, 4, 64 + over]]
    found = scene(tmp_path, 6, STORED, outline)
    assert np.array_equal(found.samples[0].mask, drawn_mask(outline, (64, 48)))
    touching = scene(tmp_path, 6, STORED, [[10, 8, 30, 8, 30, 48 + over, 10, 48 + over]])
    assert "fit both ways" in touching.notes[0].reason


def test_a_stray_does_not_decide(tmp_path: Path) -> None:
    """A ring that fits neither frame, or is far away, says nothing; the whole ones do."""
    for stray in ([900, 900, 950, 900, 950, 950], [60, 60, 64, 60, 64, 64], [1e9, 0, 1e9, 9, 0, 9]):
        found = scene(tmp_path, 6, STORED, [*swap(FAR), stray], NEAR)
        assert np.array_equal(found.samples[1].mask, drawn_mask(NEAR, (64, 48)))


def test_run_lengths_carry_their_size(tmp_path: Path) -> None:
    """Of the stored size: turned; of the upright size: as they are, whatever size is written for the photo."""
    stored, upright = drawn_mask(FAR, STORED), drawn_mask(swap(FAR), STORED[::-1])
    texts = [coco_mask.encode(np.asfortranarray(mask))["counts"].decode() for mask in (stored, upright)]
    rle = [{"size": [48, 64], "counts": texts[0]}, {"size": [64, 48], "counts": texts[1]}]
    for written in (STORED, STORED[::-1], None):
        found = scene(tmp_path, 8, written, *rle)
        assert np.array_equal(found.samples[0].mask, turned(stored, 8))
        assert np.array_equal(found.samples[1].mask, upright)
    beside = scene(tmp_path, 8, STORED, NEAR, rle[0])
    assert np.array_equal(beside.samples[0].mask, turned(drawn_mask(NEAR, STORED), 8)), "polygons go with run lengths"


def test_photos_resized_after_labelling_fail(tmp_path: Path) -> None:
    """The file says the new size, its outlines are for the old: most lies outside, in either frame."""
    for orientation in (1, 6):
        found = scene(tmp_path, orientation, STORED, [[70, 50, 120, 50, 120, 90]], [[40, 10, 126, 10, 126, 90, 40, 90]])
        assert [problem.reason for problem in found.problems] == ["outline outside the photo"] * 2
        assert "was the photo resized or turned" in found.problems[0].detail


def test_cut_outlines_and_strays_are_noted(tmp_path: Path) -> None:
    """Each object that was read with less than its outline, by name."""
    found = scene(tmp_path, 1, STORED, [[50, 10, 69, 10, 69, 30, 50, 30]], [NEAR[0], [1, 2]], NEAR)
    assert [(note.key, note.reason) for note in found.notes] == [
        ("c/a#1", "outlines cut off by the edge of the photo"),
        ("c/a#2", "outlines without their stray parts"),
    ]
    assert len(found.samples) == 3 and "74%" in found.notes[0].detail and "shape (2,)" in found.notes[1].detail
