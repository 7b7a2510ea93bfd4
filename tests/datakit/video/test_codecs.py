"""Why a video file gives no frame: said by codec, with the command that converts it."""

from __future__ import annotations

from pathlib import Path

import pytest

from datakit.errors import UsageError
from datakit.video.codecs import why_no_frame
from datakit.video.frames import open_frames
from tests.clips import draw_file, frame
from tests.tiny import write_picture


def recoded(tmp_path: Path, codec: bytes) -> Path:
    """An MP4 that says it is of another codec."""
    path = draw_file(tmp_path / "my clip.mp4", 5, codec="mp4v")
    path.write_bytes(path.read_bytes().replace(b"mp4v", codec).replace(b"esds", b"free"))
    return path


def test_a_codec_that_is_not_decoded_is_named(tmp_path: Path) -> None:
    """With a command that can be pasted, quoted where it must be."""
    path = recoded(tmp_path, b"zzz1")
    with pytest.raises(UsageError) as caught:
        open_frames(path)
    message = str(caught.value)
    assert "my clip.mp4: coded as 'zzz1', which the FFmpeg of PyAV" in message
    assert f"`ffmpeg -i '{path}' -c:v libx264 -crf 18 '{tmp_path / 'my clip-h264.mp4'}'`" in message


@pytest.mark.parametrize("codec, name", [("avc1", "h264 (avc1)"), ("av01", "av1 (av01)"), ("vvc1", "vvc (vvc1)")])
def test_a_damaged_film_of_a_codec_that_is_decoded_is_called_damaged(tmp_path: Path, codec: str, name: str) -> None:
    """No frame in data that are of another codec."""
    with pytest.raises(UsageError, match="none of its frames can be decoded: it is damaged") as caught:
        open_frames(recoded(tmp_path, codec.encode()))
    assert f"coded as {name}" in str(caught.value)


def test_sound_and_cut_recordings_are_told(tmp_path: Path) -> None:
    """No film in it; no index in it."""
    path = draw_file(tmp_path / "a.mp4", 5, codec="mp4v")
    data = path.read_bytes()
    path.write_bytes(data.replace(b"vide", b"soun"))
    assert "holds no film, at most sound" in why_no_frame(path)
    path.write_bytes(data[: data.find(b"moov") - 60])
    assert "ends before its index (`moov`)" in why_no_frame(path)


def test_matroska_names_its_codec_itself(tmp_path: Path) -> None:
    """Where FFmpeg knows no such codec."""
    path = draw_file(tmp_path / "a.mkv", 5, codec="MJPG")
    path.write_bytes(path.read_bytes().replace(b"V_MJPEG", b"V_ZPEG9"))
    with pytest.raises(UsageError, match="coded as 'V_ZPEG9', which the FFmpeg of PyAV"):
        open_frames(path)


def test_a_text_file_is_no_video(tmp_path: Path) -> None:
    """FFmpeg would open it as ANSI art, by its suffix."""
    path = tmp_path / "notes.txt"
    path.write_text("hello\nworld\n" * 50)
    with pytest.raises(UsageError, match=r"notes\.txt: is a text file, not a video"):
        open_frames(path)


def test_a_picture_is_no_video(tmp_path: Path) -> None:
    """FFmpeg would open it as a video of one frame."""
    write_picture(tmp_path / "00000.png", frame(0))
    with pytest.raises(UsageError, match=r"00000\.png: is one picture, not a video; give .* a folder of frames"):
        open_frames(tmp_path / "00000.png")


def test_asking_why_leaves_the_log_of_ffmpeg_as_it_was(tmp_path: Path) -> None:
    """The level is that of the whole process."""
    av = pytest.importorskip("av")
    before = av.logging.get_level(), av.logging.get_skip_repeated()
    why_no_frame(recoded(tmp_path, b"zzz1"))
    assert (av.logging.get_level(), av.logging.get_skip_repeated()) == before
