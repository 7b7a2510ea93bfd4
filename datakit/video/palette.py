"""The colours of object ids: those of PASCAL VOC, which DAVIS uses too."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

IDS = 256


@functools.cache
def palette() -> tuple[int, ...]:
    """768 numbers: red, green and blue of id 0, of id 1 …

    Source: VOC development kit, VOCcolormap: the bits of an id, three at a time, become the high bits of its colour.
    """
    colours = []
    for number in range(IDS):
        colour = [0, 0, 0]
        for step in range(8):
            for channel in range(3):
                colour[channel] |= (number >> (3 * step + channel) & 1) << (7 - step)
        colours += colour
    return tuple(colours)


@functools.cache
def _bright() -> NDArray[np.uint8]:
    colours = np.array(palette(), np.float64).reshape(IDS, 3)
    top = colours.max(axis=1, keepdims=True)
    bright = np.where(top > 0, 255 * (0.2 + 0.8 * colours / np.maximum(top, 1)), 0)
    return np.round(bright).astype(np.uint8)


def bright_colours() -> NDArray[np.uint8]:
    """(256, 3) uint8 RGB: the same hues, light enough to be seen as a thin line on a photo."""
    return _bright().copy()
