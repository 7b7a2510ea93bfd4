"""The clips of the validation: as many with each number of objects, of photos that training has not seen."""

from collections import Counter

import numpy as np
import pytest

from benchmarks.validation_clips import COUNTS, clip_recipe, drawn, held_back_stills
from datakit.clips import ClipMaker
from datakit.errors import UsageError
from datakit.seeds import is_held_back
from tests.clip_stills import MadeStills
from tests.small_shards import write_shards
from tests.smooth_clips import recipe

STILLS = MadeStills([(120, 160), (160, 120), (128, 128), (128, 160)], objects=1)


def maker(*settings, stills=STILLS):
    """Small films of one to four objects."""
    return ClipMaker(stills, recipe("more_stills_high=3", "frames=4", *settings), seed=3)


def test_there_are_as_many_clips_of_every_number_of_objects():
    """And each has as many objects as its name says."""
    made, found = maker(), list(drawn(maker(), 2))
    assert Counter(name[0] for name, _, _ in found) == {str(count): 2 for count in COUNTS}
    for name, position, repeat in found:
        clip = made.clip(position, repeat=repeat)
        assert len(clip.objects) == int(name[0])
        assert set(np.unique(clip.labels[0])) == set(range(int(name[0]) + 1))


def test_the_clips_of_a_smaller_set_are_the_first_of_a_larger():
    """So that a short run measures what the long one will."""
    assert set(drawn(maker(), 1)) < set(drawn(maker(), 3))


def test_photos_with_regions_nobody_knows_are_passed_over():
    """Truth would not be exact."""
    with pytest.raises(UsageError, match="0 of 1 clips with 1"):
        list(drawn(maker("redraw=never", stills=MadeStills([(64, 64)], objects=1, ignored=True)), 1))


def test_objects_that_cannot_be_had_are_named():
    """Of two objects that both are seen there is no clip with another number."""
    expected = "only 0 of 1 clips with 1, 0 of 1 clips with 3, 0 of 1 clips with 4 objects; give more shards"
    with pytest.raises(UsageError, match=expected):
        list(drawn(maker("redraw=never", "more_stills_high=0", stills=MadeStills([(64, 64)], objects=2)), 1))


def test_only_photos_held_back_from_training_are_taken(tmp_path):
    """Of twenty, those that the hash of their key chooses."""
    shards = write_shards(tmp_path / "shards", photos=20)
    held_back = [f"made/{n:03d}" for n in range(20) if is_held_back(f"made/{n:03d}", 0.1)]
    assert held_back
    assert held_back_stills([shards]).keys == held_back


def test_the_recipe_is_smooth_with_more_that_leaves_and_passes():
    """24 frames of 384 pixels."""
    made = clip_recipe()
    assert (made.name, made.frames, made.size) == ("smooth", 24, 384)
    assert (made.motion.leave, made.motion.cross) == (0.6, 0.6)
