"""The names of classes in the small files beside a YOLO set."""

from __future__ import annotations

from pathlib import Path

import pytest

from datakit.datasets.tools.yolo_settings import class_names, has_key_points, names_of_yaml


@pytest.mark.parametrize(
    "names",
    [
        "names: [dog, 'big cat', \"it's\"]",
        "names: ['dog', 'big cat', it's]",
        "names: {0: dog, 1: big cat, 2: it's}",
        "names:\n- dog\n- big cat\n- it's\n",
        "names:\n  - dog  # a comment\n  - 'big cat'\n\n  # between\n  - it's\n",
        'names:\n  0: dog\n  1: big cat\n  2: "it\'s"\n',
        "names : \n    0: dog\n    1: big cat\n    2: it's\nroboflow:\n  3: no name\n",
    ],
)
def test_names_are_read_however_they_are_written(names: str) -> None:
    """Lists and dicts, in one line or many."""
    assert names_of_yaml(f"path: ../set\ntrain: images/train\nnc: 3\n{names}\n") == {0: "dog", 1: "big cat", 2: "it's"}


@pytest.mark.parametrize(
    "text", ["", "names:", "names: []", "names: dog.txt", "class_names: [a]", "names: [", "\0" * 9]
)
def test_a_file_without_names_gives_none(text: str) -> None:
    """None of these is worth a word: names are for messages only."""
    assert names_of_yaml(text) == {}


def test_classes_txt_stands_in_for_a_yaml(tmp_path: Path) -> None:
    """As Label Studio and labelImg write it, a name a line."""
    (tmp_path / "classes.txt").write_text("dog\nbig cat\n")
    assert class_names(tmp_path, ["classes.txt", "labels/a.txt"]) == {0: "dog", 1: "big cat"}
    (tmp_path / "data.yaml").write_text("names: [one]")
    assert class_names(tmp_path, ["classes.txt", "data.yaml"]) == {0: "one"}


def test_a_huge_or_unreadable_file_is_passed_over(tmp_path: Path) -> None:
    """Only the first megabyte could matter, and such a file is none of theirs."""
    (tmp_path / "a.yaml").write_text("names: [dog]\n" + "#" * (1 << 20))
    (tmp_path / "b.yaml").mkdir()
    assert class_names(tmp_path, ["a.yaml", "b.yaml", "gone.yml"]) == {}


def test_key_points_are_seen_in_the_yaml(tmp_path: Path) -> None:
    """By the key that says how many there are."""
    (tmp_path / "data.yaml").write_text("names: [dog]\nkpt_shape: [17, 3]\n")
    assert has_key_points(tmp_path, ["data.yaml"]) and not has_key_points(tmp_path, ["sub/data.yaml"])


def test_names_of_a_long_file_are_read_in_linear_time() -> None:
    """Whatever a megabyte of text holds, nothing is tried over and over."""
    long = (
        "names:\n" + " \n" * 200_000,
        "names:\n" + "-\t" * 200_000,
        "names: [" + "a" * 400_000,
        "names: [a%s#]" % (" " * 400_000),
    )
    for text in long:
        assert len(names_of_yaml(text)) < 2
