"""The only file that decodes or encodes pictures, masks and palettes, and that reads EXIF.

Every picture leaves here upright, RGB, together with bytes that a plain `cv2.imdecode`
turns into the same pixels; every mask as the plane its file stores. What in a mask is
foreground is left to `datasets.masks`.
"""

from __future__ import annotations

import stat
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Literal, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage
from PIL import JpegImagePlugin, PngImagePlugin

from .arrays import Image, Mask
from .errors import ItemError, UsageError
from .rle import decode_rle, encode_rle
from .samples import Photo, Problem

__all__ = [
    "MaskFile",
    "Place",
    "decode_picture",
    "decode_rle",
    "encode_jpeg",
    "encode_png",
    "encode_rle",
    "read_mask",
    "read_photo",
    "resize_mask",
    "resize_photo",
    "turn",
]

JPEG_START, JPEG_END = b"\xff\xd8\xff", b"\xff\xd9"
PNG_START, PNG_END = b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82"
EXIF_ORIENTATION = 0x0112
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
    where = Place(key or place, place)
    data = read_file(path, where)
    header = judge_header(data, where, max_pixels)
    why = _why_normalise(header)
    pixels = _decode(data, UNTURNED if why else cv2.IMREAD_COLOR)
    if pixels is None and why:
        pixels = _decode_with_pillow(data)
    if pixels is None:
        raise where.failed("decode", "damaged image", f"{header.form} header of {header.size} but no pixels behind it")
    if why and header.form != "TIFF":  # OpenCV turns TIFF by itself, whatever the flags
        pixels = turn(pixels, header.orientation)
    elif pixels.shape[:2] != header.size:
        raise where.failed("decode", "damaged image", f"header says {header.size}, pixels are {pixels.shape[:2]}")
    image: Image = cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)  # type: ignore[assignment]
    encoded = encode_png(image) if why else data
    return Photo(image, encoded, why, zlib.crc32(data), header.orientation or 1)


def read_mask(path: Path | str, place: str, max_pixels: int, key: str = "") -> MaskFile:
    """Read one mask file as it is stored: grey plane, or palette indices (which OpenCV would lose).

    A colour mask whose channels are equal is grey; a cut-out (one flat colour, shape in the alpha channel)
    gives its alpha channel; a palette of greys only is grey.

    Args: as `read_photo`.

    Raises:
        ItemError: as `read_photo`; also stage `mask`, where the file holds no single plane of whole numbers.
    """
    where = Place(key or place, place)
    data = read_file(path, where)
    header = judge_header(data, where, max_pixels)
    orientation = 0 if header.form == "TIFF" else header.orientation
    if header.mode in ("P", "PA"):
        plane, coding = _palette_plane(data, where)
        return MaskFile(plane, coding, orientation, zlib.crc32(data))
    stored = _decode(data, cv2.IMREAD_UNCHANGED)
    if stored is None:
        raise where.failed("decode", "damaged image", f"{header.form} header of {header.size} but no pixels behind it")
    return MaskFile(_single_plane(stored, where), "grey", orientation, zlib.crc32(data))


def read_file(path: Path | str, where: Place) -> bytes:
    """All bytes of a regular, non-empty file; a named pipe is refused instead of waited for.

    Raises:
        ItemError: stage `read`.
    """
    try:
        if not stat.S_ISREG(Path(path).stat().st_mode):
            raise where.failed("read", "not a regular file", "expected a regular file, found a folder, pipe or device")
        data = Path(path).read_bytes()
    except FileNotFoundError:
        raise where.failed("read", "missing file", "was listed but is not there now") from None
    except (OSError, ValueError) as error:
        cause = getattr(error, "strerror", None) or str(error)
        raise where.failed("read", "unreadable file", f"cannot be read: {cause}") from None
    if not data:
        raise where.failed("read", "empty file", "holds zero bytes, expected a picture; copy it anew")
    return data


