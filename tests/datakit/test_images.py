"""Pictures are decoded, encoded and turned without losing anything."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image as PillowImage
from PIL import ImageOps

from datakit import images
from tests import tiny


def test_turn_agrees_with_pillow() -> None:
    """Every orientation is what Pillow's exif_transpose makes of it."""
    for orientation in range(1, 9):
        stored = PillowImage.fromarray(tiny.picture(2))
        stored.getexif()[0x0112] = orientation
        assert np.array_equal(images.turn(tiny.picture(2), orientation), np.asarray(ImageOps.exif_transpose(stored)))


@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_a_picture_is_proved_by_its_pixels(tmp_path: Path, suffix: str) -> None:
    """A whole one of the right size passes; another size and bytes without pixels say what was found."""
    whole = tiny.write_picture(tmp_path / f"a.{suffix}", tiny.picture(1)).read_bytes()
    H, W = tiny.SIZE
    images.check_decodable(memoryview(whole), (H, W))
    with pytest.raises(ValueError, match="pixels of"):
        images.check_decodable(whole, (H + 8, W))
    with pytest.raises(ValueError, match="no pixels behind it"):
        images.check_decodable(whole[:30], (H, W))


@given(arrays(np.uint8, st.tuples(st.integers(1, 20), st.integers(1, 20), st.just(3))))
def test_png_is_lossless(image: np.ndarray) -> None:
    """encode_png and decode_picture are inverse, whatever the pixels."""
    assert np.array_equal(images.decode_picture(images.encode_png(image)), image)


def test_decode_picture_refuses_other_bytes() -> None:
    """Bytes that are no picture are a ValueError."""
    with pytest.raises(ValueError, match="no picture"):
        images.decode_picture(b"nothing")


def test_a_palette_png_keeps_the_ids_and_their_colours(tmp_path: Path) -> None:
    """Indices come back as they were, and viewers show the palette's colours."""
    ids = np.array([[0, 1], [2, 255]], np.uint8)
    (tmp_path / "a.png").write_bytes(images.encode_palette_png(ids, [0, 0, 0, 128, 0, 0, 0, 128, 0]))
    stored = PillowImage.open(tmp_path / "a.png")
    assert stored.mode == "P" and np.array_equal(np.asarray(stored), ids)
    assert stored.convert("RGB").getpixel((1, 0)) == (128, 0, 0)


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_jpeg_decoded_whole_is_the_same_either_way(mode: str) -> None:
    picture = PillowImage.fromarray(np.random.default_rng(0).integers(0, 256, (9, 11, 3), np.uint8)).resize((70, 50))
    stream = BytesIO()
    picture.convert(mode).save(stream, "JPEG")
    assert np.array_equal(images.decode_reduced(stream.getvalue(), 1), images.decode_picture(stream.getvalue()))


@pytest.mark.parametrize(("shrink", "factor"), [(0.2, 1), (1, 1), (1.99, 1), (2, 2), (3.9, 2), (4, 4), (17, 16)])
def test_a_picture_is_never_reduced_below_what_is_shown(shrink: float, factor: int) -> None:
    assert images.reduction(shrink) == factor


def test_painted_pixels_have_the_colour_and_others_stay() -> None:
    image = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    before, where = image.copy(), np.zeros((20, 30), np.uint8)
    where[3:9, 4:] = 1
    images.paint(image, where, (1, 2, 3))
    assert (image[where > 0] == (1, 2, 3)).all() and np.array_equal(image[where == 0], before[where == 0])


def test_a_compact_png_has_the_same_pixels_in_fewer_bytes() -> None:
    """Only the packing differs."""
    image = np.zeros((64, 64, 3), np.uint8)
    image[::2, ::3] = (9, 80, 200)
    plain, compact = images.encode_png(image), images.encode_png(image, compact=True)
    decoded = [cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) for data in (plain, compact)]
    assert np.array_equal(*decoded) and np.array_equal(decoded[0][..., ::-1], image)
    assert len(compact) < len(plain)


@pytest.mark.parametrize("factor", [1, 2, 4, 8, 16])
@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_a_picture_decoded_at_a_part_of_its_size_shows_the_same(factor: int, suffix: str) -> None:
    picture = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 256, (75, 101, 3), np.uint8), (0, 0), 6)
    encoded = cv2.imencode(suffix, picture[..., ::-1])[1].tobytes()
    small = images.decode_reduced(encoded, factor)
    assert small.shape == (-(-75 // factor), -(-101 // factor), 3)
    inner = np.s_[: 75 // factor, : 101 // factor]
    assert np.abs(small[inner].astype(int) - images.halved(picture, factor)[inner]).max() <= 6
