"""Sources at an address: the same photos, masks and problems as on a disk, in few requests."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from datakit import places
from datakit.datasets import LAYOUTS, ReadOptions, SourceOptions, SourceSpec, open_source, parse_source, recognise
from datakit.datasets.listing_file import open_listing, write_listing
from datakit.datasets.own_table import open_own_table
from datakit.datasets.pairs import PairsReader
from datakit.datasets.records import Record
from datakit.datasets.views import in_turn
from datakit.errors import DatakitError, ItemError, UsageError
from datakit.places import Place, place_of
from tests import tiny
from tests.contracts import check_reader, scene_or_error
from tests.made_sources import coco_file, label_pictures
from tests.s3 import Bucket
from tests.stores import copied, failing, requests, web_server

__all__ = ["requests"]
WHOLE = SourceOptions(ReadOptions(min_area=0))


def told(reader: Any, root: str) -> tuple[Any, ...]:
    """Everything a reader says, with its own root cut out of messages."""
    problems = [replace(each, detail=each.detail.replace(root, "ROOT")) for each in reader.problems]
    scenes = [scene_or_error(reader, index) for index in range(len(reader))]
    return reader.layout, list(reader.records), problems, scenes


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_source_in_a_store_is_read_as_on_a_disk(tmp_path: Path, memory: Place, name: str) -> None:
    """Of every layout the official tree: recognised alike, the same records, problems and scenes."""
    root = tiny.LAYOUTS[name](tmp_path / "data")
    place = copied(root, memory)
    assert recognise(place) == recognise(root)
    here, there = (open_source(SourceSpec("set", name, each), WHOLE) for each in (root, place))
    assert told(there, str(place)) == told(here, str(root))
    check_reader(there)


@pytest.mark.parametrize("name", ["ecssd", "coco", "cityscapes", "yolo", "label-studio"])
def test_a_source_in_a_bucket_is_read_as_on_a_disk(tmp_path: Path, bucket: Bucket, name: str) -> None:
    """The same of S3, where folders are but beginnings of names."""
    root = tiny.LAYOUTS[name](tmp_path / "data")
    place = copied(root, bucket.place("sets"))
    here, there = (open_source(SourceSpec("set", None, each), WHOLE) for each in (root, place))
    assert told(there, str(place)) == told(here, str(root))


def test_own_folders_with_faults_are_read_as_on_a_disk(tmp_path: Path, memory: Place) -> None:
    """Photos of many codings, some damaged, without mask, hidden or of no kind that is read."""
    root = tmp_path / "mine"
    label_pictures(root, 5, 8)
    photos = sorted((root / "images").iterdir())
    photos[0].write_bytes(photos[0].read_bytes()[:-20])
    photos[1].write_bytes(b"")
    (root / "masks" / f"{photos[2].stem}.png").unlink(missing_ok=True)
    (root / "notes.txt").write_text("nothing")
    (root / ".hidden").mkdir()
    (root / ".hidden" / "x.png").write_bytes(b"x")
    place = copied(root, memory)
    here, there = (open_source(SourceSpec("set", None, each), WHOLE) for each in (root, place))
    assert told(there, str(place)) == told(here, str(root))


def test_label_layout_and_folder_of_pictures_by_address(tmp_path: Path, memory: Place) -> None:
    """`LABEL:LAYOUT=ADDRESS` with photos at another address; a bare one is labelled by its last part."""
    file, _ = coco_file(tmp_path / "set", 3, 4)
    places.write_bytes(memory / "drawn.json", file.read_bytes())
    for photo in file.parent.glob("*.jpg"):
        places.write_bytes(memory / "pictures" / photo.name, photo.read_bytes())
    spec = parse_source(f"mine:coco={memory}/drawn.json")
    assert (spec.label, spec.layout, spec.root) == ("mine", "coco", memory / "drawn.json")
    assert parse_source(f"{memory}/My_Set/").label == "my_set" and parse_source(f"{memory}/drawn.json").label == "drawn"
    options = replace(WHOLE, images=memory / "pictures")
    assert len(open_source(spec, options)) == 4
    here = open_source(SourceSpec("mine", "coco", file), WHOLE)
    assert told(open_source(spec, options), str(spec.root))[1:] == told(here, str(file))[1:]


@pytest.mark.parametrize(("name", "each"), [("ecssd", 2), ("coco", 1), ("yolo", 3)])
def test_few_requests_are_made(tmp_path: Path, memory: Place, requests: list[str], name: str, each: int) -> None:
    """One for each photo and each file of its own (YOLO's is read in opening, too), and a handful to open the set."""
    place = copied(tiny.LAYOUTS[name](tmp_path / "data"), memory)
    requests.clear()
    reader = open_source(SourceSpec("set", name, place), WHOLE)
    for index, _ in in_turn(reader):
        reader[index]
    assert len(requests) <= each * len(reader) + 12, requests
    assert sum(address.endswith(".jpg") for address in requests) == len(reader)


def test_photos_come_in_order_while_others_are_fetched(tmp_path: Path, memory: Place) -> None:
    """Ahead or not, the scenes are the same; a photo that is gone is an error of its own place."""
    label_pictures(tmp_path / "mine", 1, 24)
    place = copied(tmp_path / "mine", memory)
    reader = open_source(SourceSpec("set", "pairs", place), WHOLE)
    places.remove(place / "images" / f"{reader.records[7].image.rpartition('/')[2]}")
    expected = [scene_or_error(reader, index) for index in range(len(reader))]
    found = [(index, record.key, scene_or_error(reader, index)) for index, record in in_turn(reader)]
    assert found == [(index, reader.records[index].key, scene) for index, scene in enumerate(expected)]
    assert found[7][2].reason == "missing file"


def test_a_store_that_stays_away_ends_the_work(
    tmp_path: Path, memory: Place, impatient: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one sentence that names it, and not as a fault of every photo."""
    reader = open_source(SourceSpec("set", "ecssd", copied(tiny.ecssd(tmp_path / "e"), memory)), WHOLE)
    failing(monkeypatch, ("cat_file",), ConnectionError("reset"), after=3)
    with pytest.raises(DatakitError, match=f"{memory}/e/.*does not answer after 2 tries") as caught:
        [reader[index] for index, _ in in_turn(reader)]
    assert not isinstance(caught.value, ItemError)


@pytest.mark.parametrize("methods", [("ls", "find"), ("cat_file",)])
def test_no_right_is_told(
    tmp_path: Path, memory: Place, monkeypatch: pytest.MonkeyPatch, methods: tuple[str, ...]
) -> None:
    """To list or to read: one sentence, not a set without photos and not ten thousand failed ones."""
    place = copied(tiny.coco(tmp_path / "c" / "data"), memory)
    failing(monkeypatch, methods, PermissionError("403"))
    with pytest.raises(DatakitError, match=f"{memory}/.*the store refuses it") as caught:
        open_source(SourceSpec("set", "coco", place.parent.parent), WHOLE)
    assert isinstance(caught.value, UsageError) == ("ls" in methods)


def test_a_bucket_that_is_not_there_is_named(bucket: Bucket) -> None:
    """Apart from a folder that is not there."""
    with pytest.raises(UsageError, match=r"s3://no-such-bucket-here/x: no such bucket"):
        open_source("s3://no-such-bucket-here/x")
    with pytest.raises(UsageError, match=f"s3://{bucket.name}/x: no such object"):
        open_source(bucket.address("x"))


def test_names_that_climb_are_refused(tmp_path: Path, memory: Place) -> None:
    """In a JSON, in a table, and at last where a file is read."""
    root = tiny.coco(tmp_path / "set")
    document = json.loads(root.read_text())
    document["images"][0]["file_name"] = "../../secret.jpg"
    root.write_text(json.dumps(document))
    place = copied(root, memory / "sets")
    places.write_bytes(memory / "secret.jpg", next(root.parent.parent.rglob("*.jpg")).read_bytes())
    reader = open_source(SourceSpec("set", "coco", place), WHOLE)
    assert "path outside the source" in {each.reason for each in reader.problems}
    pairs = PairsReader("set", place.parent, place.parent, [], (), ReadOptions())
    with pytest.raises(ItemError, match=r"was listed but is not there"):
        pairs.read(Record("set/x", "../../secret.jpg", ["a.png", 0], 0))
    table = tmp_path / "table.csv"
    table.write_text("image,mask\n../secret.jpg,a.png\n")
    with pytest.raises(UsageError, match=r"leads out of its folder"):
        open_own_table("set", LAYOUTS["pairs"], table, place.parent, None, ReadOptions())  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["ecssd", "coco", "label-studio"])
def test_a_listing_of_an_address_needs_no_second_walk(
    tmp_path: Path, memory: Place, requests: list[str], name: str
) -> None:
    """The same reader, of one request that asks whether the root is there; the listing itself may lie in a store."""
    place = copied(tiny.LAYOUTS[name](tmp_path / "data"), memory)
    opened = open_source(SourceSpec("set", name, place), WHOLE)
    write_listing(tmp_path / "list.jsonl", opened, place, None)  # type: ignore[arg-type]
    places.write_bytes(memory / "list.jsonl", (tmp_path / "list.jsonl").read_bytes())
    requests.clear()
    again = open_source(SourceSpec("set", name, place, listing=tmp_path / "list.jsonl"), WHOLE)
    assert len(requests) <= 3
    assert told(again, "ROOT") == told(opened, "ROOT")
    assert list(open_listing(memory / "list.jsonl", place, None, ReadOptions()).records) == list(opened.records)


def test_a_table_of_photos_lists_each_folder_once(tmp_path: Path, memory: Place, requests: list[str]) -> None:
    """For sizes that the table does not tell."""
    label_pictures(tmp_path / "mine", 2, 8)
    place = copied(tmp_path / "mine", memory)
    masks = {path.stem: path.name for path in (tmp_path / "mine" / "masks").iterdir()}
    rows = [f"images/{path.name},masks/{masks[path.stem]}" for path in sorted((tmp_path / "mine" / "images").iterdir())]
    table = tmp_path / "table.csv"
    table.write_text("\n".join(["image,mask", *rows]))
    requests.clear()
    there = open_own_table("t", LAYOUTS["pairs"], table, place, None, ReadOptions())  # type: ignore[arg-type]
    assert len(requests) <= 4
    here = open_own_table("t", LAYOUTS["pairs"], table, tmp_path / "mine", None, ReadOptions())  # type: ignore[arg-type]
    assert list(there.records) == list(here.records)


@pytest.mark.parametrize("private", [False, True])
def test_a_set_on_a_web_server(tmp_path: Path, private: bool) -> None:
    """By its JSON, whether the server lists folders or not: then named photos are taken to be there."""
    pytest.importorskip("aiohttp")
    file, _ = coco_file(tmp_path / "a set", 3, 4)
    here = open_source(SourceSpec("set", "coco", file), WHOLE)
    with web_server(tmp_path, private) as address:
        there = open_source(f"set:coco={address}/a%20set/annotations.json", WHOLE)
        assert [record[:3] for record in there.records] == [record[:3] for record in here.records]
        assert told(there, "")[3] == told(here, "")[3]


def test_folders_on_a_web_server_are_found_by_its_lists(tmp_path: Path) -> None:
    """Names with spaces and signs of their own in addresses."""
    pytest.importorskip("aiohttp")
    label_pictures(tmp_path / "mine", 2, 8)
    for path in [*(tmp_path / "mine" / "images").iterdir(), *(tmp_path / "mine" / "masks").iterdir()]:
        path.rename(path.with_name(f"50% #{path.name}"))
    here = open_source(SourceSpec("set", None, tmp_path / "mine"), WHOLE)
    with web_server(tmp_path) as address:
        there = open_source(f"set={address}/mine", WHOLE)
        assert [record.image for record in there.records] == [record.image for record in here.records]
        assert told(there, "")[3] == told(here, "")[3]


@pytest.mark.parametrize("text", ["s3://me:word@bucket/x", "mine=https://host/x?X-Amz-Signature=word"])
def test_secrets_in_an_address_are_refused(text: str) -> None:
    """Without being repeated."""
    with pytest.raises(UsageError, match="name, password or signature") as caught:
        parse_source(text)
    assert "word@" not in str(caught.value) and "Signature=" not in str(caught.value)


def test_an_archive_in_a_store_is_no_source() -> None:
    """It would be read byte by byte over the line."""
    with pytest.raises(UsageError, match="is an archive; download it first"):
        parse_source("s3://bucket/ECSSD.zip")
    assert place_of("s3://bucket/x").name == "x"
