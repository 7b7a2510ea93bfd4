"""The film that is written: what players get out of it is what went in."""

import cv2
import numpy as np
import pytest

from datakit.video.frames import open_frames
from datakit.video.video_writer import VideoWriter
from tests.clips import frame

SIZE = (96, 128)


def write_film(path, count, fps=12.0):
    with VideoWriter(path, SIZE, fps) as film:
        for number in range(count):
            film.add(frame(number, SIZE))
    return path


def test_opencv_reads_back_every_picture(tmp_path):
    """As many frames, at the rate and size that was said, and the pixels but for the loss of encoding."""
    capture = cv2.VideoCapture(str(write_film(tmp_path / "film.mp4", 40)))
    assert capture.get(cv2.CAP_PROP_FPS) == pytest.approx(12)
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) == 40
    for number in range(40):
        worked, found = capture.read()
        assert worked
        assert np.abs(found[..., ::-1].astype(int) - frame(number, SIZE)).mean() < 3
    assert not capture.read()[0]


def test_the_same_pictures_give_the_same_bytes(tmp_path):
    """No clock and no chance in it."""
    first, second = (write_film(tmp_path / name, 30).read_bytes() for name in ("a.mp4", "b.mp4"))
    assert first == second


def test_it_plays_while_it_is_loaded(tmp_path):
    """Its index stands before its pictures."""
    data = write_film(tmp_path / "film.mp4", 5).read_bytes()
    assert 0 < data.find(b"moov") < data.find(b"mdat")


def test_it_is_coded_as_every_player_knows_it(tmp_path):
    """H.264, 8 bits, 4:2:0."""
    av = pytest.importorskip("av")
    with av.open(str(write_film(tmp_path / "film.mp4", 3))) as film:
        context = film.streams.video[0].codec_context
        assert (context.name, context.pix_fmt) == ("h264", "yuv420p")


@pytest.mark.parametrize("fps", [24.0, 30000 / 1001, 11.616, 24 / 7])
def test_any_rate_is_kept(tmp_path, fps):
    """Also one that is no whole number."""
    film = open_frames(write_film(tmp_path / "film.mp4", 48, fps))
    assert film.fps == pytest.approx(fps, rel=1e-3)


def test_an_odd_size_is_refused(tmp_path):
    """4:2:0 has one colour for two pixels by two."""
    with pytest.raises(ValueError, match="a film of 127x96 cannot be written: both sides must be even"):
        VideoWriter(tmp_path / "film.mp4", (96, 127), 12)


def test_a_picture_of_another_size_is_refused(tmp_path):
    """Before the encoder makes it fit."""
    with VideoWriter(tmp_path / "film.mp4", SIZE, 12) as film, pytest.raises(ValueError, match="in a film of"):
        film.add(frame(0, (48, 64)))


PAGE = """<!doctype html><video id=v muted src=film.mp4></video><script>
const ready = () => { document.documentElement.dataset.ready = "yes" };
v.onended = ready; v.onerror = () => { console.error(v.error.message); ready() };
v.playbackRate = 4; v.play();
</script>"""


def test_a_browser_plays_it_to_the_end(browser, tmp_path):
    """It knows size and duration, shows frames, and its console is empty."""
    write_film(tmp_path / "film.mp4", 24)
    (tmp_path / "page.html").write_text(PAGE)
    browser.open(tmp_path / "page.html")
    assert browser.console == []
    assert browser.run("[v.videoWidth, v.videoHeight, v.duration, v.ended]") == [128, 96, 2, True]
    assert browser.run("v.getVideoPlaybackQuality().totalVideoFrames") > 1
