"""The embedded sample: true layouts, exact masks, the same for the same seed."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import PIL.Image
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pycocotools import mask as coco_mask

from datakit.sample import SampleData, draw_sample_data
from datakit.sample.drawing import paint
from datakit.sample.figures import FIGURES, Figure, Part
from datakit.sample.layouts import filled, polygons, run_lengths
from datakit.seeds import generator

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # inside pycocotools


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> SampleData:
    return draw_sample_data(tmp_path_factory.mktemp("sample"), photos=6)


def read_mask(path: Path) -> np.ndarray:
    return cv2.imread(str(path), cv2.IMREAD_UNCHANGED)


def test_every_saliency_photo_has_a_mask_of_its_size_with_0_and_255(sample: SampleData) -> None:
    """The ECSSD layout pairs by stem, and its masks hold exactly two values."""
    photos = sorted((sample.ecssd / "images").glob("*.jpg"))
    assert [photo.name for photo in photos] == [f"{k:04d}.jpg" for k in range(1, 7)]
    for photo in photos:
        mask = read_mask(sample.ecssd / "ground_truth_mask" / f"{photo.stem}.png")
        assert mask.shape == cv2.imread(str(photo)).shape[:2]
        assert set(np.unique(mask)) == {0, 255}
        assert 0.01 < (mask > 0).mean() < 0.6


def test_same_seed_same_masks_and_another_seed_others(sample: SampleData, tmp_path: Path) -> None:
    """A seed fixes every file; another seed moves the objects."""
    same, other = (draw_sample_data(tmp_path / str(seed), seed=seed, photos=2) for seed in (0, 1))
    for name in ("images/0002.jpg", "ground_truth_mask/0002.png"):
        assert (same.ecssd / name).read_bytes() == (sample.ecssd / name).read_bytes()
        assert (other.ecssd / name).read_bytes() != (sample.ecssd / name).read_bytes()
    frame = "Annotations/480p/crossing/00012.png"
    assert (same.davis / frame).read_bytes() == (sample.davis / frame).read_bytes()


def test_coco_file_has_polygons_one_crowd_and_one_tiny_object(sample: SampleData) -> None:
    """The instance set holds what COCO readers stumble over."""
    document = json.loads(sample.coco.read_text())
    annotations = document["annotations"]
    assert len(annotations) == sample.objects and len(document["images"]) == sample.scenes
    assert [a["id"] for a in annotations] == list(range(1, len(annotations) + 1))
    crowds = [a for a in annotations if a["iscrowd"]]
    assert len(crowds) == 1 and isinstance(crowds[0]["segmentation"]["counts"], list)
    assert sum(a["area"] < 400 and not a["iscrowd"] for a in annotations) == 1
    for image in document["images"]:
        pixels = cv2.imread(str(sample.coco.parent.parent / "val2017" / image["file_name"]))
        assert pixels.shape[:2] == (image["height"], image["width"])


def test_coco_area_and_box_are_those_of_the_decoded_segmentation(sample: SampleData) -> None:
    """pycocotools decodes each annotation to the area and the box it states."""
    document = json.loads(sample.coco.read_text())
    sizes = {image["id"]: (image["height"], image["width"]) for image in document["images"]}
    for a in document["annotations"]:
        shape = a["segmentation"]
        H, W = sizes[a["image_id"]]
        codes = coco_mask.frPyObjects(shape, H, W)
        mask = coco_mask.decode(coco_mask.merge(codes) if isinstance(codes, list) else codes)
        x, y, w, h = cv2.boundingRect(mask)
        assert (int(mask.sum()), [x, y, w, h]) == (a["area"], a["bbox"])


@given(arrays(np.uint8, (9, 11), elements=st.integers(0, 1)))
def test_polygons_rasterise_to_the_mask_without_its_holes(mask: np.ndarray) -> None:
    """Outlines along pixel edges survive COCO's rasteriser exactly."""
    shapes = polygons(mask)
    decoded = np.zeros_like(mask)
    if shapes:
        decoded = coco_mask.decode(coco_mask.merge(coco_mask.frPyObjects(shapes, 9, 11)))
    assert np.array_equal(decoded, filled(mask))


@given(arrays(np.uint8, (5, 7), elements=st.integers(0, 1)))
def test_run_lengths_decode_to_the_mask(mask: np.ndarray) -> None:
    """Uncompressed run lengths are column-wise and start with zeros."""
    assert np.array_equal(coco_mask.decode(coco_mask.frPyObjects(run_lengths(mask), 5, 7)), mask)


def test_clip_keeps_both_ids_and_one_fish_hides_the_other(sample: SampleData) -> None:
    """Palette ids 1 and 2 in every frame; the area of the hinder fish dips in the middle."""
    folder = sample.davis / "Annotations" / "480p" / "crossing"
    areas = []
    for k in range(sample.frames):
        picture = PIL.Image.open(folder / f"{k:05d}.png")
        assert picture.mode == "P" and picture.size == (427, 240)
        labels = np.asarray(picture)
        assert set(np.unique(labels)) == {0, 1, 2}
        areas.append(int((labels == 1).sum()))
    assert len(list((sample.davis / "JPEGImages" / "480p" / "crossing").glob("*.jpg"))) == sample.frames == 24
    assert min(areas) < 0.8 * areas[0]


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_covers_pixels_and_stays_in_range(name: str) -> None:
    """A figure paints colours in 0..1 and a mask that is neither nothing nor everything."""
    matrix = np.array([[40.0, 0, 64], [0, 40.0, 64]])
    colours, cover = paint(generator(0, name, 0), FIGURES[name], matrix, (128, 128))
    assert colours.min() >= 0 and colours.max() <= 1
    assert 0.02 < (cover >= 0.5).mean() < 0.7


def test_mask_of_a_square_is_exactly_its_pixels() -> None:
    """The mask follows the outline that is drawn: a 40 px square at whole pixels has 1600 of them, no rim."""
    square = Figure((Part("sharp", ((-1, -1), (1, -1), (1, 1), (-1, 1))),), ("sky",), ("plain",), False, (0.1,))
    _, cover = paint(generator(0, "square", 0), square, np.array([[20.0, 0, 30], [0, 20.0, 30]]), (64, 64))
    mask = cover >= 0.5
    assert mask[10:50, 10:50].all() and mask[:10].sum() == 0 and mask.sum() == 1600


def test_a_hole_is_background() -> None:
    """What is cut out of a ring is not part of its mask."""
    _, cover = paint(generator(0, "ring", 0), FIGURES["ring"], np.array([[40.0, 0, 64], [0, 40.0, 64]]), (128, 128))
    assert cover[64, 64] == 0 and cover[64, 32] == 1
