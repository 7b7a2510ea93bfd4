"""The page of scores: its data are those it was given, whole in one file, and deaf to whatever a name says."""

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
from datakit.preview.scores import ScoresPage, ShownFrame, ShownObject, worst_places, write_scores_page
from datakit.rle import decode_rle

EVIL = "</script><img src=x onerror=alert(1)>"


def object_of(values, others=None):
    """An object of J `values` and F `others`, or both alike."""
    J, F = (np.array(each, np.float64) for each in (values, values if others is None else others))
    return ObjectScores(1, tuple(f"{k:05d}" for k in range(len(J))), J, F, Scores(statistics(J), statistics(F)))


def written(objects, page=None):
    out = io.StringIO()
    write_scores_page(out, page or ScoresPage("Scores", ("about",), objects[0].scores.scores), objects)
    return out.getvalue()


def data_of(text):
    """The objects of a page, each with its pictures."""
    blocks = re.findall(
        r'class="object" type="application/json">(.*?)</script>\n<script type="text/plain">(.*?)<', text
    )
    return [(json.loads(data), pictures.split(",")) for data, pictures in blocks]


def shown_frame(image=None, ignore=None, size=(120, 200)):
    found, target = np.zeros((2, *size), np.uint8)
    target[20:60, 20:60] = 1
    found[25:65, 20:60] = 1
    return ShownFrame(1, found, target, ignore, image)


def test_worst_places_are_the_lowest_apart_from_each_other():
    """A tenth of the sequence lies between them; they are given in the order of frames."""
    values = np.full(100, 0.9)
    values[[40, 41, 42, 70, 5]] = (0.3, 0.1, 0.2, 0.4, 0.5)
    assert worst_places(object_of(values), 3) == [5, 41, 70]
    assert worst_places(object_of([0.3, 0.2, 0.1]), 2) == [1, 2]
    assert worst_places(object_of([0.5]), 6) == [0]


def test_worst_places_weigh_both_measures():
    """The mean of J and F decides."""
    assert worst_places(object_of([0.1, 0.4, 0.9], [0.9, 0.4, 0.9]), 1) == [1]


def test_the_page_holds_curves_and_masks():
    """Values of every frame; masks to the pixel in the part that is shown; the void."""
    ignore = np.zeros((120, 200), np.uint8)
    ignore[:, 50:] = 1
    frame = shown_frame(ignore=ignore)
    shown = ShownObject("dog", object_of([0.25, 1 / 3, 0.5]), True, (frame,))
    ((data, pictures),) = data_of(written([shown]))
    assert (data["sequence"], data["id"], data["several"], data["J"]) == ("dog", 1, True, [0.25, 0.3333, 0.5])
    worst = data["worst"][0]
    x0, y0, x1, y1 = worst["region"]
    assert worst["size"] == [y1 - y0, x1 - x0] and (worst["found_area"], worst["target_area"]) == (1600, 1600)
    for name, mask in (("rough", frame.found), ("target", frame.target), ("void", ignore)):
        np.testing.assert_array_equal(decode_rle(worst[name].encode(), worst["size"]), mask[y0:y1, x0:x1])
    assert pictures == ["", ""]


def test_frames_are_shown_small():
    """Two pictures a frame: the part that matters, and all of it."""
    image = np.random.default_rng(0).integers(0, 256, (120, 200, 3), dtype=np.uint8)
    page = ScoresPage("Scores", (), object_of([1]).scores, picture_bytes=5000)
    shown = ShownObject("dog", object_of([0.1, 0.2]), False, (shown_frame(image), shown_frame(image)))
    ((_, pictures),) = data_of(written([shown], page))
    assert len(pictures) == 4
    part, whole = (base64.b64decode(text) for text in pictures[:2])
    assert 0 < len(part) <= 5000 and max(decode_picture(whole).shape) == 112


def test_names_are_only_data():
    """Nothing of a title, a remark, a sequence or a frame can close a block or become an element."""
    each = object_of([0.1])
    each = ObjectScores(1, (EVIL,), each.J, each.F, each.scores)
    page = ScoresPage(EVIL, (EVIL,), each.scores, (EVIL,))
    text = written([ShownObject(EVIL, each, False)], page)
    assert "<img" not in text and text.count("<title>") == 1
    assert data_of(text)[0][0]["sequence"] == EVIL


def test_the_page_names_no_address():
    """Whatever it needs is in it."""
    text = written([ShownObject("dog", object_of([0.1]), False)])
    assert not re.findall(r"(?:src|href)=[\"']?(?!data:|#)\w", text) and "default-src 'none'" in text
    assert [address for address in re.findall(r"https?://[^\"' ]+", text) if "w3.org" not in address] == []


@pytest.mark.parametrize("count", [0, 1])
def test_a_page_of_little(count):
    """No worst frames, one frame: still a page."""
    shown = ShownObject("dog", object_of([0.5]), False, (shown_frame(),) * count)
    assert len(data_of(written([shown]))[0][0]["worst"]) == count
