"""The contact sheet: words for drawn numbers, tiles in which colour means added or lost, a sheet that holds them."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datakit.arrays import iou
from datakit.images import encode_png
from datakit.preview import contact_sheet, sheet, text, tiles
from datakit.samples import Photo, Triple
from datakit.transforms import Affine, Augment, Dilate, Recipe, Tps

NUMBERS = (1.031, 4.0, -2.2, 10, 10, 3, 4, 20, 20, -1, 0, 30, 10, 0, 0, 5)


def recipe(name: str = "masktrack") -> Recipe:
    return Recipe(name, (Affine(), Tps(points=3), Dilate()))


def triple(variant: int = 0, name: str = "masktrack", flags: str = "", shift: int = 8, key: str = "made/a") -> Triple:
    """A grey photo, a square, and the square moved to the right."""
    image = np.full((120, 160, 3), 128, np.uint8)
    target, guide = np.zeros((2, 120, 160), np.uint8)
    target[30:90, 40:100] = 1
    guide[30:90, 40 + shift : 100 + shift] = 1
    return Triple(
        key=f"{key}@{name}/{variant}",
        sample_key=key,
        photo=Photo.decoded(image, encode_png(image), "", 0),
        guide=guide,
        target=target,
        ignore=None,
        recipe=name,
        kind="mask",
        variant=variant,
        object_id=1,
        parameters=np.array(NUMBERS, np.float64),
        iou=iou(guide, target),
        area_ratio=float(guide.sum() / target.sum()),
        redraws=0,
        flags=flags,
        draw_flags=flags,
    )


def has(picture: np.ndarray, colour: tuple[int, int, int], tolerance: int = 30) -> bool:
    return bool((np.abs(picture.astype(int) - colour).max(axis=2) <= tolerance).any())


def cells_of(row: list[Triple], recipes: dict[str, Any]) -> dict[int, Any]:
    total = Counter(triple.recipe for triple in row)
    return sheet._cells(row, sheet._groups([total], recipes), recipes, total)


def test_every_drawn_parameter_has_a_caption() -> None:
    """A reader sees scale, shift, the longest move of the spline and the disc."""
    assert recipe().describe(NUMBERS) == ["scale +3.1 %", "shift +4.0 / -2.2 px", "spline max 5.0 px", "disc 5 px"]


def test_a_step_that_did_not_apply_is_said() -> None:
    """NaN means that the spline was skipped, not that it moved nothing."""
    assert recipe().describe((*NUMBERS[:3], *[np.nan] * 12, 5))[2] == "no spline"


def test_a_repeated_step_has_a_caption_each_time() -> None:
    """The second affine of a recipe is described like the first."""
    captions = Recipe("r", (Affine(), Affine())).describe((1.0, 0, 0, 0.9, 1, 1))
    assert captions == ["scale +0.0 %", "shift +0.0 / +0.0 px", "scale -10.0 %", "shift +1.0 / +1.0 px"]


def test_a_view_says_how_it_was_turned() -> None:
    """First-frame views tell their angle and flip."""
    views = Recipe("r", (), augment=Augment())
    assert views.describe((8, 1)) == ["turned +8 deg", "mirrored"]
    assert views.describe((0, 0)) == ["not turned"]


def test_added_is_orange_lost_is_blue_and_the_rest_is_grey() -> None:
    """Colour in a difference tile means one thing: where guide mask and target disagree."""
    tile = tiles.difference_tile(triple(shift=20), (0, 0, 160, 120), (120, 160)).astype(int)
    np.testing.assert_allclose(tile[60, 50], np.array(tiles.LOST) * 0.82 + 128 * 0.18, atol=2)
    np.testing.assert_allclose(tile[60, 110], np.array(tiles.ADDED) * 0.82 + 128 * 0.18, atol=2)
    assert np.ptp(tile[60, 70]) == 0 and np.ptp(tile[10, 10]) == 0
    assert tile[60, 70, 0] > tile[10, 10, 0] + 60


def test_equal_masks_show_no_colour() -> None:
    """No deformation, nothing coloured."""
    tile = tiles.difference_tile(triple(shift=0), (0, 0, 160, 120), (120, 160))
    assert (np.ptp(tile.astype(int), axis=2) == 0).all()


@given(st.integers(20, 200), st.integers(20, 200), st.integers(0, 10_000), st.integers(0, 10_000), st.integers(1, 40))
def test_region_holds_the_masks_and_lies_in_the_photo(height: int, width: int, y: int, x: int, side: int) -> None:
    """Whatever the object's size and place, nothing of it is cut off."""
    mask = np.zeros((height, width), np.uint8)
    mask[y % height :, x % width :][:side, :side] = 1
    x0, y0, x1, y1 = tiles.region_of([mask], (180, 240))
    assert 0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height
    assert mask[y0:y1, x0:x1].sum() == mask.sum()


