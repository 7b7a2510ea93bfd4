"""Masks that are the frame itself: painted on, or with the object cut out of it."""

import cv2
import numpy as np
import pytest
from PIL import Image

from datakit.images import encode_jpeg
from datakit.video.palette import palette
from pipelines.propagate import network
from tests.clips import SIZE, DriftingEngine, draw_folder, frame
from tests.pipelines.propagate.given_masks import block, found, ids


@pytest.fixture(autouse=True)
def no_weights(monkeypatch):
    """A propagator that only moves masks."""
    monkeypatch.setattr(network, "open_engine", DriftingEngine)


def painted(*strokes, softness=0):
    """The first frame with blocks painted on it: (row, colour)."""
    picture = frame(0).copy()
    for row, colour in strokes:
        picture[row : row + 8, 8:28] = colour
        if softness:
            picture[row - 1, 8:28] = (picture[row - 1, 8:28].astype(int) + np.array(colour)) // 2
    return picture


@pytest.mark.parametrize("softness", [0, 1])
def test_what_is_painted_on_the_frame_is_the_object(datakit, tmp_path, softness):
    """As the help suggests: --first-frame, paint, --mask."""
    clip = draw_folder(tmp_path / "walk")
    assert datakit("propagate", clip, "--first-frame", tmp_path / "first.png").exit_code == 0
    assert (np.asarray(Image.open(tmp_path / "first.png")) == frame(0)).all()
    Image.fromarray(painted((8, (255, 0, 0)), (30, (0, 255, 0)), softness=softness)).save(tmp_path / "first.png")
    result = datakit("propagate", clip, "--mask", tmp_path / "first.png", "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    first = found(tmp_path / "out", 0)
    assert set(np.unique(first)) == {0, 1, 2}
    rows = [np.flatnonzero((first == number).any(axis=1)) for number in (1, 2)]
    assert sorted((int(r[0]), int(r[-1])) for r in rows) == [(8 - softness, 15), (30 - softness, 37)]


def test_colours_of_the_palette_painted_on_a_frame_keep_their_ids(datakit, tmp_path):
    """At a later frame, too."""
    clip = draw_folder(tmp_path / "walk")
    picture = frame(3)
    picture[8:16, 8:28] = palette()[3 * 5 : 3 * 6]
    Image.fromarray(picture).save(tmp_path / "m.png")
    assert datakit("propagate", clip, "--mask", f"{tmp_path / 'm.png'}@3", "--out", tmp_path / "out").exit_code == 0
    assert ids(tmp_path / "out", 3) == {5}


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        pytest.param(lambda path: Image.fromarray(frame(0)).save(path), "nothing is painted on it", id="nothing"),
        pytest.param(lambda path: path.write_bytes(encode_jpeg(painted((8, (255, 0, 0))), 90)), "save it as PNG",
                     id="saved with loss"),
        pytest.param(lambda path: Image.fromarray(frame(0) // 2 + painted((8, (255, 0, 0))) // 2).save(path),
                     "", id="another picture"),
    ],
)  # fmt: skip
def test_a_painted_frame_that_cannot_be_read_is_refused(datakit, tmp_path, spoil, words):
    """Never as twenty objects."""
    spoil(tmp_path / "first.png")
    clip = draw_folder(tmp_path / "walk")
    result = datakit("propagate", clip, "--mask", tmp_path / "first.png", "--out", tmp_path / "out")
    assert result.exit_code == 1 and words in result.output


def cut_out(is_kept, beneath):
    """The first frame as a background remover saves it: opaque where it is kept."""
    colours = np.where(is_kept[..., None], frame(0), beneath).astype(np.uint8)
    return Image.fromarray(np.dstack([colours, np.where(is_kept, 255, 0).astype(np.uint8)]))


INSIDE = np.zeros((48, 64), bool)
INSIDE[10:30, 8:40] = True


def quantized():
    """The same in 255 colours of a palette, one index of which is transparent."""
    whole = Image.fromarray(frame(0)).quantize(255)
    picture = Image.fromarray(np.where(INSIDE, np.asarray(whole), 255).astype(np.uint8))
    picture.putpalette([*whole.getpalette()[:765], 0, 0, 0])
    return picture


@pytest.mark.parametrize(
    ("picture", "settings"),
    [
        pytest.param(cut_out(INSIDE, 0), {}, id="black beneath"),
        pytest.param(cut_out(INSIDE, frame(0)), {}, id="the frame beneath"),
        pytest.param(quantized(), {"transparency": 255}, id="a palette"),
    ],
)
def test_what_was_cut_out_of_the_frame_is_the_object(datakit, tmp_path, picture, settings):
    """Whatever lies beneath what is transparent."""
    picture.save(tmp_path / "m.png", **settings)
    result = datakit(
        "propagate", draw_folder(tmp_path / "walk"), "--mask", tmp_path / "m.png", "--out", tmp_path / "out"
    )
    assert result.exit_code == 0, result.output
    assert np.array_equal(found(tmp_path / "out", 0) == 1, INSIDE)


