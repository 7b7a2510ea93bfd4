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


def test_two_masks_that_each_may_be_all_of_a_photo_are_one_problem(tmp_path: Path) -> None:
    """x_mask and x_gt: nobody can tell, and the option can."""
    (problem,) = problems(tmp_path, "images/x.jpg", "masks/x_mask.png", "masks/x_gt.png")
    assert (problem.key, problem.kind, problem.reason) == ("p/x", "failed", "several masks")
    assert problem.detail.startswith("images/x.jpg: has 2 masks, masks/x_gt.png, masks/x_mask.png, of which each")
    assert "--mask-name" in problem.detail


def test_a_mask_that_goes_on_in_words_nobody_knows_is_one_problem(tmp_path: Path) -> None:
    """Where other masks bear the very name of their photo, such a name is not guessed at."""
    (problem,) = problems(tmp_path, "images/x.jpg", "masks/x_old.png")
    assert (problem.key, problem.kind, problem.reason) == ("p/x", "failed", "mask of another name")
    assert "but masks/x_old.png; rename it to x.png, or say" in problem.detail


def test_several_masks_in_words_nobody_knows_are_one_problem(tmp_path: Path) -> None:
    """As above; four of them are named."""
    (problem,) = problems(tmp_path, "images/x.jpg", *(f"masks/x_old{letter}.png" for letter in "abcdef"))
    assert (problem.key, problem.reason) == ("p/x", "several masks") and "and 2 more" in problem.detail


def test_a_picture_of_edges_beside_a_mask_is_left_out(tmp_path: Path) -> None:
    """It is no mask, by its name, and its photo has one."""
    (problem,) = problems(tmp_path, "masks/sound_edge.png")
    assert (problem.kind, problem.reason) == ("left-out", "stray file")


def test_names_that_differ_in_case_alone_stay_two(tmp_path: Path) -> None:
    """Where both photos are there, each mask belongs to its own."""
    found = problems(tmp_path, "images/Photo.jpg", "images/photo.jpg", "masks/PHOTO.png")
    assert {problem.reason for problem in found} == {"missing mask", "mask of another name"} and len(found) == 2


def test_a_further_mask_of_a_photo_that_has_its_own_says_so(tmp_path: Path) -> None:
    """sound.jpg is read with sound.png; sound_1.png is nobody's."""
    (problem,) = problems(tmp_path, "masks/sound_1.png")
    assert (problem.key, problem.reason) == ("p/sound_1", "missing image")
    assert "sound is there, with a mask of its own name" in problem.detail


@pytest.mark.parametrize("suffix, name", [(".JXL", "JPEG XL"), (".psd", "Photoshop"), (".NEF", "raw")])
def test_a_photo_of_a_format_that_is_not_read_is_one_problem(tmp_path: Path, suffix: str, name: str) -> None:
    """Named as what it is, instead of as a stray file and a missing picture."""
    (problem,) = problems(tmp_path, f"images/a{suffix}", "masks/a.png")
    assert (problem.key, problem.kind, problem.reason) == ("p/a", "failed", "unread format")
    assert problem.detail.startswith(f"images/a{suffix}: is a") and name in problem.detail


def test_an_unread_photo_with_several_masks_is_one_problem(tmp_path: Path) -> None:
    """The format comes first."""
    (problem,) = problems(tmp_path, "images/a.nef", "masks/a_0.png", "masks/a_1.png")
    assert (problem.key, problem.reason) == ("p/a", "unread format")


def test_a_mask_of_a_format_that_is_not_read_is_one_problem(tmp_path: Path) -> None:
    """Masks as layered files of paint programs."""
    (problem,) = problems(tmp_path, "images/a.jpg", "masks/a.psd")
    assert (problem.key, problem.kind, problem.reason) == ("p/a", "failed", "unread format")
    assert problem.detail.startswith("images/a.jpg: its mask masks/a.psd is a Photoshop file")


def test_unread_files_that_nobody_waits_for_are_left_out(tmp_path: Path) -> None:
    """A raw photo beside the JPEG that is read, one without a mask, a list of MATLAB."""
    found = problems(tmp_path, "images/sound.nef", "images/b.nef", "masks/list.mat")
    assert {(problem.key, problem.kind, problem.reason) for problem in found} == {
        ("p/images/sound.nef", "left-out", "stray file"),
        ("p/images/b.nef", "left-out", "stray file"),
        ("p/masks/list.mat", "left-out", "stray file"),
    }
    assert all("not read: it is a" in problem.detail for problem in found)


def test_one_folder_for_both_tells_unread_photos_too(tmp_path: Path) -> None:
    """a.nef beside a.png, one problem; several masks beside b.jpg, one problem."""
    tiny.pair(tmp_path, tmp_path, "sound", 1)
    touch(tmp_path, "a.nef", "a.png", "b.jpg", "b_gt.png", "b_mask.png")
    reader = tiny.opened("p", tmp_path, "pairs")
    assert {problem.key: problem.reason for problem in reader.problems} == {
        "p/a": "unread format",
        "p/b": "several masks",
    }
