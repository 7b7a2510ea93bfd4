"""PyAV, of the extra `film`: FFmpeg's readers and writers of video files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..places import is_stored
from ..stores import filesystem

if TYPE_CHECKING:
    from av.container.input import InputContainer

EXTRA = "film"


def open_container(path: Path) -> InputContainer:
    """Open a video file for reading.

    Raises:
        av.FFmpegError: FFmpeg cannot open the file.
    """
    import av

    if is_stored(path):
        container: InputContainer = av.open(
            filesystem(path).open(str(path), "rb"), "r", options={"protocol_whitelist": ""}
        )
        return container
    # `file:` because FFmpeg takes `a:b.mp4` for a protocol called `a`; the list keeps a playlist off the network
    return av.open(f"file:{path}", "r", options={"protocol_whitelist": "file"})
