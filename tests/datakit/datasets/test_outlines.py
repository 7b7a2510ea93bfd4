"""Outlines in every form that tools write them: the right mask, a named stray, or a reason; never less in silence."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from datakit.datasets.outlines import BrokenOutline, has_outline, parse_outline, rasterise

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")  # of pycocotools, under numpy 2
SIZE = (48, 64)
SQUARE = [8, 10, 24, 10, 24, 20, 8, 20]
PAIRS = [[8, 10], [24, 10], [24, 20], [8, 20]]
POINTS = [{"x": x, "y": y} for x, y in PAIRS]
VIA = {"name": "polygon", "all_points_x": [8, 24, 24, 8], "all_points_y": [10, 10, 20, 20]}


def square() -> NDArray[np.uint8]:
    """What all these outlines stand for."""
    mask = np.zeros(SIZE, np.uint8)
    mask[10:20, 8:24] = 1
    return mask


def packed(mask: NDArray[np.uint8]) -> str:
    return coco_mask.encode(np.asfortranarray(mask))["counts"].decode()


def runs(mask: NDArray[np.uint8]) -> list[int]:
    changes = np.flatnonzero(np.diff(mask.T.ravel(), prepend=0, append=2))
    return np.diff(np.concatenate([[0], changes])).tolist()


RLE = {"size": [48, 64], "counts": packed(square())}
FORMS = {
    "polygons": [SQUARE],
    "flat": SQUARE,
    "pairs": [PAIRS],
    "flat pairs": PAIRS,
    "points": [POINTS],
    "flat points": POINTS,
    "VIA": VIA,
    "VIA in a list": [VIA],
    "numbers as text": [[str(side) for side in SQUARE]],
    "run lengths": RLE,
    "run lengths in a list": [RLE],
    "runs": {"size": [48, 64], "counts": runs(square())},
    "runs with a point": {"size": [48.0, 64.0], "counts": [float(run) for run in runs(square())]},
    "runs without a size": {"counts": runs(square())},
    "text of bytes": {"size": [48, 64], "counts": repr(packed(square()).encode())},
}


@pytest.mark.parametrize("name", FORMS)
def test_every_form_gives_the_mask(name: str) -> None:
    """One object, written in all ways that leave no doubt."""
    drawn = rasterise(parse_outline(FORMS[name]), SIZE)
    assert np.array_equal(drawn.mask, square()) and drawn.inside == 1 and not drawn.strays


def test_text_of_bytes_with_backslashes() -> None:
    """Python doubles the backslash that COCO's alphabet holds."""
    rng = np.random.default_rng(0)
    masks = [(rng.random(SIZE) < 0.3).astype(np.uint8) for _ in range(20)]
    assert any("\\" in packed(mask) for mask in masks)
    for mask in masks:
        outline = parse_outline({"size": [48, 64], "counts": str(packed(mask).encode())})
        assert np.array_equal(rasterise(outline, SIZE).mask, mask)


STRAYS = {
    "two points": [1, 2, 30, 40],
    "one point": [1, 2],
    "nothing": [],
    "odd": [1, 2, 3, 4, 5],
    "not finite": [1, 2, "NaN", 4, 5, 6],
    "a word": [1, 2, "x", 4, 5, 6],
    "a line": [1, 1, 20, 20, 40, 40],
    "one point thrice": [3, 3, 3, 3, 3, 3],
    "far outside": [0, 0, 1e9, 0, 1e9, 1e9],
    "beside the photo": [70, 5, 90, 5, 90, 29],
    "beside the photo, larger": [-100, -100, -10, -100, -10, -10],
}


@pytest.mark.parametrize("name", STRAYS)
@pytest.mark.parametrize("first", [True, False])
def test_stray_part_costs_the_part_alone(name: str, first: bool) -> None:
    """The others make the object; what is left out is said."""
    parts = [STRAYS[name], SQUARE] if first else [SQUARE, STRAYS[name]]
    drawn = rasterise(parse_outline(parts), SIZE)
    assert np.array_equal(drawn.mask, square()) and len(drawn.strays) == 1 and len(drawn.strays[0]) > 10


@pytest.mark.parametrize(
    ("segmentation", "reason"),
    [
        (None, "no segmentation"),
        ("[[1, 2, 3, 4, 5, 6]]", "no segmentation"),
        (7, "no segmentation"),
        ([], "broken polygon"),
        ([[]], "broken polygon"),
        ([[1, 2, 30, 40]], "broken polygon"),
        ([1, 2, 30, 40], "broken polygon"),
        ([[1, 2], [3, 4]], "broken polygon"),
        ([[[1, 2], [3, 4]]], "broken polygon"),
        ({"all_points_x": [1, 2, 3], "all_points_y": [1, 2]}, "broken polygon"),
        ([RLE, RLE], "broken run lengths"),
        ([RLE, SQUARE], "broken run lengths"),
        ({"size": [48, 64], "counts": "b'"}, "broken run lengths"),
        ({"size": [48, 64], "counts": [1.5, 3070.5]}, "broken run lengths"),
        ({"size": [48.5, 64], "counts": [3072]}, "broken run lengths"),
        ({"size": [64, 48], "counts": [3072]}, "broken run lengths"),
        ({"counts": [True, 3071]}, "broken run lengths"),
        ([[100, 10, 120, 10, 120, 30]], "outline outside the photo"),
        ([[50, 10, 90, 10, 90, 40, 50, 40]], "outline outside the photo"),
        ([[0, 0, 1e9, 0, 1e9, 1e9]], "broken polygon"),
    ],
)
def test_what_cannot_be_read_is_named(segmentation: Any, reason: str) -> None:
    """A reason that groups, and a sentence."""
    with pytest.raises(BrokenOutline) as caught:
        rasterise(parse_outline(segmentation), SIZE)
    assert caught.value.reason == reason and len(str(caught.value)) > 10


