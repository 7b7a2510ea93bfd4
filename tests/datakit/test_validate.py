"""Remarks: what is legal and yet worth a look."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image as PillowImage

from datakit.datasets import MinArea, ReadOptions
from datakit.validate import REASONS, remarks
from tests import tiny

FRAME = np.ones(tiny.SIZE, np.uint8)
FRAME[2:-2, 2:-2] = 0


def reasons_of(reader: Any) -> list[str]:
    """Reasons of the remarks on the first photo."""
    return [remark.reason for remark in remarks(reader, reader.records[0], reader[0])]


def pair(root: Path, plane: Any, **settings: Any) -> Any:
    """One photo with this mask."""
    tiny.write_picture(root / "images" / "a.jpg", tiny.picture(1))
    tiny.write_grey(root / "masks" / "a.png", plane)
    return tiny.opened("p", root, options=ReadOptions(**settings))


@pytest.mark.parametrize(
    ("plane", "expected"),
    [
        (tiny.mask(1) * 255, []),
        (np.full(tiny.SIZE, 255, np.uint8), ["full mask"]),
        (FRAME * 255, ["mask touches all borders"]),
        (np.pad(np.full((9, 11), 255, np.uint8), ((9, 30), (9, 44))), ["tiny object"]),
        (cv2.GaussianBlur(tiny.mask(1) * np.uint8(255), (0, 0), 1), ["soft mask"]),
    ],
)
def test_a_mask_earns_its_remark_and_no_other(tmp_path: Path, plane: Any, expected: list[str]) -> None:
    """One kind of mask, one reason."""
    assert reasons_of(pair(tmp_path, plane)) == expected


def test_many_objects_earn_a_remark(tmp_path: Path) -> None:
    """More than 64 ids in one picture are rarely meant."""
    plane = np.kron(np.arange(12 * 16).reshape(12, 16) % 70, np.ones((4, 4))).astype(np.uint8)
    assert "many objects" in reasons_of(pair(tmp_path, plane, values="ids"))


def test_the_mask_file_is_found_beneath_views(tmp_path: Path) -> None:
    """A soft mask is noticed through a view, and the detail says by which threshold it was cut."""
    reader = MinArea(pair(tmp_path, tiny.mask(1) * np.uint8(200) + tiny.mask(5) * np.uint8(55), threshold=90), 5)
    (remark,) = remarks(reader, reader.records[0], reader[0])
    assert remark.reason == "soft mask" and "--threshold 90" in remark.detail and "masks/a.png" in remark.detail


def test_turned_and_foreign_photos_are_counted(tmp_path: Path) -> None:
    """EXIF rotation and a palette are named; what was asked for, like a new size, is not."""
    tiny.write_rotated_jpeg(tmp_path / "images" / "a.jpg", tiny.picture(1), 6)
    tiny.write_grey(tmp_path / "masks" / "a.png", tiny.mask(1) * 255)
    assert reasons_of(tiny.opened("p", tmp_path)) == ["EXIF-rotated photo"]
    (tmp_path / "images" / "a.jpg").unlink()
    PillowImage.fromarray(tiny.picture(1)).convert("P").save(tmp_path / "images" / "a.png")
    assert reasons_of(tiny.opened("p", tmp_path)) == ["normalised photo: palette"]


def test_a_plain_photo_is_said_to_be_flat(tmp_path: Path) -> None:
    """It cannot be compared with others, and that is not kept silent."""
    tiny.write_picture(tmp_path / "images" / "a.jpg", np.full((*tiny.SIZE, 3), 90, np.uint8))
    tiny.write_grey(tmp_path / "masks" / "a.png", tiny.mask(1) * 255)
    assert reasons_of(tiny.opened("p", tmp_path)) == ["flat photo"]


def test_ids_are_no_soft_mask(tmp_path: Path) -> None:
    """Palette ids and grey ids of a layout of objects have many values and no threshold."""
    reader = tiny.opened("v", tiny.voc(tmp_path), options=ReadOptions(min_area=0))
    assert reasons_of(reader) == []


def test_every_reason_is_explained_in_the_documentation() -> None:
    """docs/cli.md names every warning."""
    text = (Path(__file__).parents[2] / "docs/cli.md").read_text()
    assert all(f"`{reason}`" in text for reason in REASONS)
