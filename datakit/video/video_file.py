"""Frames of a video file by number, decoded by PyAV and turned upright."""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..arrays import Image
from ..errors import DatakitError, UsageError
from ..extras import require
from .codecs import why_no_frame, why_not_video
from .pyav import EXTRA, open_container

if TYPE_CHECKING:
    from av.container.input import InputContainer
    from av.video.frame import VideoFrame
    from av.video.reformatter import VideoReformatter
    from av.video.stream import VideoStream

MAX_PIXELS = 100_000_000  # of a frame
KEPT_BYTES = 64_000_000  # decoded frames that are kept for those who go backwards
DEFAULT_FPS = 24.0  # where a file does not say; that of DAVIS
RATE_MAY_DIFFER = 0.01  # times of a file are rounded, by up to 1 ms
NOT_TURNED = (1, 0, 0, 0, 1, 0, 0, 0, 1)
# Bilinear, ACCURATE_RND, FULL_CHR_H_INT of swscale: colours twice as close to the original as by its defaults.
SCALER = 0x2 | 0x40000 | 0x2000


@dataclass(frozen=True)
class VideoFacts:
    """What decoding a video file from its beginning has shown.

    Attributes:
        count: frames that can be decoded, up to where it was asked to stop.
        size: (H, W) of a frame, upright.
        fps: frames per second, the mean where their distances vary.
        seconds: from the first frame to the last.
        stored: frames that the file's index counts; 0 where it counts none.
        shown: those of them that its edit list shows.
        duration: length in seconds as the file says; 0 where it does not.
        damaged: numbers of frames that the decoder had to mend.
    """

    count: int
    size: tuple[int, int]
    fps: float
    seconds: float = 0.0
    stored: int = 0
    shown: int = 0
    duration: float = 0.0
    damaged: tuple[int, ...] = ()


def size_changes(place: str, found: tuple[int, int], size: tuple[int, int]) -> DatakitError:
    """The error to raise where a frame is not (H, W) as those before."""
    sizes = "is {1}x{0}, the frames before are {3}x{2}".format(*found, *size)
    return DatakitError(f"{place}: {sizes}; all frames of a video have one size: convert them, or choose with --stop")


