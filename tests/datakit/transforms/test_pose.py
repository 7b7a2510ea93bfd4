"""A photo turned and stretched about its object, and what a window then shows: photo and masks by one map."""

from dataclasses import replace
from functools import partial

import cv2
import numpy as np
import pytest

from datakit.images import halved
from datakit.seeds import generator
from datakit.transforms.crop import Window, cut_image, cut_mask, whole_window
from datakit.transforms.object_crop import ObjectCrop
from datakit.transforms.pose import PosedWindow, apply_pose, is_kept, sample_pose
from datakit.transforms.views import ViewConfig

FRAME = (240, 320)
FILL = (1, 2, 3)
EMPTY = np.zeros(FRAME, np.uint8)
TURN = ViewConfig(turn=40, stretch=0.3)
WINDOWS = [Window((90, 60, 230, 200), (224, 224)), Window((20, 10, 250, 240), (96, 96)), whole_window(FRAME, 128)]


def disc(centre=(150, 110), radius=40):
    return cv2.circle(EMPTY.copy(), centre, radius, 1, -1)


def draws(count):
    return [generator(0, "poses", n) for n in range(count)]


def poses(count):
    return [sample_pose(rng, ObjectCrop.of(disc()), TURN) for rng in draws(count)]


def grey(plane):
    """(H, W, 3) of a plane of 0 and 1, at 0 and 200."""
    return np.repeat(plane[..., None] * np.uint8(200), 3, axis=2)


def board(side):
    rows, columns = np.indices(FRAME) // side
    return ((rows + columns) % 2).astype(np.uint8)


def test_a_turn_keeps_the_objects_middle_and_area():
    """And turns no further than told."""
    bar = ObjectCrop.of(cv2.rectangle(EMPTY.copy(), (100, 110), (200, 130), 1, -1))
    angles = []
    for rng in draws(50):
        turned = apply_pose(bar, sample_pose(rng, bar, replace(TURN, turn=30, stretch=0)))
        (x, y), sides, angle = cv2.minAreaRect(cv2.findNonZero(turned.mask()))
        assert abs(x - 150) < 1 and abs(y - 120) < 1 and abs(turned.area / bar.area - 1) < 0.03
        angles.append((angle + 90 * (sides[0] < sides[1]) + 90) % 180 - 90)
    assert min(angles) < -20 and max(angles) > 20 and max(map(abs, angles)) < 31


def test_a_stretch_changes_the_ratio_of_width_to_height():
    """Either way, by no more than told; the area stays."""
    crop, ratios = ObjectCrop.of(disc()), []
    for rng in draws(50):
        stretched = apply_pose(crop, sample_pose(rng, crop, replace(TURN, turn=0, stretch=0.2)))
        ratios.append(stretched.width / stretched.height)
        assert abs(stretched.area / crop.area - 1) < 0.03
    assert 0.8 < min(ratios) < 0.87 and 1.15 < max(ratios) < 1.25


def test_an_object_is_turned_as_its_whole_frame_would_be():
    """Also where a part of it leaves the frame."""
    for mask in (disc(), disc((300, 20), 45)):
        for rng in draws(10):
            pose = sample_pose(rng, ObjectCrop.of(mask), TURN)
            whole = cv2.warpAffine(mask, pose, FRAME[::-1], flags=cv2.INTER_NEAREST)
            assert (apply_pose(ObjectCrop.of(mask), pose).mask() != whole).sum() <= 0.01 * mask.sum()


def test_an_object_is_gone_where_a_pose_moves_it_out_of_the_frame():
    """Only then."""
    moves = [(np.array([[1.0, 0, by], [0, 1, 0]]), kept) for by, kept in ((0, True), (200, True), (215, False))]
    for move, kept in moves:
        assert is_kept(ObjectCrop.of(disc()), move) is kept
        assert (apply_pose(ObjectCrop.of(disc()), move).width > 0) is kept


def test_a_photo_longer_than_opencvs_maps_reach_is_not_turned():
    """It is cut as it is, and the numbers are drawn all the same."""
    panorama, rng = ObjectCrop.of(np.ones((2, 40_000), np.uint8)), generator(0, "a", 0)
    assert sample_pose(rng, panorama, TURN) is None
    other = generator(0, "a", 0)
    sample_pose(other, ObjectCrop.of(disc()), TURN)
    assert rng.random() == other.random()


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("flip", [False, True])
def test_without_a_pose_a_window_is_cut_as_in_propagation(window, flip):
    """To the byte, mirrored or not."""
    photo = np.random.default_rng(0).integers(0, 256, (*FRAME, 3), np.uint8)
    seen, mirror = PosedWindow(window, FRAME, flip=flip), (slice(None), slice(None, None, -1 if flip else 1))
    assert np.array_equal(seen.image(partial(halved, photo), FILL), cut_image(photo, window, FILL)[mirror])
    (cut,), inside = seen.masks(disc())
    assert np.array_equal(cut, cut_mask(disc(), window)[mirror])
    assert np.array_equal(inside, cut_mask(np.ones(FRAME, np.uint8), window)[mirror])


