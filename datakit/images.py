"""The only file that decodes or encodes pictures, and that turns them upright.

Every picture leaves here upright, RGB, together with bytes that a plain `cv2.imdecode`
turns into the same pixels. What a file says of itself is judged in `headers`; masks are left to `mask_files`.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage
from zlib_ng import zlib_ng

from .arrays import Image, Labels
from .errors import ItemError
from .headers import JPEG_START, PNG_START, Header, Place, judge_header, open_lazily, read_file, why_normalise
from .jpeg import jpeg_size
from .rle import decode_rle, encode_rle
from .samples import Photo

__all__ = [
    "Place",
    "decode_picture",
    "decode_rle",
    "encode_jpeg",
    "encode_palette_png",
    "encode_png",
    "encode_rle",
    "encode_webp",
    "prove_picture",
    "read_colours",
    "read_photo",
    "read_picture",
    "turn",
]

NO_PIXELS = "no pixels behind it"
WAY_OUT = "copy or export it anew, or take it out"
UNTURNED = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION

# EXIF 2.3, tag 0x0112: how stored rows and columns are turned to stand upright.
TURNS: dict[int, Callable[[Any], Any]] = {
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: lambda a: np.rot90(a, 1),
}


def read_photo(path: Path | str, place: str, max_pixels: int, key: str = "") -> Photo:
    """Read one picture: source bytes untouched where they are plain, else a lossless PNG of its upright pixels.

    Plain is an 8-bit JPEG or PNG, grey or RGB, upright; then `cv2.imdecode(…, IMREAD_COLOR)` gives the same
    pixels to every reader of the bytes.

    Args:
        path: the file.
        place: its path relative to the source root, for messages.
        max_pixels: more pixels than this are refused by the header, before decoding.
        key: key of the item in the error; `place` where it is not given.

    Raises:
        ItemError: the file cannot be read (stage `read`) or is no whole picture (stage `decode`).
    """
    where, data, header = judged(path, place, max_pixels, key)
    why = why_normalise(header)
    crc32, orientation = zlib_ng.crc32(data), header.orientation or 1
    if not why:
        if header.form == "PNG":
            _prove(data, header, where)
        return Photo(data, header.size, why, crc32, orientation)
    pixels = _normalised(data, header, where)
    return Photo.decoded(pixels, encode_png(pixels), why, crc32, orientation)


def read_picture(path: Path | str, place: str, max_pixels: int) -> Image:
    """(H, W, 3) uint8 RGB of one picture, upright; decoded once, for those who need no bytes of it.

    Args: as `read_photo`.

    Raises:
        ItemError: as `read_photo`.
    """
    where, data, header = judged(path, place, max_pixels)
    if why_normalise(header):
        return _normalised(data, header, where)
    pixels = decoded(data, cv2.IMREAD_COLOR)
    if pixels is None or pixels.shape[:2] != header.size:
        raise damaged(header, where, NO_PIXELS if pixels is None else f"pixels of {pixels.shape[:2]}")
    return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)  # type: ignore[return-value]


def judged(path: Path | str, place: str, max_pixels: int, key: str = "") -> tuple[Place, bytes, Header]:
    """A picture file's place, bytes and header, the last judged before a pixel is decoded; a JPEG is proven whole.

    Other formats tell by themselves when they are decoded.
    """
    where = Place(key or place, place)
    data = read_file(path, where, max_pixels)
    header = judge_header(data, where, max_pixels)
    if data.startswith(JPEG_START):
        _prove(data, header, where)
    return where, data, header


def _prove(data: bytes, header: Header, where: Place) -> None:
    try:
        prove_picture(data, header.size)
    except ValueError as error:
        raise damaged(header, where, str(error)) from None


def prove_picture(encoded: bytes | memoryview, size: tuple[int, int]) -> None:
    """Make sure that JPEG or PNG bytes decode from end to end, to (H, W) pixels.

    A JPEG is decoded to an eighth of its size: all its bytes are read, a third of the time is saved, and data lost
    in its middle are found, of which OpenCV would make a picture; see `jpeg`.

    Raises:
        ValueError: they do not; says what was found.
    """
    if bytes(encoded[: len(PNG_START)]) == PNG_START:
        pixels = decoded(encoded, cv2.IMREAD_COLOR)
        found, part = None if pixels is None else pixels.shape[:2], 1
    else:
        try:
            found, part = jpeg_size(encoded), 8
        except ValueError as error:
            raise ValueError(f"damaged pixels; libjpeg says: {error}") from None
        if found is None:
            pixels = decoded(encoded, cv2.IMREAD_REDUCED_GRAYSCALE_8)
            found = None if pixels is None else pixels.shape[:2]
    if found is None:
        raise ValueError(NO_PIXELS)
    if found != tuple(-(-side // part) for side in size):
        raise ValueError(f"pixels of {found}" + " at an eighth of its size" * (part == 8))


def _normalised(data: bytes, header: Header, where: Place) -> Image:
    """Upright RGB pixels of a picture whose own bytes cannot be kept."""
    pixels = decoded(data, UNTURNED)
    if pixels is None:
        pixels = _decode_with_pillow(data)
    if pixels is None:
        raise damaged(header, where)
    if header.form != "TIFF":  # OpenCV turns TIFF by itself, whatever the flags
        pixels = turn(pixels, header.orientation)
    return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)  # type: ignore[return-value]


def damaged(header: Header, where: Place, found: str = NO_PIXELS) -> ItemError:
    found = f"{header.form} header of {header.size} but {found}"
    return where.failed("decode", "damaged image", f"{found}; {WAY_OUT}")


def read_colours(path: Path | str, place: str, max_pixels: int) -> NDArray[np.uint8]:
    """(H, W, 4) uint8 RGBA of one picture, upright; opaque where it stores no alpha.

    Args: as `read_photo`.

    Raises:
        ItemError: as `read_photo`.
    """
    where, data, header = judged(path, place, max_pixels)
    try:
        with open_lazily(data) as opened:
            pixels = np.asarray(opened.convert("RGBA"))
    except Exception as error:  # as in `judge_header`
        raise where.failed("decode", "damaged image", f"cannot be decoded ({error})") from None
    return turn(pixels, header.orientation)


def turn(array: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Turn stored rows and columns upright; orientations 0 and 1 give the array itself.

    Args:
        array: (H, W) or (H, W, C).
        orientation: EXIF orientation, 0..8.

    Source: EXIF 2.3, tag 0x0112.
    """
    change = TURNS.get(orientation)
    return array if change is None else np.ascontiguousarray(change(array))


