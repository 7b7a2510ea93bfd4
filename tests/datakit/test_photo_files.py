"""Photos: what is kept untouched, what is stored anew, what is refused and how it is called."""

from __future__ import annotations

import os
import pickle
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as PillowImage
from PIL import ImageFile, ImageOps

from datakit import images, mask_files, photo_files
from datakit.errors import ItemError
from datakit.samples import Photo
from tests import tiny
from tests.damage import lose_the_middle

PIXELS = 10_000_000


def read(path: Path) -> Photo:
    """The photo, under its file name."""
    photo = photo_files.read_photo(path, path.name, PIXELS)
    plain = cv2.imdecode(np.frombuffer(photo.encoded, np.uint8), cv2.IMREAD_COLOR)
    assert np.array_equal(plain[..., ::-1], photo.pixels), "stored bytes and pixels agree for a plain imdecode"
    return photo


def problem_of(path: Path, max_pixels: int = PIXELS) -> tuple[str, str]:
    """(stage, reason) that reading the photo ends with."""
    with pytest.raises(ItemError) as caught:
        photo_files.read_photo(path, "images/a.jpg", max_pixels, "label/a")
    problem = caught.value.problem
    assert problem.key == "label/a" and problem.kind == "failed" and problem.detail.startswith("images/a.jpg: ")
    return problem.stage, problem.reason


def save(path: Path, image: PillowImage.Image, **settings: object) -> Path:
    """Written by Pillow, in the format of the suffix."""
    image.save(path, **settings)
    return path


RGB = PillowImage.fromarray(tiny.picture(1))


@pytest.mark.parametrize("name", ["a.jpg", "a.JPG", "a.png", "a.jpeg"])
def test_plain_photo_keeps_its_bytes(tmp_path: Path, name: str) -> None:
    """An upright 8-bit JPEG or PNG is stored as it is."""
    path = save(tmp_path / name, RGB, format="PNG" if name.endswith("png") else "JPEG")
    photo = read(path)
    assert photo.encoded == path.read_bytes() and photo.normalised == ""
    assert photo.source_crc32 == zlib.crc32(path.read_bytes())
    assert photo.size == tiny.SIZE and photo.orientation == 1


def test_grey_photo_is_kept_and_read_as_three_channels(tmp_path: Path) -> None:
    """A greyscale JPEG keeps its bytes; its pixels are RGB with equal channels."""
    photo = read(save(tmp_path / "a.jpg", RGB.convert("L")))
    assert photo.normalised == "" and photo.pixels.shape == (*tiny.SIZE, 3)
    assert (photo.pixels[..., :1] == photo.pixels).all()


@pytest.mark.parametrize("orientation", range(2, 9))
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tiff"])
def test_exif_rotation_turns_the_photo_upright(tmp_path: Path, orientation: int, suffix: str) -> None:
    """All EXIF orientations of all formats give what a viewer shows, as PNG."""
    exif = PillowImage.Exif()
    exif[0x0112] = orientation
    settings = {".webp": {"lossless": True}, ".jpg": {"quality": 100, "subsampling": 0}}.get(suffix, {})
    path = save(tmp_path / f"a{suffix}", RGB, exif=exif, **settings)
    photo = read(path)
    shown = np.asarray(ImageOps.exif_transpose(RGB if suffix != ".jpg" else PillowImage.open(path), in_place=False))
    expected = np.asarray(images.turn(tiny.picture(1), orientation)) if suffix != ".jpg" else shown
    assert photo.size == expected.shape[:2] and photo.orientation == orientation
    assert np.abs(photo.pixels.astype(int) - expected).max() <= (2 if suffix == ".jpg" else 0)
    assert photo.normalised == ("rotated" if suffix in (".jpg", ".png") else "format")


