"""A view is read like a folder, as long as the folders behind it are those that it was made of."""

import multiprocessing
import pickle
import shutil
from dataclasses import replace

import numpy as np
import pytest

from datakit.errors import ShardError, UsageError
from datakit.shards import ShardReader
from datakit.shards.contents import differing_recipes, read_contents
from datakit.shards.manifest import NAME
from datakit.shards.view import read_view, write_view
from tests.made import RECIPES
from tests.made_views import contents_of, write_view_of
from tests.small_shards import write_shards

PICKED = "iou > 0.45 and kind == 'mask'"


@pytest.fixture
def folders(tmp_path):
    """Two folders of other photos: of three and of two shards, the second's photos with two objects each."""
    one = write_shards(tmp_path / "one", "one", photos=5, per_shard=2)
    return one, write_shards(tmp_path / "two", "two", photos=3, per_shard=2, objects=2)


@pytest.fixture
def view(folders, tmp_path):
    """Some triples of both."""
    return write_view_of(tmp_path / "view", *(ShardReader(each).where(PICKED) for each in folders))


def keys_of(reader):
    return [triple.key for triple in reader]


def test_it_holds_the_chosen_triples_folder_by_folder(folders, view):
    """Every byte of each, in order; the table and `where` speak of these alone."""
    expected = [triple for each in folders for triple in ShardReader(each).where(PICKED)]
    reader = ShardReader(view)
    assert 0 < len(reader) < sum(len(ShardReader(each)) for each in folders)
    assert reader.keys == [triple.key for triple in expected]
    assert contents_of(reader) == contents_of(expected)
    assert reader.table("iou")["iou"].tolist() == [triple.iou for triple in expected]
    assert reader.where("source == 'two'").keys == [key for key in reader.keys if key.startswith("two/")]
    assert reader[-1].key == reader.keys[-1]


def test_rows_of_a_shard_are_those_of_the_view_and_of_a_condition(folders, view):
    """What readers of whole shards go by."""
    reader = ShardReader(view)
    some = reader.where("variant == 1")
    for each in (reader, some):
        found = [shard.triples["key"][each.rows(n)].tolist() for n, shard in enumerate(each.shards())]
        assert [key.decode() for keys in found for key in keys] == each.keys
    samples = {shard.targets["key"][row].decode() for n, shard in enumerate(some.shards()) for row in some.targets(n)}
    assert samples == {key.partition("@")[0] for key in some.keys}
    whole = ShardReader(folders[0])
    assert all(whole.targets(n).tolist() == list(range(len(shard.targets))) for n, shard in enumerate(whole.shards()))


def test_raw_records_are_those_of_the_folder_behind(folders, view):
    """Neither copied nor written anew."""
    reader, behind = ShardReader(view), ShardReader(folders[1])
    index = len(reader) - 1
    assert [bytes(part) for part in reader.raw(index)] == [
        bytes(part) for part in behind.raw(behind.keys.index(reader.keys[index]))
    ]
    assert reader.locate(index)[0].path.parent == folders[1]


def test_it_travels_between_processes(view):
    """Pickled after use, forked and spawned."""
    reader = ShardReader(view, max_open=1)
    expected = keys_of(reader)
    assert keys_of(pickle.loads(pickle.dumps(reader))) == expected
    for method in ("fork", "spawn"):
        with multiprocessing.get_context(method).Pool(1) as pool:
            assert pool.map(keys_of, [reader]) == [expected]


def test_one_line_says_what_it_is(view):
    """With the number of folders behind it, which have a manifest each."""
    assert repr(ShardReader(view)).endswith("2 sources, 2 recipes, a view of 2 folders)")
    with pytest.raises(UsageError, match=r"is a view of .*one, .*two; each of these has a manifest of its own"):
        ShardReader(view).manifest  # noqa: B018


