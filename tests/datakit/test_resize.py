"""Smaller photos and masks: proportions, bytes and pixels, and what is foreground."""

from pathlib import Path

import numpy as np
import pytest

from datakit.errors import UsageError
from datakit.images import decode_picture
from datakit.photo_files import read_photo
from datakit.resize import parse_codec, resize_mask, resize_photo
from datakit.samples import Photo
from tests import tiny


def photo_in(folder: Path) -> Photo:
    """A JPEG of 48x64 pixels."""
    return read_photo(tiny.write_picture(folder / "a.jpg", tiny.picture(1)), "a.jpg", 10_000)


@pytest.mark.parametrize(("codec", "start"), [("source", b"\x89PNG"), ("png", b"\x89PNG"), ("jpeg:90", b"\xff\xd8")])
def test_resize_shrinks_to_the_longest_side(tmp_path: Path, codec: str, start: bytes) -> None:
    """Proportions stay, and bytes and pixels agree in every codec."""
    photo = resize_photo(photo_in(tmp_path), 32, codec)
    assert photo.size == (24, 32) and photo.normalised == "resized" and photo.encoded.startswith(start)
    assert np.array_equal(decode_picture(photo.encoded), photo.pixels)


def test_resize_never_enlarges_and_keeps_source_bytes(tmp_path: Path) -> None:
    """A photo that is small enough is the same object with codec `source`."""
    photo = photo_in(tmp_path)
    assert resize_photo(photo, 64) is photo and resize_photo(photo, None) is photo
    assert resize_photo(photo, 64, "png").normalised == "recoded"


@pytest.mark.parametrize("codec", ["jpeg", "jpeg:0", "jpeg:101", "jpeg:x", "webp", "png:3", ""])
def test_unknown_codec_is_a_usage_error(codec: str) -> None:
    """The message lists what is known."""
    with pytest.raises(UsageError, match="source, png or jpeg"):
        parse_codec(codec)


def test_resized_mask_is_the_majority_of_its_area() -> None:
    """Halving keeps a block of 2x2 only where more than two of its pixels are foreground."""
    mask = np.zeros((4, 4), np.uint8)
    mask[:2, :2], mask[2, 2] = 1, 1
    mask[0, 2] = mask[1, 2] = mask[1, 3] = 1
    assert resize_mask(mask, (2, 2)).tolist() == [[1, 1], [0, 0]]
