"""The index of an MP4 file: codec, frames stored, frames its edit list shows."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from datakit.video.container import read_index
from tests.clips import draw_file, edit_list


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """30 frames at 12 a second."""
    return draw_file(tmp_path / "clip.mp4", 30, codec="mp4v")


def test_a_film_that_is_not_cut_shows_what_it_stores(film: Path) -> None:
    """Also where the writer gave it an edit list of its whole length."""
    index = read_index(film)
    assert index is not None and index.found
    assert (index.codec, index.stored, index.shown) == ("mp4v", 30, 30)


@pytest.mark.parametrize("first, count", [(10, 20), (0, 12), (7, 9), (29, 1)])
def test_an_edit_list_tells_the_frames_that_are_shown(film: Path, first: int, count: int) -> None:
    """Cut in front, behind, on both sides."""
    edit_list(film, first, count, 12)
    index = read_index(film)
    assert index is not None and (index.stored, index.shown) == (30, count)


def test_a_file_without_its_index_is_told(film: Path) -> None:
    """A recording that was cut: OpenCV's writer puts the index last."""
    data = film.read_bytes()
    film.write_bytes(data[: data.find(b"moov") - 100])
    index = read_index(film)
    assert index is not None and not index.found


def test_a_file_without_a_film_is_told(film: Path) -> None:
    """Its one track is called sound."""
    film.write_bytes(film.read_bytes().replace(b"vide", b"soun"))
    index = read_index(film)
    assert index is not None and index.found and not index.codec


def test_other_files_have_no_such_index(tmp_path: Path) -> None:
    """AVI, text, nothing."""
    assert read_index(draw_file(tmp_path / "clip.avi", 3)) is None
    (tmp_path / "a.mp4").write_bytes(b"no film at all" * 9)
    assert read_index(tmp_path / "a.mp4") is None
    assert read_index(tmp_path / "gone.mp4") is None


@pytest.mark.parametrize("name", [b"stts", b"elst", b"mdhd"])
def test_a_hostile_index_is_survived(film: Path, name: bytes) -> None:
    """Counts and lengths of a thousand million."""
    data = bytearray(film.read_bytes())
    at = data.find(name) + 4
    struct.pack_into(">4I", data, at + 4, *[1_000_000_000] * 4)
    film.write_bytes(data)
    read_index(film)
