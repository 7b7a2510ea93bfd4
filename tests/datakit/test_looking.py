"""Files of a source looked at on a disk and in a store: the same answers, and in a store few requests."""

from __future__ import annotations

from pathlib import Path

import pytest

from datakit import looking, places, reading, store_memory
from datakit.errors import DatakitError
from datakit.places import Place
from tests.stores import copied, failing, requests

__all__ = ["requests"]
FILES = {"a.txt": b"abc", "in/b.txt": b"", "in/deep/c.txt": b"0123456789", "in/deep/d.json": b"{}"}


@pytest.fixture(params=["disk", "store"])
def home(request: pytest.FixtureRequest, tmp_path: Path, memory: Place) -> Place:
    """A folder of a few files, on a disk and in a store."""
    for name, data in FILES.items():
        (tmp_path / "home" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "home" / name).write_bytes(data)
    return tmp_path / "home" if request.param == "disk" else copied(tmp_path / "home", memory)


@pytest.mark.parametrize("is_remembered", [False, True])
def test_the_same_is_seen_everywhere(home: Place, is_remembered: bool) -> None:
    """Which files and folders there are, their sizes and bytes."""
    with store_memory.remembered() if is_remembered else pytest.MonkeyPatch.context():
        if is_remembered:
            looking.learn_tree(home)
        assert sorted((each.name, each.is_dir()) for each in looking.each_entry(home)) == [
            ("a.txt", False),
            ("in", True),
        ]
        assert [looking.is_file(home / name) for name in ("a.txt", "in", "none.txt")] == [True, False, False]
        assert [looking.is_folder(home / name) for name in ("a.txt", "in", "none")] == [False, True, False]
        assert [looking.exists(home / name) for name in ("a.txt", "in", "none", "x.txt")] == [True, True, False, False]
        assert [path.name for path in looking.files_in(home / "in" / "deep", "c", ".txt")] == ["c.txt"]
        assert looking.files_in(home / "none") == []
        sizes = looking.Sizes(home)
        assert [sizes.of(name) for name in (*FILES, "none.txt", "no/no.txt")] == [3, 0, 10, 2, 0, 0]
        assert [reading.read_file(home / name) for name in FILES] == list(FILES.values())
        assert reading.read_part(home / "in/deep/c.txt", 8, 5) == b"89"
        assert reading.read_head(home / "in/deep/c.txt", 4) == b"0123"
        assert reading.read_ends(home / "in/deep/c.txt", 4) == (b"0123", b"6789")
        assert reading.read_ends(home / "in/deep/c.txt", 7) == (b"0123456", b"789")
        assert reading.read_ends(home / "a.txt", 7) == (b"abc", b"")
        assert list(reading.chunks(home / "in/deep/c.txt", 4)) == [b"0123", b"4567", b"89"]
        assert looking.name_of(home) == "home"
        for wrong in (home / "none.txt", home / "in" / "none"):
            with pytest.raises(FileNotFoundError):
                reading.read_file(wrong)


def test_a_tree_is_listed_in_one_request(memory: Place, requests: list[str]) -> None:
    """Inside `remembered`; what is written there meanwhile is not seen, afterwards it is."""
    for name, data in FILES.items():
        places.write_bytes(memory / name, data)
    requests.clear()
    with store_memory.remembered():
        looking.learn_tree(memory)
        looking.learn_tree(memory / "in")
        assert [entry.name for entry in looking.entries_in(memory / "in" / "deep")] == ["c.txt", "d.json"]
        assert looking.is_file(memory / "in" / "b.txt") and not looking.is_folder(memory / "out")
        places.write_bytes(memory / "new.txt", b"x")
        assert not looking.is_file(memory / "new.txt")
    assert len(requests) == 2  # one of them writes
    assert looking.is_file(memory / "new.txt")


def test_a_store_that_fails_is_no_missing_file(memory: Place, impatient: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody who looks whether something is there takes it for a no."""
    failing(monkeypatch, ("ls", "find", "info", "cat_file"), ConnectionError("reset"))
    for ask in (looking.is_file, looking.is_folder, looking.exists, looking.files_in, reading.read_file):
        with pytest.raises(DatakitError, match="does not answer"):
            ask(memory / "a")  # type: ignore[operator]
    with pytest.raises(DatakitError, match="does not answer"), store_memory.remembered():
        looking.learn_tree(memory)
