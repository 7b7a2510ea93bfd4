"""The sheet of photos as they are read: objects with their numbers, unused photos greyed, text cut in plain sight."""

from __future__ import annotations

import numpy as np

from datakit.errors import Problem
from datakit.images import encode_png
from datakit.preview.scene_sheet import Tile, _caption, _labels, _picture
from datakit.preview.text import INK, length
from datakit.preview.tiles import FLAGGED
from datakit.samples import Photo, Sample, Scene

RED = np.full((180, 240, 3), (200, 30, 30), np.uint8)  # of a tile's size


def scene(*keys: str) -> Scene:
    """A red photo with an upright bar for each key, from left to right."""
    photo = Photo.decoded(RED, encode_png(RED), "", 0)
    samples = []
    for place, key in enumerate(keys):
        mask = np.zeros(RED.shape[:2], np.uint8)
        mask[20:160, 10 + 80 * place : 70 + 80 * place] = 1
        samples.append(Sample(key, "s/a", photo, mask, place + 1, 0))
    return Scene("s/a", tuple(samples))


def inked(tile: Tile) -> np.ndarray:
    """(H, W) where a tile shows the ground of a number."""
    return (_picture(tile) == INK).all(axis=2)


def test_every_object_bears_its_number() -> None:
    """In its middle, in the order of keys, whatever its colour."""
    tile = Tile("s/a", scene("s/a#1", "s/a#2"))
    ink, labels = inked(tile), _labels(tile.scene.samples if tile.scene else ())
    assert all(ink[labels == place].any() for place in (1, 2)) and not ink[labels == 0].any()
    other = _picture(Tile("s/a", scene("s/a#1", "s/a#7")))
    differs = (_picture(tile) != other).any(axis=2)
    assert differs[labels == 2].any() and not differs[labels != 2].any()


def test_an_only_object_needs_no_number() -> None:
    """Its key has none."""
    assert not inked(Tile("s/a", scene("s/a"))).any()


def test_a_hidden_object_is_no_crash() -> None:
    """What another covers wholly has no place for a number."""
    only, _ = scene("s/a#1", "s/a#2").samples
    twice = Scene("s/a", (only, Sample("s/a#2", "s/a", only.photo, only.mask, 2, 0)))
    assert inked(Tile("s/a", twice)).any()


def test_a_photo_that_is_not_used_is_greyed_within_a_frame() -> None:
    """To be recognised, and not to be taken for one that is."""
    picture = _picture(Tile("s/a", None, (), RED // 2))
    inner = picture[10:-10, 10:-10]
    assert (inner == inner[..., :1]).all() and (picture[0, 0] == FLAGGED).all()
    assert (inner != _picture(Tile("s/a", None))[10:-10, 10:-10]).any()


def test_a_detail_that_is_too_long_ends_with_a_sign_of_it() -> None:
    """And within the tile; one that fits ends as it is."""
    problem = Problem("s/a", "failed", "list", "missing mask", "some words " * 40)
    lines = _caption(Tile("s/a", None, (problem,)))
    assert lines[-1].text.endswith(" …") and length(lines[-1].text, 12) <= 240
    short = _caption(Tile("s/a", None, (Problem("s/a", "failed", "list", "missing mask", "a few words"),)))
    assert short[-1].text == "a few words"