def test_exif_behind_the_pixels_of_a_png_is_seen(tmp_path: Path) -> None:
    """An eXIf chunk that follows the pixels turns the photo like one before them."""
    exif = PillowImage.Exif()
    exif[0x0112] = 6
    data = save(tmp_path / "a.png", RGB, exif=exif).read_bytes()
    start = data.index(b"eXIf") - 4
    length = int.from_bytes(data[start : start + 4], "big") + 12
    chunk, end = data[start : start + length], data.index(b"IEND") - 4
    (tmp_path / "b.png").write_bytes(data[:start] + data[start + length : end] + chunk + data[end:])
    assert read(tmp_path / "b.png").orientation == 6


def test_broken_exif_does_not_cost_the_photo(tmp_path: Path) -> None:
    """An EXIF block of nonsense is taken for none."""
    path = save(tmp_path / "a.jpg", RGB, exif=b"Exif\0\0MM\0*\xff\xff\xff\xff" + bytes(20))
    assert read(path).orientation == 1


@pytest.mark.parametrize(
    ("mode", "name", "why"),
    [
        ("CMYK", "a.jpg", "cmyk"),
        ("RGBA", "a.png", "alpha"),
        ("LA", "a.png", "alpha"),
        ("P", "a.png", "palette"),
        ("1", "a.png", "bilevel"),
        ("RGB", "a.bmp", "format"),
        ("RGB", "a.webp", "format"),
        ("RGB", "a.tif", "format"),
    ],
)
def test_other_kinds_become_png_and_say_why(tmp_path: Path, mode: str, name: str, why: str) -> None:
    """What a plain decoder might show differently is written anew, without loss."""
    photo = read(save(tmp_path / name, RGB.convert(mode)))
    assert photo.normalised == why and photo.encoded.startswith(b"\x89PNG") and photo.size == tiny.SIZE


@pytest.mark.parametrize("channels", [1, 3])
def test_sixteen_bit_png_is_normalised(tmp_path: Path, channels: int) -> None:
    """16-bit PNGs, grey or colour, keep their upper eight bits."""
    eight = tiny.picture(1) if channels == 3 else np.repeat(tiny.mask(1)[..., None] * np.uint8(200), 3, axis=2)
    deep = eight[..., ::-1].astype(np.uint16) * 257
    cv2.imwrite(str(tmp_path / "a.png"), deep if channels == 3 else deep[..., 0])
    photo = read(tmp_path / "a.png")
    assert photo.normalised == "16-bit" and np.array_equal(photo.pixels, eight)


