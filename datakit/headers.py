"""What a picture file says of itself before a pixel is decoded: whole or cut, size, kind, EXIF orientation.

Files that are missing, foreign, cut or too large end here, each with its own reason. Pillow reads the headers;
decoding is left to `images`.
"""

from __future__ import annotations

import errno
import os
import stat
import struct
from functools import cache
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import simplejpeg
from PIL import Image as PillowImage
from PIL import JpegImagePlugin, PngImagePlugin
from PIL import features as PillowFeatures

from . import reading
from .errors import ItemError, ItemRef
from .formats import AVIF, HEIC, JPEG_2000, JPEG_END, JPEG_START, PNG_END, PNG_START, RAW, Unread, unread_kind
from .places import Place

WAY_OUT = "copy or export it anew, or take it out"
EXIF_ORIENTATION = 0x0112
DNG_VERSION = 0xC612  # a TIFF tag: what Pillow would show of such a file is a small preview
# what Pillow may be asked to open beside JPEG and PNG; others would start an interpreter (EPS) or are no pictures
FORMATS = ("AVIF", "BMP", "DIB", "GIF", "JPEG2000", "PPM", "TIFF", "WEBP")
BYTES_PER_PIXEL = 8  # of 16-bit RGBA, uncompressed
ALWAYS_READ = 64_000_000  # bytes, whatever the limit of pixels: photos carry previews and video


class Header(NamedTuple):
    """What a picture file says about itself before it is decoded.

    `orientation` is 0 where it carries none, and for HEIF, whose decoder turns the pixels.
    """

    form: str
    mode: str
    size: tuple[int, int]
    bits: int
    orientation: int

    def damaged(self, where: ItemRef, found: str) -> ItemError:
        """The error that says that pixels do not fit this header."""
        return where.failed("decode", "damaged image", f"{self.form} header of {self.size} but {found}; {WAY_OUT}")


def read_file(path: Place | str, where: ItemRef, max_pixels: int) -> bytes:
    """All bytes of a regular, non-empty file; a named pipe is refused instead of waited for.

    Raises:
        ItemError: stage `read`; also where it is larger than any picture of so many pixels could be.
        DatakitError: it lies in a store that fails.
    """
    most = most_bytes(max_pixels)
    try:
        if not isinstance(path, str | Path):
            data = reading.read_file(path, most)
        else:
            found = os.stat(path)  # noqa: PTH116, for every file of a build; before opening: a pipe would be waited for
            if not stat.S_ISREG(found.st_mode):
                detail = "expected a regular file, found a folder, pipe or device"
                raise where.failed("read", "not a regular file", detail)
            if found.st_size > most:
                raise OSError(errno.EFBIG, f"{found.st_size} bytes")
            with open(path, "rb", buffering=0) as file:  # noqa: PTH123, as above
                data = file.read()
    except FileNotFoundError:
        raise where.failed("read", "missing file", "was listed but is not there now") from None
    except (OSError, ValueError) as error:
        cause = getattr(error, "strerror", None) or str(error)
        if isinstance(error, OSError) and error.errno == errno.EFBIG:
            detail = f"{cause}, at most {most} are read; allow more with --max-pixels"
            raise where.failed("read", "too many bytes", detail) from None
        raise where.failed("read", "unreadable file", f"cannot be read: {cause}") from None
    if not data:
        raise where.failed("read", "empty file", "holds zero bytes, expected a picture; copy it anew")
    return data


def most_bytes(max_pixels: int) -> int:
    """Bytes that a picture file of so many pixels may have."""
    return max(ALWAYS_READ, BYTES_PER_PIXEL * max_pixels)


def validate_header(data: bytes, where: ItemRef, max_pixels: int, as_mask: bool = False) -> Header:
    """Find cut, foreign and oversized files; JPEG and PNG, and whatever is oversized, without decoding a pixel.

    Args:
        data: all bytes of the file.
        where: for messages.
        max_pixels: more pixels than this are refused.
        as_mask: whether it is a mask, for which formats of photos are not read.

    Raises:
        ItemError: stage `decode`.
    """
    if not data.startswith((JPEG_START, PNG_START)):
        unread = unread_kind(data)
        if unread is not None and (as_mask or not can_read(unread)):
            raise where.failed("decode", unread.reason, str(unread))
    elif _is_cut(data):
        raise where.failed("decode", "truncated image", f"ends after {len(data)} bytes without an end mark")
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
    has_exif = "exif" in opened.info or opened.format == "TIFF" or (opened.format == "PNG" and b"eXIf" in data)
    orientation = _orientation(opened) if has_exif else 0
    if opened.format not in ("JPEG", "PNG"):  # decode a rarer format once, only to learn whether it is whole
        try:
            opened.load()  # a TIFF's size is the upright one from here on
        except Exception as error:
            reason = "truncated image" if "truncated" in str(error) else "damaged image"
            raise where.failed("decode", reason, f"Pillow cannot decode this {opened.format}: {error}") from None
    bits = data[24] if data.startswith(PNG_START) else 16 if opened.mode.startswith(("I", "F")) else 8
    return Header(opened.format or "?", opened.mode, (opened.height, opened.width), bits, orientation)


def _is_cut(data: bytes) -> bool:
    """Whether a JPEG or PNG stops before its end mark; what follows the mark does not matter."""
    if data.startswith(PNG_START):
        return PNG_END not in data[-64:] and PNG_END not in data
    if data.endswith(JPEG_END):
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
    if unread_kind(data) is HEIC:
        from pillow_heif import HeifImageFile  # of the extra `heif`

        opened: PillowImage.Image = HeifImageFile(BytesIO(data))  # type: ignore[no-untyped-call, unused-ignore]
        return opened
    return PillowImage.open(BytesIO(data), formats=FORMATS)


@cache
def can_read(kind: Unread) -> bool:
    """Whether photos of a kind that many installations cannot read are read by this one."""
    if kind is HEIC:
        return find_spec("pillow_heif") is not None
    features = {AVIF: "avif", JPEG_2000: "jpg_2000"}
    return kind in features and bool(PillowFeatures.check(features[kind]))


def _orientation(opened: PillowImage.Image) -> int:
    """EXIF orientation 1..8, or 0 where the EXIF block is broken or tells none, as OpenCV takes it."""
    try:
        if "exif" in opened.info:
            exif = PillowImage.Exif()
            exif.load(opened.info["exif"])
        else:
            exif = opened.getexif()  # of a TIFF; decodes a PNG, whose chunk may follow the pixels
        value = exif.get(EXIF_ORIENTATION, 0)
    except Exception:  # as in `validate_header`
        return 0
    return int(value) if value in range(1, 9) else 0


def image_size(encoded: bytes | memoryview) -> tuple[int, int]:
    """(H, W) of JPEG or PNG bytes, by their header alone.

    Raises:
        ValueError: they are neither, or the header is broken.
    """
    try:
        if encoded[: len(PNG_START)] == PNG_START:
            width, height = struct.unpack(">2I", encoded[16:24])  # IHDR is the first chunk
        else:
            height, width, *_ = simplejpeg.decode_jpeg_header(encoded)
    except (struct.error, ValueError):
        raise ValueError("is neither a JPEG nor a PNG with a readable header") from None
    return height, width
