"""Whole frames along point maps: photo and masks stay together."""

import cv2
import numpy as np
import pytest

from datakit.errors import UsageError
from datakit.transforms import Affine, Dilate, FrameWarp, RotateFlip, Tps, sample_warp
from datakit.transforms.affine import ScaleShift

SIZE = (240, 320)
CASES = {
    "affine": (Affine(0.1, 0.15, rotation=25, shear=0.2),),
    "turned": (RotateFlip(40, flip=0.5),),
    "spline": (Tps(shift=0.2),),
    "exact spline": (Tps(points=7, shift=0.1, spline="interpolating"),),
    "all": (Affine(rotation=10), RotateFlip(15, flip=0.5, about="frame"), Tps()),
}


def polygon() -> np.ndarray:
    """(240, 320) uint8 0/1: no two sides alike, so a pixel's shift in any direction shows."""
    mask = np.zeros(SIZE, np.uint8)
    cv2.fillPoly(mask, [np.array([[110, 80], [200, 70], [215, 150], [150, 185], [120, 140]])], 1)
    return mask


def warp_of(case: str, seed: int) -> FrameWarp:
    return sample_warp(CASES[case], np.random.default_rng(seed), SIZE, polygon())


@pytest.mark.parametrize("case", CASES)
def test_a_photo_and_its_mask_stay_within_half_a_pixel(case):
    """The object's colour in the warped photo and the warped mask: same middle, same outline."""
    mask = polygon()
    photo = np.dstack([mask * 255, 255 - mask * 255, mask * 255])
    for seed in range(5):
        warp = warp_of(case, seed)
        warped, shown = warp.warp_mask(mask), warp.warp_image(photo, "constant", (0, 255, 0))[..., 0] / 255.0
        assert edge_offset(shown, warped) <= 0.5
        assert max(map(abs, centroid_offset(shown, warped))) < 0.25
        for off in (np.roll(warped, 1, axis=0), np.roll(warped, -1, axis=1)):  # what a pixel off would measure
            assert edge_offset(shown, off) > 0.5 and max(map(abs, centroid_offset(shown, off))) > 0.9


def centroid_offset(shown: np.ndarray, mask: np.ndarray) -> list[float]:
    """How far the middle of the colour lies from the mask's, in x and y in pixels."""
    y, x = np.indices(SIZE)
    return [(axis * shown).sum() / shown.sum() - (axis * mask).sum() / mask.sum() for axis in (x, y)]


def edge_offset(shown: np.ndarray, mask: np.ndarray) -> float:
    """Farthest that the half level of the colour lies from the mask's outline, in pixels.

    Across a corner of pixels a bilinear edge falls by half a level in a pixel, elsewhere faster: a level of 0.5 - d
    inside the mask means at most 2 d pixels.
    """
    return float(np.where(mask > 0, 0.5 - shown, shown - 0.5).max() * 2)


@pytest.mark.parametrize("case", ["affine", "turned"])
def test_a_frame_is_read_where_its_object_was_moved_to(case):
    """A point's forward place, read back, is the point: which splines only do nearly."""
    warp = warp_of(case, 3)
    x, y = np.array([120.0, 190.0]), np.array([90.0, 140.0])
    back = warp.inverse(*warp.forward(x, y))
    np.testing.assert_allclose(back, (x, y), atol=1e-9)


def test_no_steps_change_nothing_and_share_nothing():
    """Also those whose ranges are 0."""
    photo = np.random.default_rng(0).integers(0, 256, (*SIZE, 3), np.uint8)
    for steps in ((), (Affine(0, 0), RotateFlip(0), Tps(shift=0, spline="interpolating"))):
        warp = sample_warp(steps, np.random.default_rng(0), SIZE, polygon())
        for before, after in ((photo, warp.warp_image(photo)), (polygon(), warp.warp_mask(polygon()))):
            np.testing.assert_array_equal(before, after)
            assert not np.shares_memory(before, after)


def test_a_mask_and_a_photo_read_the_pixels_that_were_asked_for():
    """A move by 7 and 3 pixels, borders as asked; all of one map."""
    photo = np.random.default_rng(0).integers(1, 256, (*SIZE, 3), np.uint8)
    labels = photo[..., 0] % 5
    warp = FrameWarp((ScaleShift(1.0, 0, 0, 7.0, 3.0),), SIZE)
    np.testing.assert_array_equal(warp.warp_image(photo)[3:, 7:], photo[:-3, :-7])
    np.testing.assert_array_equal(warp.warp_mask(labels, fill=255)[3:, 7:], labels[:-3, :-7])
    assert (warp.warp_mask(labels, fill=255)[:3] == 255).all() and not warp.inside()[:, :7].any()
    assert (warp.warp_image(photo, fill=(9, 8, 7))[:3] == (9, 8, 7)).all()
    np.testing.assert_array_equal(warp.warp_image(photo, "reflect")[3:, 0], photo[:-3, 7])
    np.testing.assert_array_equal(warp.warp_image(photo, "replicate")[3:, 0], photo[:-3, 0])


def test_several_maps_are_one_resampling():
    """There and back by a third of a pixel, twice: a fine pattern is not blurred."""
    photo = np.repeat(np.indices(SIZE).sum(axis=0)[..., None] % 2 * 255, 3, axis=2).astype(np.uint8)
    there, back = ScaleShift(1.0, 0, 0, 1 / 3, 0.0), ScaleShift(1.0, 0, 0, -1 / 3, 0.0)
    np.testing.assert_array_equal(FrameWarp((there, back, there, back), SIZE).warp_image(photo), photo)


def test_the_map_reaches_beyond_the_object():
    """The whole frame moves, not only the object it was drawn around."""
    photo = np.random.default_rng(0).integers(0, 256, (*SIZE, 3), np.uint8)
    small = np.zeros(SIZE, np.uint8)
    small[100:104, 100:104] = 1
    warp = sample_warp((Affine(0.5, 0, rotation=180),), np.random.default_rng(1), SIZE, small)
    assert (warp.warp_image(photo, "reflect") != photo).any(axis=2).mean() > 0.9


def test_a_box_or_the_frame_can_be_what_a_warp_is_measured_by():
    """Moves scale with it; splines find points around it."""
    steps = (Affine(0, 0.1), Tps())
    moves = []
    for around in ((100, 100, 110, 110), None):
        warp = sample_warp(steps, np.random.default_rng(0), SIZE, around)
        assert len(warp.maps) == 2
        moves.append(abs(warp.maps[0].dx))
    assert moves[1] > 20 * moves[0]
    assert sample_warp(steps, np.random.default_rng(0), SIZE, (400, 0, 410, 10)).maps == ()


def test_what_cannot_warp_an_image_is_refused():
    """A step without a map, a border that is none, a plane of another size."""
    with pytest.raises(UsageError, match="dilate is no geometric step"):
        sample_warp((Affine(), Dilate()), np.random.default_rng(0), SIZE)
    warp = warp_of("all", 0)
    with pytest.raises(UsageError, match="border 'wrap'"):
        warp.warp_image(np.zeros((*SIZE, 3), np.uint8), "wrap")
    with pytest.raises(ValueError, match=r"expected \(240, 320\)"):
        warp.warp_mask(np.zeros((4, 4), np.uint8))


def test_the_same_seed_gives_the_same_bytes():
    """And another gives others."""
    photo = np.random.default_rng(0).integers(0, 256, (*SIZE, 3), np.uint8)
    found = [warp_of("all", seed).warp_image(photo).tobytes() for seed in (4, 4, 5)]
    assert found[0] == found[1] != found[2]
