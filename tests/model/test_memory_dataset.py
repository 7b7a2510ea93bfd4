"""What a network with a memory learns from: frames of clips with guide masks and remembered frames."""

import pickle

import numpy as np
import pytest
import torch

from datakit.errors import UsageError
from datakit.transforms.views import ViewConfig
from model.clip_view import ClipView
from model.dataset import Draw
from model.inputs import UNIT_RGB
from model.memory_dataset import KINDS, MemoryDataset
from tests.small_shards import write_shards

VIEW = ViewConfig(size=48)
NONE = dict.fromkeys(KINDS, 0.0)
TENSORS = ("input", "memory", "target", "valid")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Eight photos with two objects each."""
    return write_shards(tmp_path_factory.mktemp("shards") / "made", photos=8, objects=2)


def open_items(folder, view=VIEW, split="all", **clips):
    return MemoryDataset(folder, UNIT_RGB, view, ClipView(**{"frames": 6} | clips), split=split)


def same(one, other):
    return all(torch.equal(one[name], other[name]) for name in TENSORS)


def test_an_item_is_what_a_network_with_a_memory_takes(folder):
    item = open_items(folder, memories=2)[3]
    assert item["input"].shape == (4, 48, 48) and item["input"].dtype == torch.float32
    assert item["memory"].shape == (2, 4, 48, 48) and item["memory"].dtype == torch.float32
    for name in ("target", "valid"):
        assert item[name].shape == (48, 48) and item[name].dtype == torch.uint8 and item[name].max() <= 1
    assert item["key"].partition("@")[2] in ("smooth", "aot")


def test_the_object_is_seen_in_what_is_remembered(folder):
    data = open_items(folder)
    assert all((data[n]["memory"][:, 3] > 0).any() for n in range(len(data)))


def test_a_draw_gives_one_item_and_every_epoch_another(folder):
    data, again = open_items(folder), pickle.loads(pickle.dumps(open_items(folder)))
    assert same(data[Draw(2, 1)], again[Draw(2, 1)])
    assert not same(data[Draw(2, 1)], data[Draw(2, 2)]) and not same(data[Draw(2, 1)], data[Draw(2, 1, 1)])


def test_what_is_held_back_is_the_same_in_every_epoch(folder):
    data = MemoryDataset(folder, UNIT_RGB, VIEW, ClipView(frames=6), split="val", val_share=0.5)
    assert same(data[Draw(0, 0)], data[Draw(0, 5)])


def test_an_item_before_it_is_cut_is_a_triple(folder):
    """Of the whole frame, with the same remembered frames; `score` takes it."""
    data = open_items(folder)
    triple = data.triple(1)
    assert triple.image.shape == (384, 384, 3) and triple.guide.shape == triple.target.shape == (384, 384)
    assert torch.equal(triple.remembered, data[1]["memory"])


@pytest.mark.parametrize("kind", KINDS)
def test_kinds_of_guide_masks_come_as_often_as_asked(folder, kind):
    data = open_items(folder, **NONE | {kind: 1.0})
    assert {data.triple(n).kind for n in range(4)} == {kind}
    off = open_items(folder, **NONE)
    assert {off.triple(n).kind for n in range(4)} == {"before"}


def test_none_is_an_empty_guide_mask_in_the_whole_frame(folder):
    data = open_items(folder, **NONE | {"none": 1.0})
    assert not data.triple(0).guide.any()
    assert (data[0]["input"][3] == UNIT_RGB.mask_values[0]).all()


def test_the_guide_mask_is_near_the_target_where_it_is_the_frame_before(folder):
    """As in a video: most of the object lies under it."""
    calm = VIEW.still()
    data = open_items(folder, calm, smooth=1.0, **NONE)
    triples = [data.triple(n) for n in range(8)]
    covered = [np.mean(each.guide[each.target > 0]) for each in triples if each.target.any()]
    assert np.mean(covered) > 0.8


def test_a_mistaken_guide_mask_holds_another_object(folder):
    wrong = open_items(folder, VIEW.still(), smooth=1.0, **NONE | {"mistaken": 1.0})
    right = open_items(folder, VIEW.still(), smooth=1.0, **NONE)
    assert sum(wrong.triple(n).guide.sum() > right.triple(n).guide.sum() for n in range(8)) > 0


def test_settings_beyond_their_range_are_refused():
    with pytest.raises(UsageError, match=r"clips.*smooth"):
        ClipView(smooth=1.5)