def test_cut_outline_says_how_much_is_inside() -> None:
    """A quarter lies beyond the edge; a pixel or two is no matter."""
    drawn = rasterise(parse_outline([[50, 10, 69, 10, 69, 30, 50, 30]]), SIZE)
    assert drawn.inside == pytest.approx(14 / 19, abs=0.01) and drawn.mask.sum() == 14 * 20
    touching = rasterise(parse_outline([[50, 10, 65.5, 10, 65.5, 30, 50, 30]]), SIZE)
    assert touching.inside == 1 and touching.mask.sum() == 14 * 20


def test_part_cut_off_and_part_inside_are_judged_together() -> None:
    """Most of the outline is outside, although one part of it is whole: nothing is taken for a stray that is cut."""
    with pytest.raises(BrokenOutline, match="resized or turned"):
        rasterise(parse_outline([[2, 2, 6, 2, 6, 6], [50, 10, 120, 10, 120, 40, 50, 40]]), SIZE)


def test_stray_beside_a_part_that_is_cut() -> None:
    """A ring wholly outside costs itself alone, also where the object itself reaches over the edge."""
    drawn = rasterise(parse_outline([[50, 10, 69, 10, 69, 30, 50, 30], [-90, -90, -10, -90, -10, -10]]), SIZE)
    assert drawn.inside == pytest.approx(14 / 19, abs=0.01) and len(drawn.strays) == 1


@pytest.mark.parametrize("ring", [[0.1, 0.2, 0.4, 0.2, 0.4, 0.5], [0, 0, 1, 0, 1, 0.5, 0, 0.5]])
def test_an_outline_in_shares_of_the_photo_says_so(ring: list[float]) -> None:
    """As YOLO has them; it covers a pixel at most, and --min-area would be no help."""
    with pytest.raises(BrokenOutline, match="multiply x by 64 and y by 48") as caught:
        rasterise(parse_outline([ring]), SIZE)
    assert caught.value.reason == "outline in shares, not pixels"


@pytest.mark.parametrize("rings", [[[0, 0, 1, 0, 1, 1, 0, 1]], [[0.1, 0.2, 0.4, 0.2, 0.4, 0.5], SQUARE]])
def test_a_pixel_in_the_corner_is_no_outline_in_shares(rings: list[list[float]]) -> None:
    """Whole numbers are pixels, and so is what stands beside pixels."""
    assert rasterise(parse_outline(rings), SIZE).mask.any()


def test_boxes_have_no_outline() -> None:
    """What tools write where they have none."""
    assert not any(has_outline(each) for each in (None, [], [[]], {}))
    assert has_outline([SQUARE]) and has_outline([[1, 2]]) and has_outline("x")


def forms_of(polygons: list[list[float]], rng: random.Random) -> Any:
    """Polygons in a form drawn at random."""

    def ring(flat: list[float]) -> Any:
        pairs = [list(pair) for pair in zip(flat[::2], flat[1::2], strict=True)]
        points = [{"x": x, "y": y} for x, y in pairs]
        via = {"all_points_x": flat[::2], "all_points_y": flat[1::2]}
        return rng.choice([flat, pairs, points, via, [str(side) for side in flat]])

    parts = [ring(polygon) for polygon in polygons]
    return parts[0] if len(parts) == 1 and rng.random() < 0.5 else parts


@settings(max_examples=200)
@given(st.integers(0, 2**32))
def test_random_outlines_give_their_masks(seed: int) -> None:
    """Polygons and run lengths of known masks, in any form, with strays among them or not: that mask or an error."""
    rng = random.Random(seed)
    height, width = rng.randint(8, 90), rng.randint(8, 90)
    count = rng.choice((1, 1, 2, 5))
    polygons = [
        [round(rng.uniform(0, side), rng.choice((0, 2))) for _ in range(rng.randint(3, 9)) for side in (width, height)]
        for _ in range(count)
    ]
    truth = coco_mask.decode(coco_mask.merge(coco_mask.frPyObjects(polygons, height, width)))
    if rng.random() < 0.4:
        size, text = [height, width], coco_mask.encode(np.asfortranarray(truth))["counts"]
        counts = rng.choice([text.decode(), str(text), runs(truth)])
        written: Any = rng.choice([{"size": size, "counts": counts}, [{"size": size, "counts": counts}]])
        assert np.array_equal(rasterise(parse_outline(written), (height, width)).mask, truth)
        return
    strays = rng.random() < 0.3
    written = forms_of(polygons, rng)
    if strays:
        written = forms_of(polygons, random.Random(1)) if count == 1 else written
        written = [*([written] if count == 1 else written), rng.choice([[1, 2], [1, 2, 3, 4], [1, 1, "NaN", 2, 3, 3]])]
    try:
        drawn = rasterise(parse_outline(written), (height, width))
    except BrokenOutline:
        assert strays
        return
    assert np.array_equal(drawn.mask, truth) or (drawn.strays and not strays), "a mask of its own, or a word"
    assert bool(drawn.strays) >= strays
