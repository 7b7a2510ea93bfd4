"""Photos and masks that find no partner: told once per photo, with what is there and the way out."""

from __future__ import annotations

from pathlib import Path

import pytest

from datakit.errors import Problem
from tests import tiny


def touch(root: Path, *names: str) -> None:
    """Files that listing sees; none of them is opened."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")


def problems(root: Path, *names: str, layout: str = "pairs") -> list[Problem]:
    """What listing says of a set with these files beside one sound pair; each key once."""
    tiny.pair(root / "images", root / "masks", "sound", 1)
    touch(root, *names)
    reader = tiny.opened("p", root, layout)
    assert [record.key for record in reader.records] == ["p/sound"]
    assert len({problem.key for problem in reader.problems}) == len(reader.problems)
    return list(reader.problems)


def test_a_mask_file_per_object_is_one_problem_of_its_photo(tmp_path: Path) -> None:
    """17.jpg with 17_0.png, 17_1.png, 17_2.png."""
    masks = [f"masks/17_{number}.png" for number in range(3)]
    (problem,) = problems(tmp_path, "images/17.jpg", *masks)
    assert (problem.key, problem.kind, problem.reason) == ("p/17", "failed", "several masks")
    assert "images/17.jpg: has 3 masks, masks/17_0.png, masks/17_1.png, masks/17_2.png;" in problem.detail
    assert "merge them into one label picture 17.png" in problem.detail


@pytest.mark.parametrize("folder", ["17/{}.png", "17 ({}).png", "17-{}.png", "obj{}_17.png", "17#{}.png"])
def test_masks_per_object_are_found_however_they_are_numbered(tmp_path: Path, folder: str) -> None:
    """A folder per photo, brackets, hyphens, the number in front."""
    (problem,) = problems(tmp_path, "images/17.jpg", *(f"masks/{folder.format(number)}" for number in range(6)))
    assert (problem.key, problem.reason) == ("p/17", "several masks") and "and 2 more" in problem.detail


@pytest.mark.parametrize("mask", ["x_mask.png", "x.jpg.png", "mask_x.png", "x-gt.png"])
def test_a_mask_of_a_longer_name_is_one_problem(tmp_path: Path, mask: str) -> None:
    """What is there, what was expected, and to rename it."""
    (problem,) = problems(tmp_path, "images/x.jpg", f"masks/{mask}")
    assert (problem.key, problem.kind, problem.reason) == ("p/x", "failed", "mask of another name")
    assert f"masks/{mask}" in problem.detail and problem.detail.endswith("rename it to x.png")


@pytest.mark.parametrize("mask", ["photo.png", "PHOTO.png", "photo_mask.png", "gt_PHOTO.png"])
def test_a_mask_whose_name_differs_in_case_is_one_problem(tmp_path: Path, mask: str) -> None:
    """As left by tools and disks that know no case; a name is never guessed, it is named."""
    (problem,) = problems(tmp_path, "images/Photo.jpg", f"masks/{mask}")
    assert (problem.key, problem.reason) == ("p/Photo", "mask of another name")
    assert f"but masks/{mask}; " in problem.detail and problem.detail.endswith("rename it to Photo.png")


def test_names_that_differ_in_case_alone_stay_two(tmp_path: Path) -> None:
    """Where both photos are there, each mask belongs to its own."""
    found = problems(tmp_path, "images/Photo.jpg", "images/photo.jpg", "masks/PHOTO.png")
    assert {problem.reason for problem in found} == {"missing mask", "mask of another name"} and len(found) == 2


def test_the_longest_name_owns_a_mask(tmp_path: Path) -> None:
    """1_2_0 belongs to photo 1_2, not to photo 1."""
    found = problems(tmp_path, "images/1.jpg", "images/1_2.jpg", "masks/1_2_0.png")
    assert {problem.key: problem.reason for problem in found} == {
        "p/1": "missing mask",
        "p/1_2": "mask of another name",
    }


def test_a_further_mask_of_a_photo_that_has_its_own_says_so(tmp_path: Path) -> None:
    """sound.jpg is read with sound.png; sound_1.png is nobody's."""
    (problem,) = problems(tmp_path, "masks/sound_1.png")
    assert (problem.key, problem.reason) == ("p/sound_1", "missing image")
    assert "sound is there, with a mask of its own name" in problem.detail


@pytest.mark.parametrize("suffix, name", [(".HEIC", "HEIC"), (".avif", "AVIF"), (".jp2", "JPEG 2000"), (".NEF", "raw")])
def test_a_photo_of_a_format_that_is_not_read_is_one_problem(tmp_path: Path, suffix: str, name: str) -> None:
    """Named as what it is, instead of as a stray file and a missing picture."""
    (problem,) = problems(tmp_path, f"images/a{suffix}", "masks/a.png")
    assert (problem.key, problem.kind, problem.reason) == ("p/a", "failed", "unread format")
    assert problem.detail.startswith(f"images/a{suffix}: is a") and name in problem.detail


def test_an_unread_photo_with_several_masks_is_one_problem(tmp_path: Path) -> None:
    """The format comes first."""
    (problem,) = problems(tmp_path, "images/a.heic", "masks/a_0.png", "masks/a_1.png")
    assert (problem.key, problem.reason) == ("p/a", "unread format")


def test_a_mask_of_a_format_that_is_not_read_is_one_problem(tmp_path: Path) -> None:
    """Masks as layered files of paint programs."""
    (problem,) = problems(tmp_path, "images/a.jpg", "masks/a.psd")
    assert (problem.key, problem.kind, problem.reason) == ("p/a", "failed", "unread format")
    assert problem.detail.startswith("images/a.jpg: its mask masks/a.psd is a Photoshop file")


def test_unread_files_that_nobody_waits_for_are_left_out(tmp_path: Path) -> None:
    """A HEIC beside the JPEG that is read, one without a mask, a list of MATLAB."""
    found = problems(tmp_path, "images/sound.heic", "images/b.heic", "masks/list.mat")
    assert {(problem.key, problem.kind, problem.reason) for problem in found} == {
        ("p/images/sound.heic", "left-out", "stray file"),
        ("p/images/b.heic", "left-out", "stray file"),
        ("p/masks/list.mat", "left-out", "stray file"),
    }
    assert all("not read: it is a" in problem.detail for problem in found)


def test_one_folder_for_both_tells_unread_photos_too(tmp_path: Path) -> None:
    """a.heic beside a.png, one problem; several masks beside b.jpg, one problem."""
    tiny.pair(tmp_path, tmp_path, "sound", 1)
    touch(tmp_path, "a.heic", "a.png", "b.jpg", "b_0.png", "b_1.png")
    reader = tiny.opened("p", tmp_path, "pairs")
    assert {problem.key: problem.reason for problem in reader.problems} == {
        "p/a": "unread format",
        "p/b": "several masks",
    }
