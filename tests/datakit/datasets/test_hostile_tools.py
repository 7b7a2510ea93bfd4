"""Hundreds of generated bad sets of annotation tools: no crash, no silent skip, no file opened outside their root."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest

from datakit.datasets import AnyReader, ReadOptions
from datakit.errors import Problem, UsageError
from tests import tiny
from tests.datakit.datasets.test_hostile import OPENED, hooked, read_all, watched
from tests.hostile_sets import Build
from tests.hostile_tools import annotation_files, cases

__all__ = ["hooked"]  # the audit hook, a fixture of this module, too

CASES = cases()


def test_there_are_two_hundred_cases() -> None:
    """The promise."""
    assert len(CASES) >= 200


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", CASES)
def test_hostile_case(tmp_path: Path, name: str) -> None:
    """Refused as a whole with a sentence, or every file and object is a sample or a named problem."""
    judge_case(tmp_path, name, CASES[name], random.Random(name))


@pytest.mark.torture
@pytest.mark.filterwarnings("ignore")
def test_many_hostile_sets(tmp_path: Path) -> None:
    """The random ones again, with two thousand other seeds."""
    seeded = [name for name in CASES if " photo " not in name]
    for number in range(2000):
        name = seeded[number % len(seeded)]
        (tmp_path / str(number)).mkdir()
        judge_case(tmp_path / str(number), name, CASES[name], random.Random(f"{name} {number}"))


def judge_case(folder: Path, name: str, build: Build, rng: random.Random) -> None:
    """Build, read and account for one set."""
    root = folder / "set"
    tiny.write_picture(folder / "outside" / "canary.jpg", tiny.picture(5))
    build(root, rng)
    with watched():
        try:
            reader = tiny.opened("set", root, name.partition(" ")[0], options=ReadOptions(min_area=0))
        except UsageError as error:
            assert len(str(error)) > 20
            reader = None
        problems, samples = ([], []) if reader is None else read_all(reader)
    assert all(not path.startswith(str(folder)) or path.startswith(str(root)) for path in OPENED), "no escape"
    if reader is not None:
        account(root, reader, problems, samples)


def account(root: Path, reader: AnyReader, problems: list[Problem], samples: list[str]) -> None:
    """Nothing is lost: every object that was listed, every photo, every annotation file."""
    keys = Counter(key.partition("#")[0] for key in [problem.key for problem in problems] + samples)
    for record in reader.records:
        objects = record.annotation["objects"]  # more, where a second entry for the photo was refused object by object
        assert keys[record.key] == 1 or keys[record.key] >= objects, f"{record.key}: objects lost"
    places = {record.annotation["place"].partition(": ")[0] for record in reader.records}
    known = places | {record.image for record in reader.records}
    said = "\n".join(problem.detail for problem in problems)
    for path in [*annotation_files(root), *root.rglob("*.jpg")]:
        name = str(path.relative_to(root))
        is_named = name in said or f"set/{name.rpartition('.')[0]}" in keys
        assert name in known or is_named or path.parent.is_symlink(), f"{name}: lost"
