"""The page of several methods: its data are those it was given, of bounded size, and deaf to whatever a name says."""

from __future__ import annotations

import base64
import io
import json
import re

import numpy as np
import pytest

from datakit.evaluation import ObjectScores, Scores
from datakit.images import decode_picture
from datakit.metrics import statistics
from datakit.preview.compare import (
    ALL_MASKS,
    LEAST_A_MASK,
    MOST_A_MASK,
    MOST_FRAMES,
    ComparedSequence,
    ComparePage,
    Room,
    apart_place,
    kept_places,
    room_for,
    shown_masks,
    write_compare_page,
)
from datakit.preview.document import ALL_PICTURES
from datakit.rle import decode_rle

EVIL = "</script><img src=x onerror=alert(1)>"
SIZE = (120, 200)


def object_of(values, frames=None):
    """An object of these J and F by one method."""
    each = np.array(values, np.float64)
    names = frames or tuple(f"{k:05d}" for k in range(len(each)))
    return ObjectScores(1, names, each, each, Scores(statistics(each), statistics(each)))


def block(left, top=20, side=40):
    mask = np.zeros(SIZE, np.uint8)
    mask[top : top + side, left : left + side] = 1
    return mask


def noise(share=0.5):
    return (np.random.default_rng(0).random(SIZE) < share).astype(np.uint8)


def written(sequences, methods=("a", "b"), **page):
    out = io.StringIO()
    scores = [sequences[0].objects[0][0].scores] * len(methods)
    title = page.pop("title", "Scores")
    write_compare_page(out, ComparePage(title, ("about",), methods, scores, **page), sequences)
    return out.getvalue()


def data_of(text):
    """The sequences of a page, each with its pictures."""
    blocks = re.findall(
        r'class="sequence" type="application/json">(.*?)</script>\n<script type="text/plain">(.*?)<', text
    )
    return [(json.loads(data), pictures.split(",")) for data, pictures in blocks]


def test_the_page_holds_curves_and_masks_of_every_method():
    """Values of every frame; masks to the pixel where the frame is small; the void."""
    void = block(100)
    frame = shown_masks("00001", None, {1: block(20)}, {1: [block(21), block(30)]}, void, Room())
    one, two = object_of([0.25, 1 / 3]), object_of([0.5, 0.75])
    ((data, pictures),) = data_of(written([ComparedSequence("dog", "part: x", [(one, two)], [frame])]))
    assert (data["name"], data["part"], pictures) == ("dog", "part: x", [""])
    shown = data["objects"][0]
    assert shown["J"] == [[0.25, 0.3333], [0.5, 0.75]] and shown["frames"] == ["00000", "00001"]
    (kept,) = data["shown"]
    assert kept["size"] == list(SIZE)
    for code, mask in (
        (kept["target"]["1"], block(20)),
        (kept["found"]["1"][0], block(21)),
        (kept["found"]["1"][1], block(30)),
        (kept["void"], void),
    ):
        np.testing.assert_array_equal(decode_rle(code.encode(), tuple(kept["size"])), mask)


def test_frames_are_shown_small():
    """One picture a frame, of no more bytes than there is room for."""
    image = np.random.default_rng(0).integers(0, 256, (480, 854, 3), dtype=np.uint8)
    frame = shown_masks("0", image, {1: block(20)}, {1: []}, None, Room(picture=5000))
    ((_, pictures),) = data_of(written([ComparedSequence("dog", "", [(object_of([1]),)], [frame])]))
    picture = base64.b64decode(pictures[0])
    assert 0 < len(picture) <= 5000 and max(decode_picture(picture).shape) <= 480


@pytest.mark.parametrize("most", [MOST_A_MASK, 500, LEAST_A_MASK])
def test_no_mask_is_longer_than_there_is_room_for(most):
    """One that is all rim is made coarser, and all of the frame with it."""
    frame = shown_masks("0", None, {1: block(20)}, {1: [noise(0.1), noise()]}, None, Room(mask=most))
    codes = [*frame.target.values(), *frame.found[1]]
    assert max(map(len, codes)) <= most
    assert all(decode_rle(code.encode(), frame.size).shape == frame.size for code in codes)


@pytest.mark.parametrize(("frames", "objects", "methods"), [(50, 1, 2), (4000, 1, 3), (100_000, 5, 4), (2000, 60, 12)])
def test_a_page_is_bounded_whatever_it_is_of(frames, objects, methods):
    """Most bytes of all pictures and of all masks, from the room for one, in so many frames as are kept."""
    masks = frames * objects * (methods + 1)
    room = room_for(frames, masks)
    kept = len(kept_places(frames, room.step))
    assert kept <= MOST_FRAMES
    assert kept * room.picture <= 1.01 * ALL_PICTURES
    assert kept * objects * (methods + 1) * room.mask <= 1.05 * ALL_MASKS


def test_a_small_page_shows_every_frame():
    """As well as it can."""
    assert room_for(700, 2800) == Room(1, 14_000, MOST_A_MASK)
    assert kept_places(5, 1, [3]) == [0, 1, 2, 3, 4]


def test_frames_that_say_most_are_kept():
    """Each instead of its neighbour, so that they are no more."""
    assert kept_places(20, 5, []) == [0, 5, 10, 15]
    assert kept_places(20, 5, [7, 19]) == [0, 7, 10, 19]


def test_methods_are_apart_where_their_range_is_widest():
    """By J and F together, of all methods."""
    assert apart_place([object_of([0.9, 0.9, 0.1]), object_of([0.8, 0.2, 0.1]), object_of([0.9, 0.8, 0.2])]) == 1


def test_names_are_only_data():
    """Nothing of a title, a method, a sequence or a frame can close a block or become an element."""
    each = object_of([0.1], (EVIL,))
    frame = shown_masks(EVIL, None, {1: block(20)}, {1: [block(21)]}, None, Room())
    text = written([ComparedSequence(EVIL, EVIL, [(each,)], [frame])], (EVIL,), title=EVIL, remarks=(EVIL,), total=EVIL)
    assert "<img" not in text and text.count("<title>") == 1
    assert data_of(text)[0][0]["name"] == EVIL


def test_the_page_names_no_address():
    """Whatever it needs is in it."""
    text = written([ComparedSequence("dog", "", [(object_of([0.1]),)], [])])
    assert not re.findall(r"(?:src|href)=[\"']?(?!data:|#)\w", text) and "default-src 'none'" in text
    assert [address for address in re.findall(r"https?://[^\"' ]+", text) if "w3.org" not in address] == []
