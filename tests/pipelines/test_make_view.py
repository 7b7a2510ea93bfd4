"""`merge`, `select` and `split`: what is written, what is refused, and that every command reads it like a folder."""

import json
import shutil
from dataclasses import replace

import pytest
from filelock import FileLock

from datakit.export import ShardVideos
from datakit.keys import photo_of
from datakit.seeds import is_held_back
from datakit.shards import ShardReader
from datakit.shards.manifest import NAME
from datakit.shards.view import read_view
from pipelines.lock import LOCK
from tests.made import RECIPES
from tests.made_views import contents_of
from tests.small_shards import write_shards


@pytest.fixture
def folders(tmp_path):
    """Two folders of other photos."""
    one = write_shards(tmp_path / "one", "one", photos=6, per_shard=4)
    return one, write_shards(tmp_path / "two", "two", photos=3, per_shard=2, objects=2)


@pytest.fixture
def merged(datakit, folders, tmp_path):
    """Both as one."""
    datakit("merge", *folders, "--out", tmp_path / "all")
    return tmp_path / "all"


def said(result):
    return json.loads(result.stdout)


def test_merged_folders_are_read_as_one(folders, merged):
    """Every byte of every triple, folder by folder; nothing but a manifest is written."""
    readers = [ShardReader(folder) for folder in folders]
    assert ShardReader(merged).keys == [key for reader in readers for key in reader.keys]
    assert contents_of(ShardReader(merged)) == contents_of(readers[0]) | contents_of(readers[1])
    assert {path.name for path in merged.iterdir()} == {NAME, LOCK}
    assert (merged / NAME).stat().st_size < 1000


def test_it_says_what_was_made(datakit, folders, tmp_path):
    """How many of how many, of which folders, and what it takes."""
    out = tmp_path / "out"
    result = datakit("select", folders[0], "--where", "variant == 1", "--out", out)
    assert result.exit_code == 0
    size = (out / NAME).stat().st_size
    assert result.stdout == (
        f"{out}: a view with 6 of 18 triples, of 6 photos; {size} bytes written, no picture copied\n"
        f"  {folders[0]}: 6 of 18 triples\n"
    )
    again = said(datakit("select", folders[0], "--where", "variant == 1", "--out", out, "--json"))
    behind = [{"folder": str(folders[0]), "triples": 6, "of": 18}]
    assert again == {"command": "select", "out": str(out), "triples": 6, "of": 18, "photos": 6, "folders": behind,
                     "bytes": size, "kept": True, "notes": []}  # fmt: skip


def test_selected_triples_are_those_of_where(datakit, merged, tmp_path):
    """Of a view as of a folder; with `--photos` their photos as a whole."""
    where = "area > 600 and source == 'two'"
    expected = ShardReader(merged).where(where)
    assert datakit("select", merged, "--where", where, "--out", tmp_path / "some").exit_code == 0
    assert ShardReader(tmp_path / "some").keys == expected.keys
    datakit("select", merged, "--where", where, "--photos", "--out", tmp_path / "whole")
    photos = {photo_of(key) for key in expected.keys}
    assert ShardReader(tmp_path / "whole").keys == [key for key in ShardReader(merged).keys if photo_of(key) in photos]


