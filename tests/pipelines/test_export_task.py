"""The work of one task of an export: by itself, twice, and where a worker finds other data than it was told."""

from dataclasses import replace
from pathlib import Path

import pytest

from datakit.errors import DatakitError
from datakit.export import EXPORTERS, ShardVideos
from pipelines import export_task
from pipelines.export_folder import FILES, ORIGINS
from pipelines.export_task import ExportChunk, ExportTask, ShardFolder, write_chunks
from tests.runs import draw_source


@pytest.fixture
def task(tmp_path, datakit, monkeypatch) -> ExportTask:
    """Two of four photos, in two chunks, of a process that has opened nothing yet."""
    built = datakit("build-shards", draw_source(tmp_path / "ecssd", 4), "--out", tmp_path / "shards")
    assert built.exit_code == 0, built.output
    for name in (FILES, ORIGINS):
        (tmp_path / "work" / name).mkdir(parents=True)
    monkeypatch.setattr(export_task, "_opened", {})
    folder = ShardFolder(tmp_path / "shards")
    chunks = (ExportChunk(1, range(1, 2), ""), ExportChunk(2, range(2, 3), ""))
    return ExportTask(folder, folder.open().identity(), EXPORTERS["static"], tmp_path / "work", chunks)


def files(task: ExportTask) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (task.work / FILES).rglob("*") if path.is_file()}


def test_a_task_writes_its_own_videos(task):
    """And says so, a line a chunk."""
    lines = write_chunks(task)
    assert [(line["chunk"], line["photos"]) for line in lines] == [(1, 1), (2, 1)]
    assert sorted(files(task)) == sorted(path for line in lines for path, _, _ in line["files"])
    assert sorted(files(task)) == ["ecssd_0001.jpg", "ecssd_0001.png", "ecssd_0002.jpg", "ecssd_0002.png"]


def test_a_task_that_runs_twice_leaves_the_same(task):
    """As Dask may run one."""
    first = write_chunks(task), files(task)
    assert (write_chunks(task), files(task)) == first


def test_a_process_opens_a_source_once(task, monkeypatch):
    """Whatever the number of tasks."""
    opened = []
    monkeypatch.setattr(ShardFolder, "open", lambda folder: opened.append(folder) or ShardVideos(folder.path))
    for chunk in task.chunks:
        write_chunks(replace(task, chunks=(chunk,)))
    assert len(opened) == 1


def test_a_worker_that_finds_other_data_refuses(task):
    """Where another folder is mounted, or it was built anew meanwhile."""
    with pytest.raises(DatakitError, match="a worker finds other data there"):
        write_chunks(replace(task, identity={"kind": "shards", "manifest": "another"}))
    assert files(task) == {}


def test_folders_travel_as_absolute_paths(task, monkeypatch, tmp_path):
    """A worker may run elsewhere."""
    monkeypatch.chdir(tmp_path)
    assert ShardFolder(Path("shards")).absolute().path == tmp_path / "shards"


def test_a_task_is_named_by_its_videos(task):
    """For messages."""
    assert task.name() == "videos 1 to 2"
    assert replace(task, chunks=task.chunks[:1]).name() == "video 1"
