"""The motion of the AOT family against the published chain at the same numbers, and the order of ids."""

from dataclasses import replace

import numpy as np
import pytest

from datakit.clips import CLIP_PRESETS, ClipMaker, Colour
from datakit.clips.render import render
from tests.clip_peers import aot_chain, aot_numbers
from tests.clip_stills import MadeStills

SIDE = 225
SIZES = ((150, 200), (200, 150), (160, 160), (100, 300))


def drawn_plans(count, **changes):
    recipe = replace(
        CLIP_PRESETS["aot"],
        colour=Colour(),
        more_stills_low=0,
        more_stills_high=0,
        least_pixels=1,
        size=SIDE,
        **changes,
    )
    stills = MadeStills(SIZES, objects=1)
    for seed in range(count):
        yield stills[seed % len(SIZES)], ClipMaker(stills, recipe, seed).plan(seed % len(SIZES))


@pytest.mark.parametrize("name", ["aot", "deaot"])
def test_pictures_masks_and_fill_are_those_of_the_published_chain(name):
    found, away = [], []
    for still, plan in drawn_plans(8):
        made = render(plan, [still])
        chain = aot_chain(still.image(), still.labels, aot_numbers(plan.drawn["stills"][0], still.size), name, SIDE)
        for ours, theirs in zip(made.labels > 0, chain.masks > 0, strict=True):
            found.append((ours & theirs).sum() / (ours | theirs).sum())
        away.append(np.abs(made.frames.astype(int) - chain.images)[chain.inside].mean())
        beyond = (made.frames == (124, 116, 104)).all(-1).mean((1, 2))
        assert np.abs(beyond - (1 - chain.inside.mean((1, 2)))).max() < 0.02
    assert np.mean(found) > 0.985 and min(found) > 0.97
    assert np.mean(away) < 3


def test_the_first_frame_is_cut_and_nothing_else():
    for _, plan in drawn_plans(6):
        first = plan.drawn["stills"][0]["frames"][0]
        assert (first["flip"], first["rotation"], first["shift"], first["scale"]) == (False, 0, (0, 0), 1)


def test_later_frames_are_mirrored_now_and_then():
    flips = [frame["flip"] for _, plan in drawn_plans(150) for frame in plan.drawn["stills"][0]["frames"][1:]]
    assert 0.24 < np.mean(flips) < 0.36


def test_a_cut_lies_in_the_photo_and_has_an_allowed_ratio():
    for still, plan in drawn_plans(40):
        for frame in plan.drawn["stills"][0]["frames"]:
            top, left, h, w = frame["cut"]
            assert 0 <= top <= still.size[0] - h and 0 <= left <= still.size[1] - w
            assert 0.74 < w / h < 1.36


def test_ids_are_shuffled_and_those_of_the_second_picture_follow():
    recipe = replace(CLIP_PRESETS["aot"], least_pixels=1)
    orders = set()
    for seed in range(12):
        clip = ClipMaker(MadeStills(objects=3), recipe, seed).clip(0)
        photos = [each.photo for each in clip.objects]
        assert photos == sorted(photos, key=lambda photo: photo != "made/0")
        orders.add(tuple(each.object_ids for each in clip.objects if each.photo == "made/0"))
    assert len(orders) > 3


def test_an_object_of_100_pixels_in_frame_0_is_dropped():
    assert CLIP_PRESETS["aot"].least_pixels == 101
