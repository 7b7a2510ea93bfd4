"""Masks carried through clips whose truth is known, by a network that knows colours and nothing else."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from datakit.arrays import iou
from datakit.errors import UsageError
from datakit.transforms.object_crop import ObjectCrop
from model.networks import build_network
from model.propagate import PropagateConfig, Propagator, filled_box, moved
from tests.colour_net import PLAIN, ColourNet
from tests.model.discs import CONFIG, SIZE, disc, propagator, run, shot
from tests.model.test_lite_memory import awake


def test_a_moving_object_is_followed():
    """A disc that moves four pixels a frame keeps its mask in every frame."""
    places = [(20 + 4 * t, 40) for t in range(20)]
    outputs = run([shot(red=disc(*place)) for place in places], disc(20, 40))
    assert min(iou(out, disc(*place)) for out, place in zip(outputs, places, strict=True)) > 0.9


def test_the_given_mask_is_the_first_output():
    """What the user says is not argued with."""
    mask = disc(20, 40) * np.uint8(9)
    assert np.array_equal(propagator().step(shot(green=disc(80, 40)), mask), mask)


def test_a_propagator_tells_how_sure_it_was():
    """Of every object it made itself in the last frame: none of a given one, nothing of one that is gone."""
    carrier = propagator()
    carrier.step(shot(red=disc(40, 40)), disc(40, 40))
    assert carrier.margins == {}
    carrier.step(shot(red=disc(42, 40)))
    assert 0.5 < carrier.margins[1] <= 1
    carrier.step(shot())
    assert carrier.margins == {1: 0.0}


def test_trained_weights_come_by_name():
    """`bundled` is a propagator in one call; a disc on its own is followed by it."""
    carrier = Propagator.from_pretrained("bundled", PropagateConfig(size=96), device="cpu")
    frames = [cv2.GaussianBlur(shot(red=disc(30 + 2 * t, 48)), (0, 0), 1) for t in range(3)]
    carrier.step(frames[0], disc(30, 48))
    found = [carrier.step(frame) for frame in frames[1:]][-1]
    assert iou(found, disc(34, 48)) > 0.7


def test_only_the_window_around_the_object_is_seen():
    """A second object of the same colour beyond the window stays background; the full frame shows it."""
    near, far = disc(20, 48, 8), disc(115, 48, 8)
    frames = [shot(red=near | far)] * 2
    assert np.array_equal(run(frames, near)[1] & far, np.zeros(SIZE, np.uint8))
    whole = PropagateConfig(size=128, full_frame=True, touching=False)
    assert iou(run(frames, near, whole)[1], near | far) > 0.9


def test_what_is_polished_is_given_out_and_not_carried_on():
    """A postprocess that leaves one pixel of each object changes no later frame, and loses none."""

    def pixel(frame, scores, ids):
        labels = np.zeros(frame.shape[:2], np.uint8)
        labels[np.unravel_index(scores[0].argmax(), labels.shape)] = ids[0]
        return labels

    frames = [shot(red=disc(20 + 4 * t, 40)) for t in range(4)]
    plain, polished = propagator(), Propagator(ColourNet(), PLAIN, CONFIG, pixel)
    for frame, mask in zip(frames, (disc(20, 40), None, None, None), strict=True):
        labels, point = plain.step(frame, mask), polished.step(frame, mask)
        assert np.array_equal(point, labels) if mask is not None else point.sum() == 1
        assert (labels & point).sum() == point.sum() and not polished.lost


def test_the_previous_mask_is_grown_by_the_disc():
    """The network sees the last mask dilated by exactly the radius asked for."""
    seen = []

    class Spy(ColourNet):
        def forward(self, x):
            seen.append(x[0, 3].numpy() > 0)
            return super().forward(x)

    carrier = Propagator(Spy(), PLAIN, PropagateConfig(size=128, full_frame=True, dilation=5))
    mask = disc(60, 40)
    carrier.step(shot(red=mask), mask)
    carrier.step(shot(red=mask))
    y, x = np.nonzero(mask)
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    near = ((rows[..., None] - y) ** 2 + (columns[..., None] - x) ** 2).min(axis=-1) <= 25
    assert np.array_equal(seen[0], near)


def test_two_objects_cross_and_keep_their_ids():
    """A red disc passes before a green one: both are found again under their own ids, and never overlap."""
    red = [disc(24 + 4 * t, 40) for t in range(20)]
    green = [disc(104 - 4 * t, 56) for t in range(20)]
    frames = [shot(green=g, red=r) for r, g in zip(red, green, strict=True)]
    first = red[0] * np.uint8(5) + green[0] * np.uint8(2)
    outputs = run(frames, first)
    assert {int(value) for out in outputs for value in np.unique(out)} == {0, 2, 5}
    assert iou((outputs[-1] == 5).view(np.uint8), red[-1]) > 0.9
    assert iou((outputs[-1] == 2).view(np.uint8), green[-1]) > 0.9


def test_objects_share_one_pass():
    """Three objects are one batch."""
    net = ColourNet()
    carrier = Propagator(net, PLAIN, CONFIG)
    masks = [disc(20, 30), disc(60, 30), disc(100, 60)]
    carrier.step(shot(red=masks[0]), sum(mask * np.uint8(k + 1) for k, mask in enumerate(masks)))
    carrier.step(shot(red=masks[0]))
    assert [shape[0] for shape in net.seen] == [3]


def test_objects_may_enter_later():
    """An object given in the third frame is carried on from there beside the first."""
    red, green = disc(30, 40), disc(90, 60)
    carrier = propagator()
    carrier.step(shot(red=red), red)
    carrier.step(shot(red=red))
    given = carrier.step(shot(red=red, green=green), green * np.uint8(4))
    after = carrier.step(shot(red=red, green=green))
    for out in (given, after):
        assert iou((out == 4).view(np.uint8), green) > 0.9
        assert iou((out == 1).view(np.uint8), red) > 0.9


def test_a_mask_given_again_replaces_the_carried_one():
    """From a corrected frame on, the correction is followed."""
    red, green = disc(30, 40), disc(90, 60)
    frame = shot(red=red, green=green)
    carrier = propagator()
    carrier.step(frame, red)
    assert np.array_equal(carrier.step(frame, green), green)
    assert iou(carrier.step(frame), green) > 0.9


def test_a_fast_object_needs_its_mask_moved_on():
    """A disc that moves by its own width is only followed when the guide moves with it."""
    places = [12 + 10 * t if t < 2 else 22 + 20 * (t - 1) for t in range(6)]
    frames = [shot(red=disc(x, 40, 7)) for x in places]
    still, ahead = (
        run(
            frames,
            disc(places[0], 40, 7),
            PropagateConfig(size=96, margin=0.1, dilation=0, motion=share),
        )
        for share in (0.0, 1.0)
    )
    assert iou(ahead[-1], disc(places[-1], 40, 7)) > 0.9 > iou(still[-1], disc(places[-1], 40, 7))


def test_parts_that_do_not_touch_the_guide_are_dropped():
    """A second piece of the same colour in the window is no part of the object."""
    near, piece = disc(40, 48), disc(70, 48, 4)
    frames = [shot(red=near | piece)] * 2
    assert iou(run(frames, near)[1], near | piece) > 0.9
    assert iou(run(frames, near, replace(CONFIG, touching=True))[1], near) > 0.95


def test_a_run_goes_on_from_its_outputs_as_if_it_had_not_stopped():
    """Replaying the label maps written so far gives the very outputs of the unbroken run."""
    net = build_network("lite", seed=3).eval()
    rng = np.random.default_rng(0)
    frames = [rng.integers(0, 256, (*SIZE, 3), np.uint8) for _ in range(6)]
    first, later = disc(40, 40), disc(90, 50) * np.uint8(3)
    config = PropagateConfig(size=64, motion=1.0)
    whole = Propagator(net, PLAIN, config)
    outputs = [whole.step(frame, {0: first, 2: later}.get(t)) for t, frame in enumerate(frames)]
    resumed = whole.fresh()
    for t, out in enumerate(outputs[:4]):
        resumed.replay(out, {0: first, 2: later}.get(t))
    assert all(np.array_equal(resumed.step(frames[t]), outputs[t]) for t in (4, 5))
    assert resumed.lost == whole.lost


def test_a_network_with_a_memory_goes_on_too():
    """It sees again the frames that it keeps, and no others."""
    rng = np.random.default_rng(0)
    frames = [rng.integers(0, 256, (*SIZE, 3), np.uint8) for _ in range(6)]
    first, later = disc(40, 40), disc(90, 50) * np.uint8(3)
    whole = Propagator(awake(), PLAIN, PropagateConfig(size=64, remember_every=2, sure=0.0))
    outputs = [whole.step(frame, {0: first, 2: later}.get(t)) for t, frame in enumerate(frames)]
    resumed, asked = whole.fresh(), []
    for t, out in enumerate(outputs[:4]):
        resumed.replay(out, {0: first, 2: later}.get(t), lambda t=t: asked.append(t) or frames[t])
    assert all(np.array_equal(resumed.step(frames[t]), outputs[t]) for t in (4, 5))
    assert set(asked) <= {0, 1, 2, 3} and 0 in asked and 2 in asked


@pytest.mark.parametrize(("objects", "looks"), [(1, 2), (2, 2), (3, 3)])
def test_a_network_with_a_memory_looks_twice_at_one_object_alone(objects, looks, monkeypatch):
    """A second object then costs nothing."""
    net, seen = awake(), []
    head = net.head.forward
    monkeypatch.setattr(
        net.head, "forward", lambda features, *more: seen.append(len(features[0])) or head(features, *more)
    )
    carrier = Propagator(net, PLAIN, PropagateConfig(size=64))
    given = sum(disc(20 + 30 * n, 40) * np.uint8(n + 1) for n in range(objects))
    carrier.step(shot(), given)
    carrier.step(shot())
    assert seen == [looks]


def test_a_network_with_a_memory_must_see_the_frames_again():
    """Label maps alone are no memory."""
    carrier = Propagator(awake(), PLAIN, PropagateConfig(size=64))
    with pytest.raises(UsageError, match="give `frame`"):
        carrier.replay(disc(40, 40), disc(40, 40))


def test_a_box_becomes_a_mask():
    """The object in a box is found; one that is not there fills its box."""
    red = disc(60, 40)
    labels = propagator().box_mask(shot(red=red), {1: (45, 25, 75, 55), 3: (100, 60, 120, 90)})
    assert iou((labels == 1).view(np.uint8), red) > 0.9
    assert np.array_equal(labels == 3, filled_box((100, 60, 120, 90), SIZE) > 0)


def test_a_box_within_another_keeps_its_pixels():
    """Where the network finds nothing in either."""
    labels = propagator().box_mask(shot(), {1: (8, 8, 40, 40), 2: (12, 12, 20, 20)})
    assert (labels[12:20, 12:20] == 2).all() and (labels == 1).sum() == 32 * 32 - 8 * 8


@pytest.mark.parametrize("box", [(10, 10, 10, 20), (-1, 0, 5, 5), (0, 0, 129, 5), (20, 5, 10, 9)])
def test_a_box_outside_the_frame_is_refused(box):
    """The message tells the frame's size."""
    with pytest.raises(UsageError, match="x1 <= 128"):
        filled_box(box, SIZE)


