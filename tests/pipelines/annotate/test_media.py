"""What can be annotated: films, frames, photos; looked at in any order in bounded memory."""

import numpy as np
import pytest

from datakit.errors import DatakitError, UsageError
from pipelines.annotate import media
from pipelines.annotate.media import open_media
from tests.clips import draw_file, draw_folder, encode_file
from tests.tiny import write_picture


def photos(folder, *sizes):
    for number, size in enumerate(sizes):
        write_picture(folder / f"{number}.jpg", np.full((*size, 3), 90, np.uint8))
    return folder


def test_a_film_a_folder_of_frames_and_photos_are_told_apart(tmp_path):
    """Pictures of several sizes are photos."""
    assert open_media(encode_file(tmp_path / "a.mp4")).kind == "film"
    assert open_media(draw_folder(tmp_path / "clip")).kind == "frames"
    found = open_media(photos(tmp_path / "photos", (20, 30), (30, 20)))
    assert (found.kind, found.size(0), found.size(1)) == ("stills", (20, 30), (30, 20))


def test_it_can_be_said_what_they_are(tmp_path):
    """Photos of one size; and frames of several are none."""
    assert open_media(draw_folder(tmp_path / "clip"), stills=True).kind == "stills"
    with pytest.raises(UsageError, match="30x20 and 20x30"):
        open_media(photos(tmp_path / "photos", (20, 30), (30, 20)), stills=False)
    with pytest.raises(UsageError, match="is a file"):
        open_media(draw_file(tmp_path / "a.avi"), stills=True)


def test_pictures_of_one_name_are_refused(tmp_path):
    """One of them would be left out, and with it its mask."""
    write_picture(photos(tmp_path / "photos", (20, 30), (30, 20)) / "0.png", np.zeros((20, 30, 3), np.uint8))
    with pytest.raises(UsageError, match=r"0\.png beside 0\.jpg; rename one of each"):
        open_media(tmp_path / "photos")


def test_all_broken_pictures_of_a_folder_are_named_at_once(tmp_path):
    """Not one after the other, each time it is opened again."""
    folder = photos(tmp_path / "photos", (20, 30), (30, 20), (30, 30))
    (folder / "1.jpg").write_bytes(b"no picture")
    (folder / "2.jpg").write_bytes((folder / "2.jpg").read_bytes()[:-40])
    with pytest.raises(DatakitError, match=r"(?s)1\.jpg: .*\n.*2\.jpg: .*\nmove these elsewhere"):
        open_media(folder)


def test_decoded_pictures_are_kept_up_to_a_number_of_bytes(tmp_path, monkeypatch):
    """However many are looked at."""
    monkeypatch.setattr(media, "KEPT_BYTES", 3 * 48 * 64 * 3)
    found = open_media(draw_folder(tmp_path / "clip", 10))
    for place in [*range(10), 3, 9]:
        assert found[place].shape == (48, 64, 3)
    assert list(found._kept) == [8, 3, 9]


def test_a_film_apart_has_a_decoder_of_its_own(tmp_path):
    """And gives the same pictures."""
    film = open_media(encode_file(tmp_path / "a.mp4", 12))
    other = film.apart()
    assert all(np.array_equal(film[n], other[n]) for n in (11, 0, 5))
    assert other.film._file is not film.film._file


def test_a_film_apart_takes_what_is_kept_from_where_it_came(tmp_path):
    """Its own decoder has not to seek it."""
    film = open_media(encode_file(tmp_path / "a.mp4", 12))
    other, seen = film.apart(), film[5]
    assert other[5] is seen and other[6] is not film[6]


def test_a_picture_that_is_needed_once_is_not_kept(tmp_path):
    """But taken from what is."""
    found = open_media(draw_folder(tmp_path / "clip", 10))
    seen = found[3]
    assert found.once(3) is seen and np.array_equal(found.once(4), found.read(4))
    assert list(found._kept) == [3]


@pytest.mark.parametrize("name", ["nothing", "empty"])
def test_what_cannot_be_annotated_is_told(tmp_path, name):
    """With what is expected."""
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="expected"):
        open_media(tmp_path / name)


def test_a_broken_photo_is_named_before_the_page_opens(tmp_path):
    """By its file."""
    folder = photos(tmp_path / "photos", (20, 30), (20, 30))
    (folder / "1.jpg").write_bytes(b"no picture")
    with pytest.raises(DatakitError, match=r"1\.jpg"):
        open_media(folder)


def test_masks_beside_frames_are_passed_over(tmp_path):
    """As `propagate` does; a folder of frames often holds them."""
    clip = draw_folder(tmp_path / "clip")
    frame = sorted(clip.iterdir())[0]
    write_picture(frame.with_suffix(".png" if frame.suffix != ".png" else ".bmp"), np.zeros((48, 64, 3), np.uint8))
    found = open_media(clip)
    assert found.kind == "frames" and frame in found.files
