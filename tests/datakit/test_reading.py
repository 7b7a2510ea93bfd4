"""Bytes of the files of a source: read once, ahead of their turn, never from outside of it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from datakit import places, reading
from datakit.places import Place
from tests.stores import requests

__all__ = ["requests"]


def test_an_address_never_leads_out(memory: Place) -> None:
    """Whatever stands in a file of annotations."""
    places.write_bytes(memory / "secret.txt", b"x")
    for name in ("../secret.txt", "../../secret.txt", "deep/../../secret.txt", ".."):
        with pytest.raises(FileNotFoundError):
            reading.read_file(places.beneath(memory / "set", name))
    with pytest.raises(FileNotFoundError):
        reading.read_file(places.beneath(memory / "set", "/secret.txt"))


def test_more_bytes_than_asked_for_are_refused(memory: Place) -> None:
    """And not kept: an object may have any size."""
    places.write_bytes(memory / "a", b"0123456789")
    assert reading.read_file(memory / "a", 10) == b"0123456789"
    with pytest.raises(OSError, match="more than 9 bytes"):
        reading.read_file(memory / "a", 9)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    """It is no regular file."""
    os.mkfifo(tmp_path / "pipe")
    for read in (
        reading.read_file,
        lambda path: reading.read_part(path, 0, 1),
        lambda path: [*reading.chunks(path, 1)],
    ):
        with pytest.raises(OSError, match="not a regular file"):
            read(tmp_path / "pipe")


def test_files_are_fetched_ahead_once_and_given_back_in_order(memory: Place, requests: list[str]) -> None:
    """However often one is read in its turn; those of a disk among them are left alone."""
    for number in range(40):
        places.write_bytes(memory / f"{number}", b"%d" % number)
    requests.clear()
    groups = [(memory / f"{number}", "no/such/file") for number in range(40)]
    for number, group in enumerate(reading.ahead(groups)):
        assert group == groups[number]
        assert reading.read_file(group[0]) == reading.read_file(group[0]) == b"%d" % number
        assert len(requests) <= number + reading.GROUPS_AHEAD + 1
    assert sorted(requests) == sorted(str(place) for place, _ in groups)
    assert not [text for text in reading._coming if text.startswith(str(memory))]


def test_what_was_fetched_ahead_is_forgotten_when_nobody_wants_it(memory: Place) -> None:
    """Also where the work ends in the middle."""
    groups = [(memory / f"{number}",) for number in range(40)]
    for _ in reading.ahead(groups):
        break
    ahead = reading.ahead(groups)
    next(ahead)
    ahead.close()
    assert not [text for text in reading._coming if text.startswith(str(memory))]


def test_a_file_at_hand_is_asked_for_once(memory: Place, requests: list[str]) -> None:
    """Inside; outside it may have changed."""
    places.write_bytes(memory / "a", b"x")
    requests.clear()
    with reading.at_hand():
        assert reading.read_file(memory / "a") == reading.read_file(memory / "a") == b"x"
    assert len(requests) == 1
    reading.read_file(memory / "a")
    assert len(requests) == 2
