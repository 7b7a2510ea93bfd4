"""Smaller photos and masks, and the codec that a photo is kept in."""

from __future__ import annotations

import cv2
import numpy as np

from .arrays import Image, Mask
from .errors import UsageError
from .images import decode_picture, encode_jpeg, encode_png
from .samples import Photo


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
    pixels = shrunk(photo.pixels, longest)
    encoded = encode_jpeg(pixels, quality) if name == "jpeg" else encode_png(pixels)
    if name == "jpeg":
        pixels = decode_picture(encoded)
    return Photo.decoded(pixels, encoded, "resized" if shrinks else "recoded", photo.source_crc32, photo.orientation)


def shrunk_size(size: tuple[int, int], longest: int | None) -> tuple[int, int]:
    """(H, W) with the longer side at most `longest`, proportions kept, no side under one pixel."""
    if longest is None or max(size) <= longest:
        return size
    scale = longest / max(size)
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def shrunk(image: Image, longest: int | None) -> Image:
    """A photo, (H, W, 3) uint8, with the longer side at most `longest` pixels: each pixel the mean of its area."""
    size = shrunk_size((image.shape[0], image.shape[1]), longest)
    if size == image.shape[:2]:
        return image
    return cv2.resize(image, size[::-1], interpolation=cv2.INTER_AREA)  # type: ignore[return-value]


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