def test_a_view_of_a_view_names_the_folders_behind(folders, view, tmp_path):
    """So the first one may go."""
    kept = ShardReader(view).where("variant == 0")
    again = write_view_of(tmp_path / "again", kept)
    shutil.rmtree(view)
    assert ShardReader(again).keys == kept.keys
    assert [each.path for each in read_view(again).folders] == ["../one", "../two"]


def test_both_can_be_moved_together(folders, view, tmp_path):
    """Another place, the same triples and the same digest of what is held."""
    keys, digest = ShardReader(view).keys, read_contents(view).digest
    moved = tmp_path / "moved"
    moved.mkdir()
    for folder in (*folders, view):
        folder.rename(moved / folder.name)
    assert ShardReader(moved / "view").keys == keys
    assert read_contents(moved / "view").digest == digest


def test_builds_may_differ_in_a_recipe(folders, tmp_path):
    """Each shard keeps its own; numbers that only one of them draws are columns of all."""
    changed = (replace(RECIPES[0], steps=RECIPES[0].steps[:1]),)
    other = write_shards(tmp_path / "other", "other", photos=2, recipes=changed)
    reader = ShardReader(write_view_of(tmp_path / "both", ShardReader(other), ShardReader(folders[0])))
    name = RECIPES[0].name
    assert reader.recipes[name] == reader.recipes_of(0)[name] == changed[0]
    assert reader.recipes_of(1)[name] == RECIPES[0]
    assert list(differing_recipes(reader.contents.builds)) == [name]
    dropped = next(each for each in RECIPES[0].parameter_names if each not in changed[0].parameter_names)
    numbers = reader.table("source", dropped)
    assert np.isnan(numbers[dropped][numbers["source"] == "other"]).all()


def test_a_folder_that_is_gone_is_named(folders, view):
    """With what was expected there, and the command that makes the view anew."""
    folders[1].rename(folders[1].with_name("three"))
    with pytest.raises(ShardError, match=r"view: is a view of .*two, and there is no such folder; expected the build "
                                         r"with manifest [0-9a-f]{12}….*`datakit merge .*--overwrite`"):  # fmt: skip
        ShardReader(view)


def test_a_folder_that_was_built_anew_is_named(folders, view):
    """Its rows are others."""
    shutil.rmtree(folders[1])
    write_shards(folders[1], "two", photos=4, per_shard=2)
    with pytest.raises(
        ShardError, match=r"is a view of .*two as it was with manifest \w+…, and it has manifest \w+… now"
    ):
        ShardReader(view)


def test_a_folder_that_is_not_finished_is_named(folders, view):
    """And why, in the words for the folder itself."""
    (folders[1] / NAME).unlink()
    with pytest.raises(ShardError, match=r"is a view of .*two, which is not whole: .*no manifest.json"):
        ShardReader(view)


def test_a_folder_that_became_a_view_is_named(folders, view, tmp_path):
    """It holds no shards any more."""
    shutil.rmtree(folders[1])
    write_view_of(folders[1], ShardReader(folders[0]))
    with pytest.raises(ShardError, match=r"is a view of .*two, which is a view now, expected the build with manifest"):
        ShardReader(view)


def test_a_lost_shard_is_told_with_the_view(folders, view):
    """When it is read; the others are there."""
    lost = folders[1] / "two-00000.h5"
    lost.unlink()
    reader = ShardReader(view)
    assert reader[0].key.startswith("one/")
    with pytest.raises(ShardError, match=r"two-00000.h5, behind the view .*view: is missing"):
        list(reader)


@pytest.mark.parametrize("rows", [{"two-00009.h5": "0"}, {"two-00000.h5": "0-999"}, {"two-00000.h5": "x"},
                                  {"two-00000.h5": "0"}])  # fmt: skip
def test_rows_that_the_folder_does_not_have_are_refused(folders, view, rows):
    """A shard it never had, rows beyond its triples, no rows at all, or another number of them."""
    found = read_view(view)
    write_view(view, replace(found, folders=(found.folders[0], replace(found.folders[1], rows=rows))))
    with pytest.raises(ShardError, match=r"is no shard|cannot be read|has 1 triples"):
        read_contents(view)
