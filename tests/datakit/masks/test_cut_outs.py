"""Photos cut out on a transparent ground: alpha is the mask, whatever lies beneath; drawn colours stay objects."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as PillowImage

from datakit.datasets import ReadOptions
from datakit.errors import ItemError, ItemRef
from datakit.mask_files import read_mask
from datakit.masks import STILLS, LabelMap, decode
from tests.mask_files import SIZE, answers, blocks

Plane = NDArray[np.uint8]
OBJECT = blocks(1, 1, 1, 1, 1, 1, 1, 1, 1, 1) > 0
ALPHA = OBJECT.astype(np.uint8) * 255
# a texture under light, as photos have them: hardly two neighbours alike
LIGHT = np.add.outer(np.arange(SIZE[0]), np.arange(SIZE[1])) // 2 + np.random.default_rng(0).integers(0, 90, SIZE)
GREY = LIGHT.astype(np.uint8)
PHOTO = np.stack([GREY, GREY[::-1], GREY[:, ::-1]], axis=2)


def painted(path: Path, picture: PillowImage.Image, **settings: object) -> Path:
    picture.save(path, **settings)
    return path


def of_palette(ground: int) -> PillowImage.Image:
    """PHOTO in 255 colours, index 255 in place of the ground."""
    quantized = PillowImage.fromarray(PHOTO).quantize(255)
    picture = PillowImage.fromarray(np.where(OBJECT, np.asarray(quantized), 255).astype(np.uint8))
    picture.putpalette([*(quantized.getpalette() or [])[:765], ground, ground, ground])
    return picture


def rgba(beneath: Plane) -> PillowImage.Image:
    return PillowImage.fromarray(np.dstack([np.where(OBJECT[..., None], PHOTO, beneath).astype(np.uint8), ALPHA]))


WAYS: dict[str, Callable[[Path], Path]] = {
    "the photo beneath": lambda folder: painted(folder / "m.png", rgba(PHOTO)),
    "black beneath": lambda folder: painted(folder / "m.png", rgba(PHOTO * np.uint8(0))),
    "white beneath": lambda folder: painted(folder / "m.png", rgba(np.full_like(PHOTO, 255))),
    "a grey photo": lambda folder: painted(folder / "m.png", PillowImage.fromarray(np.dstack([GREY, ALPHA]), "LA")),
    "WebP without loss": lambda folder: painted(folder / "m.webp", rgba(PHOTO), lossless=True),
    "WebP with loss": lambda folder: painted(folder / "m.webp", rgba(PHOTO), quality=90),
    "TIFF": lambda folder: painted(folder / "m.tif", rgba(PHOTO)),
    "a palette": lambda folder: painted(folder / "m.png", of_palette(0), transparency=255),
    "GIF": lambda folder: painted(folder / "m.gif", of_palette(255), transparency=255),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_photo_that_was_cut_out_is_one_object(tmp_path: Path, way: str) -> None:
    """As background removers save it, for every reader of masks."""
    for reader, found in answers(WAYS[way](tmp_path)):
        assert not isinstance(found, str), (reader, found)
        assert list(found) == [1] and np.array_equal(found[1], OBJECT), reader


def test_a_cut_out_of_sixteen_bits_is_one_object(tmp_path: Path) -> None:
    """The same with deep colours and deep alpha."""
    deep = np.dstack([PHOTO, ALPHA]).astype(np.uint16) * 257
    (tmp_path / "m.png").write_bytes(cv2.imencode(".png", deep)[1].tobytes())
    assert np.array_equal(read(tmp_path / "m.png").labels, OBJECT)


def read(path: Path, **options: object) -> LabelMap:
    """As a build reads it."""
    where = ItemRef("o/m", path.name)
    return decode(read_mask(path, path.name, 10**6), ReadOptions(**options), where, STILLS["any"])


@pytest.mark.parametrize(("options", "above"), [({}, 127), ({"threshold": 60}, 60), ({"values": "ids"}, 127)])
def test_soft_alpha_is_cut_at_the_threshold(tmp_path: Path, options: dict[str, object], above: int) -> None:
    """Hair and fur; alpha never is ids."""
    alpha = cv2.GaussianBlur(ALPHA, (7, 7), 0)
    found = read(painted(tmp_path / "m.png", PillowImage.fromarray(np.dstack([PHOTO, alpha]))), **options)
    assert np.array_equal(found.labels, alpha > above) and found.soft


def test_alpha_that_reaches_neither_end_is_read(tmp_path: Path) -> None:
    """3 and 254 instead of 0 and 255."""
    alpha = np.where(OBJECT, 254, 3).astype(np.uint8)
    found = read(painted(tmp_path / "m.png", PillowImage.fromarray(np.dstack([PHOTO, alpha]))))
    assert np.array_equal(found.labels, OBJECT)


def test_drawn_colours_on_a_transparent_ground_stay_objects(tmp_path: Path) -> None:
    """Each flat colour is one, though alpha is there."""
    plane = blocks(1, 2)
    colours = np.array([[0, 0, 0], [230, 25, 75], [60, 180, 75]], np.uint8)[plane]
    alpha = (plane > 0).astype(np.uint8) * 255
    found = read(painted(tmp_path / "m.png", PillowImage.fromarray(np.dstack([colours, alpha]))))
    assert len(found.ids) == 2 and np.array_equal(found.labels > 0, plane > 0)


def test_a_photo_whose_alpha_says_nothing_is_no_mask(tmp_path: Path) -> None:
    """All of it is painted."""
    path = painted(tmp_path / "m.png", PillowImage.fromarray(np.dstack([PHOTO, np.full(SIZE, 255, np.uint8)])))
    with pytest.raises(ItemError, match=r"holds|is no mask"):
        read(path)


def test_drawn_colours_saved_with_loss_are_refused_beside_alpha(tmp_path: Path) -> None:
    """Two objects in a lossy WebP: alpha would make one of them."""
    plane = np.kron(blocks(1, 2)[:20, :20], np.ones((8, 8), np.uint8)).astype(np.uint8)
    colours = np.array([[0, 0, 0], [230, 25, 75], [60, 180, 75]], np.uint8)[plane]
    picture = PillowImage.fromarray(np.dstack([colours, (plane > 0).astype(np.uint8) * 255]))
    stream = io.BytesIO()
    picture.save(stream, "WEBP", quality=70)
    (tmp_path / "m.webp").write_bytes(stream.getvalue())
    with pytest.raises(ItemError) as caught:
        read(tmp_path / "m.webp")
    assert caught.value.problem.reason == "colour mask"
