"""What of a still moves by itself, and where its photo cuts it."""

import numpy as np
import pytest

from datakit.clips.pieces import pieces_of


def labels_of(**boxes):
    """(120, 160) uint8: object N in the box `oN`: x0, y0, x1, y1."""
    labels = np.zeros((120, 160), np.uint8)
    for name, (x0, y0, x1, y1) in boxes.items():
        labels[y0:y1, x0:x1] = int(name[1:])
    return labels


def test_objects_apart_are_pieces_of_their_own():
    first, second = pieces_of(labels_of(o1=(10, 10, 50, 60), o4=(80, 20, 120, 90)))
    assert (first.objects, second.objects) == ((1,), (4,))
    assert first.box == pytest.approx((10, 10, 50, 60), abs=2)
    assert first.pixels == pytest.approx(2000, rel=0.1)


def test_objects_that_hang_together_are_one_piece():
    rider, _ = pieces_of(labels_of(o1=(20, 20, 60, 50), o2=(20, 50, 60, 90), o3=(100, 20, 140, 60)))
    assert rider.objects == (1, 2)
    assert rider.cut == (False,) * 4


def test_objects_that_hardly_touch_stay_apart():
    assert len(pieces_of(labels_of(o1=(20, 20, 60, 60), o2=(58, 58, 100, 100)))) == 2


def test_all_are_one_piece_where_the_recipe_says_so():
    (piece,) = pieces_of(labels_of(o1=(10, 10, 50, 60), o4=(80, 20, 120, 90)), is_one=True)
    assert piece.objects == (1, 4)


@pytest.mark.parametrize("box, cut", [
    ((0, 30, 40, 60), (True, False, False, False)),
    ((30, 1, 60, 60), (False, True, False, False)),
    ((100, 30, 160, 60), (False, False, True, False)),
    ((30, 60, 60, 120), (False, False, False, True)),
    ((0, 60, 160, 120), (True, False, True, True)),
    ((5, 5, 150, 110), (False, False, False, False)),
])  # fmt: skip
def test_the_sides_that_cut_a_piece_are_known(box, cut):
    (piece,) = pieces_of(labels_of(o1=box))
    assert piece.cut == cut


def test_no_object_is_no_piece():
    assert pieces_of(labels_of()) == []
    assert pieces_of(labels_of(), is_one=True) == []


def test_what_a_frame_sees_of_each_object_is_counted():
    (piece,) = pieces_of(labels_of(o1=(20, 20, 60, 50), o2=(20, 50, 60, 90)))
    half = np.array([[0.5, 0.0, 40.0], [0.0, 0.5, 20.0]])  # 64 px of frame show x 40..72, y 20..52
    seen = piece.seen(half, 64)
    assert seen[1] == pytest.approx(40 * 60, rel=0.1)
    assert seen[2] == pytest.approx(40 * 4, rel=0.6)
