"""A key has one reading: what is put together is taken apart again, whatever files are called."""

import unicodedata
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datakit.keys import (
    PLAIN_VIEW,
    Key,
    draw_key,
    escape_name,
    is_within,
    object_key,
    original_of,
    photo_key,
    photo_of,
    sample_of,
    source_of,
    triple_key,
    view_key,
    without_view,
)

LABELS = st.from_regex(r"[a-z0-9_-]{1,8}", fullmatch=True)
NAMES = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("#@~%/."), min_size=1, max_size=12)
NUMBERS = st.integers(0, 10**12)
ANGLES = st.integers(-1800, 1800).map(lambda tenths: tenths / 10)
RECIPES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,8}", fullmatch=True)


@given(LABELS, NAMES, st.none() | NUMBERS, st.none() | st.tuples(ANGLES, st.booleans()), st.none() | RECIPES, NUMBERS)
def test_a_key_is_taken_apart_into_what_it_was_made_of(label, name, number, view, recipe, variant):
    """Also of photos whose names hold the separators; put together again it is the same key."""
    photo = photo_key(label, name)
    whole = photo if number is None else object_key(photo, number)
    sample = whole if view is None else view_key(whole, *view)
    key = sample if recipe is None else triple_key(sample, recipe, variant)
    parts = Key.parse(key)
    assert str(parts) == key
    assert parts[:3] == (label, escape_name(name), "" if number is None else str(number))
    assert (parts.view == "") == (view is None)
    assert parts[4:] == ("", "") if recipe is None else (recipe, str(variant))
    assert [source_of(key), photo_of(key), sample_of(key), without_view(sample)] == [label, photo, sample, whole]


@given(NAMES)
def test_an_escaped_name_holds_no_separator_and_stands_for_one_file(name):
    """Two ways of writing the same Unicode are the same name."""
    escaped = escape_name(name)
    assert not set("#@~") & set(escaped)
    assert unquote(escaped) == unicodedata.normalize("NFC", name)


@given(st.text(max_size=30))
def test_any_text_has_parts(text):
    """Keys out of a stranger's shard are no reason to fall over."""
    assert Key.parse(text).label == source_of(text.partition("@")[0].partition("~")[0].partition("#")[0])


def test_a_key_reads_as_documented():
    """The form that docs/shard-format.md gives."""
    text = "voc/2007_1#3~r-15f@masktrack/2"
    assert Key.parse(text) == ("voc", "2007_1", "3", "r-15f", "masktrack", "2")
    assert text == triple_key(view_key(object_key("voc/2007_1", 3), -15.0, True), "masktrack", 2)
    assert Key.parse(view_key("voc/2007_1", 0.0, False)).view == PLAIN_VIEW
    assert Key.parse(draw_key("voc/2007_1", "box")) == ("voc", "2007_1", "", "", "box", "")


@pytest.mark.parametrize(
    ("key", "is_in"),
    [("a/b", True), ("a/b#1", True), ("a/b~r+0", True), ("a/b@x/0", True), ("a/bc", False), ("a/b/c", False)],
)
def test_objects_views_and_triples_are_within_a_photo(key, is_in):
    """Photos whose names begin alike are not."""
    assert is_within(key, "a/b") is is_in


@pytest.mark.parametrize(
    ("key", "original"),
    [
        ("r/train/x_jpg.rf.68cb444f62494b5756c4708d119a66da", "r/x_jpg"),
        ("r/valid/x_jpg.rf.0f3ce8014f8311e91f179c43ce1a12f1", "r/x_jpg"),
        ("r/x_jpg.rf.zB8bWNqLYPWtbuRzFkVj", "r/x_jpg"),
        ("r/train/y.rf.68cb444f62494b5756c4708d119a66da", "r/y"),
        ("r/train/x.rf.jpg", "r/train/x.rf.jpg"),
        ("r/x.rf.68cb444f62494b5756c4708d119a66da/a", "r/x.rf.68cb444f62494b5756c4708d119a66da/a"),
        ("ecssd/0001", "ecssd/0001"),
    ],
)
def test_copies_of_one_photo_have_one_original(key, original):
    """Roboflow's names alone, wherever the copy lies; every other key is its own."""
    assert original_of(key) == original
