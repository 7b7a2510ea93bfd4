"""Outlines in shares of the photo's width and height: pixels only once the photo's size is known.

Tools that write shares show the photo upright, and their shares are of what they show.
"""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

from PIL import Image as PillowImage

from ...errors import DatakitError
from ...headers import EXIF_ORIENTATION, FORMATS
from ...places import Place
from ...reading import read_file
from ..outlines import Ring
from ..shapes import Paint, Shape, Size


def shared_shape(number: int, name: str, pixels: Callable[[Size], Ring], paint: Paint, size: Size | None) -> Shape:
    """A shape whose outline depends on the size of the photo.

    Args:
        number: of its object.
        name: as messages call it.
        pixels: its ring in a frame of (H, W) pixels.
        paint: fills it in such a frame.
        size: (H, W) of the photo as shown, by which is judged whether it lies inside; None where that is not known.
    """
    return Shape(number, name, paint, (pixels(size),) if size else ())


def shown_size(path: Place | str) -> Size | None:
    """(H, W) of a photo as shown, by its header alone; None where that cannot be read, which decoding will name."""
    try:
        file = path if isinstance(path, str) else BytesIO(read_file(path))
        if isinstance(path, str) and not Path(path).is_file():
            return None  # a pipe would be waited for
        with PillowImage.open(file, formats=("JPEG", "PNG", *FORMATS)) as picture:
            is_turned = picture.getexif().get(EXIF_ORIENTATION, 1) in (5, 6, 7, 8)
            width, height = picture.size
            return (width, height) if is_turned else (height, width)
    except DatakitError:
        raise
    except Exception:  # Pillow's parsers raise nearly anything
        return None