def decode_picture(encoded: bytes | memoryview) -> Image:
    """(H, W, 3) uint8 RGB of JPEG or PNG bytes, as `read_photo` gave them.

    Raises:
        ValueError: they hold no picture.
    """
    pixels = decoded(encoded, cv2.IMREAD_COLOR)
    if pixels is None:
        raise ValueError(f"{len(encoded)} bytes hold no picture that OpenCV can decode, expected JPEG or PNG")
    return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)  # type: ignore[return-value]


def encode_png(image: Image, compact: bool = False) -> bytes:
    """PNG bytes of an (H, W, 3) RGB or (H, W) grey uint8 array.

    Run-length strategy and a fixed filter: what is left of zlib then has no match finder, the part whose
    output differs between builds and processors in zlib-ng. Costs about 9 % in size on photos, but half on
    pictures with text and flat colours; `compact` is for those that are only looked at.
    """
    if compact:
        return _encode(".png", image, [cv2.IMWRITE_PNG_COMPRESSION, 9, cv2.IMWRITE_PNG_STRATEGY, 0])
    return _encode(".png", image, [cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE])


def encode_palette_png(labels: Labels, palette: Sequence[int]) -> bytes:
    """PNG bytes whose indices are the (H, W) uint8 object ids; `palette` is red, green, blue of id 0, of id 1 …"""
    picture = PillowImage.fromarray(labels)
    picture.putpalette([*palette, *bytes(768 - len(palette))])  # Pillow would cut ids beyond a shorter palette
    stream = BytesIO()
    picture.save(stream, "PNG", compress_type=zlib.Z_RLE)  # half the bytes of the default
    return stream.getvalue()


def encode_jpeg(image: Image, quality: int) -> bytes:
    """JPEG bytes of an (H, W, 3) RGB uint8 array; `quality` is libjpeg's, 1..100."""
    return _encode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])


def encode_webp(image: Image, quality: int) -> bytes:
    """WebP bytes of an (H, W, 3) RGB uint8 array for looking at; `quality` is libwebp's, 1..100."""
    return _encode(".webp", image, [cv2.IMWRITE_WEBP_QUALITY, quality])


def decoded(data: bytes | memoryview, flags: int) -> NDArray[Any] | None:
    """What OpenCV makes of the bytes, BGR; None where it cannot."""
    try:
        return cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error:  # larger than OpenCV's own limits
        return None


def _decode_with_pillow(data: bytes) -> NDArray[Any] | None:
    """BGR pixels of a format OpenCV was built without."""
    try:
        with open_lazily(data) as opened:
            return np.ascontiguousarray(np.asarray(opened.convert("RGB"))[..., ::-1])
    except Exception:  # as in `judge_header`
        return None


def _encode(suffix: str, image: Image, settings: list[int]) -> bytes:
    stored = cv2.cvtColor(image, cv2.COLOR_RGB2BGR) if image.ndim == 3 else image
    worked, data = cv2.imencode(suffix, stored, settings)
    if not worked:
        raise ValueError(f"OpenCV cannot write {image.shape} {image.dtype} as {suffix}")
    return data.tobytes()
