"""Label pictures mean what their values say, or are refused; folders are listed as people lay them out."""

from __future__ import annotations

import numpy as np
import pytest

from datakit.errors import ItemError, UsageError
from datakit.images import encode_jpeg, encode_png
from datakit.video.labels import frame_order, list_frames, open_labels, photos_beside, read_labels
from tests.labelled import SIZE, draw_tree, labels_of, write_grey, write_labels

TWO = labels_of(0, (1, 2))


def with_void(labels):
    labels = labels.copy()
    labels[0] = 255
    return labels


@pytest.mark.parametrize(
    ("write", "plane", "ids", "has_void"),
    [
        pytest.param(write_labels, TWO, (1, 2), False, id="palette"),
        pytest.param(write_labels, with_void(TWO), (1, 2), True, id="palette with void"),
        pytest.param(write_labels, with_void(TWO * 0), (), True, id="palette, void alone"),
        pytest.param(write_grey, TWO, (1, 2), False, id="grey ids"),
        pytest.param(write_grey, with_void(TWO), (1, 2), True, id="grey ids with void"),
        pytest.param(write_grey, labels_of(0) * np.uint8(255), (1,), False, id="grey, 255 alone is an object"),
        pytest.param(write_grey, labels_of(0) * np.uint8(128), (128,), False, id="grey, any single value"),
        pytest.param(write_grey, labels_of(0) * np.uint8(7), (7,), False, id="grey, a single small id"),
        pytest.param(write_grey, TWO.astype(np.uint16), (1, 2), False, id="16 bits"),
        pytest.param(write_grey, labels_of(0).astype(np.uint16) * 65535, (1,), False, id="16 bits, white"),
        pytest.param(write_grey, TWO * 0, (), False, id="nothing"),
    ],
)
def test_values_become_ids(tmp_path, write, plane, ids, has_void):
    """Palette and small grey values are ids, 255 beside others is void, one other value is object 1."""
    found = read_labels(write(tmp_path / "a.png", plane), "s/a.png")
    assert found.ids == ids and (found.ignore is not None) == has_void
    assert found.labels.dtype == np.uint8 and found.labels.shape == SIZE
    assert sorted(set(np.unique(found.labels)) - {0}) == list(ids)
    if has_void:
        assert (found.ignore == (plane == 255)).all() and not found.labels[plane == 255].any()


def test_a_jpeg_is_one_object_above_the_middle(tmp_path):
    """Its values are not those that were written, so that only light and dark are told apart."""
    (tmp_path / "a.jpg").write_bytes(encode_jpeg(np.repeat(labels_of(3)[..., None] * np.uint8(255), 3, axis=2), 60))
    found = read_labels(tmp_path / "a.jpg", "s/a.jpg")
    assert found.ids == (1,) and (found.labels != labels_of(3)).mean() < 0.01


def test_greys_that_may_be_ids_or_soft_are_refused(tmp_path):
    """Nobody can know which, so neither is guessed."""
    converted = write_grey(tmp_path / "a.png", np.array([0, 38, 255], np.uint8)[TWO])
    with pytest.raises(ItemError, match=r"s/a\.png: holds 2 grey levels beside 0 \(38, 255.*--ids.*--threshold N"):
        read_labels(converted, "s/a.png")


def test_a_colour_picture_is_refused(tmp_path):
    """Ids drawn in colours, without a palette, are named as such."""
    path = tmp_path / "a.png"
    path.write_bytes(encode_png(np.eye(3, dtype=np.uint8)[TWO] * np.uint8(200)))
    with pytest.raises(ItemError, match="no known palette"):
        read_labels(path, "s/a.png")


def test_a_tree_of_sequences(tmp_path):
    """Report, hidden folders, empty ones and stray files are passed over; frames are in order."""
    draw_tree(tmp_path, {"dog": (1,), "bear": (1, 2)}, 3)
    for place in ("_report/dog/00000.png", ".hidden/00000.png"):
        write_labels(tmp_path / place, TWO)
    (tmp_path / "empty").mkdir()
    (tmp_path / "results.csv").write_text("a")
    (tmp_path / "dog" / "Thumbs.db").write_bytes(b"a")
    found = open_labels(tmp_path)
    assert not found.single and list(found.sequences) == ["bear", "dog"]
    assert found.sequences["dog"] == {f"{k:05d}": tmp_path / f"dog/{k:05d}.png" for k in range(3)}


def test_one_sequence_by_itself(tmp_path):
    """A folder that holds the pictures is named by its own name."""
    found = open_labels(draw_tree(tmp_path, {"dog": (1,)}, 2) / "dog")
    assert found.single and list(found.sequences) == ["dog"] and len(found.sequences["dog"]) == 2


@pytest.mark.parametrize("place", ["Annotations/480p", "Annotations", "DAVIS/Annotations/480p"])
def test_a_whole_data_set_is_entered(tmp_path, place):
    """Whoever names the root of DAVIS or YouTube-VOS means its annotations."""
    draw_tree(tmp_path / place, {"dog": (1,)}, 2)
    assert open_labels(tmp_path).root == tmp_path / place


@pytest.mark.parametrize("name", ["nowhere", "empty"])
def test_a_folder_without_labels_is_refused(tmp_path, name):
    """It is named, and what was expected."""
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match=f"{name}.*expected"):
        open_labels(tmp_path / name)


def test_labels_are_preferred_to_an_overlay_of_the_same_name(tmp_path):
    """PNG before JPEG, whatever order the folder gives them in."""
    write_labels(tmp_path / "00000.png", TWO)
    (tmp_path / "00000.jpg").write_bytes(b"a")
    assert open_labels(tmp_path).sequences[tmp_path.name] == {"00000": tmp_path / "00000.png"}


def test_frames_are_in_the_order_of_their_numbers(tmp_path):
    """Also where the numbers have no leading zeros."""
    for name in ("frame10", "frame9", "frame1", "a"):
        write_labels(tmp_path / f"{name}.png", TWO)
    assert list(list_frames(tmp_path)) == ["a", "frame1", "frame9", "frame10"]
    assert sorted(["10", "9", "09", "a1"], key=frame_order) == ["09", "9", "10", "a1"]
    assert sorted(["photo10", "photo2", "photo", "photo2b"], key=frame_order) == [
        "photo",
        "photo2",
        "photo2b",
        "photo10",
    ]


def test_photos_lie_beside_annotations(tmp_path):
    """JPEGImages for Annotations, at any depth; None where there is none."""
    (tmp_path / "Annotations/480p/dog").mkdir(parents=True)
    assert photos_beside(tmp_path / "Annotations/480p") is None and photos_beside(tmp_path) is None
    (tmp_path / "JPEGImages/480p/dog").mkdir(parents=True)
    for inside in ("480p", "480p/dog"):
        assert photos_beside(tmp_path / "Annotations" / inside) == tmp_path / "JPEGImages" / inside
