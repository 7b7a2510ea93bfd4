"""Sets of pictures with one mask file each: pairing, strays, twins, mask values, rotation, damage."""

from __future__ import annotations

import os
import shutil
import sys
import unicodedata
from pathlib import Path

import numpy as np
import pytest

from datakit.datasets import ReadOptions, open_source
from datakit.errors import ItemError, Problem, UsageError
from datakit.images import turn
from datakit.samples import Sample
from tests import tiny
from tests.contracts import check_reader


def reasons(reader: object) -> dict[str, tuple[str, str]]:
    """Key -> (kind, reason) of what listing ruled out."""
    return {problem.key: (problem.kind, problem.reason) for problem in reader.problems}


def only(reader: object) -> Sample:
    """The one sample of the one photo."""
    assert len(reader) == 1
    (sample,) = reader[0].samples
    return sample


def item_error(reader: object, index: int = 0) -> Problem:
    """The problem that reading the photo ends with."""
    with pytest.raises(ItemError) as caught:
        reader[index]
    return caught.value.problem


def test_pairing_is_by_stem_not_by_position(tmp_path: Path) -> None:
    """A missing mask shifts nothing: every other photo keeps its own mask."""
    root = tiny.ecssd(tmp_path, 4)
    (root / "ground_truth_mask" / "0002.png").unlink()
    reader = tiny.opened("e", root)
    assert [record.key for record in reader.records] == ["e/0001", "e/0003", "e/0004"]
    for index, number in enumerate((1, 3, 4)):
        assert np.array_equal(reader[index].samples[0].mask, tiny.mask(number))


def test_missing_partners_are_failed_and_named(tmp_path: Path) -> None:
    """A photo without mask and a mask without photo are damage."""
    root = tiny.ecssd(tmp_path, 3)
    (root / "ground_truth_mask" / "0002.png").unlink()
    (root / "images" / "0003.jpg").unlink()
    reader = tiny.opened("e", root)
    assert reasons(reader) == {"e/0002": ("failed", "missing mask"), "e/0003": ("failed", "missing image")}
    assert [problem.stage for problem in reader.problems] == ["list", "list"]


def test_stray_files_are_named_not_paired(tmp_path: Path) -> None:
    """Thumbs.db, ._x.jpg, .DS_Store, a .bmp twin and unknown suffixes are left out, each with its own line."""
    root = tiny.ecssd(tmp_path, 1)
    for name in ("Thumbs.db", "._0001.jpg", ".DS_Store", "notes.txt", "noext"):
        (root / "images" / name).write_bytes(b"x")
    tiny.write_picture(root / "images" / "0001.bmp", tiny.picture(1))
    (root / "ground_truth_mask" / "._0001.png").write_bytes(b"x")
    (root / "images" / "__MACOSX").mkdir()
    reader = tiny.opened("e", root)
    assert only(reader).photo.encoded == (root / "images" / "0001.jpg").read_bytes()
    assert len(reader.problems) == 8 and set(reasons(reader).values()) == {("left-out", "stray file")}
    assert "a twin of images/0001.jpg" in next(p.detail for p in reader.problems if p.key == "e/images/0001.bmp")


def test_msra10k_bmp_twin_in_one_folder_is_stray(tmp_path: Path) -> None:
    """Beside jpg and png of one name a .bmp is neither picture nor mask."""
    root = tiny.msra10k(tmp_path, 1)
    tiny.write_picture(root / "Imgs" / "1000.bmp", tiny.picture(1))
    reader = tiny.opened("m", root, "msra10k")
    assert len(reader) == 1 and reasons(reader) == {"m/Imgs/1000.bmp": ("left-out", "stray file")}


def test_upper_case_suffixes_and_folders_pair(tmp_path: Path) -> None:
    """0001.JPG pairs with 0001.PNG, and IMAGES/ is images/."""
    tiny.ecssd(tmp_path, 1)
    (tmp_path / "images" / "0001.jpg").rename(tmp_path / "images" / "0001.JPG")
    (tmp_path / "ground_truth_mask" / "0001.png").rename(tmp_path / "ground_truth_mask" / "0001.PNG")
    (tmp_path / "images").rename(tmp_path / "IMAGES")
    assert only(tiny.opened("e", tmp_path)).key == "e/0001"


def test_names_are_paired_across_unicode_forms(tmp_path: Path) -> None:
    """A photo named in NFD pairs with a mask named in NFC; the key is NFC."""
    nfc, nfd = (unicodedata.normalize(form, "café") for form in ("NFC", "NFD"))
    tiny.write_picture(tmp_path / "images" / f"{nfd}.jpg", tiny.picture(1))
    tiny.write_grey(tmp_path / "masks" / f"{nfc}.png", tiny.mask(1))
    assert only(tiny.opened("p", tmp_path)).key == f"p/{nfc}"