def test_a_tiny_object_is_enlarged() -> None:
    """An object of a few pixels fills a visible part of its tile."""
    mask = np.zeros((480, 640), np.uint8)
    mask[200:210, 300:312] = 1
    region = tiles.region_of([mask], (180, 240))
    assert tiles.zoom_of(region, (180, 240)) == pytest.approx(tiles.MAX_ZOOM, rel=0.1)


def test_sheet_grows_by_rows_and_recipes() -> None:
    """One row per sample, a group of columns per recipe."""
    both = {"masktrack": recipe(), "lucid": recipe("lucid")}
    one = contact_sheet([[triple()]], {"masktrack": recipe()}, "one")
    two = contact_sheet([[triple(), triple(name="lucid")]] * 2, both, "two")
    assert two.shape[0] > one.shape[0] + sheet.TILE[0]
    assert two.shape[1] == one.shape[1] + sheet.TILE[1] + sheet.GROUP_GAP
    assert one.dtype == np.uint8 and one.shape[2] == 3


def test_flagged_triples_are_marked_and_explained() -> None:
    """A flagged triple has a frame of its own colour; an unflagged sheet has that colour nowhere."""
    plain = contact_sheet([[triple()]], {"masktrack": recipe()}, "t")
    flagged = contact_sheet([[triple(flags="low-iou")]], {"masktrack": recipe()}, "t")
    assert has(flagged, tiles.FLAGGED, 2) and not has(plain, tiles.FLAGGED, 2)


def test_more_draws_than_fit_are_counted() -> None:
    """Twenty-four draws show four, and the last says how many more there are."""
    row = [triple(variant) for variant in range(24)]
    cells = cells_of(row, {"masktrack": recipe()})
    assert len(cells) == 2 + 4
    assert [cell.more for cell in cells.values()] == [0, 0, 0, 0, 0, 20]


def test_captions_stay_within_their_tile() -> None:
    """Long keys, long phrases and letters the face lacks never run into the neighbour."""
    long = triple(key="made/" + "照片" + "x" * 200, flags="low-iou,no-tps")
    captions = [f"some-very-long-step-name{k} number 0.123456" for k in range(12)]
    row, recipes = [long], {"masktrack": SimpleNamespace(name="masktrack", describe=lambda numbers: list(captions))}
    for cell in cells_of(row, recipes).values():
        for line in cell.caption:
            assert text.length(line.text, 13 if line.strong else 12) <= sheet.TILE[1]
            assert "照" not in line.text


def test_a_turned_photo_is_framed_on_its_own() -> None:
    """A view of another size in the same row does not borrow the first photo's region."""
    first, upright = triple(), triple(1)
    turned = {name: np.rot90(getattr(upright, name)).copy() for name in ("target", "guide")}
    pixels = np.rot90(upright.image).copy()
    turned["photo"] = Photo.decoded(pixels, encode_png(pixels), "", 0)
    row, recipes = [first, replace(upright, **turned)], {"masktrack": recipe()}
    last = list(cells_of(row, recipes).values())[-1]
    alone = tiles.difference_tile(row[1], tiles.region_of([row[1].target, row[1].guide], sheet.TILE), sheet.TILE)
    assert np.array_equal(last.tile, alone)


def test_void_is_shown_and_explained() -> None:
    """An ignore mask tints its pixels and enters the legend."""
    ignore = np.zeros((120, 160), np.uint8)
    ignore[:20] = 1
    plain = triple()
    row = [replace(plain, ignore=ignore)]
    assert len(sheet._legend([row], 2000)[0]) == len(sheet._legend([[plain]], 2000)[0]) + 1
    tile = tiles.difference_tile(row[0], (0, 0, 160, 120), (120, 160))
    assert np.ptp(tile[10, 80].astype(int)) > 20
