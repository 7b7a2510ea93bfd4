"""Sources copied to a store of this process (`memory://`), and the requests that are made of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from datakit import places
from datakit.places import Place, place_of


def copied(folder: Path, address: str) -> Place:
    """The address of a folder or file whose files, and for a file those around it, were put in a store."""
    whole = folder if folder.is_dir() else folder.parent.parent
    place = place_of(address)
    for path in sorted(whole.rglob("*")):
        if path.is_file():
            places.write_bytes(place / path.relative_to(whole).as_posix(), path.read_bytes())
    return place if folder == whole else place / folder.relative_to(whole).as_posix()


class Requests(list[str]):
    """The names of what was asked for, in order."""


@pytest.fixture
def memory() -> Iterator[str]:
    """An address in an empty store of this process."""
    from fsspec.implementations.memory import MemoryFileSystem

    def empty() -> None:
        MemoryFileSystem.store.clear()
        MemoryFileSystem.pseudo_dirs[:] = [""]

    empty()
    yield "memory://bucket"
    empty()


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> Requests:
    """Every request made of a store from now on, by the address it is about."""
    made, patiently = Requests(), places.patiently

    def counting(call, place):  # type: ignore[no-untyped-def]
        made.append(str(place))
        return patiently(call, place)

    monkeypatch.setattr(places, "patiently", counting)
    return made
