"""Clips of shards in a store: the same as from a disk, their photos asked for together."""

from pathlib import Path

import numpy as np
import pytest

from datakit.clips import CLIP_PRESETS, ClipMaker, ShardStills, configure_clip_recipe
from datakit.places import Place
from tests.s3 import Bucket, put
from tests.small_shards import write_shards

RECIPE = configure_clip_recipe(
    CLIP_PRESETS["smooth"], ["frames=2", "size=64", "more_stills_low=2", "more_stills_high=2"]
)


@pytest.fixture
def local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DATAKIT_CACHE", str(tmp_path / "cache"))
    return write_shards(tmp_path / "shards", photos=8)


@pytest.fixture
def stored(local: Path, bucket: Bucket) -> Place:
    return put(local, bucket.place("shards"))


def test_clips_are_those_of_a_folder(local: Path, stored: Place) -> None:
    here, there = (ClipMaker(ShardStills(place), RECIPE).clip(3) for place in (local, stored))
    np.testing.assert_array_equal(here.frames, there.frames)


def test_photos_of_a_clip_are_asked_for_together(stored: Place, store_requests: list[str]) -> None:
    maker = ClipMaker(ShardStills(stored), RECIPE)
    store_requests.clear()
    plan = maker.clip(0).plan
    assert len(plan.stills) == 3
    assert 1 <= len(store_requests) <= 1 + plan.redraws


def test_photos_of_many_clips_are_asked_for_together(stored: Place, store_requests: list[str]) -> None:
    maker = ClipMaker(ShardStills(stored), RECIPE)
    store_requests.clear()
    draws = [(0, 0, 0), (4, 0, 0)]
    maker.prefetch(draws)
    assert len(store_requests) == 1
    assert len(store_requests) <= 1 + sum(maker.clip(*draw).plan.redraws for draw in draws)


def test_those_of_a_folder_are_not(local: Path, store_requests: list[str]) -> None:
    ClipMaker(ShardStills(local), RECIPE).prefetch([(0, 0, 0)])
    assert store_requests == []
