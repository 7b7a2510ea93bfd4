"""Packs image and guide mask into the four-channel input tensor.

The only place that knows mean, scale, channel order and mask coding; weights, sizes and crops are left to others.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from datakit.arrays import Image, Mask


@dataclass(frozen=True)
class InputCoding:
    """What a trunk expects of its input: `(channel - mean) / scale`, and two numbers for the mask.

    `mean` and `scale` are in grey levels of 0..255 and in the order of `order`; `mask_values` stand for
    background and foreground. They lie on both sides of zero and reach about as far as the colours do, so that
    the zeros a convolution pads with favour neither, and both kinds of filters are trained at like speed.
    """

    mean: tuple[float, float, float]
    scale: tuple[float, float, float]
    order: Literal["RGB", "BGR"]
    mask_values: tuple[float, float]

    @property
    def fill(self) -> tuple[int, int, int]:
        """RGB uint8 colour nearest to zero after normalisation, for what lies outside an image."""
        red, green, blue = self.mean if self.order == "RGB" else self.mean[::-1]
        return round(red), round(green), round(blue)

    @property
    def mask_amplitude(self) -> float:
        """The largest number that stands for a mask value."""
        return max(abs(value) for value in self.mask_values)


# The colours are coded as the pretrained weights were trained. MaskTrack does not say how the mask is coded: ±100 for
# VGG16 is what its best-known port uses ("similar to RGB values"), ±1 is the same thought for a trunk scaled to ±1.
UNIT_RGB = InputCoding((127.0, 127.0, 127.0), (128.0, 128.0, 128.0), "RGB", (-1.0, 1.0))  # TensorFlow's, about ±1
CAFFE_BGR = InputCoding((103.939, 116.779, 123.68), (1.0, 1.0, 1.0), "BGR", (-100.0, 100.0))  # minus ImageNet's mean
CODINGS = {"efficientnet-lite0": UNIT_RGB, "vgg16": CAFFE_BGR}
"""By trunk, for one more version: every network says its own, `networks.coding_of(name)`."""


def pack_input(image: Image, mask: Mask, coding: InputCoding) -> Tensor:
    """The network's input for one image and its guide mask, or for a batch of both.

    Args:
        image: (H, W, 3) or (N, H, W, 3) uint8 RGB.
        mask: (H, W) or (N, H, W) uint8, 0 or 1, same size.
        coding: of the network, `net.coding`.

    Returns:
        (4, H, W) or (N, 4, H, W) float32, contiguous: three colours, then the mask.

    Raises:
        ValueError: other shapes, types or mask values.
    """
    if image.dtype != np.uint8 or image.ndim not in (3, 4) or image.shape[-1] != 3:
        raise ValueError(f"pack_input: image is {image.shape} {image.dtype}, expected ([N,] H, W, 3) uint8 RGB")
    if mask.dtype != np.uint8 or mask.shape != image.shape[:-1]:
        raise ValueError(f"pack_input: mask is {mask.shape} {mask.dtype}, expected {image.shape[:-1]} uint8")
    if mask.size and mask.max() > 1:
        raise ValueError(f"pack_input: mask holds {int(mask.max())}, expected 0 and 1 only")
    tables = _tables(coding)
    packed = np.empty((*image.shape[:-3], 4, *image.shape[-3:-1]), np.float32)
    H, W = mask.shape[-2:]
    each = zip(image.reshape(-1, H, W, 3), mask.reshape(-1, H, W), packed.reshape(-1, 4, H, W), strict=True)
    for picture, guide, planes in each:
        colours = cv2.split(picture)
        for plane, table, into in zip(
            (*(colours if coding.order == "RGB" else colours[::-1]), guide), tables, planes, strict=True
        ):
            cv2.LUT(plane, table, into)  # the very numbers of arithmetic on float32, sooner
    return torch.from_numpy(packed)


@functools.cache
def _tables(coding: InputCoding) -> NDArray[np.float32]:
    """(4, 256) float32: what stands for every value of the three colours, in the coding's order, and of the mask."""
    values, (background, foreground) = np.arange(256, dtype=np.float32), coding.mask_values
    colours = (values - np.array(coding.mean, np.float32)[:, None]) / np.array(coding.scale, np.float32)[:, None]
    return np.vstack([colours, values * np.float32(foreground - background) + np.float32(background)])
