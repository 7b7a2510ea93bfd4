"""What mask values mean: one table that all readers of masks share, and the law that no object gets lost unsaid."""

from __future__ import annotations

import tempfile
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as PillowImage

from datakit.datasets import ReadOptions
from datakit.errors import ItemError, UsageError
from datakit.video.labels import read_labels
from tests import tiny
from tests.mask_files import SIZE, answers, blocks, disc, save, standard

REFUSED = "ambiguous mask"


def grey_table() -> list[object]:
    """Grey pictures, and value -> the id that it has in every reader."""
    rows: list[tuple[str, np.ndarray, dict[int, int]]] = [
        ("0 and 1", blocks(1), {1: 1}),
        ("0 and 255", blocks(255), {255: 1}),
        ("0 and 65535", blocks(65535, dtype=np.uint16), {65535: 1}),
        ("full of 255", np.full(SIZE, 255, np.uint8), {255: 1}),
        ("full of an id", np.full(SIZE, 7, np.uint8), {7: 7}),
        ("small ids", blocks(1, 2, 9), {1: 1, 2: 2, 9: 9}),
        ("small ids and 255", blocks(1, 2, ignore=255), {1: 1, 2: 2}),
        ("a small id and 255", blocks(1, ignore=255), {1: 1}),
        ("more than 32 ids", blocks(*range(1, 61)), {n: n for n in range(1, 61)}),
        ("more than 32 ids and 255", blocks(*range(1, 58), ignore=255), {n: n for n in range(1, 58)}),
        ("the greys of palette colours", blocks(38, 75, 192), {38: 38, 75: 75, 192: 192}),
        ("16-bit ids", blocks(26001, 26002, 33001, dtype=np.uint16), {n: n for n in (26001, 26002, 33001)}),
        ("small 16-bit ids", blocks(1, 2, dtype=np.uint16), {1: 1, 2: 2}),
        ("16-bit ids, 255 among them", blocks(254, 255, 256, dtype=np.uint16), {254: 254, 255: 255, 256: 256}),
        ("8 bits widened to 16", blocks(257, 514, dtype=np.uint16), {257: 1, 514: 2}),
    ]
    rows += [(f"a lone {value}", blocks(value), {value: value}) for value in (2, 32, 33, 128, 254)]
    return [pytest.param(plane, ids, id=name) for name, plane, ids in rows]


@pytest.mark.parametrize(("plane", "ids"), grey_table())
def test_all_readers_agree_on_grey_values(tmp_path, plane, ids):
    """The same ids, the same pixels, whoever reads them."""
    for reader, found in answers(save(tmp_path / "m.png", plane)):
        assert not isinstance(found, str), (reader, found)
        assert sorted(found) == sorted(ids.values()), reader
        assert all((found[number] == (plane == value)).all() for value, number in ids.items()), reader


@pytest.mark.parametrize("value", range(1, 256))
def test_a_lone_value_is_its_own_id(tmp_path, value):
    """But 255, the white of a mask that shows one object, which is called 1."""
    plane = blocks(value)
    for reader, found in answers(save(tmp_path / "m.png", plane)):
        assert not isinstance(found, str) and list(found) == [1 if value == 255 else value], reader


@pytest.mark.parametrize(
    ("plane", "words"),
    [
        pytest.param(blocks(38, 75, 255), "38, 75, 255", id="ids and void, or three levels"),
        pytest.param(blocks(128, 255), "128, 255", id="a trimap, or an id and void"),
        pytest.param(blocks(21, 255) * (blocks(21, 255) > 0), "21, 255", id="the mean of twelve annotators"),
        pytest.param(np.where(blocks(1) > 0, 255, 3).astype(np.uint8), "3, 255", id="ground that is not 0"),
        pytest.param(np.where(blocks(1) > 0, 2, 1).astype(np.uint8), "no pixel is 0", id="two ids and no ground"),
        pytest.param(np.maximum(disc(200), blocks(90)), "grey levels", id="a soft edge beside an id"),
        pytest.param(cv2.GaussianBlur(disc().astype(np.uint16) * 257, (0, 0), 2), "grey levels", id="soft, 16 bits"),
    ],
)
def test_what_cannot_be_told_is_refused_with_both_options(tmp_path, plane, words):
    """By every reader, but for a video set, whose small ids are ids."""
    for reader, found in answers(save(tmp_path / "m.png", plane)):
        if isinstance(found, str):
            assert words in found and "--ids" in found and "--threshold N" in found, reader
        else:
            assert reader != "build" and int(plane[plane < 255].max()) <= 32, reader


