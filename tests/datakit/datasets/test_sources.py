"""What a user writes: labels, layouts, roots, and the guess for a bare root."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from datakit.datasets import LAYOUTS, SourceOptions, open_source, parse_source, recognise
from datakit.datasets.sources import derived_label_notice, looks_like
from datakit.errors import UsageError
from tests import tiny, tiny_tools
from tests.drawing import mask


def test_label_layout_and_root_are_told_apart() -> None:
    """All three forms, an '=' in a path, a home folder."""
    assert parse_source("ecssd=data/e") == ("ecssd", None, Path("data/e"), "ecssd", None)
    assert parse_source("val:coco=a=b.json") == ("val", "coco", Path("a=b.json"), "val", None)
    assert parse_source("data/My_Set") == ("my_set", None, Path("data/My_Set"), "", None)
    assert parse_source("/data/a=b/ecssd") == ("ecssd", None, Path("/data/a=b/ecssd"), "", None)
    assert parse_source("x/instances_val2017.json").label == "instances_val2017"
    assert parse_source("a=~/e").root == Path.home() / "e"


def test_bare_dot_takes_the_folders_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`.` is called as the folder is."""
    (tmp_path / "Photos").mkdir()
    monkeypatch.chdir(tmp_path / "Photos")
    assert parse_source(".").label == "photos"
    assert recognise(tiny.pairs(Path()))[1].startswith("Photos: taken for pairs")


@pytest.mark.parametrize(
    ("text", "label"), [("Ecssd=x", "ecssd"), ("a b=x", "a-b"), ("a#b=x", "a-b"), ("é=x", "e"), ("Мой=x", "source")]
)
def test_a_label_that_keys_cannot_hold_is_made_into_one_that_they_can(text: str, label: str) -> None:
    """And told."""
    spec = parse_source(text)
    assert spec.label == label
    assert derived_label_notice(spec) == f"{text[:-2]}: labelled {label!r}; labels hold a-z, 0-9, '_' and '-'"


def test_a_missing_label_is_refused() -> None:
    """As a missing root is."""
    with pytest.raises(UsageError, match="found no LABEL"):
        parse_source("=x")
    with pytest.raises(UsageError, match="found no ROOT"):
        parse_source("a=")


@pytest.mark.parametrize(
    ("name", "label"),
    [("my photos", "my-photos"), ("Fötös", "fotos"), ("Фото", "source"), ("a&b", "a-b"), ("v1.2", "v1-2")],
)
def test_a_label_is_derived_from_any_folder_name(name: str, label: str) -> None:
    """A bare root is no reason to refuse; what its label became is said."""
    spec = parse_source(f"data/{name}")
    assert spec.label == label
    assert derived_label_notice(spec) == f"{name}: labelled {label!r}; say LABEL=ROOT for another label"


@pytest.mark.parametrize("text", ["data/ecssd", "data/My_Set", "mine=data/my photos", "x/a.json"])
def test_a_plain_label_is_not_told(text: str) -> None:
    """Nothing was chosen."""
    assert derived_label_notice(parse_source(text)) == ""


def test_an_archive_is_to_be_unpacked_first(tmp_path: Path) -> None:
    """Named as what it is, with the way out."""
    (tmp_path / "ECSSD.zip").write_bytes(b"PK")
    with pytest.raises(UsageError, match=r"ECSSD\.zip: is an archive; unpack it first"):
        open_source(str(tmp_path / "ECSSD.zip"))
    with pytest.raises(UsageError, match="download it first, unpack it"):
        parse_source("https://example.org/ECSSD.zip")


@pytest.mark.parametrize("text", ["{0}/none", "e={0}/none", "e:ecssd={0}/none"])
def test_a_missing_root_is_said_first(tmp_path: Path, text: str) -> None:
    """Whether a layout was named or not."""
    with pytest.raises(UsageError) as caught:
        open_source(text.format(tmp_path))
    assert str(caught.value) == f"{tmp_path}/none: no such file or folder"


def test_options_say_how_a_source_is_opened(tmp_path: Path) -> None:
    """Size, limit and what listing had to say."""
    root = tiny.ecssd(tmp_path)
    (root / "ground_truth_mask" / "0003.png").unlink()
    reader = open_source(f"e={root}", SourceOptions(image_size=32, limit=1))
    assert [record.key for record in reader.records] == ["e/0001"] and len(reader.problems) == 1
    assert max(reader[0].samples[0].photo.size) == 32


def test_unknown_layout_lists_the_known() -> None:
    """A typing error is answered with the list."""
    with pytest.raises(UsageError, match=r"'ecsd'.*ecssd"):
        parse_source("a:ecsd=x")
    with pytest.raises(UsageError, match="no ROOT"):
        parse_source("a=")
    with pytest.raises(UsageError, match="no ftp:// address"):
        parse_source("a:coco=ftp://host/x.json")


