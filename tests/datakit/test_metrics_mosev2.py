"""MOSEv2's measures against the figures of its published scorer, and against what each of them is said to be.

`mosev2_golden.json` holds what `metricsv2.py` and `score.py` of MOSE-api 241977a gave (scikit-image 0.26.0,
OpenCV 5.0.0, NumPy 2.4.6) for the videos of `tests/mosev2_clips.py` and for the OSVOS
masks of ten DAVIS-2016 sequences, ids merged.
"""

from __future__ import annotations

import json
import math
import os
from pathlib import Path

import numpy as np
import pytest

from datakit.evaluation import CONVENTIONS, FrameResult, score_frame, score_sequence, score_set
from datakit.mask_files import read_mask
from datakit.metrics import disc, measure
from datakit.metrics_mosev2 import Mosev2Measures, measure_mosev2, scores_of_frames
from datakit.video.labels import LabelMap
from tests.mosev2_clips import CLIPS, made_clip

GOLDEN = json.loads((Path(__file__).parent / "mosev2_golden.json").read_text())
DATA = os.environ.get("DATAKIT_TEST_DATA")
needs_data = pytest.mark.skipif(not DATA, reason="DATAKIT_TEST_DATA names no folder of real data")
MOSEV2 = CONVENTIONS["mosev2"]


def label_map(labels):
    return LabelMap(labels, tuple(int(value) for value in np.unique(labels) if value))


def scored(name, clip):
    """A video by the convention mosev2."""
    frames = list(enumerate(clip))
    results = [FrameResult("0", label_map(clip[0][0]).ids)]
    results += [score_frame(str(place), label_map(target), label_map(found), False, True)
                for place, (target, found) in frames[1:-1]]  # fmt: skip
    return score_sequence(name, results, MOSEV2)


def figures(means):
    """In the order of the golden figures."""
    return [means.as_dict()[name] for name in GOLDEN["columns"]]


def square(side, shift=0, size=(480, 854)):
    mask = np.zeros(size, np.uint8)
    mask[100 : 100 + side, 100 + shift : 100 + shift + side] = 1
    return mask


@pytest.mark.parametrize("number", range(CLIPS))
def test_every_object_of_a_made_video_has_the_published_scorers_figures(number):
    """Small and large objects that vanish and return; all digits."""
    name = f"clip{number:02d}"
    found = {str(each.id): figures(each.mosev2.scorer) for each in scored(name, made_clip(number)).objects}
    assert found.keys() == GOLDEN["made"][name].keys()
    for each, expected in GOLDEN["made"][name].items():
        assert found[each] == pytest.approx(expected, abs=1e-12)


def test_made_videos_hold_what_is_to_be_measured():
    """Objects that go, that come back, and neither; of both kinds of radius, else the test above tells little."""
    objects = [values for clip in GOLDEN["made"].values() for values in clip.values()]
    gone, back = ([values[place] for values in objects] for place in (2, 3))
    assert len(objects) == 85
    assert (gone.count(None), back.count(None)) == (29, 39)
    own_radius = sum(values[1] != values[4] for values in objects)
    assert 20 < own_radius < 65


@needs_data
@pytest.mark.parametrize("sequence", ["bmx-trees", "car-shadow", "libby"])
def test_real_masks_have_the_published_scorers_figures(sequence):
    """Frames of 854x480, ids merged, the first and last left out."""
    root = Path(DATA) / "davis2016"
    values = []
    for number in range(1, len(list((root / "Annotations/480p" / sequence).glob("*.png"))) - 1):
        files = (root / "osvos_results" / sequence, root / "Annotations/480p" / sequence)
        planes = [(read_mask(each / f"{number:05d}.png", "", 10**7).plane > 0).view(np.uint8) for each in files]
        values.append(measure_mosev2(*planes))
    found = scores_of_frames(np.array(values), [False] * len(values))
    assert figures(found.scorer) == pytest.approx(GOLDEN["davis2016_osvos"][sequence]["1"], abs=1e-12)


def test_j_is_smoothed():
    """One pixel more in intersection and union; a mask where nothing is scores a little, not nothing."""
    empty, four = np.zeros((20, 20), np.uint8), square(2, size=(480, 854))
    assert measure_mosev2(empty, empty).J == 1
    assert measure_mosev2(np.zeros_like(four), four).J == 1 / 5
    assert measure_mosev2(square(10), square(10, 5)).J == 51 / 151