class VideoFile:
    """A video file. Reading on is cheap; going back decodes anew, many frames at once.

    Args:
        path: of the file.

    Raises:
        UsageError: it is no video, or PyAV is not installed.
    """

    def __init__(self, path: Path):
        self.path = path
        self._frames: Iterator[VideoFrame] | None = None
        self._next = 0
        self._kept: dict[int, Image] = {}
        self._scaler: VideoReformatter | None = None

    def inspect(self, stop: int | None = None) -> VideoFacts:
        """Decode all frames, or those before number `stop`, without making pictures of them.

        Raises:
            UsageError: it is no video, or none of its frames can be decoded.
            DatakitError: its frames are too large, or change their size.
        """
        with self._open() as container:
            stream = container.streams.video[0]
            count, size, first, last, damaged = 0, (0, 0), 0.0, 0.0, []
            for frame in _decoded(container, stream):
                if count == stop:
                    break
                found = _upright_size(frame)
                if not count:
                    size, first = found, frame.time or 0.0
                elif found != size:
                    raise size_changes(f"{self.path}, frame {count}", found, size)
                if frame.is_corrupt:
                    damaged.append(count)
                last = frame.time if frame.time is not None else last
                count += 1
            if not count:
                raise UsageError(why_no_frame(self.path))
            stored, shown = _counted(container, stream)
            fps = rate_of(stream, count, last - first)
            duration = _duration(container, stream)
        return VideoFacts(count, size, fps, last - first, stored, shown, duration, tuple(damaged))

    def frame(self, number: int) -> Image:
        """(H, W, 3) uint8 RGB of one frame, turned upright as the file asks.

        Raises:
            DatakitError: it cannot be decoded.
        """
        if number in self._kept:
            return self._kept[number]
        backwards = number < self._next
        if backwards or self._frames is None:
            self._frames, self._next = self._from_the_start(), 0
        self._kept = {}
        room = 1
        while self._next <= number:
            frame = next(self._frames, None)
            if frame is None:
                raise DatakitError(f"{self.path}: frame {self._next} cannot be decoded any more; was the file changed?")
            if backwards:
                room = max(1, KEPT_BYTES // (3 * frame.width * frame.height))
            if self._next > number - room:
                self._kept[self._next] = self._picture(frame)
            self._next += 1
        return self._kept[number]

    def _open(self) -> InputContainer:
        require(EXTRA, f"reading the video file {self.path} (a folder of frames needs nothing)")
        import av

        try:
            container = open_container(self.path)
        except UnicodeEncodeError:
            raise UsageError(f"{str(self.path)!r}: FFmpeg cannot open a name that is not UTF-8; rename it") from None
        except av.FFmpegError:
            raise UsageError(why_no_frame(self.path)) from None
        if reason := why_not_video(self.path, container) or _why_too_large(self.path, container.streams.video[0]):
            container.close()
            raise UsageError(reason)
        return container

    def _from_the_start(self) -> Iterator[VideoFrame]:
        with self._open() as container:
            yield from _decoded(container, container.streams.video[0])

    def _picture(self, frame: VideoFrame) -> Image:
        from av.video.reformatter import VideoReformatter

        self._scaler = self._scaler or VideoReformatter()
        made = self._scaler.reformat(frame, format="rgb24", interpolation=SCALER, threads=1)
        return upright(made.to_ndarray().astype(np.uint8, copy=False), display_matrix(frame))


def upright(image: Image, matrix: Sequence[int]) -> Image:
    """Turn and mirror a frame as a display matrix asks, by the nearest quarter turn.

    Args:
        image: (H, W, 3) uint8.
        matrix: the nine numbers of ISO 14496-12, row by row: a point (x, y) is shown at (a x + c y, b x + d y).

    Returns:
        (H, W, 3) or (W, H, 3) uint8.
    """
    a, b, _, c, d = matrix[:5]
    across, down = a, d
    if _is_lying(matrix):
        image, across, down = image.transpose(1, 0, 2), c, b
    if across < 0:
        image = image[:, ::-1]
    if down < 0:
        image = image[::-1]
    return np.ascontiguousarray(image)


def display_matrix(frame: VideoFrame) -> tuple[int, ...]:
    """How a frame is to be shown. Not `frame.rotation`: it calls a mirrored frame one that is upside down."""
    sides: Mapping[str, Any] = frame.side_data
    return struct.unpack("=9i", bytes(sides["DISPLAYMATRIX"])) if "DISPLAYMATRIX" in sides else NOT_TURNED


def _is_lying(matrix: Sequence[int]) -> bool:
    a, b, _, c, d = matrix[:5]
    return abs(b) + abs(c) > abs(a) + abs(d)


def _upright_size(frame: VideoFrame) -> tuple[int, int]:
    size = frame.height, frame.width
    return size[::-1] if _is_lying(display_matrix(frame)) else size


def _decoded(container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
    """Every frame that can be decoded. As players do, it passes over packets that the decoder refuses.

    By one thread: with several, two runs may give other frames of a damaged film, and fewer.
    """
    import av

    stream.thread_count = 1
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except av.FFmpegError:  # the file ends in the middle
            packet = None
        with contextlib.suppress(av.FFmpegError):
            yield from stream.decode(packet)
        if packet is None:
            return


def _counted(container: InputContainer, stream: VideoStream) -> tuple[int, int]:
    """Frames that the index counts, and those that the edit list shows; cutting without encoding leaves such lists.

    Only of MP4 and its like does FFmpeg know the index from the beginning, with the hidden frames marked.
    """
    if not stream.frames or "mp4" not in container.format.name.split(","):
        return stream.frames, stream.frames
    return stream.frames, sum(not entry.is_discard for entry in stream.index_entries)


def _duration(container: InputContainer, stream: VideoStream) -> float:
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    return (container.duration or 0) / 1_000_000


def rate_of(stream: VideoStream, count: int, seconds: float) -> float:
    """Frames per second: as the file says, but where the frames' own times tell of another mean."""
    said = float(stream.average_rate or stream.guessed_rate or 0)
    found = (count - 1) / seconds if count > 1 and seconds > 0 else said
    rate = said if abs(found - said) <= RATE_MAY_DIFFER * said else found
    return rate if 1 <= rate <= 240 else DEFAULT_FPS


def _why_too_large(path: Path, stream: VideoStream) -> str:
    context = stream.codec_context
    if context is None or context.width * context.height <= MAX_PIXELS:
        return ""
    return (
        f"{path}: its frames are {context.width}x{context.height}, more than {MAX_PIXELS:,} pixels; make them smaller"
    )
