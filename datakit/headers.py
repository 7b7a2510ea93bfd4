"""What a picture file says of itself before a pixel is decoded: whole or cut, size, kind, EXIF orientation.

Files that are missing, foreign, cut or too large end here, each with its own reason.
Decoding is left to `images`.
"""

from __future__ import annotations

import os
import stat
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from PIL import Image as PillowImage
from PIL import JpegImagePlugin, PngImagePlugin

from .errors import ItemError
from .formats import RAW, unread_kind
from .samples import Problem

JPEG_START, JPEG_END = b"\xff\xd8\xff", b"\xff\xd9"
PNG_START, PNG_END = b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82"
EXIF_ORIENTATION = 0x0112
DNG_VERSION = 0xC612  # a TIFF tag: what Pillow would show of such a file is a small preview
HEAD_BYTES = 1024  # enough for most headers
APP1 = 0xE1  # JPEG marker of a block of EXIF
FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # JPEG markers that a size follows
# what Pillow may be asked to open beside JPEG and PNG; others would start an interpreter (EPS) or are no pictures
FORMATS = ("BMP", "DIB", "GIF", "PPM", "TIFF", "WEBP")
BYTES_PER_PIXEL = 8  # of 16-bit RGBA, uncompressed
ALWAYS_READ = 64_000_000  # bytes, whatever the limit of pixels: photos carry previews and video


class Place(NamedTuple):
    """What an error is about: the key of the item, and the file's path relative to the source root."""

    key: str
    path: str

    def failed(self, stage: str, reason: str, detail: str) -> ItemError:
        """The error that says this item is damaged, how, and where."""
        return ItemError(Problem(self.key, "failed", stage, reason, f"{self.path}: {detail}"))


class Header(NamedTuple):
    """What a picture file says about itself before it is decoded; `orientation` is 0 where it carries none."""

    form: str
    mode: str
    size: tuple[int, int]
    bits: int
    orientation: int


class Frame(NamedTuple):
    """What the fixed part of a JPEG or PNG header says; `exif` is whether a JPEG carries a block of it."""

    size: tuple[int, int]
    bits: int
    components: int  # JPEG; of a PNG its colour type, 0 grey, 2 RGB, 3 palette
    exif: bool


def read_frame(encoded: bytes | memoryview) -> Frame:
    """Size, depth and colours of a JPEG or PNG from its first bytes, in 3 microseconds (Pillow: 80).

    Raises:
        ValueError: it is neither, or its header is broken.
    """
    head = bytes(encoded[:HEAD_BYTES])
    if head.startswith(PNG_START) and head[12:16] == b"IHDR" and len(head) >= 26:
        size = int.from_bytes(head[20:24], "big"), int.from_bytes(head[16:20], "big")
        return Frame(size, head[24], head[25], False)
    at, exif = 2, False
    while head.startswith(JPEG_START):
        if at + 10 > len(head) and len(head) < len(encoded):
            head = bytes(encoded)  # thumbnails and colour profiles can come first
        if at + 10 > len(head) or head[at] != 0xFF:
            break
        marker = head[at + 1]
        if marker in FRAMES:
            size = int.from_bytes(head[at + 5 : at + 7], "big"), int.from_bytes(head[at + 7 : at + 9], "big")
            return Frame(size, head[at + 4], head[at + 9], exif)
        exif |= marker == APP1
        at += 1 if marker == 0xFF else 2 + int.from_bytes(head[at + 2 : at + 4], "big")
    raise ValueError("is neither a JPEG nor a PNG with a readable header")


def _plain_header(data: bytes) -> Header | None:
    """The header of an everyday JPEG or PNG of 8 bits; None for all that Pillow had better look at."""
    try:
        frame = read_frame(data)
    except ValueError:
        return None
    is_png = data.startswith(PNG_START)
    mode = {(True, 0): "L", (True, 2): "RGB", (True, 3): "P", (False, 1): "L", (False, 3): "RGB"}.get(
        (is_png, frame.components)
    )
    if mode is None or frame.bits != 8 or frame.exif or 0 in frame.size or (is_png and b"eXIf" in data):
        return None
    return Header("PNG" if is_png else "JPEG", mode, frame.size, 8, 0)


def read_file(path: Path | str, where: Place, max_pixels: int) -> bytes:
    """All bytes of a regular, non-empty file; a named pipe is refused instead of waited for.

    Raises:
        ItemError: stage `read`; also where it is larger than any picture of so many pixels could be.
    """
    most = max(ALWAYS_READ, BYTES_PER_PIXEL * max_pixels)
    try:
        found = os.stat(path)  # noqa: PTH116, for every file of a build; before opening, as a pipe would be waited for
        if not stat.S_ISREG(found.st_mode):
            raise where.failed("read", "not a regular file", "expected a regular file, found a folder, pipe or device")
        if found.st_size > most:
            detail = f"{found.st_size} bytes, at most {most} are read; allow more with --max-pixels"
            raise where.failed("read", "too many bytes", detail)
        data = _content(path)
    except FileNotFoundError:
        raise where.failed("read", "missing file", "was listed but is not there now") from None
    except (OSError, ValueError) as error:
        cause = getattr(error, "strerror", None) or str(error)
        raise where.failed("read", "unreadable file", f"cannot be read: {cause}") from None
    if not data:
        raise where.failed("read", "empty file", "holds zero bytes, expected a picture; copy it anew")
    return data


