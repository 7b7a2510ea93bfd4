"""What every deformation must keep: a new one is finished when it passes `check_deformation`."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from dataclasses import FrozenInstanceError, fields
from typing import Any

import cv2
import numpy as np
import pytest

from datakit.arrays import Mask, check_mask
from datakit.transforms import Recipe, deform, replay
from datakit.transforms.object_crop import ObjectCrop


def shapes() -> Iterator[Mask]:
    """Masks that have broken deformations before: tiny, full, at the border, thin, in many parts, with a hole."""
    blob = np.zeros((60, 80), np.uint8)
    cv2.ellipse(blob, (40, 30), (22, 14), 30, 0, 360, 1, -1)
    holed = blob.copy()
    holed[26:34, 36:44] = 0
    yield from (blob, holed)
    yield np.pad(blob[20:40, 30:60], ((0, 30), (0, 40)))  # touches two borders
    yield np.ones((7, 9), np.uint8)
    yield np.ones((1, 1), np.uint8)
    for rows, columns in ((slice(5, 6), slice(7, 8)), (slice(4, 5), slice(0, 40)), (slice(0, 30), slice(9, 10))):
        mask = np.zeros((30, 40), np.uint8)
        mask[rows, columns] = 1
        yield mask
    parts = np.zeros((50, 300), np.uint8)
    parts[10:14, 5:9] = parts[30:45, 250:290] = 1
    yield parts


def check_deformation(step: Any) -> None:
    """The contract: frozen settings that survive a dictionary, drawn numbers by name, pure application."""
    check_settings(step)
    for mask in shapes():
        figure, before = ObjectCrop.of(mask), mask.copy()
        drawn = step.sample_params(np.random.default_rng(1), figure)
        assert drawn.shape == (len(step.parameter_names),) and drawn.dtype == np.float64
        np.testing.assert_array_equal(
            drawn, step.sample_params(np.random.default_rng(1), figure), "same seed, same numbers"
        )
        recipe = Recipe("one", (step,), min_iou=0)
        rough = deform(mask, recipe, np.random.default_rng(1))
        check_mask(rough.mask, type(step).__name__)
        assert rough.mask.shape == mask.shape
        np.testing.assert_array_equal(rough.mask, replay(mask, recipe, rough.parameters))
        np.testing.assert_array_equal(mask, before, "the mask itself is not touched")
        assert not np.shares_memory(rough.mask, mask)
    assert np.isnan(step.sample_params(np.random.default_rng(1), ObjectCrop.nothing((4, 4)))).all() or step.kind in (
        "dilate",
        "erode",
    )


def check_settings(step: Any) -> None:
    """Frozen, hashable, picklable, and the same after a round trip through plain values."""
    name = fields(step)[0].name
    with pytest.raises(FrozenInstanceError):
        setattr(step, name, 0)
    assert len(set(step.parameter_names)) == len(step.parameter_names)
    assert hash(step) == hash(pickle.loads(pickle.dumps(step)))
    recipe = Recipe("one", (step,))
    assert Recipe.from_dict(recipe.to_dict()) == recipe