@pytest.mark.parametrize("side", [8, 16, 32])
def test_photo_and_masks_lie_on_each_other_to_half_a_pixel(side):
    """The fields of a board, whatever pose, window, scale and mirroring, where all that a pixel mixes is one field."""
    for number, pose in enumerate(poses(8)):
        for window in WINDOWS[:2]:
            seen = PosedWindow(window, FRAME, pose, flip=number % 2 > 0)
            (mask,), inside = seen.masks(board(side))
            image = seen.image(partial(halved, grey(board(side))), (0, 0, 0))[..., 0]
            sure = ((image == 0) | (image == 200)) & (inside > 0)
            assert sure.mean() > 0.2
            assert np.array_equal(image[sure] > 100, mask[sure] > 0)
            assert ((image > 100) != (mask > 0))[inside > 0].mean() < 0.02


@pytest.mark.parametrize("window", WINDOWS)
def test_one_warp_shows_what_turning_and_then_cutting_shows(window):
    """To within a pixel of the outline, and nothing that the turn moved out of the frame."""
    for number, pose in enumerate(poses(8)):
        seen = PosedWindow(window, FRAME, pose, flip=number % 2 > 0)
        (mask, whole), inside = seen.masks(disc(), np.ones(FRAME, np.uint8))
        for found, plane in ((mask, disc()), (inside, np.ones(FRAME, np.uint8))):
            turned = cv2.warpAffine(plane, pose, FRAME[::-1], flags=cv2.INTER_NEAREST)
            expected = cut_mask(turned, window)[:, :: -1 if number % 2 else 1]
            rim = cv2.dilate(expected, np.ones((5, 5))) - cv2.erode(expected, np.ones((5, 5)))
            assert np.array_equal(found[rim == 0], expected[rim == 0])
        assert np.array_equal(whole, inside)


def test_beyond_the_photo_is_the_fill_and_no_mask():
    """In the corners of a turned photo, and beyond its frame."""
    image = np.full((*FRAME, 3), 90, np.uint8)
    for pose in poses(4):
        seen = PosedWindow(whole_window(FRAME, 128), FRAME, pose)
        (mask,), inside = seen.masks(np.ones(FRAME, np.uint8))
        beyond = cv2.erode(1 - inside, np.ones((3, 3))) > 0
        assert beyond[:15].all() and beyond[-15:].all() and beyond[16:-16].any() and not mask[beyond].any()
        assert (seen.image(partial(halved, image), FILL)[beyond] == FILL).all()


@pytest.mark.parametrize(("size", "factor"), [(300, 1), (125, 1), (110, 2), (60, 4), (30, 8), (14, 16)])
def test_a_photo_is_asked_for_at_the_smallest_size_that_serves(size, factor):
    """Never smaller than it is shown, never twice as large."""
    asked = []

    def photo(by):
        asked.append(by)
        return halved(grey(disc()), by)

    seen = PosedWindow(Window((30, 0, 270, 240), (size, size)), FRAME, poses(1)[0])
    shown = seen.image(photo, (0, 0, 0))[..., 0] > 100
    (mask,), _ = seen.masks(disc())
    assert asked == [factor] and (shown != mask).sum() <= 4 + 2 * np.sqrt(mask.sum())


def test_masks_of_a_turned_photo_are_cut_upright():
    """A box stays a box, mirrored with all else."""
    box, window = EMPTY.copy(), WINDOWS[0]
    box[80:120, 100:150] = 1
    for flip in (False, True):
        cut = PosedWindow(window, FRAME, poses(1)[0], flip).turned_mask(box)
        assert np.array_equal(cut, cut_mask(box, window)[:, :: -1 if flip else 1])


def test_masks_are_read_together_and_do_not_mix():
    """Each is what it is alone."""
    masks = [disc(), disc((160, 120), 30), board(8)]
    seen = PosedWindow(WINDOWS[1], FRAME, poses(1)[0])
    together, inside = seen.masks(*masks)
    for mask, found in zip(masks, together, strict=True):
        (alone,), same = seen.masks(mask)
        assert np.array_equal(found, alone) and np.array_equal(inside, same)


def test_a_frame_narrower_than_a_column_of_the_cut_is_shown_by_one():
    """No window is without a pixel of its photo to read."""
    needle = ObjectCrop.of(np.ones((300, 1), np.uint8))
    seen = PosedWindow(whole_window((300, 1), 32), (300, 1), np.array([[1.0, 0, 0], [0, 1, 0]]))
    (mask,), inside = seen.masks(needle.mask())
    assert mask.shape == inside.shape == (32, 32) and set(np.unique(inside)) <= {0, 1}
    assert seen.image(partial(halved, np.full((300, 1, 3), 9, np.uint8)), FILL).shape == (32, 32, 3)
