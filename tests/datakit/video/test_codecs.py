"""Why a video file gives no frame: said by codec, with the command that converts it."""

from __future__ import annotations

from pathlib import Path

import pytest

from datakit.errors import UsageError
from datakit.video.codecs import why_no_frame
from datakit.video.frames import open_frames
from tests.clips import draw_file


def recoded(tmp_path: Path, codec: bytes) -> Path:
    """An MP4 that says it is of another codec."""
    path = draw_file(tmp_path / "my clip.mp4", 5, codec="mp4v")
    path.write_bytes(path.read_bytes().replace(b"mp4v", codec).replace(b"esds", b"free"))
    return path


@pytest.mark.parametrize("codec, name", [("av01", "AV1 (av01)"), ("zzz1", "'zzz1'"), ("vvc1", "H.266 (VVC) (vvc1)")])
def test_a_codec_that_is_not_decoded_is_named(tmp_path: Path, codec: str, name: str) -> None:
    """With a command that can be pasted, quoted where it must be."""
    path = recoded(tmp_path, codec.encode())
    with pytest.raises(UsageError) as caught:
        open_frames(path)
    message = str(caught.value)
    assert f"my clip.mp4: coded as {name}, which OpenCV" in message
    assert f"`ffmpeg -i '{path}' -c:v libx264 -crf 18 '{tmp_path / 'my clip-h264.mp4'}'`" in message


def test_a_damaged_film_of_a_codec_that_is_decoded_is_called_damaged(tmp_path: Path) -> None:
    """No frame of H.264 data that are none."""
    message = why_no_frame(recoded(tmp_path, b"avc1"))
    assert "coded as H.264 (avc1), but none of its frames can be decoded: it is damaged" in message


def test_sound_and_cut_recordings_are_told(tmp_path: Path) -> None:
    """No film in it; no index in it."""
    path = draw_file(tmp_path / "a.mp4", 5, codec="mp4v")
    data = path.read_bytes()
    path.write_bytes(data.replace(b"vide", b"soun"))
    assert "holds no film, at most sound" in why_no_frame(path)
    path.write_bytes(data[: data.find(b"moov") - 60])
    assert "ends before its index (`moov`)" in why_no_frame(path)


def test_matroska_names_its_codec_itself(tmp_path: Path) -> None:
    """Where OpenCV does not even open it."""
    path = draw_file(tmp_path / "a.mkv", 5, codec="MJPG")
    path.write_bytes(path.read_bytes().replace(b"V_MJPEG", b"V_ZPEG9"))
    with pytest.raises(UsageError, match="coded as 'V_ZPEG9', which OpenCV"):
        open_frames(path)
