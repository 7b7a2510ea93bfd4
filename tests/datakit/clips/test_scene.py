"""Where a piece lies in a scene and in a frame."""

import numpy as np
import pytest

from datakit.clips.camera import View
from datakit.clips.pieces import pieces_of
from datakit.clips.scene import Form, bends, blurs, foothold, is_rigid, photo_for_frame, room_of

UNCUT = (False,) * 4
VIEW = View((50.0, 50.0), 100.0, 0.0)


def piece(x0, y0, x1, y1, size=(100, 100)):
    labels = np.zeros(size, np.uint8)
    labels[y0:y1, x0:x1] = 1
    return pieces_of(labels)[0]


@pytest.mark.parametrize("box, foot", [
    ((20, 20, 60, 80), (40, 80)),
    ((0, 20, 60, 80), (0, 80)),
    ((40, 20, 100, 80), (100, 80)),
    ((20, 0, 60, 80), (40, 0)),
    ((20, 20, 60, 100), (40, 100)),
])  # fmt: skip
def test_a_piece_stands_on_its_lower_side_or_where_it_is_cut(box, foot):
    assert foothold(piece(*box)) == pytest.approx(foot, abs=1)


def test_a_piece_cut_on_opposite_sides_may_not_change():
    assert is_rigid(piece(0, 20, 100, 60)) and is_rigid(piece(30, 0, 60, 100))
    assert not is_rigid(piece(0, 20, 60, 100)) and not is_rigid(piece(20, 20, 60, 60))


def test_a_piece_has_room_on_all_sides_and_less_of_it_up_and_down():
    left, top, right, bottom = room_of((40, 40, 60, 60), UNCUT, VIEW)
    assert (left, top, right, bottom) == pytest.approx((-0.42, -0.15, 0.42, 0.15))


def test_a_cut_side_does_not_come_away_from_the_border():
    assert room_of((0, 40, 20, 60), (True, False, False, False), VIEW)[2] == 0
    assert room_of((80, 40, 100, 60), (False, False, True, False), VIEW)[0] == 0
    assert room_of((40, 0, 60, 20), (False, True, False, False), VIEW)[3] == 0
    left, top, right, bottom = room_of((40, 80, 60, 100), (False, False, False, True), VIEW)
    assert top == 0 < bottom <= 0.1 and left < 0 < right
    assert room_of((0, 0, 100, 100), (True,) * 4, VIEW) == (0, 0, 0, 0)


def test_where_it_is_belongs_to_the_room():
    left, _, right, _ = room_of((180, 40, 220, 60), UNCUT, VIEW)
    assert left < 0 == right


def test_the_foothold_lies_where_it_is_put_whatever_the_form():
    base = View((50.0, 40.0), 80.0, 5.0).matrix(64, True)
    form = Form(1.7, 20.0, 0.1, 0.2)
    matrix = photo_for_frame(base, (12.0, 30.0), (55.0, 44.0), form)
    frame = np.linalg.solve(base[:, :2], np.array([55.0, 44.0]) - base[:, 2])
    assert matrix[:, :2] @ frame + matrix[:, 2] == pytest.approx([12, 30])


def test_a_larger_piece_is_read_in_smaller_steps():
    base = View((50.0, 50.0), 100.0, 0.0).matrix(100, False)
    plain = photo_for_frame(base, (0.0, 0.0), (10.0, 10.0), Form())
    assert plain == pytest.approx(np.array([[1.0, 0, -10], [0, 1, -10]]))
    assert photo_for_frame(base, (0.0, 0.0), (10.0, 10.0), Form(2.0))[:, :2] == pytest.approx(np.eye(2) / 2)


def test_blur_goes_with_the_motion_in_the_frame():
    matrices = [np.array([[1.0, 0, -4.0 * n], [0, 1, 3.0 * n]]) for n in range(4)]
    assert blurs(matrices, [(9.0, 9.0)] * 4, 0.5) == [(2.0, -1.5)] * 4
    assert blurs(matrices, [(9.0, 9.0)] * 4, 0.01) == [None] * 4
    assert blurs(matrices[:1], [(9.0, 9.0)], 0.5) == [None]


def test_spots_of_a_piece_bend_and_its_surroundings_do_not():
    one, moves = piece(20, 20, 60, 80), [[0.1, -0.05], [0.0, 0.0]]
    matrix = np.array([[0.5, 0.0, 0.0], [0.0, 0.5, 0.0]])
    first, second = bends([matrix, matrix], one, 200, [(0.5, 0.5)], moves)
    assert first.start == second.start == second.end
    assert first.end[:-1] == first.start[:-1]
    (x, y), (u, v) = first.start[-1], first.end[-1]
    assert (x, y) == pytest.approx((0.4, 0.5), abs=0.01)
    assert (u - x, v - y) == pytest.approx((0.1 * 80 / 200, -0.05 * 120 / 200), rel=0.05)
    assert not first.is_cut
