"""The only file that decodes or encodes pictures, masks and palettes, and that turns them upright.

Every picture leaves here upright, RGB, together with bytes that a plain `cv2.imdecode`
turns into the same pixels; every mask as the plane its file stores. What a file says of
itself is judged in `headers`; what in a mask is foreground is left to `datasets.masks`.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage
from zlib_ng import zlib_ng

from .arrays import Image, Labels
from .errors import DatakitError, ItemError
from .headers import JPEG_START, PNG_START, Header, Place, judge_header, open_lazily, read_file, why_normalise
from .jpeg import jpeg_size
from .png import inflate_png
from .rle import decode_rle, encode_rle
from .samples import Photo

__all__ = [
    "MaskFile",
    "Place",
    "decode_picture",
    "decode_rle",
    "encode_film_picture",
    "encode_jpeg",
    "encode_palette_png",
    "encode_png",
    "encode_rle",
    "encode_webp",
    "prove_picture",
    "read_colours",
    "read_mask",
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


@dataclass(frozen=True, slots=True)
class MaskFile:
    """A mask as its file stores it, before anybody decided what is foreground.

    Attributes:
        plane: (H, W) uint8 or uint16: grey values, or palette indices.
        coding: `grey` or `palette`.
        orientation: EXIF orientation of the mask file itself, 0 where it carries none; not applied.
        source_crc32: CRC-32 of the file's bytes.
    """

    plane: NDArray[np.uint8] | NDArray[np.uint16]
    coding: Literal["grey", "palette"]
    orientation: int
    source_crc32: int


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
    where, data, header = _judged(path, place, max_pixels, key)
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
    where, data, header = _judged(path, place, max_pixels)
    if why_normalise(header):
        return _normalised(data, header, where)
    pixels = _decode(data, cv2.IMREAD_COLOR)
    if pixels is None or pixels.shape[:2] != header.size:
        raise _damaged(header, where, NO_PIXELS if pixels is None else f"pixels of {pixels.shape[:2]}")
    return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)  # type: ignore[return-value]


def _judged(path: Path | str, place: str, max_pixels: int, key: str = "") -> tuple[Place, bytes, Header]:
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
        raise _damaged(header, where, str(error)) from None


def prove_picture(encoded: bytes | memoryview, size: tuple[int, int]) -> None:
    """Make sure that JPEG or PNG bytes decode from end to end, to (H, W) pixels.

    A JPEG is decoded to an eighth of its size: all its bytes are read, a third of the time is saved, and data lost
    in its middle are found, of which OpenCV would make a picture; see `jpeg`.

    Raises:
        ValueError: they do not; says what was found.
    """
    if bytes(encoded[: len(PNG_START)]) == PNG_START:
        pixels = _decode(encoded, cv2.IMREAD_COLOR)
        found, part = None if pixels is None else pixels.shape[:2], 1
    else:
        try:
            found, part = jpeg_size(encoded), 8
        except ValueError as error:
            raise ValueError(f"damaged pixels; libjpeg says: {error}") from None
        if found is None:
            pixels = _decode(encoded, cv2.IMREAD_REDUCED_GRAYSCALE_8)
            found = None if pixels is None else pixels.shape[:2]
    if found is None:
        raise ValueError(NO_PIXELS)
    if found != tuple(-(-side // part) for side in size):
        raise ValueError(f"pixels of {found}" + " at an eighth of its size" * (part == 8))


def _normalised(data: bytes, header: Header, where: Place) -> Image:
    """Upright RGB pixels of a picture whose own bytes cannot be kept."""
    pixels = _decode(data, UNTURNED)
    if pixels is None:
        pixels = _decode_with_pillow(data)
    if pixels is None:
        raise _damaged(header, where)
    if header.form != "TIFF":  # OpenCV turns TIFF by itself, whatever the flags
        pixels = turn(pixels, header.orientation)
    return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)  # type: ignore[return-value]


def _damaged(header: Header, where: Place, found: str = NO_PIXELS) -> ItemError:
    found = f"{header.form} header of {header.size} but {found}"
    return where.failed("decode", "damaged image", f"{found}; {WAY_OUT}")


def read_mask(path: Path | str, place: str, max_pixels: int, key: str = "") -> MaskFile:
    """Read one mask file as it is stored: grey plane, or palette indices (which OpenCV would lose).

    A colour mask whose channels are equal is grey; a cut-out (one flat colour, shape in the alpha channel)
    gives its alpha channel; a palette of greys only is grey.

    Args: as `read_photo`.

    Raises:
        ItemError: as `read_photo`; also stage `mask`, where the file holds no single plane of whole numbers.
    """
    where, data, header = _judged(path, place, max_pixels, key)
    orientation = min(header.orientation, 1) if header.form == "TIFF" else header.orientation
    if header.mode in ("P", "PA"):
        plane, coding = _palette_plane(data, where)
        return MaskFile(plane, coding, orientation, zlib_ng.crc32(data))
    plain = _plain_png(data)
    stored = _decode(data, cv2.IMREAD_UNCHANGED) if plain is None else plain[0]
    if stored is None:
        raise _damaged(header, where)
    return MaskFile(_single_plane(stored, where), "grey", orientation, zlib_ng.crc32(data))


def read_colours(path: Path | str, place: str, max_pixels: int) -> NDArray[np.uint8]:
    """(H, W, 4) uint8 RGBA of one picture, upright; opaque where it stores no alpha.

    Args: as `read_photo`.

    Raises:
        ItemError: as `read_photo`.
    """
    where, data, header = _judged(path, place, max_pixels)
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
    pixels = _decode(encoded, cv2.IMREAD_COLOR)
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
    """PNG bytes whose indices are the (H, W) uint8 object ids; `palette` is red, green, blue of id 0, of id 1 …

    A third of the time that Pillow takes, two thirds of the bytes, and other threads of Python run meanwhile.
    """
    H, W = labels.shape
    rows = np.zeros((H, W + 1), np.uint8)  # each begins with the number of its filter: 0, none
    rows[:, 1:] = labels
    packer = zlib.compressobj(1, strategy=zlib.Z_RLE)
    chunks = {
        b"IHDR": struct.pack(">2I5B", W, H, 8, 3, 0, 0, 0),
        b"PLTE": bytes([*palette, *bytes(768 - len(palette))]),
        b"IDAT": packer.compress(rows.data) + packer.flush(),
        b"IEND": b"",
    }
    framed = (struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
              for name, content in chunks.items())  # fmt: skip
    return PNG_START + b"".join(framed)


def encode_jpeg(image: Image, quality: int) -> bytes:
    """JPEG bytes of an (H, W, 3) RGB uint8 array; `quality` is libjpeg's, 1..100."""
    return _encode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])


