"""A plan holds every number of a clip, and travels as JSON."""

import json

import pytest

from datakit.clips import CLIP_PRESETS, ClipMaker, ClipPlan
from tests.clip_stills import MadeStills


@pytest.mark.parametrize("name", CLIP_PRESETS)
def test_a_plan_is_equal_after_json(name):
    plan = ClipMaker(MadeStills(), CLIP_PRESETS[name], 3).clip(1).plan
    assert ClipPlan.from_dict(json.loads(json.dumps(plan.to_dict()))).to_dict() == plan.to_dict()


def test_a_plan_names_its_photos_and_counts_its_frames():
    plan = ClipMaker(MadeStills(), CLIP_PRESETS["aot"]).plan(2)
    assert plan.stills[0] == "made/2"
    assert len(set(plan.stills)) == 2
    assert plan.frames == 5
