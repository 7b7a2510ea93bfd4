"""Parts of a JSON list are those that `json` finds, each where its bytes say."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datakit.datasets.json_files import Broken
from datakit.datasets.tools.json_parts import parts_of, read_part

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)

HALVES = r'["\ud800", "\ud83d\ude00", "b"]'


def written(folder: Path, text: str | bytes) -> Path:
    """A file that holds this."""
    path = folder / "a.json"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


@settings(max_examples=60)
@given(values=st.lists(VALUES, max_size=4), is_ascii=st.booleans(), indent=st.sampled_from([None, 0, 3]))
def test_every_part_can_be_read_again_alone(
    tmp_path_factory: pytest.TempPathFactory, values: list[Any], is_ascii: bool, indent: int | None
) -> None:
    """Whatever characters stand before it."""
    path = written(tmp_path_factory.mktemp("parts"), json.dumps(values, ensure_ascii=is_ascii, indent=indent))
    parts = list(parts_of(path))
    assert [part.value for part in parts] == values
    assert [json.loads(read_part(path, part.start, part.length)) for part in parts] == values


@pytest.mark.parametrize("form", ["{}", " \n{}\n", "\ufeff{}", "\ufeff [{} ] "])
def test_a_value_that_is_no_list_is_one_part(tmp_path: Path, form: str) -> None:
    """With a byte order mark or without."""
    path = written(tmp_path, form.replace("{}", '{"a": [1, 2]}'))
    (part,) = parts_of(path)
    assert part.value == {"a": [1, 2]} == json.loads(read_part(path, part.start, part.length))


BROKEN = ("", " ", "[", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "[1]]", "[1] x", "1 2", "{", '["', "[" * 100_000, "\0")


@pytest.mark.parametrize("text", BROKEN, ids=[repr(text[:9]) for text in BROKEN])
def test_what_is_no_json_is_damage(tmp_path: Path, text: str) -> None:
    """As `json` says, too."""
    with pytest.raises((ValueError, RecursionError)):
        json.loads(text.encode())
    with pytest.raises(Broken, match="cannot be read as JSON") as caught:
        list(parts_of(written(tmp_path, text)))
    assert caught.value.is_damage


def test_half_characters_become_question_marks(tmp_path: Path) -> None:
    """So that they can be written down again; the places stay those of the file."""
    path = written(tmp_path, HALVES)
    parts = list(parts_of(path))
    assert [part.value for part in parts] == ["?", "😀", "b"] and read_part(path, *parts[2][1:]) == b'"b"'


def test_other_encodings_are_refused_with_the_way_out(tmp_path: Path) -> None:
    """JSON is UTF-8 on disk; places in another would not be those of its bytes."""
    with pytest.raises(Broken, match="not in UTF-8; save it so"):
        list(parts_of(written(tmp_path, '["a"]'.encode("utf-16"))))
    with pytest.raises(Broken, match="cannot be read as JSON"):
        list(parts_of(written(tmp_path, b'["\xff"]')))


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    """It is no regular file; nor is one that went away."""
    os.mkfifo(tmp_path / "a.json")
    with pytest.raises(Broken, match="not a regular file"):
        list(parts_of(tmp_path / "a.json"))
    with pytest.raises(Broken, match="cannot be read"):
        read_part(tmp_path / "gone.json", 0, 1)