@pytest.mark.parametrize(
    "is_clear",
    [
        pytest.param(np.pad(np.zeros((44, 60), bool), 2, constant_values=True), id="border"),
        pytest.param(np.indices((48, 64))[1] > 34, id="half of the ground"),
        pytest.param(np.indices((48, 64)).sum(0) == 0, id="one pixel"),
    ],
)
def test_paint_on_a_frame_with_transparent_places_is_the_object(datakit, tmp_path, is_clear):
    """Flat paint says more than alpha does."""
    picture = np.dstack([painted((10, (255, 0, 0))), np.where(is_clear, 0, 255).astype(np.uint8)])
    Image.fromarray(picture).save(tmp_path / "m.png")
    clip = draw_folder(tmp_path / "walk")
    result = datakit("propagate", clip, "--mask", tmp_path / "m.png", "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert np.array_equal(found(tmp_path / "out", 0) == 1, block(1, 10) == 1)


def test_a_transparent_picture_is_an_empty_mask(datakit, tmp_path):
    """Though the frame lies beneath."""
    cut_out(np.zeros((48, 64), bool), frame(0)).save(tmp_path / "m.png")
    result = datakit(
        "propagate", draw_folder(tmp_path / "walk"), "--mask", tmp_path / "m.png", "--out", tmp_path / "out"
    )
    assert result.exit_code == 1 and "the mask is empty" in result.output


@pytest.mark.parametrize(("threshold", "width"), [(127, 24), (60, 32)])
def test_a_soft_cut_out_is_cut_at_the_threshold(datakit, tmp_path, threshold, width):
    """As soft masks are."""
    alpha = np.zeros((48, 64), np.uint8)
    alpha[10:30, 8:40], alpha[10:30, 8:32] = 100, 255
    Image.fromarray(np.dstack([frame(0), alpha])).save(tmp_path / "m.png")
    words = ("--mask", tmp_path / "m.png", "--threshold", threshold, "--out", tmp_path / "out")
    result = datakit("propagate", draw_folder(tmp_path / "walk"), *words)
    assert result.exit_code == 0, result.output
    assert np.count_nonzero(found(tmp_path / "out", 0)) == 20 * width


def test_a_frame_with_a_hole_is_refused(datakit, tmp_path):
    """An object that was erased is not what is left."""
    cut_out(~INSIDE, 0).save(tmp_path / "m.png")
    result = datakit(
        "propagate", draw_folder(tmp_path / "walk"), "--mask", tmp_path / "m.png", "--out", tmp_path / "out"
    )
    assert result.exit_code == 1 and "may be the ground" in result.output


def test_most_of_a_frame_may_be_painted(datakit, tmp_path):
    """What is left of the frame tells that it is one."""
    picture = frame(0)
    picture[10:46, 4:60] = (255, 0, 0)
    Image.fromarray(picture).save(tmp_path / "m.png")
    clip = draw_folder(tmp_path / "walk")
    assert datakit("propagate", clip, "--mask", tmp_path / "m.png", "--out", tmp_path / "out").exit_code == 0
    assert np.argwhere(found(tmp_path / "out", 0))[[0, -1]].tolist() == [[10, 4], [45, 59]]
    assert np.count_nonzero(found(tmp_path / "out", 0)) == 36 * 56


@pytest.mark.parametrize(("to", "words"), [(40, "a colour (250, 250, 250) that the frame itself has"), (22, "")])
def test_paint_in_a_colour_of_the_frame(datakit, tmp_path, to, words):
    """A pixel or two under the paint belong to it; where it cannot be seen where paint ends, it is refused."""
    clip, first = tmp_path / "walk", frame(0)
    if not words:
        first[:16, :21] = 90
        first[12, 14] = 250  # under the paint
    clip.mkdir()
    for number in range(3):
        Image.fromarray(first).save(clip / f"{number:05d}.png")
    picture = first.copy()
    picture[10:30, 10:to] = 250
    Image.fromarray(picture).save(tmp_path / "m.png")
    result = datakit("propagate", clip, "--mask", tmp_path / "m.png", "--out", tmp_path / "out")
    assert result.exit_code == (1 if words else 0) and words in result.output, result.output
    assert words or np.count_nonzero(found(tmp_path / "out", 0)) == 20 * 12


def test_a_mask_of_a_dark_frame_is_a_mask(datakit, tmp_path):
    """Black ground equals black night in most pixels, and says nothing."""
    night = np.zeros((*SIZE, 3), np.uint8)
    night[20:24, 40:50] = 90
    for number in range(3):
        (tmp_path / "walk").mkdir(exist_ok=True)
        Image.fromarray(night).save(tmp_path / f"walk/{number:05d}.png")
    Image.fromarray(block(1, 8) * np.uint8(255)).save(tmp_path / "m.png")
    result = datakit("propagate", tmp_path / "walk", "--mask", tmp_path / "m.png", "--out", tmp_path / "out")
    assert result.exit_code == 0 and ids(tmp_path / "out", 0) == {1}, result.output


def test_a_frame_of_a_jpeg_saved_as_jpeg_is_sent_to_png(datakit, tmp_path):
    """Many of its pixels are the very ones of the frame."""
    clip = draw_folder(tmp_path / "walk", 3, ".jpg")
    picture = np.asarray(Image.open(clip / "00000.jpg")).copy()
    picture[8:16, 8:28] = (255, 0, 0)
    (tmp_path / "m.jpg").write_bytes(encode_jpeg(picture, 95))
    result = datakit("propagate", clip, "--mask", tmp_path / "m.jpg", "--out", tmp_path / "out")
    assert result.exit_code == 1 and "PNG" in result.output and not (tmp_path / "out").exists()


def test_a_soft_brush_is_one_object(datakit, tmp_path):
    """Its rim mixes with the frame beneath, and is no object of its own."""
    clip, picture = draw_folder(tmp_path / "walk"), frame(0).astype(float)
    soft = cv2.GaussianBlur(block(1, 20).astype(np.float32), (0, 0), 1.5)[..., None]
    mixed = picture * (1 - soft) + soft * np.array([255, 0, 0])
    Image.fromarray(mixed.round().astype(np.uint8)).save(tmp_path / "m.png")
    result = datakit("propagate", clip, "--mask", tmp_path / "m.png", "--out", tmp_path / "out")
    assert result.exit_code == 1 or ids(tmp_path / "out", 0) == {1}, result.output
