"""Hundreds of generated bad sets, each judged alike: no crash, no silent skip, no file opened outside its root."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import pytest

from datakit.datasets import ReadOptions
from datakit.errors import ItemError, Problem, UsageError
from datakit.files import canonical_json
from datakit.transforms import PRESETS
from datakit.triples import make_triples
from tests import tiny
from tests.contracts import check_problems, check_scene
from tests.hostile_sets import Build, cases

SECONDS = 20  # a case that takes longer hangs
OPENED: list[str] = []  # every path opened while WATCHING
WATCHING: list[bool] = []


def note(event: str, arguments: tuple[Any, ...]) -> None:
    """Audit hook: what is opened or listed."""
    if WATCHING and event in ("open", "os.scandir", "os.listdir") and isinstance(arguments[0], str | bytes | Path):
        OPENED.append(os.path.realpath(os.fsdecode(arguments[0])))


@pytest.fixture(scope="module", autouse=True)
def hooked() -> None:
    """Audit hooks stay for good, so one is enough."""
    sys.addaudithook(note)


@contextlib.contextmanager
def watched() -> Iterator[None]:
    """Inside, opened paths are noted, and whoever waits for ever is interrupted."""

    def hangs(_number: int, _frame: Any) -> None:
        raise AssertionError(f"still not done after {SECONDS} s")

    before = signal.signal(signal.SIGALRM, hangs)
    OPENED.clear()
    WATCHING.append(True)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        WATCHING.clear()
        signal.signal(signal.SIGALRM, before)


CASES = cases()


def test_there_are_hundreds_of_cases() -> None:
    """The promise is two hundred."""
    assert len(CASES) >= 200


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", CASES)
def test_hostile_case(tmp_path: Path, name: str) -> None:
    """Refused as a whole with a sentence, or every file and annotation is a sample or a named problem."""
    judge_case(tmp_path, CASES[name], random.Random(name))


@pytest.mark.torture
@pytest.mark.filterwarnings("ignore")
def test_many_hostile_documents_and_files(tmp_path: Path) -> None:
    """The random ones again, with four thousand other seeds."""
    seeded = [name for name in CASES if name.split()[0] in ("images", "masks", "document")]
    for number in range(4000):
        name = seeded[number % len(seeded)]
        folder = tmp_path / str(number)
        folder.mkdir()
        judge_case(folder, CASES[name], random.Random(f"{name} {number}"))


def judge_case(folder: Path, build: Build, rng: random.Random) -> None:
    root = folder / "set"
    tiny.write_picture(folder / "outside" / "canary.jpg", tiny.picture(5))
    build(root, rng)
    options = ReadOptions(min_area=0, crowds=rng.random() < 0.5)
    with watched():
        try:
            reader = tiny.opened("set", root, options=options)
        except UsageError as error:
            assert len(str(error)) > 20
            reader = None
        problems, samples = ([], []) if reader is None else read_all(reader)
    assert all(not path.startswith(str(folder)) or path.startswith(str(root)) for path in OPENED), "no escape"
    assert "/etc/passwd" not in OPENED
    if reader is not None:
        account(root, reader, problems, samples)


def read_all(reader: Any) -> tuple[list[Problem], list[str]]:
    """All problems and sample keys, each scene held to the contract; what a build does with them works."""
    problems, samples = list(reader.problems), []
    for index, record in enumerate(reader.records):
        canonical_json(record).encode()
        try:
            scene = reader[index]
        except ItemError as error:
            problems.append(error.problem)
            continue
        problems += scene.problems
        samples += [sample.key for sample in scene.samples]
        check_scene(reader, index, record.key)
        for sample in scene.samples[:1]:
            (triple, *_) = make_triples(sample, PRESETS["masktrack"], 0)
            assert triple.target.any() and cv2.countNonZero(triple.guide) >= 0
    check_problems([problem for problem in problems if " /" not in problem.detail])
    for problem in problems:
        json.dumps(problem.key + problem.detail, ensure_ascii=False).encode()
    return problems, samples


def account(root: Path, reader: Any, problems: list[Problem], samples: list[str]) -> None:
    """Nothing is lost: every record, every file of the set's folders, every annotation."""
    keys = [problem.key for problem in problems] + samples
    for record in reader.records:
        assert any(key.partition("#")[0] == record.key for key in keys), f"{record.key}: lost"
    used = {record.image for record in reader.records}
    said = "\n".join(problem.detail for problem in problems)
    if reader.layout == "coco":
        document = json.loads((root / "annotations/instances_val2017.json").read_bytes())
        by_annotation = [key for key in keys if "#" in key or "/annotation-" in key]
        assert len(by_annotation) == len(document["annotations"]), "every annotation is one item"
        folders = [(root / "val2017", "")]
        names = {str(each.get("file_name")) for each in document["images"] if isinstance(each, dict)}
        used |= {str(Path(name)) for name in names if "\0" not in name}
    else:
        used |= {record.annotation[0] for record in reader.records}
        folders = [(root / "images", "images/"), (root / "masks", "masks/")]
    for folder, prefix in folders:
        for path in files_below(folder):
            raw = prefix + str(path.relative_to(folder))
            shown = raw.encode("utf-8", "backslashreplace").decode()
            parents = [prefix + str(parent) for parent in path.relative_to(folder).parents][:-1]
            assert raw in used or shown in said or any(f"{parent}:" in said for parent in parents), f"{shown}: lost"


def files_below(folder: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder):
        linked = [name for name in folders if (Path(parent) / name).is_symlink() and name != "linked"]
        yield from (Path(parent) / name for name in [*files, *linked])
