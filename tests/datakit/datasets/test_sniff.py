"""What kind of files lie in a folder, told from their first and last bytes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from datakit.datasets.sniff import COCO_ENDS, coco_files, heads, stems_in
from datakit.files import EXPORT_FORMAT, EXPORT_MANIFEST, json_text

OBJECT = {"image_id": 1, "segmentation": [[1, 1, 9, 1, 9, 9]]}
INSTANCES = {"images": [{"id": 1, "file_name": "a.jpg"}], "annotations": [OBJECT]}


def found(root: Path, document: object) -> list[str]:
    """Names of the files that are taken for COCO where one of this content lies there."""
    (root / "x.json").write_text(json.dumps(document))
    return [path.name for path, _ in coco_files(root)]


def test_instances_are_found_by_their_words(tmp_path: Path) -> None:
    """Boxes and captions have none of them."""
    assert found(tmp_path, INSTANCES) == ["x.json"]
    assert found(tmp_path, INSTANCES | {"annotations": [{"image_id": 1, "bbox": [1, 1, 9, 9]}]}) == []
    assert found(tmp_path, {"a": 1}) == []


@pytest.mark.parametrize("length", [COCO_ENDS // 2, COCO_ENDS, 3 * COCO_ENDS])
def test_the_end_of_a_file_counts_as_its_beginning_does(tmp_path: Path, length: int) -> None:
    """Whatever lies between, and however long the file is."""
    between = {"info": " " * length}
    assert found(tmp_path, {"images": INSTANCES["images"]} | between | {"annotations": [OBJECT]}) == ["x.json"]


def test_one_photos_file_of_sa_1b_is_no_list_of_photos(tmp_path: Path) -> None:
    """It has the same words, about one photo."""
    image = {"image_id": 1, "file_name": "sa_1.jpg"}
    assert found(tmp_path, {"image": image, "annotations": [{"segmentation": {}}]}) == []


def test_stems_are_names_without_one_suffix_and_without_two(tmp_path: Path) -> None:
    """Of the asked kinds alone, of the folder itself alone."""
    for name in ("a.json", "b.jpg.json", "c.txt", "d.png", "inside/e.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    assert stems_in(tmp_path, (".json", ".txt")) == {"a", "b", "b.jpg", "c"}
    assert stems_in(tmp_path / "none", (".json",)) == set()


def test_heads_come_from_the_asked_depth(tmp_path: Path) -> None:
    """Files before folders, in order of name."""
    for name in ("b.json", "a/c.json", "a/b/d.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    assert [text for _, text in heads(tmp_path, ".json", 1)] == ["b.json", "a/c.json"]


def test_the_list_of_an_export_says_nothing_of_a_source(tmp_path: Path) -> None:
    """Whatever words are in it; another file of that name does."""
    for name, form in (("ours", EXPORT_FORMAT), ("theirs", "another")):
        (tmp_path / name).mkdir()
        (tmp_path / name / EXPORT_MANIFEST).write_text(json_text({"files": [], "format": form, "size": 384}))
    assert [len(list(heads(tmp_path / name, ".json"))) for name in ("ours", "theirs")] == [0, 1]