def test_separators_in_names_are_escaped(tmp_path: Path) -> None:
    """A file called a#1 cannot be taken for object 1 of a."""
    tiny.write_picture(tmp_path / "images" / "a.jpg", tiny.picture(1))
    tiny.write_palette(tmp_path / "masks" / "a.png", tiny.mask(1))
    tiny.pair(tmp_path / "images", tmp_path / "masks", "a#1", 1)
    tiny.pair(tmp_path / "images", tmp_path / "masks", "b@2x%", 1)
    reader = tiny.opened("p", tmp_path)
    assert [scene.samples[0].key for scene in reader] == ["p/a#1", "p/a%231", "p/b%402x%25"]
    check_reader(reader)


@pytest.mark.skipif(sys.platform != "linux", reason="file names are bytes on Linux only")
def test_name_that_is_not_utf8_is_failed(tmp_path: Path) -> None:
    """No key can be made of such a name; it is named, and the rest is read."""
    root = tiny.ecssd(tmp_path, 1)
    shutil.copy(root / "images" / "0001.jpg", os.fsencode(root / "images") + b"/\xff.jpg")
    reader = tiny.opened("e", root)
    assert len(reader) == 1 and [problem.reason for problem in reader.problems] == ["name not UTF-8"]
    assert reader.problems[0].detail.encode()


@pytest.mark.parametrize("foreground", [1, 128, 255])
def test_two_valued_masks_are_read_whatever_the_value(tmp_path: Path, foreground: int) -> None:
    """0/1, 0/128 and 0/255 give the same mask: none trains silently on nothing."""
    tiny.pair(tmp_path / "images", tmp_path / "masks", "a", 1, foreground=foreground)
    assert np.array_equal(only(tiny.opened("p", tmp_path)).mask, tiny.mask(1))


def test_full_mask_is_full(tmp_path: Path) -> None:
    """A mask without ground is all foreground."""
    tiny.pair(tmp_path / "images", tmp_path / "masks", "a", 1)
    tiny.write_grey(tmp_path / "masks" / "a.png", np.full(tiny.SIZE, 255, np.uint8))
    assert only(tiny.opened("p", tmp_path)).mask.all()


def test_soft_mask_follows_the_threshold(tmp_path: Path) -> None:
    """The rim at 106 belongs to the object from a threshold of 105 downwards."""
    root = tiny.pascal_s(tmp_path, 1)
    areas = [int(only(tiny.opened("p", root, options=ReadOptions(threshold=t))).mask.sum()) for t in (127, 106, 105)]
    assert areas[0] == areas[1] < areas[2] == tiny.mask(1).sum()


def test_deep_soft_mask_is_scaled(tmp_path: Path) -> None:
    """16-bit levels are brought to 0..255 before the threshold."""
    tiny.pair(tmp_path / "images", tmp_path / "masks", "a", 1)
    plane = tiny.mask(1) * np.uint16(40_000)
    plane[0, 0] = 20_000
    tiny.write_grey(tmp_path / "masks" / "a.png", plane)
    soft = ReadOptions(values="soft")
    assert np.array_equal(only(tiny.opened("p", tmp_path, options=soft)).mask, tiny.mask(1))


def test_jpeg_mask_is_soft(tmp_path: Path) -> None:
    """The grey fringe of a JPEG mask is thresholded away."""
    tiny.write_picture(tmp_path / "images" / "a.jpg", tiny.picture(1))
    tiny.write_picture(tmp_path / "masks" / "a.jpg", tiny.mask(1) * np.uint8(255))
    assert np.array_equal(only(tiny.opened("p", tmp_path)).mask, tiny.mask(1))


def test_palette_mask_gives_one_sample_per_object(tmp_path: Path) -> None:
    """Palette indices are ids, 255 is void; merged they are one object."""
    tiny.write_picture(tmp_path / "images" / "a.jpg", tiny.picture(1))
    tiny.write_palette(tmp_path / "masks" / "a.png", tiny.labels(1))
    first, second = tiny.opened("p", tmp_path)[0].samples
    assert (first.key, second.key, second.object_id) == ("p/a#1", "p/a#2", 2)
    assert np.array_equal(second.mask, tiny.labels(1) == 2) and np.array_equal(second.ignore, tiny.labels(1) == 255)
    merged = only(tiny.opened("p", tmp_path, options=ReadOptions(objects="merged")))
    assert merged.key == "p/a" and np.array_equal(merged.mask, first.mask | second.mask)


