"""Why a video file gives no frame: no video, a codec that is not decoded, or damage; with the way out."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from .pyav import open_container

if TYPE_CHECKING:
    from av.container.input import InputContainer

GIVE = "give a video file or a folder of frames"
PICTURES = ("image2", "_pipe")  # how FFmpeg's readers of single pictures end


def why_not_video(path: Path, container: InputContainer) -> str:
    """A sentence that says why an opened file is no video; empty where it is one.

    FFmpeg opens a text file as 80 columns of ANSI art, and a picture as a video of one frame.
    """
    if container.format.name == "tty":
        return f"{path}: is a text file, not a video; {GIVE}"
    if container.format.name.endswith(PICTURES):
        return f"{path}: is one picture, not a video; {GIVE}"
    if not container.streams.video:
        return f"{path}: holds no film, at most sound; {GIVE}"
    return ""


def why_no_frame(path: Path) -> str:
    """A sentence that says why no frame of a file can be decoded, and the way out.

    The reasons are in FFmpeg's log only: the file is opened once more to read it.
    """
    import av

    level, skips = av.logging.get_level(), av.logging.get_skip_repeated()
    av.logging.set_level(av.logging.INFO)
    av.logging.set_skip_repeated(False)  # or a line of the first try would be missing
    trouble: str | None = None
    try:
        with av.logging.Capture() as lines:
            try:
                with open_container(path) as container:
                    found = why_not_video(path, container) or _codec(container)
            except av.FFmpegError as error:
                found, trouble = "", error.strerror
    finally:
        av.logging.set_level(level)
        av.logging.set_skip_repeated(skips)
    log = "".join(text for _, _, text in lines)
    if found.startswith(f"{path}: "):
        return found
    return _reason(path, found, log, trouble)


def _codec(container: InputContainer) -> str:
    """Name and tag of the codec of the film; empty where FFmpeg has no decoder for it."""
    context = container.streams.video[0].codec_context
    if context is None:  # PyAV's way to say so; the stream has not even a name then
        return ""
    tag = context.codec_tag.strip("\0")
    return f"{context.codec.canonical_name} ({tag})" if tag.isprintable() and tag else context.codec.canonical_name


def _reason(path: Path, codec: str, log: str, trouble: str | None) -> str:
    import av

    if codec:
        return f"{path}: coded as {codec}, but none of its frames can be decoded: it is damaged; copy it anew"
    unknown = re.search(r"Video: none \((\S+) / 0x|AVCodecID ([^\s.]+)", log)
    if unknown:
        return (
            f"{path}: coded as {(unknown[1] or unknown[2])!r}, which the FFmpeg of PyAV {av.__version__} does not "
            f"decode; convert it: {_command(path)}, or give a folder of frames"
        )
    if "moov atom not found" in log and "misdetection possible" not in log:
        return (
            f"{path}: ends before its index (`moov`), so it was cut while it was recorded or copied; copy it anew, "
            "or give a folder of frames"
        )
    return f"{path}: is not a video that FFmpeg can open ({trouble or 'no frame in it'}); {GIVE}"


def _command(path: Path) -> str:
    names = shlex.quote(str(path)), shlex.quote(str(path.with_name(f"{path.stem}-h264.mp4")))
    return "`ffmpeg -i {} -c:v libx264 -crf 18 {}`".format(*names)
