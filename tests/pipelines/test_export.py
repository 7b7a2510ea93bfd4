"""`datakit export` as a command: what it says, refuses, keeps, and how it goes on after a death."""

import json
import re
from pathlib import Path

import pytest

from datakit.config import assign, keys_of
from datakit.export import EXPORTERS
from datakit.files import EXPORT_MANIFEST as MANIFEST
from datakit.files import file_sha256
from pipelines import export_run as command
from pipelines.export import ExportSummary, export_report
from pipelines.export_folder import JOURNAL, Chunk
from tests.exported import Collected, TwoVideos
from tests.runs import draw_source


@pytest.fixture
def shards(tmp_path, datakit) -> Path:
    """Four photos."""
    assert datakit("build-shards", draw_source(tmp_path / "ecssd", 4), "--out", tmp_path / "shards").exit_code == 0
    return tmp_path / "shards"


def tree(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", sorted(EXPORTERS))
def test_the_manifest_lists_every_file(shards, tmp_path, datakit, name):
    """With its size and SHA-256, and nothing else is left beside."""
    ran = datakit("export", shards, "--to", name, "--out", tmp_path / "out", "--json")
    assert ran.exit_code == 0, ran.output
    manifest = json.loads((tmp_path / "out" / MANIFEST).read_text())
    assert {path for path, _, _ in manifest["files"]} == set(tree(tmp_path / "out")) - {MANIFEST}
    for path, size, sha256 in manifest["files"]:
        assert (tmp_path / "out" / path).stat().st_size == size
        assert file_sha256(tmp_path / "out" / path) == sha256
    stored = json.loads((shards / "manifest.json").read_text())["digest"]
    assert manifest["asked"]["source"] == {"kind": "shards", "manifest": stored}
    assert json.loads(ran.stdout)["photos"] == manifest["photos"] == 4
    assert {path.name for path in tmp_path.iterdir()} == {"ecssd", "shards", "out"}


@pytest.mark.parametrize(("words", "kept"), [(("static",), 2), (("webdataset", "--set", "clips_per_shard=1"), 1)])
def test_an_export_that_died_goes_on_to_the_very_same_bytes(shards, tmp_path, datakit, monkeypatch, words, kept):
    """What was finished is not written again, a line cut off is made again; the folder appears only at the end."""
    whole, out, written = tmp_path / "whole", tmp_path / "out", []
    assert datakit("export", shards, "--out", whole, "--to", *words).exit_code == 0
    add = Chunk.add

    def dies(chunk, path, data):
        written.append(path)
        if len(written) > 5:
            raise OSError("the machine died")
        add(chunk, path, data)

    with monkeypatch.context() as patch:
        patch.setattr(Chunk, "add", dies)
        assert datakit("export", shards, "--out", out, "--to", *words).exit_code == 1
    assert not out.exists()
    with (tmp_path / ".part-out" / JOURNAL).open("a") as journal:
        journal.write('{"files": [["x')
    ran = datakit("export", shards, "--out", out, "--to", *words, "--json")
    assert json.loads(ran.stdout)["kept"] == kept
    assert tree(out) == tree(whole)


def test_a_damaged_part_of_an_earlier_run_is_made_again(shards, tmp_path, datakit, monkeypatch):
    """Its SHA-256 is compared before it is kept; the others stay, whatever their order."""
    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr(command, "_finish", lambda *_: (_ for _ in ()).throw(OSError("died")))
        assert datakit("export", shards, "--to", "static", "--out", out).exit_code == 1
    (part,) = tmp_path.glob(".part-*")
    (part / "files/ecssd_0002.png").write_bytes(b"half")
    ran = datakit("export", shards, "--to", "static", "--out", out, "--json")
    assert json.loads(ran.stdout)["kept"] == 3
    assert (out / "ecssd_0002.png").stat().st_size > 4


def test_a_finished_export_is_left_as_it_is(shards, tmp_path, datakit):
    """The same command again writes nothing."""
    out = tmp_path / "out"
    datakit("export", shards, "--to", "sav", "--out", out)
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    assert datakit("export", shards, "--to", "sav", "--out", out).exit_code == 0
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == before


def test_another_export_in_the_folder_is_replaced_only_when_asked(shards, tmp_path, datakit):
    """And then as a whole."""
    out = tmp_path / "out"
    datakit("export", shards, "--to", "sav", "--out", out)
    before = tree(out)
    refused = datakit("export", shards, "--to", "coco", "--out", out)
    assert refused.exit_code == 5 and "holds an export to sav" in refused.output
    assert "\n  to: 'sav' -> " in refused.output
    assert tree(out) == before
    assert datakit("export", shards, "--to", "coco", "--out", out, "--overwrite").exit_code == 0
    assert not set(tree(out)) & set(before) - {MANIFEST}


def test_a_file_that_is_not_ours_is_never_removed(shards, tmp_path, datakit):
    """Not even by --overwrite."""
    out = tmp_path / "out"
    datakit("export", shards, "--to", "sav", "--out", out)
    (out / "notes.txt").write_text("mine")
    refused = datakit("export", shards, "--to", "coco", "--out", out, "--overwrite")
    assert refused.exit_code == 2 and "holds notes.txt" in refused.output
    assert (out / "notes.txt").read_text() == "mine"


def test_a_folder_of_other_things_is_refused(shards, tmp_path, datakit):
    """Nothing is written into it."""
    refused = datakit("export", shards, "--to", "coco", "--out", tmp_path / "ecssd", "--overwrite")
    assert refused.exit_code == 2 and "was not made by this command" in refused.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--to", "cocoo"), "did you mean coco?"),
        (("--to", "ytvis", "--set", "x=1"), "has no settings"),
        (("--to", "davis", "--set", "jpeg_quality=101"), "101 is outside 1..100"),
        (("--to", "davis", "--set", "quality=9"), "known are split, jpeg_quality"),
        (("--to", "coco", "--video", "x.mp4"), "holds shards, which have their photos"),
    ],
)
def test_what_cannot_be_used_is_named_with_a_way_out(shards, tmp_path, datakit, words, said):
    """Exit code 2, and no folder."""
    refused = datakit("export", shards, "--out", tmp_path / "out", *words)
    assert refused.exit_code == 2 and said in refused.output
    assert not (tmp_path / "out").exists()