def test_a_lone_16_bit_value_that_may_be_widened_is_refused(tmp_path):
    """33410 is 130 times 257; as it is with --ids."""
    path = save(tmp_path / "m.png", blocks(33410, dtype=np.uint16))
    for reader, found in answers(path):
        assert isinstance(found, str) and "33410" in found and "id 130" in found and "--ids" in found, reader
    for reader, found in answers(path, ReadOptions(values="ids")):
        assert not isinstance(found, str) and list(found) == [33410], reader


@pytest.mark.parametrize("quality", [50, 90, 100])
def test_what_a_jpeg_has_left_of_a_mask_is_one_object(tmp_path, quality):
    """Saved as PNG afterwards: shades of black and white, and never an id."""
    mask = cv2.resize(disc(), (320, 240), interpolation=cv2.INTER_CUBIC)
    hard = np.where(mask > 127, np.uint8(255), np.uint8(0))
    plane = cv2.imdecode(cv2.imencode(".jpg", hard, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_GRAYSCALE)
    for reader, found in answers(save(tmp_path / "m.png", plane)):
        if reader != "evaluate":
            assert not isinstance(found, str) and list(found) == [1], reader
            assert (found[1] != (hard > 0)).mean() < 0.01, reader


def test_ids_says_that_grey_values_are_ids(tmp_path):
    """Also such as look soft; 255 is void."""
    plane = blocks(21, 128, 255)
    for reader, found in answers(save(tmp_path / "m.png", plane), ReadOptions(values="ids")):
        assert not isinstance(found, str) and sorted(found) == [21, 128], reader


def test_a_threshold_says_that_grey_values_are_soft(tmp_path):
    """Everything above it is the object."""
    plane = blocks(21, 128, 255)
    for reader, found in answers(save(tmp_path / "m.png", plane), ReadOptions(threshold=100)):
        assert not isinstance(found, str) and list(found) == [1] and (found[1] == (plane > 100)).all(), reader


@pytest.mark.parametrize(
    "plane",
    [
        pytest.param(disc(), id="antialiased"),
        pytest.param(disc(steps=2), id="few steps"),
        pytest.param(cv2.GaussianBlur(disc(), (0, 0), 5), id="feathered"),
    ],
)
def test_a_soft_edge_is_cut_where_it_may_be(tmp_path, plane):
    """At the middle; a score must not depend on such a choice, so there it is refused by name."""
    for reader, found in answers(save(tmp_path / "m.png", plane)):
        if reader == "evaluate":
            assert isinstance(found, str) and "soft mask" in found and "--threshold 127" in found
        else:
            assert not isinstance(found, str) and list(found) == [1] and (found[1] == (plane > 127)).all(), reader


def test_a_jpeg_is_light_and_dark(tmp_path):
    """It keeps no value; areas of middling greys may have been ids."""
    for reader, found in answers(save(tmp_path / "m.jpg", blocks(255), quality=90)):
        assert not isinstance(found, str) and list(found) == [1], reader
        assert np.count_nonzero(found[1] != (blocks(255) > 0)) < 20
    for reader, found in answers(save(tmp_path / "i.jpg", blocks(60, 120, 180), quality=95)):
        assert isinstance(found, str) and "JPEG" in found and "PNG" in found, reader


def test_a_soft_set_is_cut_and_takes_no_ids(tmp_path):
    """PASCAL-S is the mean of twelve annotators: flat areas of greys are its nature."""
    tiny.write_picture(tmp_path / "images/a.jpg", tiny.picture(1, SIZE))
    save(tmp_path / "masks/a.png", blocks(21, 128, 255))
    (sample,) = tiny.opened("s", tmp_path, "pascal-s")[0].samples
    assert (sample.mask == (blocks(21, 128, 255) > 127)).all()
    with pytest.raises(UsageError, match="pascal-s are soft"):
        tiny.opened("s", tmp_path, "pascal-s", options=ReadOptions(values="ids"))


def test_a_lossy_webp_in_grey_is_light_and_dark(tmp_path):
    """As a JPEG is."""
    plane = np.kron(blocks(255), np.ones((4, 4))).astype(np.uint8)
    for reader, found in answers(save(tmp_path / "m.webp", plane, quality=80)):
        assert not isinstance(found, str) and list(found) == [1], reader
        assert (found[1] != (plane > 0)).mean() < 0.01, reader


def test_rims_of_small_ids_are_no_objects(tmp_path):
    """Ids 10, 20, 30 that were smoothed."""
    large = np.kron(np.array([0, 10, 20, 30], np.uint8)[blocks(1, 2, 3)], np.ones((4, 4), np.uint8))
    smooth = np.asarray(PillowImage.fromarray(large).rotate(9, PillowImage.Resampling.BICUBIC))
    for reader, found in answers(save(tmp_path / "m.png", smooth)):
        assert isinstance(found, str) and "grey levels" in found, reader


def test_void_by_choice_is_noted(tmp_path):
    """--ids makes 255 void, which the build's table counts."""
    tiny.write_picture(tmp_path / "images/a.jpg", tiny.picture(1, SIZE))
    save(tmp_path / "masks/a.png", blocks(85, 170, 255))
    (note,) = tiny.opened("s", tmp_path, options=ReadOptions(values="ids"))[0].notes
    assert "255, which is void" in note.reason and "30 pixels" in note.detail


def test_several_pages_are_refused(tmp_path):
    """Only the first would be read."""
    pages = [PillowImage.fromarray(blocks(255)) for _ in range(3)]
    pages[0].save(tmp_path / "m.tif", save_all=True, append_images=pages[1:])
    for reader, found in answers(tmp_path / "m.tif"):
        assert isinstance(found, str) and "3 pages" in found, reader


def test_a_mask_of_0_and_255_has_no_number(tmp_path):
    """What several objects are scored against must say which is which."""
    assert not read_labels(save(tmp_path / "a.png", blocks(255)), "a").numbered
    assert read_labels(save(tmp_path / "b.png", blocks(1)), "b").numbered


def test_messages_speak_of_8_bits(tmp_path):
    """A dim 16-bit mask under the threshold is told by its grey level, not by its 16-bit value."""
    tiny.write_picture(tmp_path / "images/a.jpg", tiny.picture(1, SIZE))
    save(tmp_path / "masks/a.png", blocks(25700, 12850, dtype=np.uint16))
    (problem,) = tiny.opened("s", tmp_path, options=ReadOptions(values="soft"))[0].problems
    assert problem.reason == "empty mask" and "highest value 100)" in problem.detail


@st.composite
def label_pictures(draw: st.DrawFn) -> tuple[np.ndarray, str]:
    """A plane of 1 to 60 ids as blocks, discs and slivers, with or without 255, and how it is saved."""
    how = draw(st.sampled_from(["grey", "grey16", "palette"]))
    top = 65534 if how == "grey16" else 254
    count = draw(st.integers(1, 60))
    is_dense = draw(st.booleans())
    ids = range(1, count + 1) if is_dense else draw(st.lists(st.integers(1, top), min_size=count, max_size=count))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    H, W = draw(st.integers(8, 90)), draw(st.integers(8, 90))
    plane = np.zeros((H, W), np.uint16 if how == "grey16" else np.uint8)
    for number in ids:
        y, x, h, w = rng.integers(0, H), rng.integers(0, W), rng.integers(1, 15), rng.integers(1, 15)
        plane[y : y + h, x : x + w] = number
    if draw(st.booleans()):
        plane[-2:] = 255
    return plane, how


@settings(max_examples=150)
@given(label_pictures())
def test_no_object_is_lost_in_silence(drawn):
    """Every object with its very pixels, or an error; 255 is void in 8 bits, and an id among larger ones."""
    plane, how = drawn
    with tempfile.TemporaryDirectory() as folder:
        path = save(Path(folder) / "m.png", plane, standard() if how == "palette" else None)
        truth = {int(n) for n in np.unique(plane) if n}
        is_white = truth == {255} and how != "palette"
        if not is_white and max(truth, default=0) <= 255:
            truth -= {255}
        for reader, found in answers(path):
            if isinstance(found, str):
                assert "mask" in found, reader
                continue
            pixels = {mask.tobytes() for mask in found.values()}
            assert pixels == {(plane == value).tobytes() for value in truth}, (reader, sorted(found), truth)


def test_a_photo_is_no_mask(tmp_path):
    """Most of its pixels belong to no flat area."""
    noise = np.random.default_rng(0).integers(0, 256, (*SIZE, 3), dtype=np.uint8)
    noise[:10] = 7
    with pytest.raises(ItemError, match="photo"):
        read_labels(save(tmp_path / "m.png", noise), "m")
