"""Sources at an address: the same photos, masks and problems as on a disk, in few requests."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from datakit.datasets import LAYOUTS, ReadOptions, SourceOptions, SourceSpec, open_source, recognise
from tests import tiny
from tests.contracts import check_reader, scene_or_error
from tests.stores import copied, memory, requests

__all__ = ["memory", "requests"]
WHOLE = SourceOptions(ReadOptions(min_area=0))


def told(reader: Any, root: str) -> tuple[Any, ...]:
    """Everything a reader says, with its own root cut out of messages."""
    problems = [replace(each, detail=each.detail.replace(root, "ROOT")) for each in reader.problems]
    scenes = [scene_or_error(reader, index) for index in range(len(reader))]
    return reader.layout, list(reader.records), problems, scenes


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_source_in_a_store_is_read_as_on_a_disk(tmp_path: Path, memory: str, name: str) -> None:
    """Of every layout the official tree: recognised alike, the same records, problems and scenes."""
    root = tiny.LAYOUTS[name](tmp_path / "data")
    place = copied(root, f"{memory}/data")
    assert recognise(place) == recognise(root)
    here, there = (open_source(SourceSpec("set", name, each), WHOLE) for each in (root, place))
    assert told(there, str(place)) == told(here, str(root))
    check_reader(there)