def test_the_second_look_is_averaged_mirrored_or_at_the_flow():
    """Mirroring doubles the batch, the flow's picture is a pass of its own, and symmetry changes nothing."""
    mask = disc(64, 48)
    net = ColourNet()
    carrier = Propagator(net, PLAIN, PropagateConfig(size=96, mirrored=True))
    carrier.step(shot(red=mask), mask)
    out = carrier.step(shot(red=mask), flow=shot(green=mask))
    assert [shape[0] for shape in net.seen] == [2, 2]
    assert iou(out, mask) > 0.9


def test_a_setting_that_is_left_to_the_network_has_a_type_all_the_same():
    """None is its default, true and false are what it takes."""
    assert PropagateConfig().mirrored is None
    with pytest.raises(UsageError, match="mirrored: 1 is neither true nor false"):
        PropagateConfig(mirrored=1)
    with pytest.raises(UsageError, match="looks: None is not a whole number"):
        PropagateConfig(looks=None)


def test_the_first_frame_needs_a_mask_with_an_object_of_the_frame_s_size():
    """Each mistake is told in a line of its own."""
    frame = shot()
    for mask, told in (
        (None, "without a mask"),
        (np.zeros(SIZE, np.uint8), "no object"),
        (disc(9, 9)[:50], r"\(96, 128\)"),
    ):
        with pytest.raises(UsageError, match=told):
            propagator().step(frame, mask)


def test_what_leaves_the_frame_is_cut_off():
    """A mask moved half out of the frame keeps what stays in; one moved out altogether stays where it is."""
    mask = filled_box((0, 10, 20, 30), SIZE)
    assert np.array_equal(moved(ObjectCrop.of(mask), -10, 5).mask(), filled_box((0, 15, 10, 35), SIZE))
    assert np.array_equal(moved(ObjectCrop.of(mask), 118, 0).mask(), filled_box((118, 10, 128, 30), SIZE))
    for x, y in ((-40, 0), (200, 0), (0, 90), (0, -30)):
        assert np.array_equal(moved(ObjectCrop.of(mask), x, y).mask(), mask)


def test_a_propagator_says_what_it_follows():
    """One line, as a notebook prints it."""
    carrier = propagator()
    assert repr(carrier) == "Propagator(ColourNet, cpu, no objects yet)"
    carrier.step(shot(red=disc(40, 40)), disc(40, 40) * np.uint8(3))
    assert repr(carrier) == "Propagator(ColourNet, cpu, objects 3)"
