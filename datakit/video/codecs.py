"""Why a video file gives no frame: its codec by name and the command that converts it, no film in it, or a cut end."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import cv2

from .container import read_index

HEAD = 65_536  # bytes in which Matroska names its codecs
MATROSKA = b"\x1aE\xdf\xa3"
# four characters, lower case, as containers write them -> name
NAMES = {
    **dict.fromkeys(("avc1", "avc3", "h264", "x264"), "H.264"),
    **dict.fromkeys(("hvc1", "hev1", "hevc", "h265", "x265"), "H.265 (HEVC)"),
    **dict.fromkeys(("vvc1", "vvi1"), "H.266 (VVC)"),
    **dict.fromkeys(("dvh1", "dvhe", "dva1", "dvav"), "Dolby Vision"),
    **dict.fromkeys(("av01", "v_av1"), "AV1"),
    **dict.fromkeys(("vp80", "vp08"), "VP8"),
    **dict.fromkeys(("vp90", "vp09"), "VP9"),
    **dict.fromkeys(("apch", "apcn", "apcs", "apco", "ap4h", "ap4x"), "Apple ProRes"),
    **dict.fromkeys(("mp4v", "xvid", "divx", "fmp4"), "MPEG-4"),
    **dict.fromkeys(("mjpg", "jpeg", "mjpa"), "Motion JPEG"),
}
ALWAYS_DECODED = {"H.264", "H.265 (HEVC)", "VP8", "VP9", "Apple ProRes", "MPEG-4", "Motion JPEG"}  # by FFmpeg itself


def why_no_frame(path: Path, fourcc: str = "") -> str:
    """A sentence that says why OpenCV gives no frame of a file, and the way out.

    Args:
        path: the file.
        fourcc: its codec as OpenCV tells it; read from the file's own header where that names one.
    """
    index = read_index(path)
    if index is not None and not index.found:
        return (
            f"{path}: ends before its index (`moov`), so it was cut while it was recorded or copied; copy it anew, "
            "or give a folder of frames"
        )
    if index is not None and not index.codec:
        return f"{path}: holds no film, at most sound; give a video file or a folder of frames"
    codec = (index.codec if index else fourcc or _matroska_codec(path)).strip("\0 ")
    if not codec:
        return (
            f"{path}: OpenCV cannot open it as a video (damaged, or no decoder for its codec in this build); "
            f"give a folder of frames, or convert it: {_command(path)}"
        )
    name = NAMES.get(codec.lower())
    shown = f"{name} ({codec})" if name else repr(codec)
    if name in ALWAYS_DECODED:
        return f"{path}: coded as {shown}, but none of its frames can be decoded: it is damaged; copy it anew"
    return (
        f"{path}: coded as {shown}, which OpenCV {cv2.__version__} does not decode here; "
        f"convert it: {_command(path)}, or give a folder of frames"
    )


def _command(path: Path) -> str:
    names = shlex.quote(str(path)), shlex.quote(str(path.with_name(f"{path.stem}-h264.mp4")))
    return "`ffmpeg -i {} -c:v libx264 -crf 18 {}`".format(*names)


def _matroska_codec(path: Path) -> str:
    """The first film codec that a Matroska or WebM file names, as V_AV1; empty where it is none or names none."""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD)
    except OSError:
        return ""
    found = re.search(rb"V_[A-Z0-9_/]+", head) if head.startswith(MATROSKA) else None
    return found[0].decode() if found else ""
