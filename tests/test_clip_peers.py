"""Laws of the oracle of the clip recipes: what its chains do at numbers whose result can be told without them."""

import numpy as np
import pytest

from tests.clip_peers import MEAN, PEERS, aot_chain, inverse_affine, resized, spline_map, stm_chain

STM = [name for name in PEERS if "aot" not in name]
AOT = [name for name in PEERS if "aot" in name]
EVEN = [1 / 8, 3 / 8, 5 / 8, 7 / 8]
GRID = np.array([(x, y) for x in EVEN[:3] for y in EVEN])


def still(width: int, height: int, sides: tuple[int, int, int, int]):
    """A photo without flat parts and a mask that is a rectangle (left, top, right, bottom)."""
    y, x = np.mgrid[:height, :width]
    photo = np.stack([x * 255 // width, y * 255 // height, (x + y) % 256], axis=-1).astype(np.uint8)
    left, top, right, bottom = sides
    mask = np.zeros((height, width), np.uint8)
    mask[top:bottom, left:right] = 1
    return photo, mask


def frame(**changed):
    """A frame at which nothing moves."""
    return {"rotation": 0.0, "shear": 0.0, "scale": 1.0, "crop": (0, 0), "tps": None, **changed}


def stm(photo, mask, peer="stcn", size=64, clip_scale=1.0, flip=False, **changed):
    """The first frame of a clip at these numbers."""
    numbers = {"clip_scale": clip_scale, "flip": flip, "frames": [frame(**changed)]}
    made = stm_chain(photo, mask, numbers, peer, size)
    return made.images[0], made.masks[0] > 127, made.inside[0]


def centre_of(mask):
    """(x, y) of a mask's middle in pixels."""
    ys, xs = np.nonzero(mask)
    return xs.mean() + 0.5, ys.mean() + 0.5


@pytest.mark.parametrize("peer", STM)
def test_numbers_at_which_nothing_moves_give_the_still(peer):
    photo, mask = still(64, 64, (10, 20, 40, 50))
    image, made, inside = stm(photo, mask, peer)
    assert (image == photo).all()
    assert (made == (mask > 0)).all()
    assert inside.all()


@pytest.mark.parametrize("peer", AOT)
def test_a_whole_box_gives_the_still_with_its_ids(peer):
    photo, mask = still(64, 64, (10, 20, 40, 50))
    frames = [
        {"box": (0, 0, 64, 64)},
        {"box": (0, 0, 64, 64), "flip": False, "rotation": 0.0, "shear": 0.0, "scale": 1.0, "shift": (0.0, 0.0)},
    ]
    made = aot_chain(photo, mask * 7, {"flip": False, "frames": frames}, peer, 64)
    assert (made.images == photo).all()
    assert (made.masks == mask * 7).all()
    assert made.inside.all()


def test_aots_two_flips_cancel_and_the_first_frame_has_only_one():
    photo, mask = still(64, 64, (10, 20, 40, 50))
    later = {"box": (0, 0, 64, 64), "flip": True, "rotation": 0.0, "shear": 0.0, "scale": 1.0, "shift": (0.0, 0.0)}
    made = aot_chain(photo, mask, {"flip": True, "frames": [{"box": (0, 0, 64, 64)}, later]}, "aot", 64)
    assert (made.images[0] == photo[:, ::-1]).all()
    assert (made.images[1] == photo).all()


def test_aots_box_is_stretched_to_a_square():
    photo, mask = still(128, 64, (32, 16, 96, 48))
    made = aot_chain(photo, mask, {"flip": False, "frames": [{"box": (16, 32, 32, 64)}]}, "aot", 64)
    assert (made.masks == 1).all()


def test_aots_shift_goes_to_the_right_and_down_by_whole_pixels():
    photo, mask = still(64, 64, (10, 20, 40, 50))
    later = {"box": (0, 0, 64, 64), "flip": False, "rotation": 0.0, "shear": 0.0, "scale": 1.0, "shift": (0.05, 0.1)}
    made = aot_chain(photo, mask, {"flip": False, "frames": [{"box": (0, 0, 64, 64)}, later]}, "aot", 64)
    assert (made.images[1][6:, 3:] == photo[:-6, :-3]).all()
    assert (made.images[1][:6] == MEAN).all()
    assert (made.inside[1] == (np.arange(64) >= 3) & (np.arange(64) >= 6)[:, None]).all()


def test_rotation_turns_the_content_clockwise():
    _, mask = still(64, 64, (50, 28, 60, 36))  # right of the centre
    x, y = centre_of(stm(np.zeros((64, 64, 3), np.uint8), mask, rotation=20.0)[1])
    assert (x, y) == pytest.approx((32 + 23 * np.cos(np.radians(20)), 32 + 23 * np.sin(np.radians(20))), abs=0.5)


def test_shear_moves_what_lies_below_the_centre_to_the_left():
    _, mask = still(64, 64, (28, 50, 36, 60))  # below the centre
    x, y = centre_of(stm(np.zeros((64, 64, 3), np.uint8), mask, shear=10.0)[1])
    assert (x, y) == pytest.approx((32 - 23 * np.tan(np.radians(10)), 55), abs=0.5)


def test_shear_comes_before_the_rotation():
    matrix = np.linalg.inv(np.vstack([np.reshape(inverse_affine((64, 64), rotation=20, shear=10), (2, 3)), [0, 0, 1]]))
    turn, tangent = np.radians(20), np.tan(np.radians(10))
    rotated = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    assert matrix[:2, :2] == pytest.approx(rotated @ [[1, -tangent], [0, 1]])


def test_the_centre_of_the_canvas_stays_where_it_is():
    a, b, c, d, e, f = inverse_affine((301, 200), rotation=13, shear=-7, scale=1.7)
    assert (a * 150.5 + b * 100 + c, d * 150.5 + e * 100 + f) == pytest.approx((150.5, 100))


def test_what_the_clip_scale_pushed_off_the_canvas_stays_lost():
    """Enlarged twice and reduced to a half: a composed map would give the whole photo back."""
    photo, mask = still(64, 64, (0, 0, 10, 10))
    image, made, inside = stm(photo, mask, clip_scale=2.0, scale=0.5)
    assert not made.any()
    assert inside.sum() == 32 * 32
    assert (image[~inside] == MEAN).mean() > 0.9  # bicubic filters reach over the edge by two pixels


def test_the_crop_is_taken_of_the_resized_canvas():
    photo, mask = still(256, 128, (0, 0, 128, 128))
    _, made, _ = stm(photo, mask, crop=(32, 0))
    assert (made == (np.arange(64) < 32)).all()


@pytest.mark.parametrize("size", [(400, 300), (300, 400), (301, 301), (333, 500)])
def test_the_shorter_side_gets_the_size_and_the_longer_is_cut_to_whole_pixels(size):
    width, height = resized(size, 384)
    assert min(width, height) == 384
    assert max(width, height) == max(size) * 384 // min(size)


def test_large_photos_are_reduced_with_antialiasing():
    """Stripes of one pixel become grey; sampled at points they would not."""
    photo = np.zeros((512, 512, 3), np.uint8)
    photo[:, ::2] = 255
    image, _, _ = stm(photo, photo[..., 0])
    assert np.abs(image.astype(int) - 127).max() < 8


def test_a_peers_mask_is_grey_at_its_edge_where_its_affine_is_bicubic():
    photo, mask = still(64, 64, (20, 20, 44, 44))
    numbers = {"clip_scale": 1.0, "flip": False, "frames": [frame(rotation=9.0)]}
    levels = {peer: len(np.unique(stm_chain(photo, mask, numbers, peer, 64).masks)) for peer in STM}
    assert levels["cutie"] == levels["rf-cutie"] == 2
    assert min(levels["stcn"], levels["xmem"], levels["deva"]) > 2


def test_points_of_a_spline_move_from_their_sources_to_their_targets():
    targets = GRID + np.array([(0.02, -0.01), (-0.015, 0.02), (0.0, 0.01)] * 4)
    x, y = spline_map(GRID, targets, 801, stretch=False)
    column, row = np.rint(targets * 800).astype(int).T
    drawn_at = np.rint(targets * 800) / 800
    assert np.column_stack([x[row, column], y[row, column]]) / 800 == pytest.approx(
        GRID + (drawn_at - targets), abs=3e-4
    )


def test_the_spline_of_points_that_stay_is_the_identity_of_the_peer():
    x, y = spline_map(GRID, GRID, 65, stretch=False)
    assert x[3] == pytest.approx(np.arange(65), abs=1e-3)
    assert y[:, 3] == pytest.approx(np.arange(65), abs=1e-3)


def test_the_stretching_peers_lose_their_last_row_and_column_to_black():
    photo, mask = still(64, 64, (10, 20, 40, 50))
    image, _, inside = stm(photo, mask, "stcn", tps=(GRID, GRID))
    assert (image[-1] == 0).all() and (image[:, -1] == 0).all()
    assert not inside[-1].any() and not inside[:, -1].any()
    assert inside[:-2, :-2].all()


def test_the_spline_comes_after_the_crop_and_has_a_black_border():
    photo, mask = still(65, 65, (0, 0, 65, 65))
    image, made, inside = stm(photo, mask, "rf-cutie", size=65, tps=(GRID, GRID + np.array([0.25, 0])))
    assert (image[:, :15] == 0).all()
    assert not made[:, :15].any() and not inside[:, :15].any()
    assert (image[:, 17:] == photo[:, 1:49]).all()


def test_photo_and_mask_of_two_sizes_are_refused():
    with pytest.raises(ValueError, match=r"photo is \(64, 64\) and mask \(32, 64\)"):
        stm(np.zeros((64, 64, 3), np.uint8), np.zeros((32, 64), np.uint8))


def test_a_chain_leaves_photo_and_mask_as_they_were():
    photo, mask = still(64, 64, (10, 20, 40, 50))
    kept = photo.copy(), mask.copy()
    stm(photo, mask, clip_scale=1.3, rotation=5.0, tps=(GRID, GRID + 0.01))
    assert (photo == kept[0]).all() and (mask == kept[1]).all()
