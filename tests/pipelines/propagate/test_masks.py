"""Where objects come from: annotations as they enter, folders of masks, ids of 16 bits, colours."""

import json

import cv2
import numpy as np
import pytest
from PIL import Image

from datakit.images import encode_jpeg
from pipelines.propagate import network
from tests.clips import DriftingEngine, draw_folder, frame, write_labels
from tests.pipelines.propagate.given_masks import block, found, ids


@pytest.fixture(autouse=True)
def no_weights(monkeypatch):
    """A propagator that only moves masks."""
    monkeypatch.setattr(network, "open_engine", DriftingEngine)


def tree(root, annotations, frames=8):
    """One sequence, `walk`, with annotations of some frames: number -> plane."""
    draw_folder(root / "JPEGImages/walk", frames, ".jpg")
    for number, plane in annotations.items():
        write_labels(root / f"Annotations/walk/{number:05d}.png", plane)
    return root


def test_objects_that_enter_later_are_followed_from_there(datakit, tmp_path):
    """As YouTube-VOS has it: a picture whenever one enters, with those that were there before or without."""
    both = block(3, 36, block(1, 4))
    root = tree(tmp_path / "set", {0: block(1, 4), 3: block(2, 20), 5: both})
    result = datakit("propagate", "--davis", root, "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert [ids(tmp_path / "out", k) for k in (0, 2, 3, 4, 5, 7)] == [{1}, {1}, {1, 2}, {1, 2}, {1, 2, 3}, {1, 2, 3}]
    assert ((found(tmp_path / "out", 3) == 2) == (block(2, 20) == 2)).all()
    assert ((found(tmp_path / "out", 5) == 3) == (both == 3)).all()


def test_an_object_is_given_once(datakit, tmp_path):
    """Later annotations of what is known are no help from ground truth: they are named as unused."""
    root = tree(tmp_path / "set", {0: block(1, 4), 4: block(1, 30), 6: block(2, 20, block(1, 30))})
    result = datakit("propagate", "--davis", root, "--out", tmp_path / "out")
    assert result.exit_code == 0 and "walk: 1 annotations of objects known by then are not used: 00004" in result.output
    assert not (found(tmp_path / "out", 4)[30:38] == 1).any() and not (found(tmp_path / "out", 6)[30:38] == 1).any()
    (remark,) = json.loads((tmp_path / "out/_report/walk/report.json").read_text())["remarks"]
    assert "00004" in remark


def test_a_tree_of_full_ground_truth_starts_from_its_first_frame(datakit, tmp_path):
    """The pictures are those of --mask with the first annotation."""
    truth = {k: block(2, 20, block(1, 4)) for k in range(8)}
    root = tree(tmp_path / "set", truth)
    assert datakit("propagate", "--davis", root, "--out", tmp_path / "tree").exit_code == 0
    mask = root / "Annotations/walk/00000.png"
    assert datakit("propagate", root / "JPEGImages/walk", "--mask", mask, "--out", tmp_path / "one").exit_code == 0
    assert all((found(tmp_path / "tree", k) == found(tmp_path / "one", k)).all() for k in range(8))


@pytest.mark.parametrize("empty", [{}, {0: block(0, 4), 1: block(0, 4)}])
def test_a_sequence_begins_with_the_first_annotation_that_holds_an_object(datakit, tmp_path, empty):
    """The frames before it show none; a run that goes on makes the same."""
    root = tree(tmp_path / "set", {**empty, 3: block(2, 20)})
    assert datakit("propagate", "--davis", root, "--out", tmp_path / "out").exit_code == 0
    assert [ids(tmp_path / "out", k) for k in range(5)] == [set(), set(), set(), {2}, {2}]
    (tmp_path / "out/walk/00001.png").unlink()
    assert datakit("propagate", "--davis", root, "--out", tmp_path / "out").exit_code == 0
    assert ids(tmp_path / "out", 1) == set()


def test_late_objects_may_be_given_by_their_boxes(datakit, tmp_path):
    """--from-boxes takes the box of each, in the frame where it enters."""
    root = tree(tmp_path / "set", {0: block(1, 4), 3: block(2, 20)})
    assert datakit("propagate", "--davis", root, "--from-boxes", "--out", tmp_path / "out").exit_code == 0
    assert ids(tmp_path / "out", 2) == {1} and ids(tmp_path / "out", 4) == {1, 2}


def test_annotations_without_any_object_fail_their_sequence(datakit, tmp_path):
    """There is nothing to follow."""
    root = tree(tmp_path / "set", {0: block(0, 4), 3: block(0, 4)})
    result = datakit("propagate", "--davis", root, "--out", tmp_path / "out")
    assert result.exit_code == 1 and "walk: none of its 2 annotations holds an object" in result.output


def test_an_annotation_of_no_frame_is_named(datakit, tmp_path):
    """Its frame is missing."""
    root = tree(tmp_path / "set", {99: block(1, 4)})
    result = datakit("propagate", "--davis", root, "--out", tmp_path / "out")
    assert result.exit_code == 2 and "00099.png: frame '00099' is not among the chosen" in result.output


def test_annotations_outside_the_chosen_frames_are_named(datakit, tmp_path):
    """With --stop before the second object enters."""
    root = tree(tmp_path / "set", {0: block(1, 4), 5: block(2, 20)})
    result = datakit("propagate", "--davis", root, "--stop", 4, "--out", tmp_path / "out")
    assert result.exit_code == 0 and "1 annotations of frames that are not among the chosen" in result.output


def test_a_mask_that_is_there_twice_is_told(datakit, tmp_path):
    """The PNG is used, whatever the JPEG of its name shows."""
    draw_folder(tmp_path / "walk", 3)
    write_labels(tmp_path / "masks/00000.png", block(1, 4))
    (tmp_path / "masks/00000.jpg").write_bytes(encode_jpeg(frame(0), 90))
    result = datakit("propagate", tmp_path / "walk", "--mask", tmp_path / "masks", "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert "masks that are there twice, these are not used: 00000.jpg" in result.stderr
    assert ids(tmp_path / "out", 0) == {1}


def test_a_folder_of_masks_goes_to_the_frames_of_their_names(datakit, tmp_path):
    """All of them are used; one without an object is named."""
    clip = draw_folder(tmp_path / "walk", 8)
    for number, plane in {0: block(1, 4), 3: block(0, 4), 5: block(2, 20)}.items():
        write_labels(tmp_path / f"masks/{number:05d}.png", plane)
    result = datakit("propagate", clip, "--mask", tmp_path / "masks", "--out", tmp_path / "out")
    assert result.exit_code == 0 and "1 masks hold no object and are not used: 00003" in result.output
    assert ids(tmp_path / "out", 4) == {1} and ids(tmp_path / "out", 5) == {1, 2}


@pytest.mark.parametrize(
    ("prepare", "words"),
    [
        pytest.param(lambda f: write_labels(f / "99.png", block(1, 4)), "frame '99' is not among", id="no frame"),
        pytest.param(lambda f: f.mkdir(), "holds no pictures", id="empty folder"),
        pytest.param(lambda f: write_labels(f / "0.png", block(0, 4)), "none of its 1 pictures holds", id="no object"),
    ],
)  # fmt: skip
def test_a_folder_that_cannot_be_used_is_one_clear_line(datakit, tmp_path, prepare, words):
    """It names the picture or the folder."""
    prepare(tmp_path / "masks")
    result = datakit(
        "propagate", draw_folder(tmp_path / "walk"), "--mask", tmp_path / "masks", "--out", tmp_path / "out"
    )
    assert result.exit_code in (1, 2) and words in result.output and not (tmp_path / "out").exists()


def test_ids_beyond_8_bits_are_kept(datakit, tmp_path):
    """In pictures of 16 bits, also of a run that goes on, and in the report; ids that are multiples of 257 too."""
    clip = draw_folder(tmp_path / "walk", 6)
    for number, plane in {0: block(1, 4), 3: block(2, 20)}.items():
        (tmp_path / "masks").mkdir(exist_ok=True)
        Image.fromarray(np.array([0, 257 * 130, 26001], np.uint16)[plane]).save(tmp_path / f"masks/{number:05d}.png")
    result = datakit("propagate", clip, "--mask", tmp_path / "masks", "--ids", "--out", tmp_path / "out")
    assert result.exit_code == 0 and "of 16 bits, with 26001, 33410" in result.output, result.output
    assert ids(tmp_path / "out", 4) == {26001, 33410}
    before = {path: path.read_bytes() for path in (tmp_path / "out/walk").iterdir()}
    told = json.loads((tmp_path / "out/_report/walk/report.json").read_text())
    assert told["objects"] == [26001, 33410] and told["frames"][0]["objects"] == [33410]
    (tmp_path / "out/walk/00002.png").unlink()
    assert datakit("propagate", clip, "--mask", tmp_path / "masks", "--ids", "--out", tmp_path / "out").exit_code == 0
    assert {path: path.read_bytes() for path in (tmp_path / "out/walk").iterdir()} == before


def test_many_objects_are_told_before_work_begins(datakit, tmp_path):
    """More than 64."""
    plane = np.kron(np.arange(96).reshape(8, 12), np.ones((6, 5)))[:48, :64].astype(np.uint8)
    plane = np.pad(plane, ((0, 0), (0, 4)))
    mask = write_labels(tmp_path / "m.png", plane)
    result = datakit("propagate", draw_folder(tmp_path / "walk", 2), "--mask", mask, "--out", tmp_path / "out")
    assert result.exit_code == 0 and "95 objects are given" in result.output


SOFT = cv2.GaussianBlur(block(250, 20, block(250, 26)), (0, 0), 3)


@pytest.mark.parametrize(
    ("plane", "words"),
    [
        pytest.param(SOFT, "1 mask soft, foreground above 127 (m.png)", id="soft"),
        pytest.param(255 - block(255, 20), "touches all four borders: inverted? (m.png)", id="inverted"),
    ],
)
def test_a_mask_that_may_be_meant_otherwise_is_told(datakit, tmp_path, plane, words):
    """It is used nevertheless."""
    Image.fromarray(plane).save(tmp_path / "m.png")
    clip = draw_folder(tmp_path / "walk", 2)
    result = datakit("propagate", clip, "--mask", tmp_path / "m.png", "--out", tmp_path / "out")
    assert result.exit_code == 0 and words in result.stderr, result.output


def test_a_mask_without_numbers_does_not_join_several_objects(datakit, tmp_path):
    """0 and 255 beside ids 1 and 2: nobody knows which it shows."""
    clip = draw_folder(tmp_path / "walk")
    write_labels(tmp_path / "masks/00000.png", block(2, 20, block(1, 4)))
    Image.fromarray(block(1, 4) * np.uint8(255)).save(tmp_path / "masks/00003.png")
    result = datakit("propagate", clip, "--mask", tmp_path / "masks", "--out", tmp_path / "out")
    assert result.exit_code == 2 and "which of the objects 1, 2 it shows" in result.output


def white_mask(path, plane, mode):
    """A picture of a label map with 255 for its object: grey, RGB white on black, or white on transparent."""
    white = (plane > 0) * np.uint8(255)
    channels = {"L": white, "RGB": np.stack([white] * 3, axis=2), "RGBA": np.stack([white] * 4, axis=2)}
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(channels[mode]).save(path)
    return path


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_a_white_mask_beside_ids_says_not_which_it_is(datakit, tmp_path, mode):
    """However it was saved; alone it is object 1."""
    clip = draw_folder(tmp_path / "walk", 8)
    white = white_mask(tmp_path / "white.png", block(1, 4), mode)
    ids_file = write_labels(tmp_path / "ids.png", block(2, 20))
    alone = datakit("propagate", clip, "--mask", white, "--out", tmp_path / "alone")
    assert alone.exit_code == 0 and ids(tmp_path / "alone", 1) == {1}
    both = datakit("propagate", clip, "--mask", white, "--mask", f"{ids_file}@3", "--out", tmp_path / "both")
    assert both.exit_code == 2 and "does not say which of the objects 1, 2" in both.stderr


def test_one_colour_is_one_object_in_every_mask_of_a_video(datakit, tmp_path):
    """Each picture by itself counts its colours by size: red is first in one and second in the other."""
    clip = draw_folder(tmp_path / "walk", 8)
    colours = np.array([(0, 0, 0), (200, 30, 30), (30, 30, 200)], np.uint8)
    first, second = block(1, 4), block(2, 4, block(1, 30))
    second[6:20, 8:50] = 2
    for number, plane in {0: first, 4: second}.items():
        (tmp_path / "masks").mkdir(exist_ok=True)
        Image.fromarray(colours[plane]).save(tmp_path / f"masks/{number:05d}.png")
    result = datakit("propagate", clip, "--mask", tmp_path / "masks", "--out", tmp_path / "out")
    assert result.exit_code == 0, result.stderr
    labels = found(tmp_path / "out", 4)
    assert labels[34, 10] == 1 and labels[10, 40] == 2


def test_a_mask_that_is_called_as_a_later_frame_is_not_given_in_the_first(datakit, tmp_path):
    """Unless one says so."""
    clip, mask = draw_folder(tmp_path / "walk", 8), write_labels(tmp_path / "00005.png", block(1, 4))
    refused = datakit("propagate", clip, "--mask", mask, "--out", tmp_path / "out")
    assert refused.exit_code == 2 and f"write --mask {mask}@00005, or @00000 if" in refused.stderr
    meant = datakit("propagate", clip, "--mask", f"{mask}@00000", "--out", tmp_path / "out")
    assert meant.exit_code == 0 and ids(tmp_path / "out", 0) == {1}


@pytest.mark.parametrize("order", [1, -1])
def test_colours_beside_ids_are_refused_by_their_file(datakit, tmp_path, order):
    """Whichever is given first."""
    clip, coloured = draw_folder(tmp_path / "walk", 8), tmp_path / "coloured.png"
    Image.fromarray(np.array([(0, 0, 0), (200, 30, 30)], np.uint8)[block(1, 4)]).save(coloured)
    numbered = write_labels(tmp_path / "ids.png", block(2, 20))
    masks = [f"--mask={file}@{place}" for place, file in enumerate((coloured, numbered))][::order]
    refused = datakit("propagate", clip, *masks, "--out", tmp_path / "out")
    assert refused.exit_code == 2
    assert f"--mask {coloured}: draws objects in colours of no known palette, and {numbered} numbers" in refused.stderr
