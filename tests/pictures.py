"""Pictures in tests: whether one holds another."""

from __future__ import annotations

import cv2
import numpy as np


def is_in(picture: np.ndarray, part: np.ndarray) -> bool:
    """Whether a part is somewhere in a picture, pixel by pixel."""
    found = cv2.matchTemplate(picture, part, cv2.TM_SQDIFF)
    y, x = np.unravel_index(int(found.argmin()), found.shape)
    return np.array_equal(picture[y : y + part.shape[0], x : x + part.shape[1]], part)
