"""Files that are not read are named as what they are, by their bytes, whatever they are called."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image as PillowImage
from PIL import TiffImagePlugin

from datakit import formats, mask_files, photo_files
from datakit.errors import ItemError
from datakit.formats import SUFFIXES, unread_kind
from datakit.headers import can_read


def ftyp(major: bytes, *compatible: bytes) -> bytes:
    """The first box of an ISO media file of these brands, and some bytes behind it."""
    brands = major + bytes(4) + b"".join(compatible)
    return (8 + len(brands)).to_bytes(4, "big") + b"ftyp" + brands + b"\0\0\0\x20meta" + bytes(64)


KINDS = {
    "iPhone": (ftyp(b"heic", b"mif1", b"MiHE", b"heic"), formats.HEIC),
    "burst": (ftyp(b"msf1", b"hevc"), formats.HEIC),
    "unnamed HEIF": (ftyp(b"mif1"), formats.HEIC),
    "AVIF": (ftyp(b"avif", b"mif1", b"miaf"), formats.AVIF),
    "AVIF that calls itself mif1": (ftyp(b"mif1", b"avif", b"miaf"), formats.AVIF),
    "CR3": (ftyp(b"crx ", b"isom"), formats.RAW),
    "CR2": (b"II*\0\x10\0\0\0CR\2\0" + bytes(90), formats.RAW),
    "JPEG 2000": (b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(90), formats.JPEG_2000),
    "JPEG XL": (b"\xff\x0a" + bytes(90), formats.JPEG_XL),
    "Photoshop": (b"8BPS\0\1" + bytes(90), formats.PHOTOSHOP),
    "web page": (b"\n<!DOCTYPE html><html>not found", formats.PAGE),
    "SVG": (b'<?xml version="1.0"?><svg width="3"/>', formats.DRAWING),
    "Git LFS": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", formats.POINTER),
}


@pytest.mark.parametrize("name", KINDS)
def test_a_file_is_named_by_its_bytes(tmp_path: Path, name: str) -> None:
    """As a photo and as a mask, also where it is called .jpg or .png; the message ends in the way out."""
    data, kind = KINDS[name]
    assert unread_kind(data) is kind
    for called, read in (("a.jpg", photo_files.read_photo), ("a.png", mask_files.read_mask)):
        if can_read(kind) and called == "a.jpg":
            continue
        (tmp_path / called).write_bytes(data)
        with pytest.raises(ItemError) as caught:
            read(tmp_path / called, called, 10**6)
        problem = caught.value.problem
        assert (problem.stage, problem.reason) == ("decode", kind.reason)
        assert problem.detail == f"{called}: is {kind.name}, which is not read; {kind.way_out}"


@pytest.mark.parametrize("form", ["AVIF", "JPEG2000"])
def test_a_format_of_photos_is_no_format_of_masks(tmp_path: Path, form: str) -> None:
    """Sound files: read as photos, and named where they lie in the place of a mask."""
    PillowImage.new("RGB", (16, 12)).save(tmp_path / "a.png", form)
    assert photo_files.read_photo(tmp_path / "a.png", "a", 10**6).size == (12, 16)
    with pytest.raises(ItemError, match="which is not read; photos are"):
        mask_files.read_mask(tmp_path / "a.png", "a.png", 10**6)


def test_a_raw_photo_called_tif_is_not_read_as_its_preview(tmp_path: Path) -> None:
    """DNG is a TIFF whose first picture is a small one."""
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[0xC612] = b"\1\4\0\0"
    PillowImage.new("RGB", (16, 12)).save(tmp_path / "a.tif", tiffinfo=tags)
    with pytest.raises(ItemError, match="is a camera's raw photo"):
        photo_files.read_photo(tmp_path / "a.tif", "a.tif", 10**6)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "BMP", "TIFF", "WEBP", "GIF", "PPM"])
def test_what_is_read_is_none_of_them(tmp_path: Path, form: str) -> None:
    """Formats that Pillow and OpenCV read keep being read."""
    PillowImage.new("RGB", (16, 12)).save(tmp_path / "a", form)
    assert unread_kind((tmp_path / "a").read_bytes()) is None
    assert photo_files.read_photo(tmp_path / "a", "a", 10**6).size == (12, 16)


def test_suffixes_are_lower_case_and_begin_with_a_dot() -> None:
    """As `split_suffix` gives them."""
    assert all(suffix == suffix.lower() and suffix.startswith(".") for suffix in SUFFIXES)
