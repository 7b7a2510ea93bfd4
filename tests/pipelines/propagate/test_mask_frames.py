"""Which frame a mask belongs to, and which object a colour is, where a video has several masks."""

import numpy as np
import pytest
from PIL import Image

from datakit.video.labels import read_labels
from pipelines.propagate import network
from tests.clips import SIZE, DriftingEngine, frame, write_labels


@pytest.fixture(autouse=True)
def no_weights(monkeypatch):
    """A propagator that only moves masks."""
    monkeypatch.setattr(network, "open_engine", DriftingEngine)


def folder(root, names):
    """Frames of these names."""
    root.mkdir(parents=True)
    for number, name in enumerate(names):
        Image.fromarray(frame(number)).save(root / f"{name}.png")
    return root


def block(number, row):
    """(48, 64) ids: a block."""
    plane = np.zeros(SIZE, np.uint8)
    plane[row : row + 8, 8:28] = number
    return plane


def coloured(path, strokes, ground=None):
    """A picture in colours, row -> colour, on black or on a frame."""
    picture = np.zeros((*SIZE, 3), np.uint8) if ground is None else ground.copy()
    for row, colour in strokes.items():
        picture[row : row + 8, 8:28] = colour
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).save(path)
    return path


def shown(out):
    """Ids in every frame, in order."""
    files = sorted((out / "walk").glob("*.png"))
    return [set(np.unique(read_labels(file, "").labels).tolist()) - {0} for file in files]


@pytest.mark.parametrize("names", ["{:05d}", "frame_{:04d}"])
@pytest.mark.parametrize("annotation", ["{:05d}", "{}"])
def test_an_annotation_goes_to_the_frame_of_its_name(datakit, tmp_path, names, annotation):
    """Also where the first frame is called 1: 3.png is no fourth frame."""
    folder(tmp_path / "JPEGImages/walk", [names.format(k) for k in range(1, 7)])
    for number, plane in {1: block(1, 4), 3: block(2, 20)}.items():
        write_labels(tmp_path / f"Annotations/walk/{annotation.format(number)}.png", plane)
    result = datakit("propagate", "--davis", tmp_path, "--out", tmp_path / "out")
    assert result.exit_code == 0 and shown(tmp_path / "out") == [{1}, {1}, {1, 2}, {1, 2}, {1, 2}, {1, 2}]


def test_an_annotation_of_a_frame_that_is_skipped_goes_to_no_other(datakit, tmp_path):
    """Every fifth frame has a name; 00015 is not the frame with the number 15."""
    folder(tmp_path / "JPEGImages/walk", [f"{5 * k:05d}" for k in range(18)])
    for number, plane in {0: block(1, 4), 15: block(2, 20)}.items():
        write_labels(tmp_path / f"Annotations/walk/{number:05d}.png", plane)
    result = datakit("propagate", "--davis", tmp_path, "--stride", 5, "--out", tmp_path / "out")
    assert result.exit_code == 0 and "not among the chosen are not used: 00015" in result.output
    assert shown(tmp_path / "out") == [{1}] * 4


@pytest.mark.parametrize(
    ("at", "words"), [("2", "may be 00002 or 00003"), ("00009", "not among"), ("0", ""), ("00002", "")]
)
def test_a_number_that_is_also_another_frame_s_name_is_refused(datakit, tmp_path, at, words):
    """The second frame has the number 1 and the name 00002."""
    clip = folder(tmp_path / "walk", [f"{k:05d}" for k in range(1, 7)])
    mask = write_labels(tmp_path / "m.png", block(1, 4))
    result = datakit("propagate", clip, "--mask", f"{mask}@{at}", "--out", tmp_path / "out")
    assert result.exit_code == (2 if words else 0) and words in result.output


def test_two_frames_of_one_number_are_refused(datakit, tmp_path):
    """Left and right camera in one folder."""
    clip = folder(tmp_path / "walk", ["a_1", "a_2", "b_1", "b_2"])
    write_labels(tmp_path / "masks/1.png", block(1, 4))
    result = datakit("propagate", clip, "--mask", tmp_path / "masks", "--out", tmp_path / "out")
    assert result.exit_code == 2 and "may be any of the frames a_1, b_1" in result.output


@pytest.mark.parametrize("ground", [None, "frame"])
def test_a_colour_is_one_object_in_all_masks(datakit, tmp_path, ground):
    """Each picture by itself would call its largest colour 1."""
    clip = folder(tmp_path / "walk", [f"{k:05d}" for k in range(6)])
    for number, strokes in {0: {4: (255, 0, 0)}, 2: {20: (0, 0, 255)}, 4: {30: (255, 0, 0)}}.items():
        coloured(tmp_path / f"m/{number:05d}.png", strokes, ground and frame(number))
    result = datakit("propagate", clip, "--mask", tmp_path / "m", "--out", tmp_path / "out")
    assert result.exit_code == 0 and shown(tmp_path / "out") == [{1}, {1}, {1, 2}, {1, 2}, {1, 2}, {1, 2}]
    last = read_labels(tmp_path / "out/walk/00004.png", "").labels
    assert (last[30:38, 8:28] == 1).all()


def test_colours_of_a_tree_are_known_by_their_colour(datakit, tmp_path):
    """The object that enters is larger than the one that was there."""
    folder(tmp_path / "JPEGImages/walk", [f"{k:05d}" for k in range(6)])
    coloured(tmp_path / "Annotations/walk/00000.png", {4: (255, 0, 0)})
    coloured(tmp_path / "Annotations/walk/00003.png", {4: (255, 0, 0), 20: (0, 255, 0), 28: (0, 255, 0)})
    assert datakit("propagate", "--davis", tmp_path, "--out", tmp_path / "out").exit_code == 0
    entered = read_labels(tmp_path / "out/walk/00003.png", "").labels
    assert (entered[20:36, 8:28] == 2).all() and not (entered == 2)[:20].any()


