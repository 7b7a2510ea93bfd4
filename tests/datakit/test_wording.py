"""Parts of sentences."""

from __future__ import annotations

from datakit.wording import counted, shorten


def test_long_lists_of_names_are_cut() -> None:
    """A few, and how many."""
    assert shorten(["a", "b"]) == "a, b" and shorten(list("abcde"), 2) == "a, b … (5 in all)"


def test_one_of_a_thing_has_no_plural() -> None:
    """None and many have."""
    assert [counted(count, "frame") for count in (0, 1, 2)] == ["0 frames", "1 frame", "2 frames"]