def test_label_pictures_ask_for_their_video(tmp_path, datakit):
    """A folder of PNG files is no folder of shards."""
    draw_source(tmp_path / "ecssd", 1)
    refused = datakit("export", tmp_path / "ecssd", "--to", "coco", "--out", tmp_path / "out")
    assert refused.exit_code == 2 and "by --video" in refused.output


def test_a_folder_of_photos_and_masks_is_to_be_built_first(tmp_path, datakit):
    """The command is there to copy."""
    draw_source(tmp_path / "ecssd", 1)
    refused = datakit("export", tmp_path / "ecssd", "--to", "coco", "--out", tmp_path / "out")
    assert f"build shards first: `datakit build-shards {tmp_path / 'ecssd'} --out shards`" in refused.output


@pytest.mark.parametrize("name", sorted(EXPORTERS))
def test_a_note_reads_well_at_any_number(name):
    """A number stands behind words that have no verb of their own; what is lost is a list of things."""
    sink = Collected()
    exporter = assign(keys_of(EXPORTERS[name]), "masks", "polygons", "") if name == "coco" else EXPORTERS[name]
    videos = TwoVideos()
    exporter.close([exporter.write(videos[position], sink) for position in range(len(videos))], sink)
    manifest = {"photos": 1, "objects": 1, "files": [], "notes": dict.fromkeys(sink.notes, 1)}
    said = export_report(ExportSummary(Path("out"), exporter, manifest, 0.0, 0), as_json=False)
    assert not re.search(r"\b1 \w+s\b|not hold|there is one", said), said
    assert all(f"  {note}: 1\n" in said for note in sink.notes)
    assert all(re.match(r"(photos|objects|videos) (with|that|of|stored|written|in)\b", note) for note in sink.notes)


@pytest.mark.parametrize("name", ["yolo", "labelme", "sa1b", "static", "ytvis", "huggingface"])
def test_the_list_of_an_export_is_no_stray_file(shards, tmp_path, datakit, name):
    """Where every file of a source is accounted for; a file of that name by another maker is."""
    out = tmp_path / "out"
    datakit("export", shards, "--to", name, "--out", out)
    checked = (datakit("validate-source", out), (out / MANIFEST).write_text("{}"), datakit("validate-source", out))
    assert MANIFEST not in checked[0].output and MANIFEST in checked[2].output, checked[0].output


def test_settings_and_formats_are_listed(datakit):
    """Without a source."""
    assert "jpeg_quality" in datakit("export", "--to", "davis", "--set", "help").output
    assert "lost: " in datakit("export", "--formats").output


@pytest.mark.parametrize("words", [("coco",), ("webdataset", "--set", "clips_per_shard=3")], ids=["files", "tars"])
def test_workers_make_the_bytes_of_one_process(shards, tmp_path, datakit, words):
    """Lists, numbers of annotations and all, in whatever order photos are done."""
    for jobs in (1, 2):
        ran = datakit("export", shards, "--to", *words, "--out", tmp_path / f"by-{jobs}", "-j", jobs)
        assert ran.exit_code == 0, ran.output
    assert tree(tmp_path / "by-1") == tree(tmp_path / "by-2")


def test_what_workers_have_begun_goes_on_whatever_is_missing(shards, tmp_path, datakit, monkeypatch):
    """Here the second photo of four, which another worker was slow with."""
    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr(command, "_finish", lambda *_: (_ for _ in ()).throw(OSError("died")))
        assert datakit("export", shards, "--to", "coco", "--out", out).exit_code == 1
    journal = tmp_path / ".part-out" / JOURNAL
    first, _, third, fourth = journal.read_text().splitlines()
    journal.write_text("\n".join((fourth, first, third)) + "\n")
    ran = datakit("export", shards, "--to", "coco", "--out", out, "--json")
    assert json.loads(ran.stdout)["kept"] == 3
    assert datakit("export", shards, "--to", "coco", "--out", tmp_path / "whole").exit_code == 0
    assert tree(out) == tree(tmp_path / "whole")
