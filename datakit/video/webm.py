"""A film that browsers play, out of WebP pictures: each is a VP8 key frame, and WebM little more than a list of them.

Encoding a key frame costs a sixth of what OpenCV's VP8 writer takes for a frame (docs/decisions.md), every frame can
be shown by itself, and the same pictures give the same bytes. Encoding the pictures is left to `images`.
"""

from __future__ import annotations

import struct
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

# Element ids: RFC 9559 (Matroska), of which WebM is a subset; sizes and numbers: RFC 8794 (EBML).
EBML, SEGMENT, SEEK_HEAD, INFO, TRACKS, CLUSTER, CUES = (
    0x1A45DFA3, 0x18538067, 0x114D9B74, 0x1549A966, 0x1654AE6B, 0x1F43B675, 0x1C53BB6B
)  # fmt: skip
TICK_NS = 1_000_000
CLUSTER_MS = 2000  # a block says its time within its cluster in 16 bits
WRITER = b"masktrack-datakit"


class FilmWriter:
    """Writes a film picture by picture; whole when closed.

    Args:
        path: file to write.
        size: (H, W) of all pictures.
        fps: frames per second.
    """

    def __init__(self, path: Path, size: tuple[int, int], fps: float):
        self.fps, self.count = fps, 0
        self._file: BinaryIO = path.open("wb")
        self._cues: list[tuple[int, int]] = []
        self._blocks: list[bytes] = []
        self._cluster_ms = 0
        self._file.write(_element(EBML, _ebml_header()) + _id(SEGMENT) + _wide(0))
        self._body = self._file.tell()
        self._file.write(self._head(0, 0) + _element(TRACKS, _track(size, fps)))

    def add(self, webp: bytes) -> None:
        """Append a picture: bytes of a lossy WebP without alpha.

        Raises:
            ValueError: they are something else.
        """
        at_ms = round(1000 * self.count / self.fps)
        if at_ms - self._cluster_ms >= CLUSTER_MS:
            self._flush()
        if not self._blocks:
            self._cluster_ms = at_ms
        header = b"\x81" + struct.pack(">h", at_ms - self._cluster_ms) + b"\x80"  # track 1, a key frame
        self._blocks.append(_element(0xA3, header + key_frame(webp)))
        self.count += 1

    def close(self) -> None:
        """Write what is left, the index, and how long it all is."""
        self._flush()
        cues = self._file.tell() - self._body
        points = [
            _element(0xBB, _number(0xB3, at_ms) + _element(0xB7, _number(0xF7, 1) + _number(0xF1, place)))
            for at_ms, place in self._cues
        ]
        self._file.write(_element(CUES, b"".join(points)))
        end = self._file.tell()
        self._file.seek(self._body - 8)
        self._file.write(_wide(end - self._body) + self._head(cues, 1000 * self.count / self.fps))
        self._file.close()

    def __enter__(self) -> FilmWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: object, trace: TracebackType | None) -> None:
        if kind is None:
            self.close()
        else:
            self.abandon()

    def abandon(self) -> None:
        """Close the file as it is; does nothing to a film that is whole."""
        self._file.close()

    def _flush(self) -> None:
        if self._blocks:
            self._cues.append((self._cluster_ms, self._file.tell() - self._body))
            self._file.write(_element(CLUSTER, _number(0xE7, self._cluster_ms) + b"".join(self._blocks)))
            self._blocks = []

    def _head(self, cues: int, duration_ms: float) -> bytes:
        """What is known only at the end, in as many bytes as at the beginning: where the index is, and the duration."""
        seek = _element(0x4DBB, _element(0x53AB, _id(CUES)) + _element(0x53AC, struct.pack(">Q", cues)))
        info = (
            _number(0x2AD7B1, TICK_NS)
            + _element(0x4489, struct.pack(">d", duration_ms))
            + _element(0x4D80, WRITER)
            + _element(0x5741, WRITER)
        )
        return _element(SEEK_HEAD, seek) + _element(INFO, info)


def key_frame(webp: bytes) -> bytes:
    """The VP8 key frame inside a lossy WebP.

    Source: RFC 9649, WebP: a RIFF file whose chunk `VP8 ` is a VP8 key frame.

    Raises:
        ValueError: there is none.
    """
    at = 12
    while webp[:4] == b"RIFF" and webp[8:12] == b"WEBP" and at + 8 <= len(webp):
        length = int.from_bytes(webp[at + 4 : at + 8], "little")
        if webp[at : at + 4] == b"VP8 ":
            return webp[at + 8 : at + 8 + length]
        at += 8 + length + length % 2
    raise ValueError(f"{len(webp)} bytes are no lossy WebP, expected one picture of a film")


def _ebml_header() -> bytes:
    versions = ((0x4286, 1), (0x42F7, 1), (0x42F2, 4), (0x42F3, 8))
    first = b"".join(_number(name, value) for name, value in versions)
    return first + _element(0x4282, b"webm") + _number(0x4287, 2) + _number(0x4285, 2)


def _track(size: tuple[int, int], fps: float) -> bytes:
    """One video track, VP8, without lacing."""
    numbers = ((0xD7, 1), (0x73C5, 1), (0x9C, 0), (0x83, 1), (0x23E383, round(1e9 / fps)))
    video = _number(0xB0, size[1]) + _number(0xBA, size[0])
    entry = b"".join(_number(name, value) for name, value in numbers)
    return _element(0xAE, entry + _element(0x86, b"V_VP8") + _element(0xE0, video))


def _id(name: int) -> bytes:
    return name.to_bytes((name.bit_length() + 7) // 8, "big")


def _wide(length: int) -> bytes:
    """A length in eight bytes, whatever it is, so that it can be written later."""
    return (1 << 56 | length).to_bytes(8, "big")


def _element(name: int, content: bytes) -> bytes:
    return _id(name) + _wide(len(content)) + content


def _number(name: int, value: int) -> bytes:
    return _element(name, value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big"))
