"""The CRF follows colours, never overlaps objects, and says how to install what it needs."""

import cv2
import numpy as np
import pytest

from datakit.arrays import iou
from datakit.errors import UsageError
from model.crf import Crf, CrfConfig

SIZE = (80, 100)


def disc(x, y, radius):
    return cv2.circle(np.zeros(SIZE, np.uint8), (x, y), radius, 1, -1)


def rough_scores(mask):
    """Scores that are right but for the outline, which is blurred and moved by some pixels."""
    return cv2.GaussianBlur(np.roll(mask, 3, axis=1).astype(np.float32) * 6 - 3, (0, 0), 4)


@pytest.fixture
def crf():
    pytest.importorskip("pydensecrf", reason="needs the extra crf (pydensecrf2)")
    return Crf(CrfConfig(colour_range=10))


def test_outlines_move_to_where_the_colour_changes(crf):
    """A blurred mask of a bright disc becomes the disc."""
    mask = disc(50, 40, 18)
    image = np.where(mask[..., None] > 0, np.uint8(220), np.uint8(30)).repeat(3, axis=2)
    scores = rough_scores(mask)[None]
    before = (scores[0] > 0).view(np.uint8)
    after = crf(image, scores, [1])
    assert iou(after, mask) > 0.98 > iou(before, mask)


def test_several_objects_keep_their_ids(crf):
    """Two discs of two colours, ids 7 and 3."""
    one, two = disc(30, 40, 14), disc(68, 40, 14)
    image = np.zeros((*SIZE, 3), np.uint8)
    image[one > 0], image[two > 0] = (220, 30, 30), (30, 220, 30)
    labels = crf(image, np.stack([rough_scores(one), rough_scores(two)]), [7, 3])
    assert set(np.unique(labels)) == {0, 3, 7}
    assert iou((labels == 7).view(np.uint8), one) > 0.95
    assert iou((labels == 3).view(np.uint8), two) > 0.95


def test_where_nothing_is_claimed_nothing_is_found(crf):
    """Scores below 0 everywhere give an empty map."""
    assert not crf(np.zeros((*SIZE, 3), np.uint8), np.full((1, *SIZE), -3, np.float32), [1]).any()


def test_without_the_package_the_way_out_is_told(monkeypatch):
    """The extra is named."""
    monkeypatch.setattr("datakit.extras.find_spec", lambda _name: None)
    with pytest.raises(UsageError, match=r"masktrack-datakit\[crf\]"):
        Crf()
