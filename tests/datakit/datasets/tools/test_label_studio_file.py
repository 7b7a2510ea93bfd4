"""Which annotation of a task counts, and which photo its data means."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from datakit.datasets.json_files import Broken
from datakit.datasets.tools.label_studio_file import photo_names, read_tasks, regions_of, task_of
from tests.tiny_tools import studio_region, studio_task


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("/data/upload/1/0a1b2c3d-a%20b.jpg", "data/upload/1/a b.jpg"),
        ("/data/local-files/?d=shots/day%201/a.jpg", "shots/day 1/a.jpg"),
        ("https://host.example/x/a.jpg?sig=%2Fno.jpg#top", "x/a.jpg"),
        ("s3://bucket/x/a.jpg", "x/a.jpg"),
        ("C:\\photos\\a.jpg", "C:\\photos\\a.jpg"),
        ("shots/50% of a?.jpg", "shots/50% of a?.jpg"),
        ("http://[broken/a.jpg", "http://[broken/a.jpg"),
    ],
)
def test_an_address_is_read_as_a_path(address: str, name: str) -> None:
    """With and without the prefix of an upload, whole and its end alone."""
    assert name in photo_names(studio_task(address, []))


def test_the_name_of_the_upload_is_tried_too() -> None:
    """It is kept where the address was changed."""
    assert "a.jpg" in photo_names(studio_task("https://host.example/image/17", [], file_upload="0a1b2c3d-a.jpg"))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"photo": "a.jpg", "text": "of a dog.", "url": "https://host.example/page"}, "a.jpg"),
        ({"before": "a.jpg", "image": "b.jpg"}, "b.jpg"),
        ({"before": "a.jpg", "after": "b.jpg"}, None),
        ({"text": "nothing", "n": 5, "image": None}, None),
        ({"images": ["a.jpg", "b.jpg"]}, None),
        ({}, None),
    ],
)
def test_the_photo_is_what_looks_like_one(data: dict[str, Any], expected: str | None) -> None:
    """Or is called `image`; of several, none."""
    assert next(iter(photo_names({"data": data})), None) == expected


def annotation(number: int, **more: Any) -> dict[str, Any]:
    """An annotation of one region, whose label is the number."""
    region = studio_region("a", x=1, y=1, width=9, height=9)
    region["value"]["labels"] = [str(number)]
    return {"id": number, "result": [region], **more}


@pytest.mark.parametrize(
    ("annotations", "counts"),
    [
        ([annotation(1), annotation(2)], "2"),
        ([annotation(1, created_at="2026-02-01"), annotation(2, created_at="2026-01-01")], "1"),
        ([annotation(1, ground_truth=True), annotation(2, created_at="2026-01-01")], "1"),
        ([annotation(1), annotation(2, was_cancelled=True)], "1"),
        ([annotation(1, skipped=True), annotation(2)], "2"),
    ],
)
def test_one_annotation_counts(annotations: list[Any], counts: str) -> None:
    """The one marked as ground truth, else the last one that was not skipped; the others' regions say why not."""
    first, *others = regions_of({"annotations": annotations, "data": {}})
    assert (first.label, first.why) == (counts, "") and len(others) == 1 and all(each.why for each in others)
    assert [each.number for each in (first, *others)] == [1, 2]


def test_where_all_were_skipped_none_counts() -> None:
    """Nor does a draft or a prediction."""
    task = {
        "annotations": [annotation(1, was_cancelled=True)],
        "drafts": [annotation(2)],
        "predictions": [annotation(3)],
    }
    assert [bool(each.why) for each in regions_of(task)] == [True, True, True]


@pytest.mark.parametrize(
    "odd", [None, [], [{"value": {}}], [{"type": "relation", "from_id": "a"}], [{"value": {"choices": ["x"]}}]]
)
def test_what_is_no_region_is_none(odd: Any) -> None:
    """Relations, choices and texts of the whole photo, and nothing."""
    assert regions_of({"annotations": [{"result": odd}], "predictions": [{"result": odd}], "data": {}}) == []
    assert regions_of({"annotations": [], "predictions": None, "drafts": []}) == []


@pytest.mark.parametrize("odd", [5, "x", [None], [{"value": 3}], {"a": 1}, [[1, 2]]])
def test_damage_among_regions_is_a_region(odd: Any) -> None:
    """So that it has a name in messages; the others are read."""
    assert [each.kind for each in regions_of({"annotations": [{"result": odd}]})] == ["damaged"]
    regions = regions_of({"annotations": [{"result": [odd, studio_region("a", x=1, y=1, width=9, height=9)]}]})
    assert [each.kind for each in regions] == ["damaged", "rectangle"]


@pytest.mark.parametrize("key", ["annotations", "completions", "predictions", "drafts"])
@pytest.mark.parametrize("odd", [5, "x", [None], [[1, 2]]])
def test_damage_among_annotations_is_a_region(key: str, odd: Any) -> None:
    """As above."""
    assert [each.kind for each in regions_of({key: odd})] == ["damaged"]


def test_a_region_without_its_outline_is_one_all_the_same() -> None:
    """Its type says what it is."""
    (region,) = regions_of({"annotations": [{"result": [{"type": "polygonlabels", "value": {"closed": True}}]}]})
    assert (region.kind, region.value) == ("polygon", {"closed": True})


def test_tasks_are_read_in_their_three_forms(tmp_path: Path) -> None:
    """A list, one task, and the file of a target storage, whose task lies inside the annotation."""
    task = studio_task("a.jpg", [studio_region("a", x=1, y=1, width=9, height=9)], id=7)
    stored = {**task["annotations"][0], "task": {"id": 7, "data": {"image": "a.jpg"}}}
    path = tmp_path / "a.json"
    for form in ([task], task, stored):
        path.write_text(json.dumps(form))
        (only,) = read_tasks(path)
        assert (only.own, only.names, only.regions) == (7, ("a.jpg",), 1)
        assert len(regions_of(task_of(json.loads(path.read_bytes()[only.start :][: only.length])))) == 1


@pytest.mark.parametrize("text", ["{}", "[]", "[5]", '[{"data": []}]', '{"images": []}', '"x"', "null"])
def test_other_json_is_a_stray(tmp_path: Path, text: str) -> None:
    """And no damage."""
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(Broken, match="no tasks") as caught:
        read_tasks(tmp_path / "a.json")
    assert not caught.value.is_damage
