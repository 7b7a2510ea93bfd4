"""Every layout, built as its archive lies, and every view of it keep the contract of a reader."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from datakit.datasets import LAYOUTS, Concat, MinArea, ReadOptions, Resize, Subset, recognise
from datakit.errors import ItemError
from tests import tiny
from tests.contracts import check_reader

DATA = os.environ.get("DATAKIT_TEST_DATA", "")
with_data = pytest.mark.skipif(not DATA, reason="DATAKIT_TEST_DATA is not set")


def tree_of(name: str, folder: Path) -> Path:
    """The official tree of a layout in miniature; every layout of the package has one in `tests.tiny`."""
    assert name in tiny.LAYOUTS, f"layout {name}: add a function that writes its tree to tests.tiny.LAYOUTS"
    return tiny.LAYOUTS[name](folder)


@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize("objects", ["each", "merged"])
def test_reader_keeps_the_contract(tmp_path: Path, name: str, objects: str) -> None:
    """Each layout on its official tree, named."""
    reader = tiny.opened("set", tree_of(name, tmp_path), name, options=ReadOptions(objects=objects, min_area=0))
    assert reader.layout == name and reader.label == "set"
    check_reader(reader)
    assert all(reader[index].samples for index in range(len(reader)))


@pytest.mark.parametrize("name", LAYOUTS)
def test_layout_is_recognised(tmp_path: Path, name: str) -> None:
    """A bare root of each official tree is recognised, and the sentence names the layout."""
    root = tree_of(name, tmp_path / "data")
    expected = {"msra10k": "msra10k", "sod": "pairs"}.get(name, name)  # Images/ + Masks/ are nobody's own
    layout, why = recognise(root)
    assert layout == expected and layout in why


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_tree_that_a_layout_shows_is_the_one_it_reads(tmp_path: Path, name: str) -> None:
    """Every pattern has files in the official tree, and every picture that is read fits one of them."""
    root = tree_of(name, tmp_path)
    folder = root if root.is_dir() else root.parent.parent
    files = {pattern: set(folder.glob(pattern)) for pattern in LAYOUTS[name].tree}
    assert all(files.values()), files
    reader = tiny.opened("set", root, name)
    assert {reader.images / record.image for record in reader.records} <= set().union(*files.values())


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_layout_is_not_sure_of_an_empty_folder(tmp_path: Path, name: str) -> None:
    """Nor does it fail there: a layout that is asked about a foreign root says no."""
    assert LAYOUTS[name].match(tmp_path) is None
    (tmp_path / "readme.txt").write_text("nothing here")
    assert LAYOUTS[name].match(tmp_path) is None and LAYOUTS[name].match(tmp_path / "readme.txt") is None


def views(tmp_path: Path) -> dict[str, object]:
    """Each view over small sets."""
    coco = tiny.opened("coco", tiny.coco(tmp_path / "c"), options=ReadOptions(min_area=0))
    ecssd = tiny.opened("ecssd", tiny.ecssd(tmp_path / "e"))
    broken = tmp_path / "e" / "images" / "0002.jpg"
    broken.write_bytes(broken.read_bytes()[:-9])
    return {
        "subset": Subset(ecssd, [2, 0]),
        "min area": MinArea(coco, 100),
        "resize": Resize(coco, 32, "jpeg:90"),
        "concat": Concat([ecssd, coco]),
        "stack": Resize(MinArea(Subset(Concat([coco, ecssd]), [0, 2, 3, 5]), 100), 40),
    }


@pytest.mark.parametrize("name", ["subset", "min area", "resize", "concat", "stack"])
def test_view_keeps_the_contract(tmp_path: Path, name: str) -> None:
    """Each view, alone and stacked, over sets of which one photo is damaged."""
    check_reader(views(tmp_path)[name])


@with_data
@pytest.mark.parametrize(("folder", "photos", "empty"), [("ecssd", 601, 0), ("pascal_s", 401, 2)])
def test_real_saliency_sets_add_up(folder: str, photos: int, empty: int) -> None:
    """Every photo is a sample or a named problem; PASCAL-S 408 and 424 are empty above 127."""
    reader = tiny.opened(folder, Path(DATA) / folder)
    scenes = [reader[index] for index in range(len(reader))]
    problems = [problem for scene in scenes for problem in scene.problems]
    assert len(reader) == photos and reader.problems == ()
    assert [problem.reason for problem in problems] == ["empty mask"] * empty
    assert sum(len(scene.samples) for scene in scenes) == photos - empty
    if empty:
        assert [problem.key for problem in problems] == ["pascal_s/408", "pascal_s/424"]


@with_data
@pytest.mark.parametrize(("split", "annotations", "crowds"), [("train", 705, 6), ("val", 815, 11)])
def test_real_coco_adds_up(split: str, annotations: int, crowds: int) -> None:
    """Samples and problems are as many as annotations; with crowds and no minimum area all are samples."""
    file = Path(DATA) / f"coco_tiny/annotations/instances_{split}2017.json"
    reader = tiny.opened(split, file)
    scenes = [reader[index] for index in range(len(reader))]
    problems = [problem for scene in scenes for problem in scene.problems]
    assert len(reader) == 80 and sum(problem.reason == "crowd" for problem in problems) == crowds
    assert sum(len(scene.samples) for scene in scenes) + len(problems) == annotations
    assert {problem.kind for problem in problems} == {"left-out"}


@with_data
def test_real_davis_is_read_as_stills() -> None:
    """607 frames of ten sequences, one object each."""
    reader = tiny.opened("davis", Path(DATA) / "davis2016")
    assert len(reader) == 607 and reader.layout == "videos"
    assert all(len(reader[index].samples) == 1 for index in range(0, 607, 50))


@with_data
def test_real_photos_keep_their_bytes() -> None:
    """Nothing in ECSSD needs normalising, its grey JPEG included."""
    reader = tiny.opened("ecssd", Path(DATA) / "ecssd")
    for index in [*range(0, 601, 60), next(i for i, record in enumerate(reader.records) if "0557" in record.key)]:
        try:
            photo = reader[index].samples[0].photo
        except ItemError as error:
            pytest.fail(str(error))
        assert photo.normalised == "" and photo.encoded == (reader.images / reader.records[index].image).read_bytes()
