"""The plan is a pure function of what the sources list."""

import json

import pytest

from datakit.datasets import ReadOptions, SourceSpec, parse_source
from datakit.errors import UsageError
from datakit.transforms import PRESETS
from pipelines.plan import largest_first, make_plan, recognised
from pipelines.settings import BuildConfig, BuildSettings
from tests.runs import draw_source
from tests.tiny_tools import labelme


def plan_of(*specs: SourceSpec, **settings):
    out = specs[0].root.parent / "out"
    return make_plan(BuildConfig(specs, out, BuildSettings((PRESETS["masktrack"],), **settings)))


def test_shards_cover_every_record_once(source):
    """Ranges follow one another without gap or overlap."""
    shards = plan_of(parse_source(str(source)), samples_per_shard=5).shards
    assert [(shard.start, shard.stop) for shard in shards] == [(0, 5), (5, 10), (10, 12)]
    assert [shard.file for shard in shards] == [f"ecssd-{number:05d}.h5" for number in range(3)]


def test_shards_are_cut_at_source_bytes(source):
    """A shard is closed by the photo that fills it."""
    shards = plan_of(parse_source(str(source)), shard_bytes=10_000).shards
    assert len(shards) > 1
    assert all(shard.bytes >= 10_000 for shard in shards[:-1])


def test_a_photo_with_many_objects_counts_them(tmp_path):
    """COCO objects fill a shard, and a photo is never split."""
    (tmp_path / "annotations").mkdir()
    (tmp_path / "val2017").mkdir()
    images = [{"id": n, "file_name": f"{n}.jpg", "height": 40, "width": 40} for n in (1, 2)]
    polygon = [[1, 1, 30, 1, 30, 30, 1, 30]]
    objects = [
        {"id": n, "image_id": 1 + n // 3, "segmentation": polygon, "iscrowd": 0, "category_id": 1} for n in range(4)
    ]
    for image in images:
        (tmp_path / "val2017" / image["file_name"]).write_bytes(b"x")
    file = tmp_path / "annotations/instances_val2017.json"
    file.write_text(json.dumps({"images": images, "annotations": objects, "categories": []}))
    shards = plan_of(parse_source(f"coco={file}"), samples_per_shard=3).shards
    assert [(shard.start, shard.stop) for shard in shards] == [(0, 1), (1, 2)]


def test_a_plan_does_not_know_where_the_source_lies(source, tmp_path):
    """The same tree elsewhere gives the same digests, so a moved source is a resume."""
    before = plan_of(parse_source(str(source))).shards
    moved = source.rename(tmp_path / "elsewhere")
    assert plan_of(SourceSpec("ecssd", "ecssd", moved)).shards == before


def test_two_sources_of_one_label_are_refused(source):
    """Keys would collide."""
    spec = parse_source(f"a={source}")
    with pytest.raises(UsageError, match="two sources are labelled 'a'"):
        plan_of(spec, spec)


def test_a_limit_keeps_what_listing_found(source):
    """Problems of listing are not lost by --limit."""
    (source / "images/Thumbs.db").write_bytes(b"x")
    plan = plan_of(parse_source(str(source)), limit=2)
    assert plan.photos == 2
    assert [problem.reason for problem in plan.problems] == ["stray file"]


def test_big_shards_come_first(source, tmp_path):
    """Work is handed out largest first, so that no worker is left alone with a big one."""
    big = draw_source(tmp_path / "big", 3, (200, 200))
    plan = plan_of(parse_source(str(source)), parse_source(str(big)))
    assert [shard.source for shard in plan.shards] == ["big", "ecssd"]
    sizes = [shard.bytes for shard in largest_first(plan.shards)]
    assert sizes == sorted(sizes, reverse=True)


def test_a_guess_is_told_where_photos_lie_elsewhere(tmp_path, caplog):
    """Recognition is not switched off by --images."""
    root, photos = labelme(tmp_path / "set"), tmp_path / "photos"
    photos.mkdir()
    for file in sorted(root.glob("*.jpg")):
        file.rename(photos / file.name)
    caplog.set_level("INFO")
    assert recognised(parse_source(f"m={root}"), photos, ReadOptions()).layout == "labelme"
    assert "set: taken for labelme" in caplog.text
