"""Video files by PyAV: turned upright, at their own rate, 10 bits and new codecs; and what is wrong with some."""

import struct

import cv2
import numpy as np
import pytest

from datakit.errors import DatakitError
from datakit.video.frames import open_frames
from datakit.video.video_file import VideoFile, upright
from tests.clips import SIZE, draw_file, edit_list, encode_file, frame

ONE = 1 << 16
MATRIX = 44  # bytes from the name of a `tkhd` box, version 0, to its matrix
# what a point (x, y) is shown at, but for shifts -> what NumPy makes of the picture
MATRICES = {
    (ONE, 0, 0, ONE): lambda picture: picture,
    (0, ONE, -ONE, 0): lambda picture: np.rot90(picture, -1),
    (-ONE, 0, 0, -ONE): lambda picture: np.rot90(picture, 2),
    (0, -ONE, ONE, 0): lambda picture: np.rot90(picture, 1),
    (-ONE, 0, 0, ONE): np.fliplr,
    (ONE, 0, 0, -ONE): np.flipud,
    (0, ONE, ONE, 0): lambda picture: picture.transpose(1, 0, 2),
    (0, -ONE, -ONE, 0): lambda picture: np.rot90(picture, 2).transpose(1, 0, 2),
}


def turned(path, a, b, c, d):
    """An MP4 that asks to be shown by this matrix."""
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + MATRIX
    data[at : at + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    return path


def difference(found, expected):
    assert found.shape == expected.shape
    return np.abs(found.astype(int) - expected).mean()


@pytest.mark.parametrize("matrix", MATRICES, ids=str)
def test_a_film_is_turned_and_mirrored_as_it_asks(tmp_path, matrix):
    """As phones store it; front cameras mirror."""
    frames = open_frames(turned(draw_file(tmp_path / "phone.mp4", 3, (48, 80), "mp4v"), *matrix))
    expected = MATRICES[matrix](frame(1, (48, 80)))
    assert frames.size == expected.shape[:2]
    assert difference(frames[1], expected) < 8


def test_a_slanted_matrix_turns_by_the_nearest_quarter():
    """Ten degrees are none, eighty are ninety."""
    picture = frame(0)
    for degrees, turns in ((10, 0), (80, -1)):
        cosine, sine = round(ONE * np.cos(np.radians(degrees))), round(ONE * np.sin(np.radians(degrees)))
        found = upright(picture, (cosine, sine, 0, -sine, cosine, 0, 0, 0, 1 << 30))
        np.testing.assert_array_equal(found, np.rot90(picture, turns))


@pytest.mark.parametrize(
    ("codec", "pix_fmt"),
    [("libx264", "yuv420p10le"), ("libx264", "yuv444p"), ("libsvtav1", "yuv420p10le"), ("libvpx-vp9", "yuv420p")],
)
def test_films_of_many_kinds_give_their_frames(tmp_path, codec, pix_fmt):
    """10 bits, full colour, AV1, VP9: every frame, close to what was encoded."""
    size = (96, 128)
    path = encode_file(tmp_path / "clip.mp4", 5, codec, pix_fmt, size=size)
    frames = open_frames(path)
    assert len(frames) == 5
    for number in range(5):
        assert difference(frames[number], frame(number, size)) < 8


def test_colours_are_closer_than_opencvs(tmp_path):
    """By the scaler's exact settings; its defaults lose some of the brightness of 10 bits."""
    size = (96, 128)
    path = encode_file(tmp_path / "clip.mp4", 3, "libx264", "yuv420p10le", size=size, crf="1")
    expected = frame(0, size)
    theirs = cv2.cvtColor(cv2.VideoCapture(str(path)).read()[1], cv2.COLOR_BGR2RGB)
    assert difference(open_frames(path)[0], expected) < difference(theirs, expected)


def test_frames_of_varying_distance_are_all_there_once(tmp_path):
    """None is doubled or dropped, and the rate is their mean."""
    times = [0, 4, 8, 40, 44, 90, 94, 98, 150, 200]
    frames = open_frames(encode_file(tmp_path / "clip.mkv", 10, times=times, crf="10"))
    assert len(frames) == 10
    assert frames.fps == pytest.approx(9 / 2.0, rel=0.01)
    assert all(difference(frames[number], frame(number)) < 8 for number in range(10))


def test_hidden_frames_before_the_first_are_not_counted(tmp_path):
    """Cut without encoding: the decoder needs them, the film does not show them."""
    facts = VideoFile(edit_list(draw_file(tmp_path / "clip.mp4", 30, codec="mp4v"), 10, 12, 12)).inspect()
    assert (facts.count, facts.shown, facts.stored, facts.damaged) == (12, 12, 30, ())


def test_a_damaged_film_gives_the_same_frames_each_time(tmp_path):
    """With several threads the decoder would not."""
    path = encode_file(tmp_path / "clip.mp4", 30, size=(96, 128), crf="5", **{"x264-params": "keyint=10"})
    data = bytearray(path.read_bytes())
    begin = data.index(b"mdat")
    for at in range(begin + 400, begin + 4000, 700):
        data[at : at + 30] = bytes(30)
    path.write_bytes(data)
    first, second = (VideoFile(path) for _ in range(2))
    facts = first.inspect()
    assert facts == second.inspect() and facts.damaged
    for number in range(facts.count):
        np.testing.assert_array_equal(first.frame(number), second.frame(number))


def test_a_size_that_changes_is_told_before_anything_is_made(tmp_path):
    """MPEG-TS may change it on the way."""
    parts = [encode_file(tmp_path / f"{k}.ts", 4, size=size) for k, size in enumerate([SIZE, (96, 128)])]
    path = tmp_path / "both.ts"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    with pytest.raises(DatakitError, match="frame 4: is 128x96, the frames before are 64x48"):
        open_frames(path)


@pytest.mark.parametrize("name", ["http:clip.avi", "clip %03d.avi", "Füße 犬.avi", "-i.avi"])
def test_any_file_name_is_that_of_a_file(tmp_path, monkeypatch, name):
    """FFmpeg would take the first for an address, the second for many pictures."""
    draw_file(tmp_path / "clip.avi", 3).rename(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    assert len(open_frames(tmp_path / name)) == 3
