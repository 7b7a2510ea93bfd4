"""The colours of object ids: those of PASCAL VOC, which DAVIS uses too."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

IDS = 256
APART = 60.0  # of 255: distance of two colours that are told apart
AROUND = 24  # ids before one that its colour keeps most away from


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
    spare = _spare()
    for number in range(2, IDS):
        if _distance(bright[number], bright[1:number]).min() < APART:
            near = [_distance(each, bright[max(1, number - AROUND) : number]).min() for each in spare]
            bright[number] = spare[int(np.argmax(near))]
    return np.round(bright).astype(np.uint8)


def _spare() -> NDArray[np.float64]:
    """(n, 3) bright colours of many hues, full and pale."""
    hues = np.arange(0, 1, 1 / 24)[:, None]
    full = np.clip(np.abs((hues * 6 + np.array([0, 4, 2])) % 6 - 3) - 1, 0, 1)
    return np.concatenate([255.0 * (floor + (1 - floor) * full) for floor in (0.0, 0.35, 0.6)])


def _distance(colour: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    found: NDArray[np.float64] = np.sqrt(((others - colour) ** 2).sum(1))
    return found


def bright_colours() -> NDArray[np.uint8]:
    """(256, 3) uint8 RGB: light enough to be seen as a thin line on a photo, and told apart.

    Those of the palette at full brightness; where an id would look like a lower one, as every id from 8 on, another.
    """
    return _bright().copy()
