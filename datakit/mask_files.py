"""Mask files as they are stored: a plane of grey values or palette indices, or colours.

What the values mean is left to `mask_values`, decoding of everyday pictures to `images`.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from .errors import ItemRef
from .headers import open_lazily
from .images import NO_PIXELS, decoded
from .photo_files import load_picture_file

NO_PALETTE = np.zeros((0, 4), np.uint8)
FLICKER = 24  # between red, green and blue of a grey that was saved with loss
OPAQUE = 127  # alpha of 255 above which a pixel is painted
# of two painted neighbours in a row, before what is painted is a photo: 500 objects of ECSSD have 0.61 at least
UNLIKE = 0.4
# the commonest shades (of 16 levels a channel) of a mask in four colours saved as WebP cover 0.73 of it at least, of
# those objects 0.70 in 95 of 100
FEW_SHADES, FEW_SHADES_SHARE = 8, 0.7


Coding = Literal["grey", "palette", "alpha", "colour"]


@dataclass(frozen=True, slots=True)
class MaskFile:
    """A mask as its file stores it, before anybody decided what is foreground.

    Attributes:
        plane: (H, W) uint8 or uint16: grey values, palette indices, or the alpha of a photo that was cut out; of
            colours (H, W, 4) uint8 RGBA.
        coding: `grey`, `palette`, `alpha` or `colour`.
        palette: (N, 4) uint8 RGBA of the palette's indices; N is 0 where there is none.
        orientation: EXIF orientation of the mask file itself, 0 where it carries none; not applied.
        source_crc32: CRC-32 of the file's bytes.
        lossy: whether the file is a JPEG or a lossy WebP, which keep values only nearly.
    """

    plane: NDArray[Any]
    coding: Coding
    palette: NDArray[np.uint8]
    orientation: int
    source_crc32: int
    lossy: bool = False


def read_mask(path: Path | str, place: str, max_pixels: int, key: str = "") -> MaskFile:
    """Read one mask file as it is stored: grey plane, palette indices (which OpenCV would lose), or colours.

    Channels that are equal are grey, and so is a palette of greys; what is transparent is 0, whatever it hides.
    Where all that is painted has one colour, or is a part of a photo, alpha is the mask.

    Args: as `photo_files.read_photo`.

    Raises:
        ItemError: as `read_photo`; also stage `mask`, where the file holds several pages, or no whole numbers.
    """
    where, data, header = load_picture_file(path, place, max_pixels, key, as_mask=True)
    orientation = min(header.orientation, 1) if header.form == "TIFF" else header.orientation
    if header.form not in ("JPEG", "PNG"):
        _refuse_pages(data, where)
    if header.mode in ("P", "PA"):
        return MaskFile(*_palette_plane(data, where), orientation, zlib.crc32(data))
    stored = decoded(data, cv2.IMREAD_UNCHANGED)
    if stored is None:
        raise header.damaged(where, NO_PIXELS)
    lossy = header.form in ("JPEG", "MPO") or (header.form == "WEBP" and b"VP8 " in data[:64])
    values, coding = _values_of(_greyed(stored) if lossy else stored, where, lossy)
    if header.mode == "L" and header.form == "PNG" and b"tRNS" in data:
        values = _without(values, data)
    return MaskFile(values, coding, NO_PALETTE, orientation, zlib.crc32(data), lossy)


def _greyed(stored: NDArray[Any]) -> NDArray[Any]:
    """A picture that was saved with loss as grey values, where its colours are but flicker."""
    if stored.ndim == 2 or stored.shape[2] < 3:
        return stored
    colours = stored[..., :3].astype(np.int16)
    is_grey = int((colours.max(axis=2) - colours.min(axis=2)).max(initial=0)) <= FLICKER
    return stored[..., 1] if is_grey and stored.shape[2] == 3 else stored


def _without(plane: NDArray[Any], data: bytes) -> NDArray[Any]:
    """Grey values with 0 for the one that the file calls transparent."""
    with open_lazily(data) as opened:
        opened.load()
        clear = opened.info.get("transparency")
    return np.where(plane == clear, plane.dtype.type(0), plane) if isinstance(clear, int) else plane


def _refuse_pages(data: bytes, where: ItemRef) -> None:
    """Refuse a file of several pictures, of which only the first would be read."""
    with open_lazily(data) as opened:
        pages = getattr(opened, "n_frames", 1)
    if pages > 1:
        way_out = "merge them to one picture of ids, or give each a file and a photo of its own"
        raise where.failed("mask", "several pages", f"holds {pages} pages, expected one; {way_out}")


def _palette_plane(data: bytes, where: ItemRef) -> tuple[NDArray[np.uint8], Coding, NDArray[np.uint8]]:
    """Palette indices of the file and RGBA of its palette; grey values where all its colours are grey."""
    try:
        with open_lazily(data) as opened:
            indices = np.asarray(opened.getchannel(0) if opened.mode == "PA" else opened)
            colours, clear = opened.getpalette() or [], opened.info.get("transparency")
    except Exception as error:  # as in `headers.validate_header`
        raise where.failed("decode", "damaged image", f"palette picture cannot be decoded ({error})") from None
    palette = np.full((len(colours) // 3, 4), 255, np.uint8)
    palette[:, :3] = np.array(colours, np.uint8).reshape(-1, 3)
    if isinstance(clear, bytes):  # alpha of the first indices
        alpha = np.frombuffer(clear, np.uint8)[: len(palette)]
        palette[: len(alpha), 3] = alpha
    elif isinstance(clear, int) and clear < len(palette):
        palette[clear, 3] = 0
    if len(palette) > int(indices.max(initial=0)) and (palette[:, 3] <= OPAQUE).any():
        shown = palette[indices]
        if _is_cut_out(shown[..., :3], _is_painted(shown[..., 3])):
            return np.ascontiguousarray(shown[..., 3]), "alpha", NO_PALETTE
    is_grey = palette.size and (palette[:, :3] == palette[:, :1]).all() and int(indices.max(initial=0)) < len(palette)
    if not is_grey:
        return indices.astype(np.uint8), "palette", palette
    return _painted_plane(palette[:, 0][indices], palette[:, 3][indices]), "grey", NO_PALETTE


def _is_painted(alpha: NDArray[Any]) -> NDArray[np.bool_]:
    return np.asarray(alpha > (OPAQUE if alpha.dtype == np.uint8 else OPAQUE * 257))


def _painted_plane(values: NDArray[Any], alpha: NDArray[Any]) -> NDArray[Any]:
    """Grey values, 0 where transparent; alpha itself where all that is painted, or all there is, has one value."""
    is_painted = _is_painted(alpha)
    if is_painted.all():
        return values
    painted = values[is_painted]
    if values.min() == values.max() or (painted.size and painted.min() == painted.max()):
        return np.ascontiguousarray(alpha)
    return np.where(is_painted, values, values.dtype.type(0))


def _is_cut_out(colours: NDArray[Any], is_painted: NDArray[np.bool_], lossy: bool = False) -> bool:
    """Whether what is painted on a transparent ground is a part of a photo, and no flat colours.

    Neighbours in a photo are rarely of equal colour, in objects that were drawn nearly always. Saved with loss they
    are not either; there a photo has many colours.

    Args:
        colours: (H, W, C) of any depth.
        is_painted: (H, W).
        lossy: whether the picture was saved with loss.
    """
    both = is_painted[:, 1:] & is_painted[:, :-1]
    count = np.count_nonzero(both)
    if not count or is_painted.all():
        return False
    if np.count_nonzero((colours[:, 1:] != colours[:, :-1]).any(axis=2) & both) <= UNLIKE * count:
        return False
    if not lossy:
        return True
    shades = (colours[is_painted].astype(np.int32) >> 4) @ np.array([256, 16, 1][-colours.shape[2] :], np.int32)
    commonest = np.sort(np.unique(shades, return_counts=True)[1])[-FEW_SHADES:]
    return int(commonest.sum()) < FEW_SHADES_SHARE * len(shades)


def _values_of(
    stored: NDArray[Any], where: ItemRef, lossy: bool = False
) -> tuple[NDArray[Any], Literal["grey", "alpha", "colour"]]:
    """The one plane of a mask of up to four channels, as OpenCV gives them; else its (H, W, 4) uint8 RGBA."""
    if stored.dtype == np.int32 and stored.min() >= 0 and stored.max() <= np.iinfo(np.uint16).max:
        stored = stored.astype(np.uint16)
    if stored.dtype not in (np.uint8, np.uint16):
        raise where.failed("mask", "unsupported mask", f"holds {stored.dtype} values, expected 8 or 16 bits")
    if stored.ndim == 2:
        return stored, "grey"
    alpha = stored[..., -1] if stored.shape[2] in (2, 4) else None
    colours = stored[..., : 3 if stored.shape[2] >= 3 else 1]
    if alpha is not None:
        is_painted = _is_painted(alpha)
        painted = colours[is_painted]
        if not alpha.any():
            return np.ascontiguousarray(alpha), "grey"  # whatever lies beneath
        if painted.size and not is_painted.all() and (painted == painted[0]).all():
            return np.ascontiguousarray(alpha), "grey"
        if _is_cut_out(colours, is_painted, lossy):
            return np.ascontiguousarray(alpha), "alpha"
        colours = np.where(is_painted[..., None], colours, colours.dtype.type(0)) if painted.size else colours
    if all(np.array_equal(colours[..., 0], colours[..., i]) for i in range(1, colours.shape[2])):
        first = np.ascontiguousarray(stored[..., 0])
        return (first if alpha is None else _painted_plane(first, alpha)), "grey"
    if stored.dtype == np.uint16:
        stored = (stored // 257).astype(np.uint8)
    return cv2.cvtColor(stored, cv2.COLOR_BGR2RGBA if alpha is None else cv2.COLOR_BGRA2RGBA), "colour"