def encode_webp(image: Image, quality: int) -> bytes:
    """WebP bytes of an (H, W, 3) RGB uint8 array for looking at; `quality` is libwebp's, 1..100."""
    return _encode(".webp", image, [cv2.IMWRITE_WEBP_QUALITY, quality])


def encode_film_picture(image: Image, quality: int) -> bytes:
    """Lossy WebP bytes of an (H, W, 3) RGB uint8 array, in less than half the time that `encode_webp` takes.

    Raises:
        DatakitError: Pillow was built without WebP.
    """
    stream = BytesIO()
    try:
        PillowImage.fromarray(image).save(stream, "WEBP", quality=quality, method=0)
    except (KeyError, OSError) as error:
        raise DatakitError(
            f"this build of Pillow has no codec for WebP ({error}), which the overlay video is made of; "
            "pip install --force-reinstall pillow, or leave the video out with --no-overlay"
        ) from None
    return stream.getvalue()


def _decode(data: bytes | memoryview, flags: int) -> NDArray[Any] | None:
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


def _plain_png(data: bytes) -> tuple[NDArray[np.uint8], list[int]] | None:
    """Grey values or palette indices of an everyday PNG, and its palette; None where it is anything else."""
    png = inflate_png(data)
    if png is None:
        return None
    try:
        plane = PillowImage.frombytes("L", png.size[::-1], png.stored(), "zip", "L")
    except ValueError:  # a filter that does not exist
        return None
    return np.array(plane), list(png.palette or b"")


def _palette_picture(data: bytes) -> tuple[NDArray[np.uint8], list[int]]:
    """Palette indices and palette of any picture, as Pillow reads it."""
    with open_lazily(data) as opened:
        return np.asarray(opened.getchannel(0) if opened.mode == "PA" else opened), opened.getpalette() or []


def _palette_plane(data: bytes, where: Place) -> tuple[NDArray[np.uint8], Literal["grey", "palette"]]:
    """Palette indices of the file; grey values where the whole palette is grey, as scanners and GIMP write masks."""
    try:
        indices, palette = _plain_png(data) or _palette_picture(data)
    except Exception as error:  # as in `judge_header`
        raise where.failed("decode", "damaged image", f"palette picture cannot be decoded ({error})") from None
    colours = np.array(palette, np.uint8).reshape(-1, 3)
    is_grey = colours.size and (colours == colours[:, :1]).all() and int(indices.max(initial=0)) < len(colours)
    return (colours[:, 0][indices], "grey") if is_grey else (indices.astype(np.uint8), "palette")


def _single_plane(stored: NDArray[Any], where: Place) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """The one plane of a mask stored with one, three or four equal channels, or as a cut-out."""
    if stored.dtype not in (np.uint8, np.uint16):
        raise where.failed("mask", "unsupported mask", f"holds {stored.dtype} values, expected 8 or 16 bits")
    if stored.ndim == 2:
        return stored
    first = stored[..., 0]
    colours = stored[..., : 3 if stored.shape[2] >= 3 else 1]
    if any(not np.array_equal(first, colours[..., i]) for i in range(1, colours.shape[2])):
        fault = "its colour channels differ; save object ids as a palette or grey picture"
        raise where.failed("mask", "colour mask", fault)
    alpha = stored[..., -1]
    is_cut_out = stored.shape[2] in (2, 4) and first.min() == first.max() and alpha.min() != alpha.max()
    return np.ascontiguousarray(alpha if is_cut_out else first)


def _encode(suffix: str, image: Image, settings: list[int]) -> bytes:
    stored = cv2.cvtColor(image, cv2.COLOR_RGB2BGR) if image.ndim == 3 else image
    worked, data = cv2.imencode(suffix, stored, settings)
    if not worked:
        raise ValueError(f"OpenCV cannot write {image.shape} {image.dtype} as {suffix}")
    return data.tobytes()
