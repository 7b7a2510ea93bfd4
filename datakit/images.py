"""Pictures decoded, encoded and turned upright: bytes in, RGB pixels out, and back.

Files are read by `photo_files` and `mask_files`; what their headers say is judged in `headers`.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Sequence
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from .arrays import Image, Labels, Mask
from .formats import JPEG_START, PNG_END, PNG_START
from .jpeg import jpeg_size

NO_PIXELS = "no pixels behind it"
REDUCED = {2: cv2.IMREAD_REDUCED_COLOR_2, 4: cv2.IMREAD_REDUCED_COLOR_4, 8: cv2.IMREAD_REDUCED_COLOR_8}
_RGB: int | None = getattr(cv2, "IMREAD_COLOR_RGB", None)  # what OpenCV before 4.11 lacks; saves a pass over a JPEG
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


def decoded(data: bytes | memoryview, flags: int) -> NDArray[Any] | None:
    """What OpenCV makes of the bytes, BGR; None where it cannot."""
    try:
        return cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error:  # larger than OpenCV's own limits
        return None


def decode_picture(encoded: bytes | memoryview) -> Image:
    """(H, W, 3) uint8 RGB of JPEG or PNG bytes, as a `Photo` holds them.

    Raises:
        ValueError: they hold no picture.
    """
    pixels = decoded(encoded, cv2.IMREAD_COLOR)
    if pixels is None:
        raise ValueError(f"{len(encoded)} bytes hold no picture that OpenCV can decode, expected JPEG or PNG")
    return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)  # type: ignore[return-value]


def decode_reduced(encoded: bytes | memoryview, factor: int) -> Image:
    """(ceil(H / factor), ceil(W / factor), 3) uint8 RGB: a picture at a part of its size.

    A JPEG is decoded at that size, which costs less than decoding it; of any other picture the mean is taken.

    Args:
        encoded: JPEG or PNG bytes.
        factor: a power of 2.

    Raises:
        ValueError: they hold no picture.
    """
    if factor > 8:
        return halved(decode_reduced(encoded, 8), factor // 8)
    flags = REDUCED.get(factor, _RGB)
    if flags is None or encoded[: len(JPEG_START)] != JPEG_START:
        return halved(decode_picture(encoded), factor)
    pixels = decoded(encoded, flags)
    if pixels is None:
        return halved(decode_picture(encoded), factor)  # which says why
    if flags == _RGB:
        return pixels
    return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)  # type: ignore[return-value]


def reduction(shrink: float) -> int:
    """The factor at which a picture serves to be shown at 1/`shrink` of its size: less than twice as large as that."""
    return 1 << max(0, math.floor(math.log2(shrink)))


def halved(image: Image, factor: int) -> Image:
    """A picture at 1/1, 1/2, 1/4 … of its size: every pixel the mean of those it covers; sides are rounded up."""
    if factor == 1:
        return image
    below, right = (-side % factor for side in image.shape[:2])
    if below or right:
        image = cv2.copyMakeBorder(image, 0, below, 0, right, cv2.BORDER_REPLICATE)  # type: ignore[assignment]
    size = image.shape[1] // factor, image.shape[0] // factor
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)  # type: ignore[return-value]


def paint(image: Image, where: Mask, colour: Sequence[int]) -> None:
    """Give pixels of an image a colour, in place: what NumPy's assignment does, tens of times as fast.

    Args:
        image: (H, W, 3) uint8, contiguous.
        where: (H, W) uint8, not 0 where it is painted.
        colour: three values.
    """
    cv2.copyTo(_plain(where.shape, tuple(colour)), where, image)


@lru_cache(4)
def _plain(size: tuple[int, ...], colour: tuple[int, ...]) -> Image:
    return cv2.merge([np.full(size, value, np.uint8) for value in colour])  # type: ignore[return-value]


def is_whole_png(path: Path) -> bool:
    """Whether a PNG file is there and was written to its end; its pixels are not looked at."""
    try:
        with path.open("rb") as file:
            begins = file.read(len(PNG_START)) == PNG_START
            file.seek(-len(PNG_END), 2)
            return begins and file.read() == PNG_END
    except OSError:
        return False


def check_decodable(encoded: bytes | memoryview, size: tuple[int, int]) -> None:
    """Make sure that JPEG or PNG bytes decode from end to end, to (H, W) pixels as stored.

    A JPEG is decoded to an eighth of its size: all its bytes are read, a third of the time is saved, and data lost
    in its middle are found, of which OpenCV would make a picture; see `jpeg`.

    Raises:
        ValueError: they do not; says what was found.
    """
    found, part = None, 8
    if encoded[: len(PNG_START)] == PNG_START:
        pixels, part = decoded(encoded, UNTURNED), 1
    else:
        try:
            found = jpeg_size(encoded)
        except ValueError as error:
            raise ValueError(f"damaged pixels; libjpeg says: {error}") from None
        pixels = decoded(encoded, cv2.IMREAD_REDUCED_GRAYSCALE_8) if found is None else None
    if pixels is not None:
        found = pixels.shape[0], pixels.shape[1]
    if found is None:
        raise ValueError(NO_PIXELS)
    if found != tuple(-(-side // part) for side in size):
        raise ValueError(f"pixels of {found}" + " at an eighth of its size" * (part == 8))


def turn(array: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Turn stored rows and columns upright; orientations 0 and 1 give the array itself.

    Args:
        array: (H, W) or (H, W, C).
        orientation: EXIF orientation, 0..8.

    Source: EXIF 2.3, tag 0x0112.
    """
    change = TURNS.get(orientation)
    return array if change is None else np.ascontiguousarray(change(array))


def encode_png(image: Image | NDArray[np.uint16], compact: bool = False) -> bytes:
    """PNG bytes of an (H, W, 3) RGB or (H, W) grey array, uint8 or uint16.

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


def _encode(suffix: str, image: Image | NDArray[np.uint16], settings: list[int]) -> bytes:
    stored = cv2.cvtColor(image, cv2.COLOR_RGB2BGR) if image.ndim == 3 else image
    worked, data = cv2.imencode(suffix, stored, settings)
    if not worked:
        raise ValueError(f"OpenCV cannot write {image.shape} {image.dtype} as {suffix}")
    return data.tobytes()