def judge_header(data: bytes, where: Place, max_pixels: int) -> Header:
    """Find cut, foreign and oversized files without decoding a pixel.

    Raises:
        ItemError: stage `decode`.
    """
    if _is_cut(data):
        raise where.failed("decode", "truncated image", f"ends after {len(data)} bytes without an end mark")
    try:
        header = _header(data)
    except PillowImage.DecompressionBombError as error:
        raise where.failed("decode", "too many pixels", f"{error}; allow more with --max-pixels") from None
    except Exception as error:  # Pillow's parsers raise nearly anything on hostile bytes
        raise where.failed("decode", "not an image", f"no picture Pillow can open ({type(error).__name__})") from None
    if header.size[0] * header.size[1] > max_pixels:
        found = f"{header.size[0]}x{header.size[1]} pixels, at most {max_pixels} are read"
        raise where.failed("decode", "too many pixels", f"{found}; allow more with --max-pixels")
    return header


def turn(array: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Turn stored rows and columns upright; orientations 0 and 1 give the array itself.

    Args:
        array: (H, W) or (H, W, C).
        orientation: EXIF orientation, 0..8.

    Source: EXIF 2.3, tag 0x0112.
    """
    change = TURNS.get(orientation)
    return array if change is None else np.ascontiguousarray(change(array))


def decode_picture(encoded: bytes) -> Image:
    """(H, W, 3) uint8 RGB of JPEG or PNG bytes, as `read_photo` gave them.

    Raises:
        ValueError: they hold no picture.
    """
    pixels = _decode(encoded, cv2.IMREAD_COLOR)
    if pixels is None:
        raise ValueError(f"{len(encoded)} bytes hold no picture that OpenCV can decode, expected JPEG or PNG")
    return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)  # type: ignore[return-value]


def encode_png(image: Image) -> bytes:
    """PNG bytes of an (H, W, 3) RGB or (H, W) grey uint8 array.

    Run-length strategy and a fixed filter: what is left of zlib then has no match finder, the part whose
    output differs between builds and processors in zlib-ng. Costs about 9 % in size on photos.
    """
    settings = [cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE]
    return _encode(".png", image, settings)


def encode_jpeg(image: Image, quality: int) -> bytes:
    """JPEG bytes of an (H, W, 3) RGB uint8 array; `quality` is libjpeg's, 1..100."""
    return _encode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])


def parse_codec(codec: str) -> tuple[str, int]:
    """('source', 0), ('png', 0) or ('jpeg', quality) of `source`, `png` or `jpeg:95`.

    Raises:
        UsageError: anything else.
    """
    name, _, quality = codec.partition(":")
    if name in ("source", "png") and not quality:
        return name, 0
    if name == "jpeg" and quality.isdecimal() and 1 <= int(quality) <= 100:
        return name, int(quality)
    raise UsageError(f"image codec {codec!r}: expected source, png or jpeg:QUALITY with a quality of 1 to 100")


