"""PyAV, the extra `film`: FFmpeg's readers and writers of video files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UsageError

if TYPE_CHECKING:
    from av.container.input import InputContainer

INSTALL = "pip install 'masktrack-datakit[film]'"


def has_av() -> bool:
    """Whether PyAV can be imported."""
    try:
        import av  # noqa: F401
    except ImportError:
        return False
    return True


def require_av(what: str, instead: str = "") -> None:
    """Raise UsageError where PyAV is not installed; `what` needs it, `instead` is another way."""
    if not has_av():
        raise UsageError(f"{what} needs PyAV: {INSTALL}{instead}")


def open_container(path: Path) -> InputContainer:
    """Open a video file for reading.

    Raises:
        av.FFmpegError: FFmpeg cannot open the file.
    """
    import av

    # `file:` because FFmpeg takes `a:b.mp4` for a protocol called `a`; the list keeps a playlist off the network
    return av.open(f"file:{path}", "r", options={"protocol_whitelist": "file"})
