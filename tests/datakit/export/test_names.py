"""Names of exported files."""

from hypothesis import given, settings
from hypothesis import strategies as st

from datakit.export.names import LONGEST, unique_names


@settings(max_examples=80)
@given(st.lists(st.text(max_size=200), max_size=8))
def test_names_are_unique_whatever_the_keys(keys):
    """Also where case plays no part, and none holds a dot or a separator."""
    names = unique_names(keys)
    assert len({name.casefold() for name in names}) == len(keys)
    assert all(name and not set(name) & set("./\\ %:") for name in names)
    assert all(len(name.encode()) <= LONGEST + 20 for name in names)


def test_a_name_is_the_key_with_its_escapes_undone():
    """A dot would cut it for loaders that look for one."""
    assert unique_names(["coco/a.b", "ecssd/x%23y/0001"]) == ["coco_a_b", "ecssd_x_y_0001"]


def test_of_equal_names_the_second_is_numbered():
    """`a/b` and `a_b`, `A_b`."""
    assert unique_names(["a/b", "a_b", "A_b"]) == ["a_b", "a_b-2", "A_b-3"]