@pytest.mark.parametrize("name", ["ecssd", "pascal_s", "PASCAL-S", "my-duts-tr", "sod"])
def test_folder_name_settles_common_folders(tmp_path: Path, name: str) -> None:
    """images/ + masks/ in a folder called pascal_s are PASCAL-S."""
    tiny.pairs(tmp_path / name)
    assert recognise(tmp_path / name)[0] in LAYOUTS
    assert recognise(tmp_path / name)[0] != "pairs"
    assert recognise(tiny.pairs(tmp_path / "photos"))[0] == "pairs"


def test_one_mixed_folder_is_recognised(tmp_path: Path) -> None:
    """jpg beside png of one name."""
    tiny.pair(tmp_path / "mixed", tmp_path / "mixed", "a", 1)
    assert recognise(tmp_path / "mixed")[0] == "pairs" and len(tiny.opened("m", tmp_path / "mixed")) == 1


def test_class_folders_of_pairs_are_fss(tmp_path: Path) -> None:
    """fewshot_data itself as root."""
    assert recognise(tiny.fss_1000(tmp_path) / "fewshot_data")[0] == "fss-1000"
    assert len(tiny.opened("f", tmp_path / "fewshot_data")) == 4


def test_coco_root_with_one_file_is_opened(tmp_path: Path) -> None:
    """With two files the user says which."""
    file = tiny.coco(tmp_path)
    assert recognise(tmp_path)[0] == "coco" and len(tiny.opened("c", tmp_path)) == 3
    file.with_name("instances_train2017.json").write_bytes(file.read_bytes())
    with pytest.raises(UsageError, match=r"instances_train2017\.json, .*instances_val2017\.json"):
        tiny.opened("c", tmp_path)


def test_unknown_folder_lists_layouts_and_contents(tmp_path: Path) -> None:
    """The message holds what is known and what was found."""
    (tmp_path / "stuff").mkdir()
    (tmp_path / "stuff" / "a.txt").write_text("x")
    with pytest.raises(UsageError, match=r"(?s)Found: stuff/ \(1 \.txt\).*msra10k"):
        recognise(tmp_path)
    with pytest.raises(UsageError, match="no such file or folder"):
        tiny.opened("x", tmp_path / "none")


def test_pascal_voc_xml_is_not_taken_for_videos(tmp_path: Path) -> None:
    """JPEGImages + Annotations of a detection set hold no mask; that is said."""
    root = tiny.voc(tmp_path)
    (root / "SegmentationObject").rename(root / "x")
    with pytest.raises(UsageError, match="no pictures with masks"):
        tiny.opened("v", root)


def test_every_layout_cites_its_source() -> None:
    """A layout says how the official archive lies."""
    assert all(len(layout.source) > 60 for layout in LAYOUTS.values())


def test_folders_of_another_layout_are_told(tmp_path: Path) -> None:
    """Many repack sets so; the layout that was named is taken, and the other is said."""
    root = tmp_path / "mine"
    for folder in ("images", "masks"):
        (root / folder).mkdir(parents=True)
    told = looks_like(parse_source(f"mine:ecssd={root}"))
    assert told == "mine: read as ecssd, as you say; it looks like pairs, for its images/ and masks/"
    assert looks_like(parse_source(f"mine:pairs={root}")) == ""
    assert looks_like(parse_source(f"mine={root}")) == ""
    assert looks_like(parse_source(f"mine:ecssd={root.rename(tmp_path / 'ECSSD')}")) == ""


@pytest.mark.parametrize("draw", [tiny_tools.labelme, tiny_tools.cvat, tiny_tools.yolo])
def test_annotation_files_are_recognised_where_photos_lie_elsewhere(tmp_path: Path, draw: Any) -> None:
    """As they are without --images, and told."""
    root, photos = draw(tmp_path / "set"), tmp_path / "photos"
    layout = recognise(root)[0]
    photos.mkdir()
    for file in sorted(root.rglob("*.jpg")):
        file.rename(photos / file.name)
    assert recognise(root, None, photos)[0] == layout
    reader = tiny.opened("m", root, images=photos)
    assert reader.layout == layout and len(reader) == 3


def test_annotation_files_beside_the_photos_may_have_them_named(tmp_path: Path) -> None:
    """--images of the very folder changes nothing."""
    root = tiny_tools.labelme(tmp_path / "set")
    assert recognise(root, None, root)[0] == recognise(root)[0] == "labelme"


def test_masks_of_the_named_photos_go_before_annotation_files_beside_them(tmp_path: Path) -> None:
    """A folder of masks may hold a file of outlines, too."""
    root, photos = tiny_tools.labelme(tmp_path / "set"), tmp_path / "photos"
    photos.mkdir()
    for file in sorted(root.glob("*.jpg")):
        file.rename(photos / file.name)
        tiny.write_grey(root / f"{file.stem}.png", mask(1) * np.uint8(255))
    assert recognise(root, None, photos) == ("pairs", "set: taken for pairs, for --images")
    assert tiny.opened("m", root, images=photos).layout == "pairs"