def _content(path: Path | str) -> bytes:
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123, as above
        return file.read()


def judge_header(data: bytes, where: Place, max_pixels: int) -> Header:
    """Find cut, foreign and oversized files; JPEG and PNG, and whatever is oversized, without decoding a pixel.

    Raises:
        ItemError: stage `decode`.
    """
    unread = unread_kind(data)
    if unread is not None:
        raise where.failed("decode", unread.reason, str(unread))
    if _is_cut(data):
        raise where.failed("decode", "truncated image", f"ends after {len(data)} bytes without an end mark")
    plain = _plain_header(data)
    if plain is not None and plain.size[0] * plain.size[1] <= max_pixels:
        return plain
    try:
        opened = open_lazily(data)
    except PillowImage.DecompressionBombError as error:
        raise where.failed("decode", "too many pixels", str(error)) from None
    except Exception as error:  # Pillow's parsers raise nearly anything on hostile bytes
        raise where.failed("decode", "not an image", f"no picture Pillow can open ({type(error).__name__})") from None
    if opened.width * opened.height > max_pixels:
        found = f"{opened.height}x{opened.width} pixels, at most {max_pixels} are read"
        raise where.failed("decode", "too many pixels", f"{found}; allow more with --max-pixels")
    if DNG_VERSION in getattr(opened, "tag_v2", ()):
        raise where.failed("decode", RAW.reason, str(RAW))
    orientation = _orientation(opened, data)
    if opened.format not in ("JPEG", "PNG"):
        _load(opened, where)
    bits = data[24] if data.startswith(PNG_START) else 16 if opened.mode.startswith(("I", "F")) else 8
    return Header(opened.format or "?", opened.mode, (opened.height, opened.width), bits, orientation)


def why_normalise(header: Header) -> str:
    """'' where the source bytes can be kept as they are, else the first reason why not."""
    if header.form not in ("JPEG", "MPO", "PNG"):
        return "format"
    if header.orientation > 1:
        return "rotated"
    if header.bits > 8:
        return "16-bit"
    kinds = {"L": "", "RGB": "", "CMYK": "cmyk", "LA": "alpha", "RGBA": "alpha", "P": "palette", "1": "bilevel"}
    return kinds.get(header.mode, "mode")


def _is_cut(data: bytes) -> bool:
    """Whether a JPEG or PNG stops before its end mark; what follows the mark does not matter."""
    if data.startswith(PNG_START):
        return PNG_END not in data[-64:] and PNG_END not in data
    if not data.startswith(JPEG_START) or data.endswith(JPEG_END):
        return False
    at = 2  # walk to the first scan: a thumbnail in the segments before it has an end mark of its own
    while at + 4 <= len(data) and data[at] == 0xFF:
        if data[at + 1] == 0xDA:
            return data.find(JPEG_END, at) < 0
        at += 1 if data[at + 1] == 0xFF else 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return True


def open_lazily(data: bytes) -> PillowImage.Image:
    """Pillow's lazy view of the file; the two common plugins are opened directly, without its own pixel limit."""
    if data.startswith(JPEG_START):
        return JpegImagePlugin.JpegImageFile(BytesIO(data))
    if data.startswith(PNG_START):
        return PngImagePlugin.PngImageFile(BytesIO(data))
    return PillowImage.open(BytesIO(data), formats=FORMATS)


def _load(opened: PillowImage.Image, where: Place) -> None:
    """Decode a rarer format once, only to learn whether it is whole; a TIFF's size is the upright one from here on."""
    try:
        opened.load()
    except Exception as error:  # as in `judge_header`
        reason = "truncated image" if "truncated" in str(error) else "damaged image"
        raise where.failed("decode", reason, f"Pillow cannot decode this {opened.format}: {error}") from None


def _orientation(opened: PillowImage.Image, data: bytes) -> int:
    """EXIF orientation 1..8, or 0 where there is none or the EXIF block is broken, as OpenCV takes it."""
    try:
        if "exif" in opened.info:
            exif = PillowImage.Exif()
            exif.load(opened.info["exif"])
        elif opened.format == "TIFF" or (opened.format == "PNG" and b"eXIf" in data):
            exif = opened.getexif()  # decodes a PNG, so only where such a chunk may follow the pixels
        else:
            return 0
        value = exif.get(EXIF_ORIENTATION, 0)
    except Exception:  # as in `judge_header`
        return 0
    return int(value) if value in range(1, 9) else 0
