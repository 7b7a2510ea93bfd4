"""What a frame is segmented from, without a network."""

import numpy as np
import pytest

from benchmarks.flow import compared


class Looking:
    """Takes for the object whatever is bright in what it is shown; both pictures averaged."""

    def fresh(self):
        return self

    def step(self, photo, mask=None, flow=None):
        shown = photo if flow is None else (photo.astype(int) + flow) // 2
        return (shown[..., 0] > 120).astype(np.uint8)


def picture(*columns):
    image = np.zeros((4, 8, 3), np.uint8)
    image[:, list(columns)] = 255
    return image


def test_a_frame_is_segmented_by_photo_by_both_and_by_flow():
    """And the mask of the frame before is compared as it is."""
    before = picture(0), (picture(0)[..., 0] > 0).view(np.uint8)
    after = picture(0, 1), (picture(0, 1)[..., 0] > 0).view(np.uint8)
    assert compared(Looking(), before, after, picture(1, 2)) == pytest.approx([1, 2 / 3, 1 / 3, 1 / 2])
