"""Pictures of a plan: photo and ids by one map, layers over each other, ids by frame 0."""

from dataclasses import replace

import numpy as np
import pytest

from datakit.clips import Still
from datakit.clips.plan import OBJECTS, Candidate, ClipPlan, Finish, Layer, Pose, Shade
from datakit.clips.render import counts_in_first, render
from datakit.images import encode_jpeg, encode_png
from tests.clip_stills import MadeStills, made_masks, made_photo

IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
STILL = MadeStills([(64, 64)])[0]


def shifted(x, y):
    return Pose((1.0, 0.0, -float(x), 0.0, 1.0, -float(y)))


def plan_of(*layers, candidates=None, **rest):
    every = candidates or tuple(Candidate(n, (k,), 0) for n, layer in enumerate(layers) for k in layer.objects)
    stills = tuple(f"s/{n}" for n in range(1 + max(layer.still for layer in layers)))
    return ClipPlan("made", 64, (9, 8, 7), stills, layers, every, **rest)


def test_the_photo_itself_where_nothing_moves():
    made = render(plan_of(Layer(0, (Pose(IDENTITY),), objects=(1, 2))), [STILL])
    assert np.array_equal(made.frames[0], STILL.image())
    assert np.array_equal(made.labels[0], STILL.labels)


def test_photo_and_ids_move_together_and_the_fill_comes_in():
    made = render(plan_of(Layer(0, (Pose(IDENTITY), shifted(10, 5)), objects=(1, 2))), [STILL])
    assert np.array_equal(made.frames[1][5:, 10:], STILL.image()[:-5, :-10])
    assert np.array_equal(made.labels[1][5:, 10:], STILL.labels[:-5, :-10])
    assert (made.frames[1][:5] == (9, 8, 7)).all() and not made.labels[1][:5].any()


def test_only_what_is_visible_is_shown():
    layer = Layer(0, (Pose(IDENTITY),), objects=(1, 2), visible=(16.0, 0.0, 48.0, 64.0))
    made = render(plan_of(layer), [STILL])
    assert np.array_equal(made.frames[0][:, 16:48], STILL.image()[:, 16:48])
    assert (made.frames[0][:, :16] == (9, 8, 7)).all()
    assert not made.labels[0][:, 48:].any()


def test_objects_of_an_upper_layer_hide_those_below():
    upper = Layer(1, (Pose(IDENTITY),), OBJECTS, (1,))
    other = Still("s/1", (64, 64), lambda: encode_png(made_photo((64, 64), 7)), lambda: made_masks((64, 64), 1), [5])
    made = render(plan_of(Layer(0, (Pose(IDENTITY),), objects=(1, 2)), upper), [STILL, other])
    over = other.labels == 1
    assert (made.labels[0][over] == 3).all()
    assert np.array_equal(made.frames[0][over], other.image()[over])
    assert np.array_equal(made.frames[0][~over], STILL.image()[~over])
    assert made.objects[2] == (3, "s/1", (5,))


def test_an_object_that_frame_0_does_not_show_is_ground_in_all_frames():
    hidden = Layer(0, (shifted(-40, 0), Pose(IDENTITY)), objects=(1, 2))
    made = render(plan_of(hidden), [STILL])
    assert [each.object_ids for each in made.objects] == [(12,)]
    assert set(np.unique(made.labels)) == {0, 1}
    assert np.array_equal(made.labels[1] == 1, STILL.labels == 2)


def test_least_pixels_and_rank_choose_among_objects():
    layer = Layer(0, (Pose(IDENTITY),), objects=(1, 2))
    pixels = counts_in_first(plan_of(layer), [STILL])
    assert pixels == np.bincount(STILL.labels.ravel())[1:].tolist()
    assert not render(plan_of(layer, least_pixels=max(pixels) + 1), [STILL]).objects
    ranked = (Candidate(0, (1,), 1), Candidate(0, (2,), 0))
    assert [each.object_ids for each in render(plan_of(layer, candidates=ranked, most_objects=1), [STILL]).objects] == [
        (12,)
    ]


def test_objects_of_a_union_share_an_id():
    layer = Layer(0, (Pose(IDENTITY),), objects=(1, 2))
    made = render(plan_of(layer, candidates=(Candidate(0, (1, 2), 0),)), [STILL])
    assert made.objects == ((1, "made/0", (11, 12)),)
    assert np.array_equal(made.labels[0] > 0, STILL.labels > 0)


