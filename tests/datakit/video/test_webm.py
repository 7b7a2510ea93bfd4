"""The film of key frames: what players get out of it is what went in."""

import cv2
import numpy as np
import pytest

from datakit.images import decode_picture, encode_film_picture, encode_png
from datakit.video.webm import FilmWriter, key_frame
from tests.clips import frame

SIZE = (96, 128)


def write_film(path, count, fps=12.0):
    pictures = [encode_film_picture(frame(number, SIZE), 80) for number in range(count)]
    with FilmWriter(path, SIZE, fps) as film:
        for picture in pictures:
            film.add(picture)
    return pictures


def test_opencv_reads_back_every_picture(tmp_path):
    """As many frames, at the rate and size that was said, and the pixels of the WebP pictures but for rounding."""
    pictures = write_film(tmp_path / "film.webm", 40)
    capture = cv2.VideoCapture(str(tmp_path / "film.webm"))
    assert capture.get(cv2.CAP_PROP_FPS) == pytest.approx(12)
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) == 40
    for picture in pictures:
        worked, found = capture.read()
        assert worked
        expected = decode_picture(picture)[..., ::-1].astype(int)
        assert np.abs(found - expected).mean() < 3
    assert not capture.read()[0]


def test_it_can_be_entered_anywhere(tmp_path):
    """Each frame is a key frame, and the index knows where they are."""
    pictures = write_film(tmp_path / "film.webm", 60)
    capture = cv2.VideoCapture(str(tmp_path / "film.webm"))
    capture.set(cv2.CAP_PROP_POS_FRAMES, 47)
    found = capture.read()[1]
    assert np.abs(found - decode_picture(pictures[47])[..., ::-1].astype(int)).mean() < 3


def test_the_same_pictures_give_the_same_bytes(tmp_path):
    """No clock and no chance in it."""
    write_film(tmp_path / "a.webm", 5)
    write_film(tmp_path / "b.webm", 5)
    assert (tmp_path / "a.webm").read_bytes() == (tmp_path / "b.webm").read_bytes()


def test_another_picture_is_refused():
    """A PNG is no frame of VP8."""
    with pytest.raises(ValueError, match="no lossy WebP"):
        key_frame(encode_png(frame(0)))


PAGE = """<!doctype html><video id=v muted src=film.webm></video><script>
const ready = () => { document.documentElement.dataset.ready = "yes" };
v.onended = ready; v.onerror = () => { console.error(v.error.message); ready() };
v.playbackRate = 4; v.play();
</script>"""


def test_a_browser_plays_it_to_the_end(browser, tmp_path):
    """It knows size and duration, shows frames, and its console is empty."""
    write_film(tmp_path / "film.webm", 24)
    (tmp_path / "page.html").write_text(PAGE)
    browser.open(tmp_path / "page.html")
    assert browser.console == []
    assert browser.run("[v.videoWidth, v.videoHeight, v.duration, v.ended]") == [128, 96, 2, True]
    assert browser.run("v.getVideoPlaybackQuality().totalVideoFrames") > 1
