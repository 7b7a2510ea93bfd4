"""What the doubt of the page is compared with: what masks of known truth have lost."""

import numpy as np
import pytest

for _needed in ("starlette", "torch"):
    pytest.importorskip(_needed, reason=f"{_needed} is not installed (extras `annotate`, `network`)")

from benchmarks.doubt import before, lost, made, now, table  # noqa: E402
from tests.clips import draw_folder, labels  # noqa: E402
from tests.pipelines.annotate.serving import DriftingMasker  # noqa: E402


def test_what_a_mask_lost_is_the_mean_of_its_objects():
    """One that is not there, and not shown, has lost nothing."""
    half = np.where(labels() == 1, labels(), 0).astype(np.uint8)
    assert lost(labels(), labels(), [1, 2, 3]) == 0
    assert lost(half, labels(), [1, 2]) == 0.5


def test_masks_of_one_drawing_have_no_agreement_and_those_between_two_have(tmp_path):
    """And each says how sure it was and what it lost."""
    frames, truth = draw_folder(tmp_path / "clip", 6), [labels()] * 6
    one = list(made(frames, truth, [0], DriftingMasker()))
    two = list(made(frames, truth, [0, 5], DriftingMasker()))
    assert [len(one), len(two)] == [5, 4]
    assert all("agreement" not in row for row in one) and all("agreement" in row for row in two)
    assert all({"confidence", "lost"} <= set(row) for row in one + two)
    assert now(one).shape == before(one).shape == (5,)


def test_a_table_has_the_mean_between_its_bounds():
    """Of both figures; where nothing lies it has no line."""
    given = ((0.1, 0.5), (0.3, 0.2), (0.4, 0.4), (0.95, 0.1))
    rows = [{"confidence": c, "lost": loss} for c, loss in given]
    assert table(rows, "confidence", (0, 0.2, 0.5, 0.9, 1.001)) == [(0.1, 0.5), (0.35, 0.3), (0.95, 0.1)]