def test_empty_mask_is_left_out_with_advice(tmp_path: Path) -> None:
    """An all-black mask and one under the threshold are told apart in the detail."""
    dim_levels = tiny.mask(1) * np.uint8(60) + tiny.mask(5) * np.uint8(30)
    for name, plane in (("black", np.zeros(tiny.SIZE, np.uint8)), ("dim", dim_levels)):
        tiny.write_picture(tmp_path / "images" / f"{name}.jpg", tiny.picture(1))
        tiny.write_grey(tmp_path / "masks" / f"{name}.png", plane)
    reader = tiny.opened("p", tmp_path, options=ReadOptions(values="soft"))
    black, dim = (scene.problems[0] for scene in reader)
    assert (
        (black.kind, black.stage, black.reason)
        == (dim.kind, dim.stage, dim.reason)
        == ("left-out", "mask", "empty mask")
    )
    assert "every pixel is 0" in black.detail and "highest value 90" in dim.detail and "--threshold" in dim.detail


def test_size_mismatch_names_both_sizes(tmp_path: Path) -> None:
    """A mask of another size is damage."""
    tiny.pair(tmp_path / "images", tmp_path / "masks", "a", 1)
    tiny.write_grey(tmp_path / "masks" / "a.png", tiny.mask(1, (40, 60)))
    problem = item_error(tiny.opened("p", tmp_path))
    assert (problem.kind, problem.stage, problem.reason) == ("failed", "mask", "size mismatch")
    assert "(40, 60)" in problem.detail and "(48, 64)" in problem.detail


@pytest.mark.parametrize(("size", "told"), [
    ((24, 32), "it is 0.5 times the photo's size: enlarge it to 64x48 by nearest neighbour"),
    ((16, 21), "it is 0.328 times the photo's size: enlarge it to 64x48 by nearest neighbour"),
    ((96, 128), "it is 2 times the photo's size: reduce it to 64x48 by nearest neighbour"),
    ((40, 60), ""),
    ((48, 65), ""),
    ((64, 48), ""),
])  # fmt: skip
def test_a_mask_at_another_scale_is_told_how_to_mend(tmp_path: Path, size: tuple[int, int], told: str) -> None:
    """Also where halves were rounded; not one of another shape, or one that may be cut or turned."""
    tiny.pair(tmp_path / "images", tmp_path / "masks", "a", 1)
    tiny.write_grey(tmp_path / "masks" / "a.png", tiny.mask(1, size))
    detail = item_error(tiny.opened("p", tmp_path)).detail
    assert detail.endswith(told) and ("times the photo's size" in detail) == bool(told)


def test_truncated_photo_and_mask_are_item_errors(tmp_path: Path) -> None:
    """A cut file stops its own photo only, and the message names the file."""
    root = tiny.ecssd(tmp_path, 3)
    for path in (root / "images" / "0001.jpg", root / "ground_truth_mask" / "0002.png"):
        path.write_bytes(path.read_bytes()[:-20])
    reader = tiny.opened("e", root)
    assert [item_error(reader, index).reason for index in (0, 1)] == ["truncated image"] * 2
    assert "ground_truth_mask/0002.png" in item_error(reader, 1).detail and reader[2].samples


@pytest.mark.parametrize("orientation", [2, 3, 5, 6, 8])
@pytest.mark.parametrize("size", [(48, 64), (48, 48)])
def test_exif_rotation_keeps_photo_and_mask_aligned(tmp_path: Path, orientation: int, size: tuple[int, int]) -> None:
    """A mask drawn on the stored pixels is turned with its photo, square ones too."""
    tiny.write_rotated_jpeg(tmp_path / "images" / "a.jpg", tiny.picture(1, size), orientation)
    tiny.write_grey(tmp_path / "masks" / "a.png", tiny.mask(1, size))
    sample = only(tiny.opened("p", tmp_path))
    red = (sample.image[..., 0] > 200) & (sample.image[..., 2] < 90)
    assert sample.photo.normalised == "rotated" and np.mean(red == sample.mask) > 0.9
    assert red[sample.mask > 0].mean() > 0.95


def test_mask_that_is_already_upright_stays(tmp_path: Path) -> None:
    """A mask of the upright size was drawn on the turned photo."""
    tiny.write_rotated_jpeg(tmp_path / "images" / "a.jpg", tiny.picture(1), 6)
    upright = np.ascontiguousarray(np.rot90(tiny.mask(1), -1))
    tiny.write_grey(tmp_path / "masks" / "a.png", upright)
    assert np.array_equal(only(tiny.opened("p", tmp_path)).mask, upright)


def test_mask_with_its_own_exif_follows_that(tmp_path: Path) -> None:
    """A square mask that says it is upright is not turned with its photo."""
    tiny.write_rotated_jpeg(tmp_path / "images" / "a.jpg", tiny.picture(1, (48, 48)), 6)
    tiny.write_rotated_jpeg(tmp_path / "masks" / "a.jpg", tiny.mask(1, (48, 48)) * np.uint8(255), 1)
    assert np.array_equal(only(tiny.opened("p", tmp_path)).mask, tiny.mask(1, (48, 48)))