def test_nothing_selected_is_told_with_what_there_is(datakit, merged, tmp_path):
    """Of the columns that the condition speaks of; nothing is made."""
    result = datakit("select", merged, "--where", "variant > 4 and source == 'coco'", "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert "holds for none of 36 triples" in result.stderr
    assert "there is variant 0 to 1; source 'one', 'two'" in result.stderr
    assert not (tmp_path / "out").exists()


def test_a_split_holds_back_the_photos_that_training_does(datakit, merged, tmp_path):
    """The two share no photo and are all of it."""
    result = datakit("split", merged, "--val", 0.4, "--out", tmp_path / "parts", "--json")
    train, val = (ShardReader(tmp_path / "parts" / name) for name in ("train", "val"))
    assert [view["triples"] for view in said(result)["views"]] == [len(train), len(val)]
    assert all(is_held_back(photo_of(key), 0.4) for key in val.keys)
    assert not any(is_held_back(photo_of(key), 0.4) for key in train.keys)
    assert sorted(train.keys + val.keys) == sorted(ShardReader(merged).keys)
    assert len(train) and len(val)


def test_an_empty_side_is_refused(datakit, folders, tmp_path):
    """Before anything is made."""
    result = datakit("split", folders[0], "--val", 1e-9, "--out", tmp_path / "parts")
    assert result.exit_code == 2
    assert "leaves none of the 18 triples of" in result.stderr
    assert not (tmp_path / "parts").exists()


@pytest.mark.parametrize("share", ["0", "1", "1.5"])
def test_a_share_that_is_none_is_refused(datakit, folders, tmp_path, share):
    """All or nothing is no split."""
    assert datakit("split", folders[0], "--val", share, "--out", tmp_path / "parts").exit_code == 2


def test_the_parts_of_a_split_make_the_whole_again(datakit, merged, tmp_path):
    """Merged in any order: in the order of the shards."""
    datakit("split", merged, "--val", 0.4, "--out", tmp_path / "parts")
    datakit("merge", tmp_path / "parts" / "train", tmp_path / "parts" / "val", "--out", tmp_path / "again")
    assert sorted(ShardReader(tmp_path / "again").keys) == sorted(ShardReader(merged).keys)
    assert read_view(tmp_path / "again").content_digest == read_view(merged).content_digest


def test_a_folder_given_twice_is_there_once(datakit, folders, tmp_path):
    """It is told."""
    result = datakit("merge", folders[0], folders[0], "--out", tmp_path / "out")
    assert f"note: 18 triples of {folders[0]} came more than once, and each is there once" in result.stdout
    assert ShardReader(tmp_path / "out").keys == ShardReader(folders[0]).keys


def test_recipes_that_differ_are_told(datakit, folders, tmp_path):
    """Which number, and that nothing is changed."""
    other = write_shards(tmp_path / "other", "other", photos=2, recipes=(replace(RECIPES[0], variants=1),))
    result = datakit("merge", folders[0], other, "--out", tmp_path / "out")
    assert "note: recipe 'masktrack' is not the same in all folders: variants: 2 -> 1; every" in result.stdout


def test_what_cannot_meet_makes_nothing(datakit, folders, tmp_path):
    """The refusal names both folders."""
    other = write_shards(tmp_path / "other", "one", photos=2)
    result = datakit("merge", folders[0], other, "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert f"{folders[0]} and {other}: 6 triples such as" in result.stderr
    assert not (tmp_path / "out").exists()


def test_the_same_command_gives_the_same_bytes(datakit, folders, tmp_path):
    """Again in its place, and elsewhere."""
    written = []
    for name in ("a", "b"):
        datakit("select", folders[0], "--where", "iou > 0.5", "--out", tmp_path / name)
        written.append((tmp_path / name / NAME).read_bytes())
    assert written[0] == written[1]


def test_another_view_is_replaced_only_if_asked(datakit, folders, tmp_path):
    """Exit code 5 and what differs, as for a build; then with `--overwrite`."""
    words = ("select", folders[0], "--out", tmp_path / "out", "--where")
    datakit(*words, "variant == 0")
    before = (tmp_path / "out" / NAME).read_bytes()
    refused = datakit(*words, "iou > 0.5")
    assert refused.exit_code == 5
    assert "options.where: 'variant == 0' -> 'iou > 0.5'" in refused.stderr
    assert (tmp_path / "out" / NAME).read_bytes() == before
    assert datakit(*words, "iou > 0.5", "--overwrite").exit_code == 0
    assert ShardReader(tmp_path / "out").keys == ShardReader(folders[0]).where("iou > 0.5").keys


def test_another_split_is_replaced_only_if_asked(datakit, folders, tmp_path):
    """Both sides, or none."""
    words = ("split", folders[0], "--out", tmp_path / "parts", "--val")
    datakit(*words, 0.3)
    assert datakit(*words, 0.6).exit_code == 5
    assert datakit(*words, 0.6, "--overwrite").exit_code == 0
    sides = [read_view(tmp_path / "parts" / name).made["options"] for name in ("train", "val")]
    assert sides == [{"val": 0.6}, {"val": 0.6}]


def test_a_damaged_view_can_be_replaced(datakit, folders, merged):
    """With `--overwrite`."""
    (merged / NAME).write_text((merged / NAME).read_text().replace("0-11", "0-10"))
    assert datakit("merge", *folders, "--out", merged).exit_code == 1
    assert datakit("merge", *folders, "--out", merged, "--overwrite").exit_code == 0
    assert len(ShardReader(merged)) == 36


def test_a_folder_of_something_else_is_not_touched(datakit, folders, tmp_path):
    """Not even with `--overwrite`: shards, files, a file, a folder in the shards."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    (tmp_path / "file").write_text("")
    before = {path: path.read_bytes() for folder in folders for path in folder.iterdir()}
    for out, why in [
        (folders[1], "is, or lies in, the folder of shards"),
        (folders[0] / "in", "is, or lies in, the folder of shards"),
        (tmp_path / "mine", "holds 'notes.txt', which this command did not make"),
        (tmp_path / "file", "is a file"),
    ]:
        for words in (["merge", *folders], ["split", folders[0], "--val", 0.4]):
            result = datakit(*words, "--out", out, "--overwrite")
            assert result.exit_code in (1, 2)
            assert why in result.stderr or out == folders[1]
    assert {path: path.read_bytes() for folder in folders for path in folder.iterdir()} == before


def test_a_view_does_not_replace_what_it_is_made_of(datakit, merged):
    """Its own folder is no place for its choice."""
    result = datakit("select", merged, "--where", "variant == 0", "--out", merged, "--overwrite")
    assert result.exit_code == 2
    assert "is the view that is read" in result.stderr


@pytest.mark.parametrize("place", ["", "val"])
def test_two_runs_on_one_folder_are_kept_apart(datakit, folders, tmp_path, place):
    """By the lock that builds hold; a split holds both of its views, too."""
    held = tmp_path / "out" / place
    held.mkdir(parents=True)
    with FileLock(held / LOCK):
        assert datakit("split", folders[0], "--val", 0.3, "--out", tmp_path / "out").exit_code == 6
        assert datakit("merge", *folders, "--out", held).exit_code == 6
    assert datakit("split", folders[0], "--val", 0.3, "--out", tmp_path / "out").exit_code == 0


def test_what_a_killed_run_left_is_cleared(datakit, folders, tmp_path):
    """Half a manifest beside its place."""
    (tmp_path / "out" / ".part-x").mkdir(parents=True)
    assert datakit("merge", *folders, "--out", tmp_path / "out").exit_code == 0
    assert not (tmp_path / "out" / ".part-x").exists()


def test_inspect_says_what_it_is_a_view_of(datakit, folders, merged, tmp_path):
    """And counts its own triples; a folder of shards is told as ever."""
    datakit("select", merged, "--where", "kind == 'mask'", "--out", tmp_path / "some")
    result = datakit("inspect", tmp_path / "some")
    assert result.stdout.startswith(
        f"{tmp_path / 'some'}: a view of 2 folders, made by `datakit select --where \"kind == 'mask'\"`\n"
        f"  {folders[0]}: 12 of 18 triples\n  {folders[1]}: 12 of 18 triples\n"
    )
    told = said(datakit("inspect", tmp_path / "some", "--json"))
    assert [group["triples"] for group in told["groups"]] == [12, 12, 24]
    assert told["view"]["folders"][1] == {"folder": str(folders[1]), "triples": 12, "of": 18}
    assert set(said(datakit("inspect", folders[0], "--json"))) == {"folder", "groups"}


def test_a_table_of_a_view_holds_its_triples(datakit, merged, tmp_path):
    """A line for each."""
    datakit("select", merged, "--where", "variant == 1", "--out", tmp_path / "some")
    datakit("inspect", tmp_path / "some", "--csv", tmp_path / "some.csv")
    lines = (tmp_path / "some.csv").read_text().splitlines()[1:]
    assert [line.partition(",")[0] for line in lines] == ShardReader(tmp_path / "some").keys


def test_only_chosen_objects_are_exported(datakit, merged, tmp_path):
    """Those of which a triple is there."""
    datakit("select", merged, "--where", "object_id == 2", "--out", tmp_path / "some")
    videos = ShardVideos(tmp_path / "some")
    assert [video.objects for video in videos] == [{1: "2"}] * 3
    assert datakit("export", tmp_path / "some", "--to", "coco", "--out", tmp_path / "coco").exit_code == 0


def test_a_view_is_drawn_as_stored(datakit, merged, tmp_path):
    """By the preview of guide masks."""
    result = datakit("preview-deformations", merged, "--out", tmp_path / "drawn.png", "--count", 4)
    assert result.exit_code == 0, result.stderr


def test_builds_that_differ_in_the_steps_of_a_recipe_are_drawn_each_on_its_own(datakit, folders, tmp_path):
    """A page explains a recipe once; how many draws there are makes no difference."""
    for name, change, code in (("fewer", {"variants": 1}, 0), ("other", {"steps": RECIPES[0].steps[:1]}, 2)):
        other = write_shards(tmp_path / name, name, photos=2, recipes=(replace(RECIPES[0], **change),))
        datakit("merge", folders[0], other, "--out", tmp_path / f"all-{name}")
        result = datakit("preview-deformations", tmp_path / f"all-{name}", "--out", tmp_path / "drawn.png")
        assert result.exit_code == code, result.output
    assert f"differ in the steps of recipe 'masktrack'; preview each on its own: {folders[0]}, {other}" in result.stderr


def test_shards_are_not_built_into_a_view(datakit, source, merged):
    """The refusal says what it is."""
    result = datakit("build-shards", source, "--out", merged)
    assert result.exit_code == 2
    assert "is a view of other folders" in result.stderr


def test_a_view_whose_folder_is_gone_says_so(datakit, folders, merged):
    """Wherever it is read."""
    shutil.rmtree(folders[1])
    for words in (["inspect", merged], ["export", merged, "--to", "coco", "--out", merged.parent / "coco"]):
        result = datakit(*words)
        assert result.exit_code == 1
        assert f"{merged}: is a view of {folders[1]}, and there is no such folder" in result.stderr
