"""Values that were used lately."""

from datakit.recent import Recent


def test_what_was_used_longest_ago_goes_first():
    recent = Recent(2)
    recent.put("a", 1)
    recent.put("b", 2)
    assert recent.get("a") == 1
    recent.put("c", 3)
    assert list(recent) == ["a", "c"] and recent.get("b") is None


def test_values_are_kept_up_to_their_size_and_the_latest_always():
    recent = Recent(10, size=len)
    for text in ("aaaa", "bbbb", "cccc"):
        recent.put(text[0], text)
    assert (len(recent), recent.size) == (2, 8)
    recent.put("d", "d" * 50)
    assert (len(recent), recent.get("d")) == (1, "d" * 50)
