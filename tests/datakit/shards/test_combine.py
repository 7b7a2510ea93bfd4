"""What may meet in one view: every key means one thing, and a triple that comes twice is there once."""

from dataclasses import replace

import numpy as np
import pytest

from datakit.errors import UsageError
from datakit.seeds import is_held_back
from datakit.shards import ShardReader
from datakit.shards.combine import check_apart, gather, held_back, whole_photos
from datakit.shards.manifest import read_manifest, write_manifest
from datakit.transforms.rotate_flip import Augment
from tests.made import RECIPES
from tests.made_views import write_view_of
from tests.small_shards import write_shards

BOX = (RECIPES[1],)


@pytest.fixture
def folder(tmp_path):
    """Five photos in three shards."""
    return write_shards(tmp_path / "one", "made", photos=5, per_shard=2)


def merged(out, *readers):
    """A reader of the view of some."""
    check_apart(gather(readers))
    return ShardReader(write_view_of(out, *readers))


def test_a_triple_that_comes_twice_is_there_once(folder, tmp_path):
    """Of overlapping choices of one folder, in the order of its shards; they are counted."""
    reader = ShardReader(folder)
    late, early = reader.where("photo_key > 'made/001'"), reader.where("photo_key < 'made/003'")
    (found,) = gather([late, early])
    assert found.twice == 3
    assert found.count_photos() == 5
    assert merged(tmp_path / "view", late, early).keys == reader.keys


def test_a_copy_of_a_folder_is_the_same_build(folder, tmp_path):
    """Known by the digest of its manifest."""
    copy = write_shards(tmp_path / "copy", "made", photos=5, per_shard=2)
    (found,) = gather([ShardReader(folder), ShardReader(copy)])
    assert (found.build.folder, found.triples, found.twice) == (folder, 15, 15)


def test_photos_are_counted_in_whole_shards_and_in_parts(folder):
    """Those of which a triple is taken."""
    (found,) = gather([ShardReader(folder).where("photo_key != 'made/001' and variant == 0")])
    assert found.count_photos() == 4


def test_the_same_triples_of_two_builds_are_refused(folder, tmp_path):
    """Nobody could say which is meant by a key; the way out is a command."""
    other = write_shards(tmp_path / "other", "made", photos=3, per_shard=3, recipes=BOX)
    with pytest.raises(UsageError, match=r"one and .*other: 3 triples such as made/000@masktrack-box/0 are in both.*"
                                         r"`datakit select .*other --where .*--out REST`, and merge REST"):  # fmt: skip
        check_apart(gather([ShardReader(folder), ShardReader(other)]))


def test_other_triples_of_the_same_photos_may_meet(folder, tmp_path):
    """They are told, and all of them are there."""
    only_masks = ShardReader(folder).where("kind == 'mask'")
    other = ShardReader(write_shards(tmp_path / "other", "made", photos=3, per_shard=3, recipes=BOX))
    (note,) = check_apart(gather([only_masks, other]))
    assert note.endswith("3 photos of 'made' in both, with other triples")
    assert merged(tmp_path / "view", only_masks, other).keys == only_masks.keys + other.keys


def test_two_photos_of_one_key_are_refused(tmp_path):
    """Two sources that were given the same label; other triples do not help."""
    one = write_shards(tmp_path / "one", "made", photos=2, recipes=RECIPES[:1])
    other = write_shards(tmp_path / "other", "made", photos=2, recipes=BOX, crc32=7)
    with pytest.raises(UsageError, match=r"2 keys such as made/000 are of two photos, whose files differ.*LABEL=ROOT"):
        check_apart(gather([ShardReader(one), ShardReader(other)]))


def test_one_label_of_two_layouts_is_told(tmp_path):
    """Although no key meets another."""
    folders = [write_shards(tmp_path / name, "made", photos=2) for name in ("one", "other")]
    for folder, layout in zip(folders, ("ecssd", "coco"), strict=True):
        write_manifest(folder, replace(read_manifest(folder), sources={"made": {"layout": layout}}))
    parts = [ShardReader(folder).where(f"photo_key == 'made/00{n}'") for n, folder in enumerate(folders)]
    (note,) = check_apart(gather(parts))
    assert note.endswith("'made' is of layout ecssd in the one and of coco in the other: two sets under one label")


def test_folders_of_other_labels_are_not_even_opened(folder, tmp_path):
    """Whatever their shards hold."""
    other = write_shards(tmp_path / "other", "other", photos=2)
    readers = [ShardReader(folder), ShardReader(other)]
    for path in other.glob("*.h5"):
        path.unlink()
    assert check_apart(gather(readers)) == []


def test_whole_photos_have_all_their_triples(folder):
    """Of photos of which one triple is chosen."""
    reader = ShardReader(folder)
    found = whole_photos(reader, reader.where("key in ('made/001@masktrack/1', 'made/003@masktrack/0')"))
    assert found.keys == [key for key in reader.keys if key[:8] in ("made/001", "made/003")]


def test_first_frame_views_go_with_their_photo(tmp_path):
    """They are rows of their own, and the same photo."""
    recipe = replace(RECIPES[0], augment=Augment(angles=(0.0, 10.0)))
    reader = ShardReader(write_shards(tmp_path / "turned", "made", photos=2, recipes=(recipe,)))
    found = whole_photos(reader, reader.where("photo_key == 'made/000~r+10'"))
    assert found.keys == [key for key in reader.keys if key.startswith("made/000")]


@pytest.mark.parametrize("share", [0.5, 0.6])
def test_triples_are_held_back_by_the_photo(folder, share):
    """By the rule of training."""
    reader = ShardReader(folder).where("kind == 'mask'")
    expected = [is_held_back(triple.sample_key, share) for triple in reader]
    np.testing.assert_array_equal(held_back(reader, share), expected)
    assert 0 < sum(expected) < len(expected)
