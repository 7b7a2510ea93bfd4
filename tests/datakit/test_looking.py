"""Files of a source looked at on a disk and in a store: the same answers, and in a store few requests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from datakit import looking, places
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
    with looking.remembered() if is_remembered else pytest.MonkeyPatch.context():
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
        assert [looking.read_file(home / name) for name in FILES] == list(FILES.values())
        assert looking.read_part(home / "in/deep/c.txt", 8, 5) == b"89"
        assert looking.read_head(home / "in/deep/c.txt", 4) == b"0123"
        assert looking.read_ends(home / "in/deep/c.txt", 4) == (b"0123", b"6789")
        assert looking.read_ends(home / "in/deep/c.txt", 7) == (b"0123456", b"789")
        assert looking.read_ends(home / "a.txt", 7) == (b"abc", b"")
        assert list(looking.chunks(home / "in/deep/c.txt", 4)) == [b"0123", b"4567", b"89"]
        assert looking.name_of(home) == "home"
        for wrong in (home / "none.txt", home / "in" / "none"):
            with pytest.raises(FileNotFoundError):
                looking.read_file(wrong)


def test_a_tree_is_listed_in_one_request(memory: Place, requests: list[str]) -> None:
    """Inside `remembered`; what is written there meanwhile is not seen, afterwards it is."""
    for name, data in FILES.items():
        places.write_bytes(memory / name, data)
    requests.clear()
    with looking.remembered():
        looking.learn_tree(memory)
        looking.learn_tree(memory / "in")
        assert [entry.name for entry in looking.entries_in(memory / "in" / "deep")] == ["c.txt", "d.json"]
        assert looking.is_file(memory / "in" / "b.txt") and not looking.is_folder(memory / "out")
        places.write_bytes(memory / "new.txt", b"x")
        assert not looking.is_file(memory / "new.txt")
    assert len(requests) == 2  # one of them writes
    assert looking.is_file(memory / "new.txt")


def test_an_address_never_leads_out(memory: Place) -> None:
    """Whatever stands in a file of annotations."""
    places.write_bytes(memory / "secret.txt", b"x")
    for name in ("../secret.txt", "../../secret.txt", "deep/../../secret.txt", ".."):
        with pytest.raises(FileNotFoundError):
            looking.read_file(places.beneath(memory / "set", name))
    with pytest.raises(FileNotFoundError):
        looking.read_file(places.beneath(memory / "set", "/secret.txt"))


def test_more_bytes_than_asked_for_are_refused(memory: Place) -> None:
    """And not kept: an object may have any size."""
    places.write_bytes(memory / "a", b"0123456789")
    assert looking.read_file(memory / "a", 10) == b"0123456789"
    with pytest.raises(OSError, match="more than 9 bytes"):
        looking.read_file(memory / "a", 9)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    """It is no regular file."""
    os.mkfifo(tmp_path / "pipe")
    for read in (
        looking.read_file,
        lambda path: looking.read_part(path, 0, 1),
        lambda path: [*looking.chunks(path, 1)],
    ):
        with pytest.raises(OSError, match="not a regular file"):
            read(tmp_path / "pipe")


def test_files_are_fetched_ahead_once_and_given_back_in_order(memory: Place, requests: list[str]) -> None:
    """However often one is read in its turn; those of a disk among them are left alone."""
    for number in range(40):
        places.write_bytes(memory / f"{number}", b"%d" % number)
    requests.clear()
    groups = [(memory / f"{number}", "no/such/file") for number in range(40)]
    for number, group in enumerate(looking.ahead(groups)):
        assert group == groups[number]
        assert looking.read_file(group[0]) == looking.read_file(group[0]) == b"%d" % number
        assert len(requests) <= number + looking.GROUPS_AHEAD + 1
    assert sorted(requests) == sorted(str(place) for place, _ in groups)
    assert not looking._coming


def test_what_was_fetched_ahead_is_forgotten_when_nobody_wants_it(memory: Place) -> None:
    """Also where the work ends in the middle."""
    groups = [(memory / f"{number}",) for number in range(40)]
    for _ in looking.ahead(groups):
        break
    ahead = looking.ahead(groups)
    next(ahead)
    ahead.close()
    assert not looking._coming


def test_a_file_at_hand_is_asked_for_once(memory: Place, requests: list[str]) -> None:
    """Inside; outside it may have changed."""
    places.write_bytes(memory / "a", b"x")
    requests.clear()
    with looking.at_hand():
        assert looking.read_file(memory / "a") == looking.read_file(memory / "a") == b"x"
    assert len(requests) == 1
    looking.read_file(memory / "a")
    assert len(requests) == 2


def test_a_store_that_fails_is_no_missing_file(memory: Place, impatient: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody who looks whether something is there takes it for a no."""
    failing(monkeypatch, ("ls", "find", "info", "cat_file"), ConnectionError("reset"))
    for ask in (looking.is_file, looking.is_folder, looking.exists, looking.files_in, looking.read_file):
        with pytest.raises(DatakitError, match="does not answer"):
            ask(memory / "a")  # type: ignore[operator]
    with pytest.raises(DatakitError, match="does not answer"), looking.remembered():
        looking.learn_tree(memory)