def test_an_object_no_candidate_names_is_shown_but_has_no_id():
    upper = Layer(0, (shifted(0, 20),), OBJECTS, (1, 2))
    made = render(plan_of(Layer(0, (Pose(IDENTITY),)), upper, candidates=(Candidate(1, (1,), 0),)), [STILL])
    assert set(np.unique(made.labels)) == {0, 1}
    moved = np.zeros_like(STILL.labels)
    moved[20:] = STILL.labels[:-20]
    assert np.array_equal(made.frames[0][20:][moved[20:] == 2], STILL.image()[:-20][moved[20:] == 2])


@pytest.mark.parametrize("shrink", [0.7, 1.0, 1.6, 2.3, 5.0])
def test_photo_and_ids_fit_each_other_on_a_checkerboard(shrink):
    """Edges of both lie within a quarter of a pixel of each other: that many pixels differ for each pixel of edge."""
    side, field = 400, round(12 * shrink)
    board = (np.add.outer(np.arange(side) // field, np.arange(side) // field) % 2).astype(np.uint8)
    picture = encode_jpeg(np.repeat(board[..., None] * 255, 3, 2), 100)
    still = Still("s/0", (side, side), lambda: picture, lambda: [board], [1])
    turn = shrink * np.array([[0.96, 0.28], [-0.28, 0.96]])
    matrix = np.column_stack([turn, np.array([200.3, 199.6]) - turn @ (32, 32)])
    made = render(plan_of(Layer(0, (Pose(tuple(matrix.ravel().tolist())),), objects=(1,))), [still])
    bright, ids = made.frames[0][8:-8, 8:-8, 0] > 127, made.labels[0][8:-8, 8:-8] == 1
    edges = (ids[1:] != ids[:-1]).sum() + (ids[:, 1:] != ids[:, :-1]).sum()
    assert edges > 100
    assert (bright != ids).sum() <= 0.25 * edges


def test_large_photos_are_averaged_when_they_shrink():
    stripes = np.repeat(np.tile(np.array([0, 255], np.uint8), (256, 128))[..., None], 3, 2)
    still = Still("s/0", (256, 256), lambda: encode_png(stripes), lambda: [np.ones((256, 256), np.uint8)], [1])
    made = render(plan_of(Layer(0, (Pose((4.0, 0.0, 1.5, 0.0, 4.0, 1.5)),), objects=(1,))), [still])
    assert np.abs(made.frames[0].astype(int) - 127).max() <= 2


def test_shades_of_a_frame_leave_the_ids_alone():
    plain = render(plan_of(Layer(0, (Pose(IDENTITY),), objects=(1, 2))), [STILL])
    dark = render(plan_of(Layer(0, (Pose(IDENTITY, shades=(Shade("brightness", 0.5),)),), objects=(1, 2))), [STILL])
    assert np.array_equal(plain.labels, dark.labels)
    assert np.abs(dark.frames[0] - plain.frames[0] * 0.5).max() <= 1


def test_the_region_where_nothing_is_known_moves_along():
    still = MadeStills([(64, 64)], ignored=True)[0]
    made = render(plan_of(Layer(0, (Pose(IDENTITY), shifted(0, -10)), objects=(1, 2))), [still])
    assert np.array_equal(made.ignored[0], still.ignored & (still.labels == 0))
    assert made.ignored[1].sum() == made.ignored[0].sum()


def test_gain_and_jpeg_at_the_end():
    layer = Layer(0, (Pose(IDENTITY),) * 2, objects=(1, 2))
    made = render(plan_of(layer, finish=(Finish((Shade("brightness", 0.5),)), Finish(quality=30))), [STILL])
    assert np.abs(made.frames[0] - STILL.image() * 0.5).max() <= 1
    assert 0 < np.abs(made.frames[1].astype(int) - STILL.image()).mean() < 20


def test_a_plan_changes_with_its_layers_alone():
    plan = plan_of(Layer(0, (Pose(IDENTITY),), objects=(1, 2)))
    assert replace(plan, drawn={"anything": 1}).to_dict() != plan.to_dict()
    assert np.array_equal(render(replace(plan, drawn={"anything": 1}), [STILL]).frames, render(plan, [STILL]).frames)
