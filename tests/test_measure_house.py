"""The measuring of a tree, on a tree whose numbers are known."""

import pytest

from tools.measure_house import measure

CODE = '''"""A module."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Point:
    x: int


def _once():
    return 1


def _twice():
    return 2


def public():
    return _once() + _twice() + _twice()
'''


@pytest.fixture
def measured(tmp_path):
    """Two modules: one with functions, one empty."""
    (tmp_path / "datakit").mkdir()
    (tmp_path / "datakit" / "__init__.py").write_text("")
    (tmp_path / "datakit" / "a.py").write_text(CODE)
    return measure(tmp_path)


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("modules", 2),
        ("lines", len(CODE.splitlines())),
        ("functions", 3),
        ("dataclasses", 1),
        ("circles of imports", 0),
    ],
)
def test_counts_are_those_of_the_tree(measured, name, number):
    """Each of them by hand."""
    assert measured[name] == number


def test_a_short_helper_is_counted_where_it_is_used_once(measured):
    """`_once` is, `_twice` and what is public are not."""
    assert measured["private functions of at most 5 lines used once"] == 1