def damaged(tmp_path: Path) -> dict[str, tuple[Path, tuple[str, str]]]:
    """Name -> file, and the (stage, reason) it must end with."""
    jpeg = save(tmp_path / "whole.jpg", PillowImage.fromarray(tiny.picture(1, (240, 320)))).read_bytes()
    png = save(tmp_path / "whole.png", PillowImage.fromarray(tiny.picture(1, (240, 320)))).read_bytes()
    bmp = save(tmp_path / "whole.bmp", RGB).read_bytes()
    flipped = bytearray(png)
    flipped[len(png) // 2] ^= 255
    contents = {
        "empty": (b"", ("read", "empty file")),
        "text": (b"not a picture at all", ("decode", "not an image")),
        "jpeg without end": (jpeg[:-2], ("decode", "truncated image")),
        "half a jpeg": (jpeg[: len(jpeg) // 2], ("decode", "truncated image")),
        "jpeg header only": (jpeg[:200], ("decode", "truncated image")),
        "jpeg filled with zeros": (jpeg[:-800] + bytes(800), ("decode", "truncated image")),
        "png without end": (png[:-1], ("decode", "truncated image")),
        "half a png": (png[: len(png) // 2], ("decode", "truncated image")),
        "flipped png": (bytes(flipped), ("decode", "damaged image")),
        "half a bmp": (bmp[: len(bmp) // 2], ("decode", "truncated image")),
        "magic only": (b"\xff\xd8\xff", ("decode", "truncated image")),
    }
    for name, (data, _) in contents.items():
        (tmp_path / name).write_bytes(data)
    return {name: (tmp_path / name, expected) for name, (_, expected) in contents.items()}


def test_damaged_photos_are_found_and_named(tmp_path: Path) -> None:
    """Every kind of damage is refused with its own stage and reason."""
    for name, (path, expected) in damaged(tmp_path).items():
        assert problem_of(path) == expected, name


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_jpeg_damaged_in_its_middle_is_refused_by_every_reader(tmp_path: Path, orientation: int) -> None:
    """As a photo, kept or turned, as a frame, as a mask and with its colours."""
    noise = np.random.default_rng(1).integers(0, 256, (80, 120, 3), dtype=np.uint8)
    path = lose_the_middle(tiny.write_rotated_jpeg(tmp_path / "a.jpg", noise, orientation))
    for read in (photo_files.read_photo, photo_files.read_picture, mask_files.read_mask, photo_files.read_colours):
        with pytest.raises(ItemError) as caught:
            read(path, "a.jpg", PIXELS)
        problem = caught.value.problem
        assert (problem.stage, problem.reason) == ("decode", "damaged image")
        assert "libjpeg says: Corrupt JPEG data" in problem.detail and problem.detail.endswith("or take it out")


def test_thumbnail_end_mark_does_not_hide_a_cut(tmp_path: Path) -> None:
    """The end mark of an EXIF thumbnail is not taken for the end of the photo."""
    whole = save(tmp_path / "a.jpg", RGB).read_bytes()
    thumbnail = b"\xff\xe1" + (2 + len(whole)).to_bytes(2, "big") + whole
    (tmp_path / "b.jpg").write_bytes(whole[:2] + thumbnail + whole[2:-40])
    assert problem_of(tmp_path / "b.jpg") == ("decode", "truncated image")


def test_bytes_behind_the_end_of_a_jpeg_do_no_harm(tmp_path: Path) -> None:
    """Phones append videos to photos; the photo is whole all the same."""
    whole = save(tmp_path / "a.jpg", RGB).read_bytes()
    (tmp_path / "b.jpg").write_bytes(whole + b"\xff\xda video \xff\xda" * 50)
    assert read(tmp_path / "b.jpg").size == tiny.SIZE


def test_missing_folder_and_pipe_are_refused_without_waiting(tmp_path: Path) -> None:
    """What is no regular file is not opened: a pipe would block for ever."""
    os.mkfifo(tmp_path / "pipe.jpg")
    assert problem_of(tmp_path / "pipe.jpg") == ("read", "not a regular file")
    assert problem_of(tmp_path) == ("read", "not a regular file")
    assert problem_of(tmp_path / "none.jpg") == ("read", "missing file")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_unreadable_file_is_named(tmp_path: Path) -> None:
    """A file without read permission is a problem of its own."""
    path = save(tmp_path / "a.jpg", RGB)
    path.chmod(0)
    assert problem_of(path) == ("read", "unreadable file")


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.bmp"])
def test_too_many_pixels_are_refused_by_the_header(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit acts before OpenCV or Pillow decode anything."""
    path = save(tmp_path / name, RGB)
    monkeypatch.setattr(cv2, "imdecode", lambda *_: pytest.fail("decoded"))
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda *_: pytest.fail("decoded"))
    assert problem_of(path, max_pixels=tiny.SIZE[0] * tiny.SIZE[1] - 1) == ("decode", "too many pixels")


@given(
    st.binary(max_size=400), st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"BM", b"II*\0", b"GIF89a"])
)
def test_hostile_bytes_give_a_problem_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, body: bytes, head: bytes
) -> None:
    """No content of a file leads to another error than ItemError."""
    path = tmp_path_factory.getbasetemp() / "hostile"
    path.write_bytes(head + body)
    for reading in (photo_files.read_photo, mask_files.read_mask):
        with pytest.raises(ItemError):
            reading(path, "hostile", PIXELS)


def test_item_error_survives_pickling(tmp_path: Path) -> None:
    """A worker's problem arrives whole."""
    with pytest.raises(ItemError) as caught:
        photo_files.read_photo(tmp_path / "none", "none", PIXELS, "label/none")
    assert pickle.loads(pickle.dumps(caught.value)).problem == caught.value.problem
