"""What is said of a triple."""

from dataclasses import replace

import numpy as np
import pytest

from datakit.deformations import PRESETS
from datakit.samples import flags_of
from datakit.triples import make_triples
from tests.made import made_sample


@pytest.mark.parametrize(("drawn", "iou", "floor", "seen"), [
    ("", 0.29, 0.3, "low-iou"),
    ("", 0.3, 0.3, ""),
    ("low-iou", 0.33, 0.3, ""),
    ("low-iou", 0.1, 0.3, "low-iou"),
    ("no-tps", 0.1, 0.3, "low-iou,no-tps"),
    ("low-iou,no-tps", 0.5, 0.3, "no-tps"),
    ("low-iou,no-tps", 0.5, None, "low-iou,no-tps"),
    ("", 0.0, 0.0, ""),
])  # fmt: skip
def test_low_iou_goes_by_what_is_stored(drawn, iou, floor, seen):
    """Whatever the draw said; other remarks stay, in their order."""
    assert flags_of(drawn, iou, floor) == seen


def test_a_tiny_object_that_dilation_outgrows_is_flagged():
    """Its draw reached the floor, before dilation; its triple does not."""
    mask = np.zeros((60, 80), np.uint8)
    mask[30:34, 40:44] = 1
    triple = make_triples(replace(made_sample(), mask=mask), PRESETS["masktrack"], 0)[0]
    assert triple.iou < 0.3 and "low-iou" in triple.flags.split(",")
    assert "low-iou" not in triple.draw_flags.split(",")
