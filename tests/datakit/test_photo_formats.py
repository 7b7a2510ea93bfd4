"""Photos in formats that few tools write: upright whatever their decoder does, stored as PNG, by Pillow alone."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as PillowImage

from datakit import headers, images
from datakit.datasets import ReadOptions
from datakit.errors import ItemError
from datakit.photo_files import read_photo, read_picture
from datakit.samples import Photo
from tests import tiny

PIXELS = 10_000_000
EXACT = {".jp2": {}, ".j2k": {}, ".gif": {}, ".ppm": {}, ".bmp": {}, ".tif": {"compression": "tiff_lzw"}}


def marked() -> NDArray[np.uint8]:
    """(48, 64, 3) blue, with a red corner at the top left: no turn of it is like another."""
    picture = np.zeros((*tiny.SIZE, 3), np.uint8)
    picture[..., 2] = 255
    picture[:12, :24] = (255, 0, 0)
    return picture


def read(path: Path) -> Photo:
    photo = read_photo(path, path.name, PIXELS)
    assert np.array_equal(read_picture(path, path.name, PIXELS), photo.pixels)
    assert photo.encoded[:4] == b"\x89PNG" and photo.normalised == "format"
    return photo


@pytest.mark.parametrize("suffix", EXACT)
def test_a_lossless_format_gives_its_pixels(tmp_path: Path, suffix: str) -> None:
    """Every pixel as it was saved."""
    path = tmp_path / f"a{suffix}"
    PillowImage.fromarray(marked()).save(path, **EXACT[suffix])
    assert np.array_equal(read(path).pixels, marked())


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".avif", ".webp"])
def test_a_turned_photo_is_upright(tmp_path: Path, suffix: str, orientation: int) -> None:
    """AVIF turns by irot and imir, which Pillow tells as EXIF and OpenCV 5 passes over."""
    exif = PillowImage.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"a{suffix}"
    PillowImage.fromarray(marked()).save(path, exif=exif, quality=95)
    photo, expected = read(path), images.turn(marked(), orientation)
    assert photo.size == expected.shape[:2] and photo.orientation == orientation
    assert np.abs(photo.pixels.astype(int) - expected).mean() < 12


def test_the_first_picture_of_a_gif_is_the_photo(tmp_path: Path) -> None:
    """Whatever moves behind it."""
    frames = [PillowImage.fromarray(marked()), PillowImage.fromarray(marked()[::-1])]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert np.array_equal(read(tmp_path / "a.gif").pixels, marked())


def test_greys_of_sixteen_bits_are_brought_to_eight(tmp_path: Path) -> None:
    """A JPEG 2000 as satellites send them: the high byte, as of a PNG."""
    deep = np.arange(tiny.SIZE[0] * tiny.SIZE[1], dtype=np.uint16).reshape(tiny.SIZE) * 21
    PillowImage.fromarray(deep).save(tmp_path / "a.jp2")
    assert np.array_equal(read(tmp_path / "a.jp2").pixels[..., 1], deep >> 8)


@pytest.mark.parametrize("suffix", [".avif", ".jp2", ".gif"])
def test_opencv_is_not_asked(tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some of its builds cannot read these, and what it turns has changed."""
    PillowImage.fromarray(marked()).save(tmp_path / f"a{suffix}")
    plain = cv2.imdecode
    monkeypatch.setattr(cv2, "imdecode", lambda data, flags: plain(data, flags) if data[1] == 0x50 else None)
    assert read(tmp_path / f"a{suffix}").size == tiny.SIZE


@pytest.mark.parametrize("suffix", [".avif", ".jp2", ".gif", ".webp"])
def test_a_photo_that_is_cut_is_named(tmp_path: Path, suffix: str) -> None:
    """In the middle of its pixels."""
    noise = np.random.default_rng(1).integers(0, 256, (64, 64, 3), np.uint8)
    PillowImage.fromarray(noise).save(tmp_path / f"a{suffix}")
    data = (tmp_path / f"a{suffix}").read_bytes()
    (tmp_path / f"a{suffix}").write_bytes(data[: len(data) // 2])
    with pytest.raises(ItemError) as caught:
        read(tmp_path / f"a{suffix}")
    assert caught.value.problem.stage == "decode" and caught.value.problem.kind == "failed"


@pytest.mark.parametrize("suffix", [".avif", ".jp2", ".gif"])
def test_too_many_pixels_are_refused_before_they_are_decoded(tmp_path: Path, suffix: str) -> None:
    """By the header."""
    PillowImage.fromarray(marked()).save(tmp_path / f"a{suffix}")
    with pytest.raises(ItemError, match="--max-pixels"):
        read_photo(tmp_path / f"a{suffix}", "a", tiny.SIZE[0] * tiny.SIZE[1] - 1)


@pytest.mark.parametrize("suffix", [".avif", ".jp2", ".gif", ".webp", ".ppm", ".jfif", ".JP2"])
def test_a_set_of_such_photos_is_read(tmp_path: Path, suffix: str) -> None:
    """Paired with their masks like any other."""
    (tmp_path / "images").mkdir()
    form = "JPEG" if suffix == ".jfif" else None
    PillowImage.fromarray(marked()).save(tmp_path / f"images/a{suffix}", format=form)
    tiny.write_grey(tmp_path / "masks/a.png", tiny.mask(1) * 255)
    (scene,) = tiny.opened("o", tmp_path, options=ReadOptions())
    assert np.array_equal(scene.samples[0].mask, tiny.mask(1))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_heic_photo_is_upright(tmp_path: Path, orientation: int) -> None:
    """Its decoder turns the pixels, so that its orientation counts no more and masks lie on it as shown."""
    exif = PillowImage.Exif()
    exif[0x0112] = orientation
    plugin = pytest.importorskip("pillow_heif", reason="extra `heif`")
    plugin.register_heif_opener()  # which writes too
    PillowImage.fromarray(marked()).save(tmp_path / "a.heic", exif=exif.tobytes(), quality=95)
    photo, expected = read(tmp_path / "a.heic"), images.turn(marked(), orientation)
    assert photo.size == expected.shape[:2] and photo.orientation == 1
    assert np.abs(photo.pixels.astype(int) - expected).mean() < 12


def test_heic_without_its_extra_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the way round it; a photo in that format is one problem, not a missing picture and a stray file."""
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    monkeypatch.setattr(headers, "find_spec", lambda name: None)
    headers.can_read.cache_clear()
    (tmp_path / "images").mkdir()
    (tmp_path / "images/a.HEIC").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(99))
    tiny.write_grey(tmp_path / "masks/a.png", tiny.mask(1) * 255)
    with pytest.raises(ItemError) as caught:
        tiny.opened("o", tmp_path)[0]
    headers.can_read.cache_clear()
    assert caught.value.problem.reason == "unread format"
    assert "pip install 'masktrack-datakit[heif]'" in caught.value.problem.detail
