"""What lies behind an object: a photo with its objects taken out, and their place filled from around them."""

from __future__ import annotations

from collections.abc import Sequence

from ..arrays import Image, Labels

_LARGEST = 256  # longer side in pixels that a filling is made at; it is smooth, and enlarged after
_RADIUS = 3  # of the neighbourhood that Telea's filling reads


def without_objects(image: Image, labels: Labels, objects: Sequence[int], factor: int = 1) -> Image:
    """A photo without some of its objects.

    Args:
        image: (ceil(H / factor), ceil(W / factor), 3) uint8 RGB.
        labels: (H, W) uint8, the numbers of objects.
        objects: those to take out.
        factor: how much smaller the photo is.

    Returns:
        As `image`.

    Source: Telea 2004, as LucidDataDreaming fills the place of a moved object.
    """
    raise NotImplementedError
