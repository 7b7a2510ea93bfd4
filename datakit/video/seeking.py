"""Frames of a video file in any order: each is decoded from the key frame before it, for those who jump about.

`video_file` decodes from the beginning, which is right for those who need every frame and too slow for a long film
that is looked at here and there.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from ..arrays import Image
from ..errors import DatakitError, UsageError
from .codecs import why_no_frame
from .frames import FileFrames
from .video_file import KEPT_BYTES, VideoFile, rate_of

if TYPE_CHECKING:
    from av.container.input import InputContainer
    from av.video.frame import VideoFrame

NEAR = 48  # frames that are decoded on the way rather than sought
BESIDE, BEHIND = 4, 24  # frames before the one asked for that are kept; the more for those who go backwards


class SeekingFile(VideoFile):
    """A video file whose frames are found by their times; safe to be asked by several threads.

    Frames are numbered in order of their times, as the packets tell them without being decoded. That is how
    `VideoFile` counts them, but in a damaged film, where it passes over those that cannot be decoded.

    Args:
        path: of the file.

    Attributes:
        times: of the frames, ascending, in the file's own unit; empty where its packets have none, and it is decoded
            from its beginning.

    Raises:
        UsageError: it is no video, or PyAV is not installed.
    """

    def __init__(self, path: Path):
        super().__init__(path)
        self._lock = Lock()
        self._container: InputContainer | None = None
        self._stream: Iterator[VideoFrame] = iter(())
        self._place, self._asked = -1, -1  # numbers of the frames that were decoded and asked for last
        with self._open() as container:
            stream = container.streams.video[0]
            found = [(packet.pts, packet.is_discard) for packet in container.demux(stream) if packet.size]
            seconds_each = float(stream.time_base or 0)
            timed = all(time is not None for time, _ in found)
            self.times = sorted({time for time, hidden in found if time is not None and not hidden}) if timed else []
            length = (self.times[-1] - self.times[0]) * seconds_each if self.times else 0.0
            self.fps = rate_of(stream, len(self.times), length)
        self._numbers = {time: number for number, time in enumerate(self.times)}
        self.count = len(self.times) or self.inspect().count

    def twin(self) -> SeekingFile:
        """The same film by a decoder of its own, without looking through it again."""
        other = copy.copy(self)
        other._lock, other._container, other._stream, other._place, other._asked = Lock(), None, iter(()), -1, -1
        other._frames, other._next, other._kept, other._scaler = None, 0, {}, None
        return other

    def frame(self, number: int) -> Image:
        """As `VideoFile.frame`.

        Raises:
            DatakitError: it cannot be decoded.
        """
        with self._lock:
            if not self.times:
                return super().frame(number)
            if number in self._kept:
                return self._kept[number]
            found = self._sought(number)
            self._asked = number
            if found is None:
                raise DatakitError(f"{self.path}: frame {number} cannot be decoded; the film is damaged there")
            return found

    def _sought(self, number: int) -> Image | None:
        """Read on where the frame is near, else seek, and last begin anew; None where none of them meets it."""
        if self._container is not None and self._place < number <= self._place + NEAR:
            found = self._read_to(number)
            if found is not None:
                return found
        for begin in (self.times[number], self.times[0]):
            if self._container is None:
                self._container = self._open()
                self._container.streams.video[0].thread_type = "AUTO"
            stream = self._container.streams.video[0]
            self._container.seek(begin, stream=stream, backward=True)
            self._stream = _decoded_after(self._container)
            found = self._read_to(number)
            if found is not None:
                return found
        return None

    def _read_to(self, number: int) -> Image | None:
        """The frame, and those just before it; None where the decoder is beyond it, or at the end."""
        kept: dict[int, Image] = {}
        room = BESIDE if number > self._asked else BEHIND
        for frame in self._stream:
            at = self._numbers.get(frame.pts if frame.pts is not None else -1)
            if at is None:
                continue
            self._place = at
            if number - room <= at <= number:
                kept[at] = self._picture(frame)
                if sum(each.nbytes for each in kept.values()) > KEPT_BYTES:
                    del kept[min(kept)]
            if at >= number:
                break
        if number in kept:
            self._kept = kept
        return kept.get(number)


def _decoded_after(container: InputContainer) -> Iterator[VideoFrame]:
    """Frames from where the container stands, past packets that the decoder refuses."""
    import av

    stream = container.streams.video[0]
    packets = container.demux(stream)
    while True:
        packet = None
        with contextlib.suppress(av.FFmpegError):  # the file ends in the middle
            packet = next(packets, None)
        with contextlib.suppress(av.FFmpegError):
            yield from stream.decode(packet)
        if packet is None:
            return


class SeekingFrames(FileFrames):
    """Frames of a video file in any order; see `SeekingFile`."""

    _file: SeekingFile

    def __post_init__(self) -> None:
        object.__setattr__(self, "_file", SeekingFile(self.path))

    def twin(self) -> SeekingFrames:
        """The same frames by a decoder of their own."""
        other = object.__new__(type(self))  # a copy would be made as a pickle is: by looking through the film
        other.__dict__.update(self.__dict__, _file=self._file.twin())
        return other


def open_seeking(path: Path) -> SeekingFrames:
    """All frames of a video file, without decoding more than the first.

    Raises:
        UsageError: it is no video, or holds no frame.
    """
    file = SeekingFile(path)
    if not file.count:
        raise UsageError(why_no_frame(path))
    first = file.frame(0)
    numbers = tuple(range(file.count))
    names = tuple(f"{number:05d}" for number in numbers)
    return SeekingFrames(path, names, numbers, (first.shape[0], first.shape[1]), file.fps)