def test_a_frame_painted_to_correct_a_mask_of_one_object_shows_that_object(datakit, tmp_path):
    """Neither the first mask, of 0 and 255, nor a single colour says a number."""
    clip = folder(tmp_path / "walk", [f"{k:05d}" for k in range(6)])
    Image.fromarray(block(255, 4)).save(tmp_path / "a.png")
    mask = f"{coloured(tmp_path / 'b.png', {20: (255, 0, 0)}, frame(3))}@3"
    result = datakit("propagate", clip, "--mask", tmp_path / "a.png", "--mask", mask, "--out", tmp_path / "out")
    assert result.exit_code == 0 and shown(tmp_path / "out") == [{1}] * 6
    assert (read_labels(tmp_path / "out/walk/00003.png", "").labels[20:28, 8:28] == 1).all()


@pytest.mark.parametrize(("first", "told"), [((255, 0, 0), "255 0 0"), ((128, 0, 0), "128 0 0"), (None, "128 0 0")])
def test_a_correction_as_a_run_proposes_it_is_understood(datakit, tmp_path, first, told):
    """Painted in the colour it names, whatever the first mask was in."""
    clip, given = folder(tmp_path / "walk", [f"{k:05d}" for k in range(6)]), tmp_path / "a.png"
    Image.fromarray(block(255, 4)).save(given) if first is None else coloured(given, {4: first}, frame(0))
    command = ("propagate", clip, "--mask", given, "--out", tmp_path / "out")
    said = datakit(*command).stdout
    assert f"paint the objects (object 1 in RGB {told}), and run again with" in said
    fix = coloured(tmp_path / "b.png", {20: tuple(map(int, told.split()))}, frame(3))
    assert datakit(*command, "--mask", f"{fix}@3", "--overwrite").exit_code == 0
    assert shown(tmp_path / "out") == [{1}] * 6
    assert (read_labels(tmp_path / "out/walk/00003.png", "").labels[20:28, 8:28] == 1).all()


def test_a_frame_painted_in_the_colours_of_result_pictures_has_their_ids(datakit, tmp_path):
    """As a run proposes that it be corrected."""
    clip = folder(tmp_path / "walk", [f"{k:05d}" for k in range(6)])
    first = write_labels(tmp_path / "a.png", np.maximum(block(1, 4), block(2, 30)))
    mask = f"{coloured(tmp_path / 'b.png', {20: (0, 128, 0)}, frame(3))}@3"
    result = datakit("propagate", clip, "--mask", first, "--mask", mask, "--out", tmp_path / "out")
    assert result.exit_code == 0 and shown(tmp_path / "out") == [{1, 2}] * 6
    assert (read_labels(tmp_path / "out/walk/00003.png", "").labels[20:28, 8:28] == 2).all()


def test_a_box_that_may_be_the_object_of_a_later_mask_is_asked_about(datakit, tmp_path):
    """It was given another id, and one object was followed as two."""
    clip = folder(tmp_path / "walk", [f"{k:05d}" for k in range(6)])
    later = f"{write_labels(tmp_path / 'b.png', block(1, 20))}@3"
    command = ("propagate", clip, "--mask", later, "--out", tmp_path / "out", "--box")
    result = datakit(*command, "8,4,28,12")
    assert result.exit_code == 2 and "add :1 to the box if that is the same one, or :2" in result.output
    assert datakit(*command, "8,4,28,12:1").exit_code == 0
    assert shown(tmp_path / "out") == [{1}] * 6


def test_colours_beside_ids_are_refused(datakit, tmp_path):
    """Nobody knows which id red is."""
    clip = folder(tmp_path / "walk", [f"{k:05d}" for k in range(6)])
    numbered = write_labels(tmp_path / "a.png", block(1, 4))
    mask = f"{coloured(tmp_path / 'b.png', {20: (255, 0, 0)})}@3"
    result = datakit("propagate", clip, "--mask", numbered, "--mask", mask, "--out", tmp_path / "out")
    assert result.exit_code == 2 and "nobody knows which is which" in result.output


def test_an_object_wholly_under_another_is_refused(datakit, tmp_path):
    """It would be in none of the pictures."""
    clip = folder(tmp_path / "walk", [f"{k:05d}" for k in range(3)])
    under = np.where(np.arange(64) < 20, block(2, 4), np.uint8(0))
    masks = [write_labels(tmp_path / "a.png", block(1, 4)), write_labels(tmp_path / "b.png", under)]
    result = datakit("propagate", clip, "--mask", masks[0], "--mask", masks[1], "--out", tmp_path / "out")
    assert result.exit_code == 2 and "object 2 lies wholly under another" in result.output


def test_a_box_goes_with_no_ids_beyond_8_bits(datakit, tmp_path):
    """Inside, objects are counted from 1; which of them a box's id means is not to be guessed."""
    clip = folder(tmp_path / "walk", [f"{k:05d}" for k in range(6)])
    Image.fromarray(np.array([0, 3, 300], np.uint16)[block(1, 4) + block(2, 20)]).save(tmp_path / "m.png")
    call = ("propagate", clip, "--mask", tmp_path / "m.png", "--out", tmp_path / "out", "--box")
    for box in ("8,30,28,40@3:3", "8,30,28,40@3"):
        result = datakit(*call, box)
        assert result.exit_code == 2 and "give all by masks" in result.output
