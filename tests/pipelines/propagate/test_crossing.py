"""Two objects that cross on the drawn clip, whose labels are exact: ids never swap, scored by the evaluator.

Needs weights: skipped where none are bundled.
"""

import numpy as np
import pytest

from datakit.evaluation import CONVENTIONS
from datakit.sample import draw_sample_data
from datakit.video.labels import read_labels

checkpoint = pytest.importorskip("model.checkpoint", reason="torch is not installed")

FRAMES_AFTER = range(15, 24)  # the fish part again


@pytest.fixture(scope="module", params=["lite-memory", "bundled"])
def segmented(request, tmp_path_factory):
    """Folder of predictions and folder of exact labels of the sample's clip, with and without a memory."""
    if not checkpoint.checkpoint_path(request.param).is_file():
        pytest.skip("no weights are bundled")
    from pipelines.propagate.masks import MaskPrompt
    from pipelines.propagate.network import NetworkChoice
    from pipelines.propagate.run import PropagateJob, propagate

    root = tmp_path_factory.mktemp("crossing")
    sample = draw_sample_data(root, photos=1)
    truth = sample.davis / "Annotations/480p/crossing"
    video = sample.davis / "JPEGImages/480p/crossing"
    network = NetworkChoice(request.param)
    job = PropagateJob(video, root / "out", (MaskPrompt(truth / "00000.png"),), network=network, overlay=False)
    propagate(job)
    return root / "out/crossing", truth


def test_each_object_is_found_after_the_crossing(segmented):
    """J of both is 0.7 at least in every frame after it, on average."""
    predicted, truth = segmented
    for number in (1, 2):
        scores = []
        for k in FRAMES_AFTER:
            found = read_labels(predicted / f"{k:05d}.png", "").labels == number
            exact = read_labels(truth / f"{k:05d}.png", "").labels == number
            scores.append(np.count_nonzero(found & exact) / np.count_nonzero(found | exact))
        assert np.mean(scores) >= 0.7, (number, scores)


def test_ids_never_swap(segmented):
    """In every frame a predicted object lies on its own exact one rather than on the other."""
    predicted, truth = segmented
    for k in range(24):
        found = read_labels(predicted / f"{k:05d}.png", "").labels
        exact = read_labels(truth / f"{k:05d}.png", "").labels
        for number, other in ((1, 2), (2, 1)):
            own = np.count_nonzero((found == number) & (exact == number))
            assert own > np.count_nonzero((found == number) & (exact == other)), (k, number)


def test_the_evaluator_gives_both_objects_a_score(segmented):
    """By the convention for several objects."""
    from pipelines.evaluate.result import EvaluateConfig
    from pipelines.evaluate.run import evaluate

    predicted, truth = segmented
    found = evaluate(EvaluateConfig(predicted, truth, "davis2017"))
    assert found.scores.convention is CONVENTIONS["davis2017"]
    assert [each.id for each in found.scores.sequences[0].objects] == [1, 2]
    assert all(each.scores.J.mean >= 0.7 for each in found.scores.sequences[0].objects)
