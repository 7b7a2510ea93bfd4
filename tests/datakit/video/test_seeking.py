"""A film whose frames are asked for in any order: the very frames that decoding from its beginning gives."""

import numpy as np
import pytest

from datakit.errors import UsageError
from datakit.video.frames import open_frames
from datakit.video.seeking import SeekingFile, open_seeking
from tests.clips import draw_file, edit_list, encode_file

COUNT = 40


def films(folder):
    return {
        "h264": encode_file(folder / "a.mp4", COUNT, "libx264", g="12", bf="3"),
        "vp9": encode_file(folder / "b.mkv", COUNT, "libvpx-vp9", g="10"),
        "mjpeg": draw_file(folder / "c.avi", COUNT),
        "uneven": encode_file(folder / "d.mkv", COUNT, "libx264", times=[n * n for n in range(COUNT)], g="7"),
        "cut": edit_list(draw_file(folder / "e.mp4", COUNT, codec="mp4v"), 5, 20, 12),
    }


@pytest.mark.parametrize("kind", ["h264", "vp9", "mjpeg", "uneven", "cut"])
def test_frames_in_any_order_are_those_of_the_whole_film(tmp_path, kind):
    """Number for number, pixel for pixel, whatever was asked for before."""
    path = films(tmp_path)[kind]
    expected, found = open_frames(path), open_seeking(path)
    assert (found.names, found.size, found.fps) == (expected.names, expected.size, pytest.approx(expected.fps))
    pictures = [expected[number] for number in range(len(expected))]
    for number in [*np.random.default_rng(0).permutation(len(pictures)).tolist(), 3, 2, 1, 0]:
        np.testing.assert_array_equal(found[number], pictures[number])


def test_what_is_no_film_is_refused(tmp_path):
    """In the words of `open_frames`."""
    (tmp_path / "a.mp4").write_text("no film")
    with pytest.raises(UsageError, match=r"a\.mp4"):
        open_seeking(tmp_path / "a.mp4")


def test_a_twin_does_not_look_through_the_film_again(tmp_path, monkeypatch):
    """That takes a third of a second of ten minutes; its frames are the same, by a decoder of its own."""
    frames = open_seeking(draw_file(tmp_path / "a.mp4", 8, codec="mp4v"))
    opened = []
    real = SeekingFile._open
    monkeypatch.setattr(SeekingFile, "_open", lambda self: (opened.append(self), real(self))[1])
    twin = frames.twin()
    assert opened == [] and twin.names == frames.names
    np.testing.assert_array_equal(twin[5], frames[5])
    assert opened == [twin._file, frames._file]
