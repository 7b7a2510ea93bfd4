"""What tells an object from the rim of one."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from datakit.masks import rims_of_ids
from tests import tiny
from tests.mask_files import save, standard


def discs(first: int = 1, second: int = 3) -> NDArray[np.uint8]:
    """(240, 320) two discs that touch."""
    plane = np.zeros((240, 320), np.uint8)
    cv2.circle(plane, (110, 110), 70, first, -1)
    cv2.circle(plane, (200, 120), 60, second, -1)
    return plane


def resized(plane: NDArray[np.uint8], scale: float, how: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.resize(plane, None, fx=scale, fy=scale, interpolation=how), np.uint8)


def turned(plane: NDArray[np.uint8]) -> NDArray[np.uint8]:
    matrix = cv2.getRotationMatrix2D((160, 120), 17, 1)
    return np.asarray(cv2.warpAffine(plane, matrix, plane.shape[::-1], flags=cv2.INTER_LINEAR), np.uint8)


def ids_of(plane: NDArray[np.uint8]) -> tuple[int, ...]:
    return tuple(int(number) for number in np.unique(plane) if number)


@pytest.mark.parametrize(
    "plane",
    [
        pytest.param(resized(discs(), 0.7, cv2.INTER_LINEAR), id="smaller"),
        pytest.param(resized(discs(), 1.5, cv2.INTER_LINEAR), id="larger"),
        pytest.param(resized(discs(), 0.7, cv2.INTER_AREA), id="by areas"),
        pytest.param(turned(discs()), id="turned"),
    ],
)
def test_a_middle_id_that_smooth_resizing_made_is_seen(plane: NDArray[np.uint8]) -> None:
    """Between ids 1 and 3 lie pixels of 2."""
    assert ids_of(plane) == (1, 2, 3) and rims_of_ids(plane, (1, 2, 3)) == (2,)


def strap() -> NDArray[np.uint8]:
    """Three objects, the second a thin line across the third and the ground."""
    plane = discs(1, 3)
    cv2.line(plane, (20, 200), (300, 60), 2, 2)
    return plane


def thick() -> NDArray[np.uint8]:
    """An object between two others that fills an area."""
    plane = discs(1, 3)
    plane[60:180, 145:160] = 2
    return plane


@pytest.mark.parametrize(
    "plane",
    [
        pytest.param(resized(discs(), 0.7, cv2.INTER_NEAREST), id="nearest neighbour"),
        pytest.param(resized(discs(1, 2), 0.7, cv2.INTER_LINEAR), id="neighbouring ids"),
        pytest.param(strap(), id="a thin object"),
        pytest.param(thick(), id="an object between two"),
    ],
)
def test_drawn_ids_are_no_rims(plane: NDArray[np.uint8]) -> None:
    """What fills an area, and what is thin and lies in the open or within one other."""
    assert rims_of_ids(plane, ids_of(plane)) == ()


def test_a_build_notes_them_and_keeps_them(tmp_path: Path) -> None:
    """It may be right all the same."""
    plane = resized(discs(), 0.7, cv2.INTER_LINEAR)
    tiny.write_picture(tmp_path / "images/a.png", tiny.picture(1, plane.shape[:2]))
    save(tmp_path / "masks/a.png", plane, standard())
    scene = tiny.opened("p", tmp_path)[0]
    (note,) = scene.notes
    assert [sample.object_id for sample in scene.samples] == [1, 2, 3]
    assert note.reason.startswith("ids that may be rims of others") and note.detail == "masks/a.png: 2 of 1, 2, 3"
