"""Stills out of shards and sources."""

import pickle

import numpy as np
import pytest

from datakit.clips import SceneStills, ShardStills
from datakit.errors import ShardError, UsageError
from datakit.keys import photo_of
from datakit.shards import ShardReader
from tests import tiny
from tests.small_shards import write_shards


@pytest.fixture
def folder(tmp_path):
    return write_shards(tmp_path / "made", photos=6, objects=2)


def test_every_photo_is_there_once_with_all_its_objects(folder):
    stills = ShardStills(folder)
    triples = list(ShardReader(folder))
    assert sorted(stills.keys) == sorted({photo_of(each.sample_key) for each in triples})
    still = stills.find(photo_of(triples[0].sample_key))
    own = {each.object_id: each for each in triples if photo_of(each.sample_key) == still.key}.values()
    assert still.size == triples[0].target.shape
    assert np.array_equal(still.image(), triples[0].image)
    assert set(still.object_ids) == {each.object_id for each in own}
    covered = np.zeros(still.size, bool)
    for each in sorted(own, key=lambda each: -each.object_id):  # later ones lie over earlier ones
        number = still.object_ids.index(each.object_id) + 1
        assert np.array_equal(still.labels == number, each.target.astype(bool) & ~covered)
        covered |= each.target.astype(bool)


def test_a_smaller_photo_is_asked_for_by_its_factor(folder):
    still = ShardStills(folder)[0]
    assert still.image(4).shape == (-(-still.size[0] // 4), -(-still.size[1] // 4), 3)


def test_photos_can_be_chosen_by_key(folder):
    every = ShardStills(folder).keys
    assert ShardStills(folder, lambda key: key == every[2]).keys == [every[2]]
    with pytest.raises(UsageError, match="no photo to make clips of"):
        ShardStills(folder, lambda key: False)


def test_stills_of_shards_pickle(folder):
    stills = ShardStills(folder)
    stills[0].image()
    again = pickle.loads(pickle.dumps(stills))
    assert again.keys == stills.keys
    assert np.array_equal(again[1].labels, stills[1].labels)


def test_a_folder_without_shards_says_so(tmp_path):
    with pytest.raises(ShardError):
        ShardStills(tmp_path)


def test_photos_of_a_source_are_the_same_stills(tmp_path):
    stills = SceneStills(tiny.opened("ecssd", tiny.ecssd(tmp_path / "ecssd")))
    assert len(stills) == 3
    still = stills[1]
    assert still.labels.shape == still.size == still.image().shape[:2]
    assert set(np.unique(still.labels)) == {0, 1}


def test_a_photo_of_other_bytes_is_found_unless_nobody_looks(tmp_path):
    """By its CRC-32, even where it still decodes."""
    folder = write_shards(tmp_path / "checked")
    path = sorted(folder.glob("*.h5"))[0]
    checked, plain = ShardStills(folder), ShardStills(folder, check=False)
    photo = bytes(checked[0]._encoded())
    data = bytearray(path.read_bytes())
    at = data.index(photo) + len(photo) - 12
    data[at] ^= 1
    path.write_bytes(data)
    assert bytes(ShardStills(folder, check=False)[0]._encoded()) != photo
    with pytest.raises(ShardError, match="CRC-32"):
        ShardStills(folder)[0].image()
    assert plain.keys == checked.keys
