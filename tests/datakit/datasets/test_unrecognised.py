"""A root that no layout recognises gets an answer about what is there, and a command that works."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from datakit.datasets import recognise
from datakit.errors import UsageError
from datakit.formats import JPEG_XL
from pipelines.cli import cli
from tests import tiny, tiny_tools
from tests.drawing import SIZE, mask, picture, write_picture


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


@pytest.mark.parametrize("draw", [tiny_tools.supervisely, tiny_tools.yolo])
def test_a_set_two_folders_below_is_named(tmp_path: Path, draw: Any) -> None:
    """Whatever it is, and the command works as it stands."""
    draw(tmp_path / "high" / "my download" / "set")
    text = answer(tmp_path / "high")
    assert "Inside it: my download/" in text and "draw them" not in text
    assert tried(text) == 0


def split(root: Path, draw: Any, photos: str, *, notes: str = "") -> Path:
    """A set of a tool whose photos lie in a folder of their own, and its files too."""
    draw(root / notes)
    (root / photos).mkdir(parents=True)
    for file in sorted((root / notes).glob("*.jpg")):
        file.rename(root / photos / file.name)
    return root


def coco(root: Path) -> None:
    """A COCO file of a name of its own, with photos beside it."""
    images = [{"id": n, "file_name": f"{n}.jpg", "height": SIZE[0], "width": SIZE[1]} for n in (1, 2)]
    outline = [[8, 10, 30, 10, 30, 40, 8, 40]]
    objects = [{"id": n, "image_id": n, "segmentation": outline, "category_id": 1, "iscrowd": 0} for n in (1, 2)]
    for image in images:
        write_picture(root / str(image["file_name"]), picture(1))
    (root / "set.json").write_text(json.dumps({"images": images, "annotations": objects}))


@pytest.mark.parametrize("photos", ["images", "train/images"])
@pytest.mark.parametrize("draw", [tiny_tools.labelme, coco])
def test_of_a_folder_of_photos_the_set_above_is_named(tmp_path: Path, draw: Any, photos: str) -> None:
    """By files of the same names, or that name its photos; the command works as it stands."""
    text = answer(split(tmp_path / "my set", draw, photos) / photos)
    assert "a folder of pictures alone" in text and "draw them" not in text
    assert shlex.quote(str(tmp_path / "my set")) in text
    assert tried(text) == 0


@pytest.mark.parametrize(("photos", "notes"), [("train/images", "train/labels"), ("images/train", "labels/train")])
def test_of_yolos_photos_the_set_above_is_named(tmp_path: Path, photos: str, notes: str) -> None:
    """In both of its trees."""
    (tmp_path / "once").mkdir()
    made = tiny_tools.yolo(tmp_path / "once")
    for file in sorted([*made.rglob("*.jpg"), *made.rglob("0*.txt")]):
        target = tmp_path / "set" / (photos if file.suffix == ".jpg" else notes) / file.name
        target.parent.mkdir(parents=True, exist_ok=True)
        file.rename(target)
    text = answer(tmp_path / "set" / photos)
    assert (
        f"in {Path(notes).relative_to('train') if photos.startswith('train') else notes}/ of the folder above" in text
    )
    assert "(yolo, for the outlines in" in text and tried(text) == 0


def test_a_folder_of_photos_without_a_set_above_is_told_to_draw(tmp_path: Path) -> None:
    """Another set beside it is none of its own."""
    write_picture(tmp_path / "photos" / "a.jpg", picture(1))
    tiny_tools.labelme(tmp_path / "other")
    assert "draw them" in answer(tmp_path / "photos")


def test_coco_far_below_is_named_by_its_file(tmp_path: Path) -> None:
    """Nobody is told to draw what is drawn, and the command works as it stands."""
    coco(tmp_path / "a" / "b" / "c d" / "e" / "f")
    text = answer(tmp_path)
    assert f"{Path('a/b/c d/e/f/set.json')} is COCO" in text and "draw them" not in text
    assert tried(text) == 0


def test_vias_csv_is_to_be_exported_as_json(tmp_path: Path) -> None:
    """Beside photos, and by itself."""
    write_picture(tmp_path / "photos" / "a.jpg", picture(1))
    (tmp_path / "via.csv").write_text(
        "filename,file_size,file_attributes,region_count,region_id,region_shape_attributes\n"
    )
    text = answer(tmp_path)
    assert "via.csv is VIA's CSV" in text and "as JSON instead" in text and "draw them" not in text
    assert "It is VIA's CSV" in answer(tmp_path / "via.csv")
    (tmp_path / "via.csv").write_text("a,b\n")
    assert "draw them" in answer(tmp_path) and "VIA" not in answer(tmp_path / "via.csv")


def test_label_studios_png_is_to_be_exported_as_json(tmp_path: Path) -> None:
    """Its names say the task, not the photo."""
    write_picture(tmp_path / "photos" / "a.jpg", picture(1))
    tiny.write_grey(tmp_path / "out" / "task-1-annotation-1-by-1-tag-thing-0.png", mask(1))
    text = answer(tmp_path)
    assert "out/ holds masks as Label Studio exports them" in text and "as JSON instead" in text
    assert "draw them" not in text


def test_settings_of_yolo_lead_to_their_folder(tmp_path: Path) -> None:
    """The command works as it stands; other settings are of no kind that is read."""
    root = tiny_tools.yolo(tmp_path / "my set")
    (root / "data.yaml").write_text("path: .\ntrain: images\nnames:\n  0: dog\n")
    text = answer(root / "data.yaml")
    assert "give the set's folder" in text and tried(text) == 0
    (root / "other.yaml").write_text("a: 1\n")
    assert "of a kind that is not read" in answer(root / "other.yaml")


def test_a_folder_of_documents_is_told_that_there_is_no_photo(tmp_path: Path) -> None:
    """With what to give instead."""
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "report.pdf").write_bytes(b"x")
    assert "There is no photo in it; give the folder that holds photos and their masks" in answer(tmp_path)
