"""Clips of discs whose truth is known, and a propagator by a network that knows colours and nothing else."""

import cv2
import numpy as np

from model.propagate import PropagateConfig, Propagator
from tests.colour_net import PLAIN, ColourNet

SIZE = (96, 128)
RED, GREEN = (220, 30, 30), (20, 200, 40)
CONFIG = PropagateConfig(size=96, looks=1, motion=0.0, touching=False)


def disc(x, y, radius=12):
    return cv2.circle(np.zeros(SIZE, np.uint8), (x, y), radius, 1, -1)


def shot(**masks):
    """A frame of black ground with discs on it, by colour."""
    frame = np.zeros((*SIZE, 3), np.uint8)
    for name, mask in masks.items():
        frame[mask > 0] = {"red": RED, "green": GREEN}[name]
    return frame


def propagator(config=CONFIG):
    return Propagator(ColourNet(), PLAIN, config)


def run(frames, first, config=CONFIG):
    carrier = propagator(config)
    return [carrier.step(frames[0], first), *(carrier.step(frame) for frame in frames[1:])]