def resize_photo(photo: Photo, longest: int | None, codec: str = "source") -> Photo:
    """Shrink a photo so that its longer side is at most `longest` pixels, and encode it anew where asked.

    Args:
        photo: the photo; it is never enlarged.
        longest: pixels of the longer side; None keeps the size.
        codec: `source` keeps the bytes of what is not shrunk and writes PNG else; `png`; `jpeg:95`, after
            which the pixels are those of the JPEG.
    """
    name, quality = parse_codec(codec)
    size = shrunk_size(photo.size, longest)
    shrinks = size != photo.size
    if name == "source" and not shrinks:
        return photo
    pixels = photo.pixels
    if shrinks:
        pixels = cv2.resize(pixels, size[::-1], interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    encoded = encode_jpeg(pixels, quality) if name == "jpeg" else encode_png(pixels)
    if name == "jpeg":
        pixels = decode_picture(encoded)
    return Photo(pixels, encoded, "resized" if shrinks else "recoded", photo.source_crc32, photo.orientation)


def shrunk_size(size: tuple[int, int], longest: int | None) -> tuple[int, int]:
    """(H, W) with the longer side at most `longest`, proportions kept, no side under one pixel."""
    if longest is None or max(size) <= longest:
        return size
    scale = longest / max(size)
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def resize_mask(mask: Mask, size: tuple[int, int]) -> Mask:
    """A mask at another size: foreground where more than half of the new pixel's area is.

    Args:
        mask: (H, W) uint8, 0 or 1.
        size: (H, W) of the result.
    """
    if mask.shape == size:
        return mask
    area = cv2.resize(mask * np.uint8(255), size[::-1], interpolation=cv2.INTER_AREA)
    return (area > 127).view(np.uint8)


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


def _header(data: bytes) -> Header:
    """Pillow's lazy view of the file; the two common plugins are opened directly, without its own pixel limit."""
    if data.startswith(JPEG_START):
        opened: PillowImage.Image = JpegImagePlugin.JpegImageFile(BytesIO(data))
    elif data.startswith(PNG_START):
        opened = PngImagePlugin.PngImageFile(BytesIO(data))
    else:
        opened = PillowImage.open(BytesIO(data))
    orientation = _orientation(opened, data)
    if opened.format not in ("JPEG", "PNG"):
        opened.load()  # raises where these formats are cut, and turns a TIFF upright
    bits = data[24] if data.startswith(PNG_START) else 16 if opened.mode.startswith(("I", "F")) else 8
    width, height = opened.size
    return Header(opened.format or "?", opened.mode, (height, width), bits, orientation)


def _orientation(opened: PillowImage.Image, data: bytes) -> int:
    """EXIF orientation 1..8, or 0 where there is none."""
    if "exif" in opened.info:
        exif = PillowImage.Exif()
        exif.load(opened.info["exif"])
    elif opened.format == "TIFF" or (opened.format == "PNG" and b"eXIf" in data):
        exif = opened.getexif()  # decodes a PNG, so only where such a chunk may follow the pixels
    else:
        return 0
    value = exif.get(EXIF_ORIENTATION, 0)
    return value if value in range(1, 9) else 0


def _why_normalise(header: Header) -> str:
    """'' where the source bytes can be kept as they are, else the first reason why not."""
    if header.form not in ("JPEG", "MPO", "PNG"):
        return "format"
    if header.orientation > 1:
        return "rotated"
    if header.bits > 8:
        return "16-bit"
    kinds = {"L": "", "RGB": "", "CMYK": "cmyk", "LA": "alpha", "RGBA": "alpha", "P": "palette", "1": "bilevel"}
    return kinds.get(header.mode, "mode")


def _decode(data: bytes, flags: int) -> NDArray[Any] | None:
    """What OpenCV makes of the bytes, BGR; None where it cannot."""
    try:
        return cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error:  # larger than OpenCV's own limits
        return None


def _decode_with_pillow(data: bytes) -> NDArray[Any] | None:
    """BGR pixels of a format OpenCV was built without."""
    try:
        with PillowImage.open(BytesIO(data)) as opened:
            return np.ascontiguousarray(np.asarray(opened.convert("RGB"))[..., ::-1])
    except Exception:  # as in `judge_header`
        return None


def _palette_plane(data: bytes, where: Place) -> tuple[NDArray[np.uint8], Literal["grey", "palette"]]:
    """Palette indices of the file; grey values where the whole palette is grey, as scanners and GIMP write masks."""
    try:
        with PillowImage.open(BytesIO(data)) as opened:
            indices = np.asarray(opened.getchannel(0) if opened.mode == "PA" else opened)
            colours = np.array(opened.getpalette() or [], np.uint8).reshape(-1, 3)
    except Exception as error:  # as in `judge_header`
        raise where.failed("decode", "damaged image", f"palette picture cannot be decoded ({error})") from None
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