def test_pipe_and_dangling_link_are_failed_not_waited_for(tmp_path: Path) -> None:
    """A named pipe among the pictures does not block the reader."""
    root = tiny.ecssd(tmp_path, 2)
    for name in ("0001", "0002"):
        (root / "images" / f"{name}.jpg").unlink()
    os.mkfifo(root / "images" / "0001.jpg")
    (root / "images" / "0002.jpg").symlink_to(tmp_path / "gone.jpg")
    reader = tiny.opened("e", root)
    assert [item_error(reader, index).reason for index in (0, 1)] == ["not a regular file", "missing file"]


def test_linked_folders_are_followed_and_loops_end(tmp_path: Path) -> None:
    """A set kept elsewhere is read through its link; a link to a folder above it is not entered."""
    tiny.pairs(tmp_path / "store", 2)
    root = tmp_path / "set"
    root.mkdir()
    (root / "images").symlink_to(tmp_path / "store" / "images")
    (root / "masks").symlink_to(tmp_path / "store" / "masks")
    (tmp_path / "store" / "images" / "loop").symlink_to(tmp_path / "store" / "images")
    assert len(tiny.opened("p", root)) == 2


def test_any_pair_of_folders(tmp_path: Path) -> None:
    """Masks here, pictures elsewhere, by the option `images`."""
    tiny.pair(tmp_path / "photos", tmp_path / "truth", "a", 1)
    assert only(tiny.opened("p", tmp_path / "truth", "pairs", tmp_path / "photos")).key == "p/a"
    assert only(tiny.opened("p", tmp_path / "truth", images=tmp_path / "photos")).key == "p/a"


def test_wrong_layout_says_what_was_expected(tmp_path: Path) -> None:
    """A named layout that is not there lists the accepted folders."""
    (tmp_path / "photos").mkdir()
    with pytest.raises(UsageError, match=r"images/ \+ ground_truth_mask/"):
        tiny.opened("e", tmp_path, "ecssd")


def test_folders_without_a_pair_are_a_usage_error(tmp_path: Path) -> None:
    """Two empty folders are no data set."""
    for name in ("images", "masks"):
        (tmp_path / name).mkdir()
    with pytest.raises(UsageError, match="no pictures with masks"):
        tiny.opened("p", tmp_path, "pairs")


def test_minimum_area_leaves_small_objects_out(tmp_path: Path) -> None:
    """The option overrides the default of the layout."""
    root = tiny.ecssd(tmp_path, 1)
    (scene,) = tiny.opened("e", root, options=ReadOptions(min_area=10_000))
    (problem,) = scene.problems
    assert not scene.samples and (problem.kind, problem.stage, problem.reason) == (
        "left-out",
        "select",
        "under minimum area",
    )


@pytest.mark.parametrize("orientation", [2, 3, 4])
@pytest.mark.parametrize("drawn", ["stored", "upright"])
def test_a_half_turn_follows_what_the_mask_was_drawn_on(tmp_path: Path, orientation: int, drawn: str) -> None:
    """Its size does not tell, so that the option does."""
    tiny.write_rotated_jpeg(tmp_path / "images/a.jpg", tiny.picture(1), orientation)
    tiny.write_grey(tmp_path / "masks/a.png", tiny.mask(1) * np.uint8(255))
    found = only(tiny.opened("p", tmp_path, options=ReadOptions(annotated={"p": drawn}))).mask
    expected = tiny.mask(1) if drawn == "upright" else turn(tiny.mask(1), orientation)
    assert np.array_equal(found, expected)


def test_what_was_not_said_of_a_half_turn_is_noted(tmp_path: Path) -> None:
    """It is read as most tools write it, and told with the way out."""
    tiny.write_rotated_jpeg(tmp_path / "images/a.jpg", tiny.picture(1), 3)
    tiny.write_grey(tmp_path / "masks/a.png", tiny.mask(1) * np.uint8(255))
    (note,) = tiny.opened("p", tmp_path)[0].notes
    assert "--annotated upright" in note.reason and "EXIF orientation 3" in note.detail
    assert not tiny.opened("p", tmp_path, options=ReadOptions(annotated={"": "stored"}))[0].notes


@pytest.mark.parametrize("stray", ["", "masks/notes.txt"])
def test_photos_without_any_mask_are_one_sentence(tmp_path: Path, stray: str) -> None:
    """Rather than as many failures as there are photos."""
    (tmp_path / "masks").mkdir()
    for number in range(3):
        tiny.write_picture(tmp_path / f"images/{number}.jpg", np.zeros((8, 8, 3), np.uint8))
    if stray:
        (tmp_path / stray).write_text("x")
    with pytest.raises(UsageError, match=r"masks: holds no mask for any of 3 photos of .*images; .* --images mine="):
        open_source(f"mine:pairs={tmp_path}")
