"""A root that no layout recognises gets an answer about what is there, and a command that works."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from datakit.datasets import recognise
from datakit.errors import UsageError
from datakit.formats import JPEG_XL
from pipelines.cli import cli
from tests import tiny
from tests.drawing import mask, picture, write_picture


def answer(root: Path) -> str:
    """What is said of a root."""
    with pytest.raises(UsageError) as caught:
        recognise(root)
    return str(caught.value)


def tried(text: str) -> int:
    """Exit status of the command that an answer names."""
    found = re.search(r"`datakit ([^`]+)`", text)
    assert found is not None, text
    return CliRunner().invoke(cli, [*shlex.split(found[1]), "--no-duplicates"]).exit_code


def test_two_folders_of_other_names_are_found(tmp_path: Path) -> None:
    """Whatever they are called; which holds the masks is told by its name, and the command works as it stands."""
    root = tmp_path / "my set"
    for number in range(3):
        write_picture(root / "a pics" / f"{number}.jpg", picture(number))
        tiny.write_grey(root / "0 groundtruthing" / f"{number}.png", mask(number) * np.uint8(255))
    text = answer(root)
    assert "share 3 names of pictures" in text and "0 groundtruthing" in text.partition("--images")[0]
    assert tried(text) == 0


def test_a_folder_inside_that_is_recognised_is_named(tmp_path: Path) -> None:
    """With its layout, and the command works as it stands."""
    tiny.voc(tmp_path / "download" / "voc here")
    text = answer(tmp_path / "download")
    assert "Inside it: voc here/ (voc, for its" in text
    assert tried(text) == 0


def test_photos_without_masks(tmp_path: Path) -> None:
    """What is missing, and two ways on."""
    write_picture(tmp_path / "photos" / "a.jpg", picture(1))
    text = answer(tmp_path)
    assert "No mask has the name of any of 1 picture in photos/" in text
    assert "LabelMe" in text and "--mask-name" in text


def test_masks_without_photos(tmp_path: Path) -> None:
    """By the folder's name, or by what a file is."""
    tiny.write_grey(tmp_path / "named" / "masks" / "a.png", mask(1))
    assert "looks like masks" in answer(tmp_path / "named")
    bilevel = tmp_path / "typed" / "x" / "a.png"
    bilevel.parent.mkdir(parents=True)
    tiny.PillowImage.fromarray(mask(1) > 0).save(bilevel)
    assert "looks like masks" in answer(tmp_path / "typed")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("set.zip", b"PK", "set.zip is an archive: unpack it first"),
        ("clip.mp4", b"x", "clip.mp4 is a film: `datakit propagate"),
        ("train.tfrecord", b"x", "TFRecord files"),
        ("a.jxl", b"x", str(JPEG_XL)),
        ("boxes.xml", b"<annotation><object><bndbox>", "boxes as Pascal VOC's XML holds them, and no masks"),
        ("captions.json", b'{"a": 1}', "captions.json is of no kind that is read by itself"),
    ],
)
def test_other_files_are_named_as_what_they_are(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    """With the way out."""
    (tmp_path / name).write_bytes(content)
    assert said in answer(tmp_path)


def test_an_empty_folder(tmp_path: Path) -> None:
    """Is said to be one."""
    assert "holds no file" in answer(tmp_path)


def test_a_single_file(tmp_path: Path) -> None:
    """A film, a picture, anything else."""
    write_picture(tmp_path / "a.jpg", picture(1))
    for name in ("a.mp4", "a.txt"):
        (tmp_path / name).write_bytes(b"x")
    assert "one picture; give the folder" in answer(tmp_path / "a.jpg")
    assert "is a film" in answer(tmp_path / "a.mp4")
    assert "of a kind that is not read" in answer(tmp_path / "a.txt")
