"""Which shards are made in parts, and that a part is never lost, taken for a shard or joined twice wrongly."""

from dataclasses import dataclass

import pytest

from datakit.datasets import SourceSpec
from datakit.shards.manifest import RECORDS
from datakit.transforms import PRESETS
from pipelines.build_shards import task_of
from pipelines.plan import make_plan
from pipelines.settings import BuildConfig, BuildSettings
from pipelines.shard_parts import LEAST, PartCollector, PartTask, in_parts, run_task, split_for_workers
from pipelines.shard_task import SCRATCH, build_shard
from tests.runs import draw_source


@dataclass(frozen=True)
class Counted:
    """Stands for a shard's task of so many photos."""

    file: str
    reader: range

    def photos(self):
        return len(self.reader)


def tasks(*photos):
    """Shards of so many photos of 100 kB."""
    return [(Counted(f"s-{number}", range(each)), 100_000 * each) for number, each in enumerate(photos)]


def photos_of(shared):
    """Photos by shard, parts put together again."""
    found = {}
    for task in shared:
        shard = task.shard if isinstance(task, PartTask) else task
        found.setdefault(shard.file, []).extend(shard.reader)
    return found


@pytest.mark.parametrize("jobs", [1, 2, 3, 16])
@pytest.mark.parametrize("sizes", [(600,), (601, 400), (500,) * 13, (900, 90, 20, 7), (5, 3)])
def test_every_photo_is_worked_on_once(sizes, jobs):
    """In order, whatever is cut."""
    given = tasks(*sizes)
    assert photos_of(split_for_workers(given, jobs)) == {task.file: list(task.reader) for task, _ in given}


def test_one_worker_makes_whole_shards():
    """There is nobody to wait for."""
    given = tasks(600, 600)
    assert split_for_workers(given, 1) == [task for task, _ in given]


def test_only_the_last_shards_are_cut():
    """While others follow that keep everybody busy, a shard is one task."""
    shared = split_for_workers(tasks(*[500] * 13), 2)
    assert [isinstance(task, PartTask) for task in shared] == [False] * 11 + [True] * 8


@pytest.mark.parametrize("sizes", [(600,), (500,) * 13, (500,) * 5, (700, 300, 299), (80, 70, 60, 50)])
@pytest.mark.parametrize("jobs", [2, 3, 4])
def test_no_worker_idles_long(sizes, jobs):
    """Handed out one after the other, the last to finish is at most a tenth, or a part, later than a perfect share."""
    free = [0] * jobs
    for task in split_for_workers(tasks(*sizes), jobs):
        free[free.index(min(free))] += len((task.shard if isinstance(task, PartTask) else task).reader)
    perfect = sum(sizes) / jobs
    assert max(free) <= max(1.1 * perfect, perfect + 2 * LEAST / 100_000)


def test_few_photos_are_not_cut():
    """A part of a handful costs more than it saves."""
    given = tasks(2 * LEAST // 100_000 - 1)
    assert split_for_workers(given, 4) == [given[0][0]]


@pytest.mark.parametrize(("sizes", "jobs"), [((500, 500), 2), ((500, 500, 490), 3), ((500,) * 200, 3)])
def test_shards_that_keep_all_busy_are_not_cut(sizes, jobs):
    """Parts are written twice."""
    given = tasks(*sizes)
    assert split_for_workers(given, jobs) == [task for task, _ in given]


@pytest.fixture
def shard(tmp_path):
    """The task of a shard of 24 photos, two of them damaged."""
    out = tmp_path / "out"
    for folder in (out, out / SCRATCH, out / RECORDS):
        folder.mkdir()
    config = BuildConfig(
        (SourceSpec("ecssd", None, draw_source(tmp_path / "ecssd", 24)),), out, BuildSettings((PRESETS["masktrack"],))
    )
    for name in ("0003.jpg", "0020.jpg"):
        (tmp_path / "ecssd" / "images" / name).write_bytes(b"no picture")
    plan = make_plan(config)
    return task_of(config, plan, plan.shards[0])


def test_parts_are_joined_to_the_very_shard(shard):
    """Bytes and record are those of one task; the parts lie in the scratch folder only, and may be joined again."""
    whole = build_shard(shard)
    content = (shard.folder / shard.file).read_bytes()
    (shard.folder / shard.file).unlink()
    collector, joins = PartCollector(), []
    for part in reversed(in_parts(shard, 3)):
        assert not joins
        joins += collector.add(part, run_task(part))
        assert not list(shard.folder.glob("*.h5"))
    for _ in range(2):
        assert run_task(*joins) == whole
        assert (shard.folder / shard.file).read_bytes() == content