def test_a_large_object_is_measured_with_a_radius_that_is_not_rounded():
    """Over 4900 pixels at 854x480: 7.837 instead of 8, so both F lie below the rounded ones, which are DAVIS's."""
    found = measure_mosev2(square(200, 8), square(200))
    assert found.F == found.F_new < found.F_rounded == found.F_new_rounded
    assert found.F_rounded == measure(square(200, 8), square(200)).F


def test_a_small_object_has_a_smaller_radius_of_its_own():
    """20 pixels a side: 2, so that an error of 4 counts by Ḟ and not by F, whose radius is then rounded up."""
    found = measure_mosev2(square(20, 4), square(20))
    assert found.F_new == found.F_new_rounded < found.F == found.F_rounded == 1


@pytest.mark.parametrize(("side", "own"), [(69, True), (70, True), (71, False)])
def test_objects_over_4900_pixels_have_the_radius_of_the_frame(side, own):
    """ceil(.1 * 70) is 7, below 7.837; ceil(.1 * 71) is 8."""
    found = measure_mosev2(square(side, 8), square(side))
    assert (found.F_new < found.F_new_rounded) is not own
    assert (found.F_rounded > found.F) is not own


def test_an_unrounded_disc_is_lopsided():
    """Of 854x480: 17 pixels a side and 191 in all, where DAVIS's has 197; of a whole radius it is a plain disc."""
    radius = 0.008 * float(np.linalg.norm((480, 854)))
    assert disc(radius).shape == (17, 17) and disc(radius).sum() == 191 and disc(math.ceil(radius)).sum() == 197
    assert not np.array_equal(disc(radius), disc(radius)[::-1])
    assert np.array_equal(disc(3.0), disc(3)) and np.array_equal(disc(3), disc(3)[::-1])


def test_void_counts_as_empty_on_both_sides():
    """As in the other conventions."""
    ignore = np.zeros((480, 854), np.uint8)
    ignore[:, 100:] = 1
    assert measure_mosev2(square(20, 4), square(20), ignore) == Mosev2Measures(1, 1, 1, 1, 1)


@pytest.mark.parametrize(
    ("absent", "gone", "back"),
    [
        ("....", None, None),
        ("xxxx", None, None),
        ("..xx", 0.25, None),
        ("xx..", None, 0.25),  # absent from the first frame: no disappearance, what follows is a return
        (".x.x", (0.1 + 0.3) / 2, 0.2),
        ("x.xx", 0.25, 0.1),
        (".xxxx.x", (0.25 + 0.6) / 2, 0.5),  # a run of four counts as much as a run of one
    ],
)
def test_frames_of_disappearance_and_return(absent, gone, back):
    """Means of runs, then the mean over runs; J&Ḟ of frame n is .1 n here."""
    values = np.repeat(np.arange(len(absent))[:, None] / 10, 5, axis=1)
    found = scores_of_frames(values, [each == "x" for each in absent]).scorer
    assert (found.disappear, found.reappear) == (pytest.approx(gone), pytest.approx(back))


def test_objects_without_a_disappearance_are_not_in_its_mean():
    """A set's mean is over the objects that have one."""
    steady = [(np.ones((30, 40), np.uint8), np.ones((30, 40), np.uint8))] * 6
    gone = [(labels * (place < 3), labels * 0) for place, (labels, _) in enumerate(steady)]
    means = score_set([scored("a", steady), scored("b", gone)], MOSEV2).mosev2.scorer
    assert (means.disappear, means.reappear) == (1, None)
    assert pytest.approx((1 + (2 / 1201 + 2) / 4) / 2) == means.J


def test_an_object_counts_from_the_first_scored_frame_even_where_it_enters_later():
    """Ids painted before it is there cost, as by the published scorer."""
    late = np.zeros((30, 40), np.uint8)
    late[5:10, 5:10] = 2
    frames = [(late * (place >= 3), late) for place in range(6)]
    (found,) = scored("a", frames).objects
    assert found.id == 2 and len(found.frames) == 4
    assert found.scores.J.mean == pytest.approx((1 / 26 * 2 + 2) / 4)
