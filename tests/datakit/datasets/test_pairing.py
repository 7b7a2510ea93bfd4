"""Who belongs to whom: no mask is given twice, no photo guesses, and the very name comes first."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from datakit.datasets.pairing import pair_names

PARTS = st.sampled_from(["x", "y", "x_1", "img_1", "1", "mask", "A", "a"])
MARKS = st.sampled_from(["", "_mask", "_0", "_1", "_gt", "_dog", ".jpg", "_edge", " (2)"])
PHOTOS = st.sets(st.tuples(st.sampled_from(["", "s/"]), PARTS).map("".join), min_size=1, max_size=6)
MASKS = st.sets(st.tuples(st.sampled_from(["", "s/", "x/", "0/"]), PARTS, MARKS).map("".join), max_size=8)


@given(PHOTOS, MASKS)
def test_no_mask_is_given_to_two_photos(photos: set[str], masks: set[str]) -> None:
    """Whatever is called how; and only masks that are there are given, to photos that are there."""
    found = pair_names({name: f"{name}.jpg" for name in photos}, masks)
    given_out = [*found.whole.values(), *(file.name for files in found.objects.values() for file in files)]
    assert len(given_out) == len(set(given_out)) and set(given_out) <= masks
    assert found.taken == set(given_out)
    assert found.whole.keys() | found.objects.keys() | found.doubtful.keys() <= photos
    assert not found.whole.keys() & found.objects.keys() and not found.whole.keys() & found.doubtful.keys()


@given(PHOTOS, MASKS)
def test_the_mask_of_the_very_name_comes_first(photos: set[str], masks: set[str]) -> None:
    """Nothing takes its place."""
    found = pair_names({name: f"{name}.jpg" for name in photos}, masks)
    assert all(found.whole[name] == name for name in photos & masks)


@given(PHOTOS, MASKS)
def test_objects_are_numbered_from_one_and_unlike(photos: set[str], masks: set[str]) -> None:
    """In order of number."""
    found = pair_names({name: f"{name}.jpg" for name in photos}, masks)
    for files in found.objects.values():
        numbers = [file.number for file in files]
        assert numbers == sorted(set(numbers)) and numbers[0] >= 1


def test_letters_of_another_case_are_another_name_only_where_both_are_there() -> None:
    """On disks and in tools that know no case."""
    assert pair_names({"Photo": "Photo.jpg"}, {"PHOTO_mask"}).whole == {"Photo": "PHOTO_mask"}
    assert pair_names({"Photo": "Photo.jpg", "photo": "photo.jpg"}, {"PHOTO_mask"}).whole == {}


def test_two_photos_of_one_bare_name_share_no_mask() -> None:
    """`img_1` and `photo_1` beside `mask_1`."""
    names = {"img_1": "img_1.jpg", "photo_1": "photo_1.jpg"}
    assert not pair_names(names, {"mask_1"}).taken
