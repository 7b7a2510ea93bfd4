"""Photo files: upright RGB, together with bytes that a plain `cv2.imdecode` turns into the same pixels.

What a file says of itself is judged in `headers`; masks are read by `mask_files`.
"""

from __future__ import annotations

import zlib
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from .arrays import Image
from .errors import ItemRef
from .headers import Header, open_lazily, read_file, validate_header
from .images import NO_PIXELS, UNTURNED, check_decodable, decoded, encode_png, turn
from .samples import Photo

# what OpenCV decodes in some builds alone, or has turned in one version and not in the next
BY_PILLOW = ("AVIF", "GIF", "HEIF", "JPEG2000")


def read_photo(path: Path | str, place: str, max_pixels: int, key: str = "", data: bytes | None = None) -> Photo:
    """Read one picture: source bytes untouched where they are plain, else a lossless PNG of its upright pixels.

    Plain is an 8-bit JPEG or PNG, grey or RGB, upright; then `cv2.imdecode(…, IMREAD_COLOR)` gives the same
    pixels to every reader of the bytes.

    Args:
        path: the file.
        place: its path relative to the source root, for messages.
        max_pixels: more pixels than this are refused by the header, before decoding.
        key: key of the item in the error; `place` where it is not given.
        data: the picture's bytes, where they are at hand because the file holds other things, too.

    Raises:
        ItemError: the file cannot be read (stage `read`) or is no whole picture (stage `decode`).
    """
    where, data, header = load_picture_file(path, place, max_pixels, key, ("JPEG", "PNG"), data)
    why = reencode_reason(header)
    crc32, orientation = zlib.crc32(data), header.orientation or 1
    if not why:
        return Photo(data, header.size, why, crc32, orientation)
    pixels = _upright(data, header, where)
    return Photo.decoded(pixels, encode_png(pixels), why, crc32, orientation)


def read_picture(path: Path | str, place: str, max_pixels: int) -> Image:
    """(H, W, 3) uint8 RGB of one picture, upright; decoded once, for those who need no bytes of it.

    Args: as `read_photo`.

    Raises:
        ItemError: as `read_photo`.
    """
    where, data, header = load_picture_file(path, place, max_pixels)
    if reencode_reason(header):
        return _upright(data, header, where)
    pixels = decoded(data, cv2.IMREAD_COLOR)
    if pixels is None or pixels.shape[:2] != header.size:
        raise header.damaged(where, NO_PIXELS if pixels is None else f"pixels of {pixels.shape[:2]}")
    return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)  # type: ignore[return-value]


def read_colours(path: Path | str, place: str, max_pixels: int) -> NDArray[np.uint8]:
    """(H, W, 4) uint8 RGBA of one picture, upright; opaque where it stores no alpha.

    Args: as `read_photo`.

    Raises:
        ItemError: as `read_photo`.
    """
    where, data, header = load_picture_file(path, place, max_pixels)
    try:
        with open_lazily(data) as opened:
            pixels = np.asarray(opened.convert("RGBA"))
    except Exception as error:  # as in `headers.validate_header`
        raise where.failed("decode", "damaged image", f"cannot be decoded ({error})") from None
    return turn(pixels, header.orientation)


def load_picture_file(
    path: Path | str,
    place: str,
    max_pixels: int,
    key: str = "",
    checked: tuple[str, ...] = ("JPEG",),
    data: bytes | None = None,
    as_mask: bool = False,
) -> tuple[ItemRef, bytes, Header]:
    """A picture file's place, bytes and header, the last validated before a pixel is decoded.

    Args: as `read_photo`, and
        checked: formats whose pixels are decoded once to make sure that they are all there. Decoding tells that by
            itself, but for JPEG.
        as_mask: as `headers.validate_header`.

    Raises:
        ItemError: as `read_photo`.
    """
    where = ItemRef(key or place, place)
    if data is None:
        data = read_file(path, where, max_pixels)
    header = validate_header(data, where, max_pixels, as_mask)
    if header.form in checked:
        try:
            check_decodable(data, header.size)
        except ValueError as error:
            raise header.damaged(where, str(error)) from None
    return where, data, header


def reencode_reason(header: Header) -> str:
    """'' where the source bytes can be kept as they are, else the first reason why not."""
    if header.form not in ("JPEG", "MPO", "PNG"):
        return "format"
    if header.orientation > 1:
        return "rotated"
    if header.bits > 8:
        return "16-bit"
    kinds = {"L": "", "RGB": "", "CMYK": "cmyk", "LA": "alpha", "RGBA": "alpha", "P": "palette", "1": "bilevel"}
    return kinds.get(header.mode, "mode")


def _rgb(opened: PillowImage.Image) -> NDArray[np.uint8]:
    """(H, W, 3) RGB of what Pillow holds; greys of 16 bits are brought to 8, where Pillow would cut them off at 255."""
    if opened.mode.startswith("I;16"):
        return np.repeat((np.asarray(opened) >> 8).astype(np.uint8)[..., None], 3, axis=2)
    return np.asarray(opened.convert("RGB"))


def _upright(data: bytes, header: Header, where: ItemRef) -> Image:
    """Upright RGB pixels of a picture whose own bytes cannot be kept."""
    pixels = None if header.form in BY_PILLOW else decoded(data, UNTURNED)
    if pixels is None:  # also of a format OpenCV was built without
        try:
            with open_lazily(data) as opened:
                pixels = _rgb(opened)[..., ::-1]
        except Exception:  # as in `headers.validate_header`
            raise header.damaged(where, NO_PIXELS) from None
    if header.form != "TIFF":  # OpenCV turns TIFF by itself, whatever the flags
        pixels = turn(pixels, header.orientation)
    return cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_BGR2RGB)  # type: ignore[return-value]
