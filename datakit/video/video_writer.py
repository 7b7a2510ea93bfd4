"""Pictures into a film that opens everywhere: H.264 in an MP4, by PyAV."""

from __future__ import annotations

import contextlib
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Final

from ..arrays import Image
from ..extras import require
from .pyav import EXTRA

# Beside key frames of VP8 at the same 33.8 dB: the same time, half the bytes (docs/decisions.md).
CODEC: Final = "libx264"
OPTIONS = {"preset": "superfast", "crf": "20", "flags": "+bitexact"}
FILE_OPTIONS = {"movflags": "+faststart", "fflags": "+bitexact"}  # index in front: plays while it is loaded
MATRIX_BT601, LIMITED_RANGE = 6, 1  # what `rgb24` becomes, written down for players


class VideoWriter:
    """Writes a film picture by picture; whole when closed. The same pictures give the same bytes.

    Args:
        path: file to write, `.mp4`.
        size: (H, W) of all pictures, both even, as 4:2:0 asks.
        fps: frames per second.

    Attributes:
        count: pictures that were added.

    Raises:
        UsageError: PyAV is not installed.
        ValueError: a side is odd.
    """

    def __init__(self, path: Path, size: tuple[int, int], fps: float):
        require(EXTRA, f"writing the video file {path.name}")
        import av

        if size[0] % 2 or size[1] % 2:
            raise ValueError(f"a film of {size[1]}x{size[0]} cannot be written: both sides must be even")
        self.count = 0
        self._container = av.open(f"file:{path}", "w", format="mp4", options=FILE_OPTIONS)
        self._stream = self._container.add_stream(CODEC, Fraction(fps).limit_denominator(1001), OPTIONS)
        self._stream.height, self._stream.width = size
        self._stream.pix_fmt = "yuv420p"
        self._stream.colorspace, self._stream.color_range = MATRIX_BT601, LIMITED_RANGE
        self._stream.thread_count = 1  # more give other bytes

    def add(self, picture: Image) -> None:
        """Append a picture.

        Args:
            picture: (H, W, 3) uint8 RGB of the film's size.

        Raises:
            ValueError: it has another size.
        """
        import av

        if picture.shape[:2] != (self._stream.height, self._stream.width):
            raise ValueError(f"a picture of {picture.shape[:2]} in a film of {self._stream.height, self._stream.width}")
        self._container.mux(self._stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        self.count += 1

    def close(self) -> None:
        """Write what is left, and the index."""
        self._container.mux(self._stream.encode())
        self._container.close()

    def abandon(self) -> None:
        """Close the file as it is; does nothing to a film that is whole."""
        import av

        with contextlib.suppress(av.FFmpegError):
            self._container.close()

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: object, trace: TracebackType | None) -> None:
        if kind is None:
            self.close()
        else:
            self.abandon()
