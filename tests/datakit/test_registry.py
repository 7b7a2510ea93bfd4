"""Tables that other packages can add to."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from datakit.errors import UsageError
from datakit.registry import Registry

GROUP = "datakit_tests.things"


def check(name: str, entry: int) -> None:
    if not isinstance(entry, int):
        raise UsageError(f"thing {name!r}: expected a number")


def things() -> Registry[int]:
    registry = Registry[int]("thing", GROUP, check)
    registry.add("one", 1)
    return registry


def distribution(folder: Path, *points: str) -> Path:
    """A folder for `sys.path` with the metadata of an installed package that has these entry points."""
    info = folder / "foreign-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: foreign\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("\n".join([f"[{GROUP}]", *points]) + "\n")
    (folder / "foreign_things.py").write_text("TWO = 2\nWRONG = 'two'\n")
    return folder


def test_an_entry_is_found_by_its_name() -> None:
    """As in any mapping."""
    assert things().find("one", "here") == 1 and list(things()) == ["one"]


def test_an_unknown_name_is_answered_with_the_nearest_and_all() -> None:
    """The message opens with the place."""
    with pytest.raises(UsageError, match=r"here: unknown thing 'oen'; did you mean one\? The things are one$"):
        things().find("oen", "here")


def test_a_name_is_taken_once() -> None:
    """The same entry may be added twice, as by an import and by an entry point."""
    registry = things()
    registry.add("one", 1)
    with pytest.raises(UsageError, match="there is one of that name already"):
        registry.add("one", 2)


@pytest.mark.parametrize("name", ["", "One", "a b", "a=b", "-a", "a:b"])
def test_a_name_that_cannot_be_written_in_a_source_is_refused(name: str) -> None:
    """Names are words of the command line."""
    with pytest.raises(UsageError, match="a-z, 0-9"):
        things().add(name, 1)


def test_an_entry_that_cannot_be_used_is_refused_when_it_is_added() -> None:
    """Not when it is used."""
    with pytest.raises(UsageError, match="expected a number"):
        things().add("two", "two")  # type: ignore[arg-type]


def test_entry_points_join_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are listed behind the package's own and found by name."""
    monkeypatch.syspath_prepend(distribution(tmp_path, "two = foreign_things:TWO"))
    assert dict(things()) == {"one": 1, "two": 2}
    assert things()["two"] == 2


@pytest.mark.parametrize("point", ["two = foreign_things:WRONG", "two = foreign_things:NONE", "two = no_such_module:X"])
def test_a_broken_entry_point_spoils_nothing_but_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, point: str
) -> None:
    """It is warned of once, and told again where its name is asked for."""
    monkeypatch.syspath_prepend(distribution(tmp_path, point))
    registry = things()
    with caplog.at_level(logging.WARNING):
        assert list(registry) == ["one"] and list(registry) == ["one"]
    assert len(caplog.records) == 1 and "'two' of foreign cannot be loaded" in caplog.text
    with pytest.raises(UsageError, match="of foreign cannot be loaded"):
        registry.find("two", "here")
