"""Clips of shards: the same for any number of workers and ranks, others in every epoch, none of a held-back photo."""

import copy
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import ConcatDataset, DataLoader
from torch.utils.data.distributed import DistributedSampler

from datakit.clips import CLIP_PRESETS, ClipMaker, ShardStills, configure_clip_recipe
from datakit.errors import UsageError
from datakit.seeds import is_held_back
from datakit.shards import ShardReader
from model.clip_dataset import ClipDataset
from model.dataset import Draw
from model.sampler import EpochSampler, make_loader, opened
from tests.made_views import write_view_of
from tests.small_shards import write_shards

ROOT = Path(__file__).parent.parent.parent
SMALL = ("size=40", "frames=2")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Twelve photos with two objects each, in three shards."""
    return write_shards(tmp_path_factory.mktemp("shards") / "made", photos=12, objects=2)


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    """Four photos of another source."""
    return write_shards(tmp_path_factory.mktemp("shards") / "rare", "rare", photos=4)


def open_clips(folder, **options):
    options = {"split": "all", "settings": SMALL} | options
    return ClipDataset(folder, **options)


def pixels(item):
    return b"".join(part.numpy().tobytes() for part in item)


def keys(data):
    return [data.clip(number).key.partition("@")[0] for number in range(len(data))]


def test_an_item_is_the_clip_of_the_maker(folder):
    """Nothing is drawn beside it: the clip of (seed, epoch, key, repeat)."""
    maker = ClipMaker(ShardStills(folder), configure_clip_recipe(CLIP_PRESETS["cutie"], SMALL), seed=5)
    data = open_clips(folder, seed=5)
    expected = maker.clip(3, epoch=2, repeat=1)
    assert np.array_equal(data.clip(Draw(3, 2, 1)).frames, expected.frames)
    frames, labels, _ = data[Draw(3, 2, 1)]
    assert np.array_equal(frames.numpy().transpose(0, 2, 3, 1), expected.frames)
    assert np.array_equal(labels, expected.labels)


def test_items_of_a_batch_are_those_of_their_numbers(folder):
    """A DataLoader asks for them at once."""
    data = open_clips(folder)
    batch = data.__getitems__([Draw(3, 2, 1), 7])
    assert list(map(pixels, batch)) == [pixels(data[Draw(3, 2, 1)]), pixels(data[7])]


def test_a_number_is_a_draw_of_the_epoch(folder):
    """An int, a torch index or a Draw."""
    data = open_clips(folder)
    data.set_epoch(4)
    assert pixels(data[7]) == pixels(data[Draw(7, 4)]) == pixels(data[torch.tensor(7)]) == pixels(data[-5])
    with pytest.raises(IndexError, match="clip 12: there are 12"):
        data[12]


def test_every_epoch_repeat_and_seed_has_other_clips(folder):
    """Of the same photos."""
    data = open_clips(folder)
    draws = [Draw(2, 0, 0), Draw(2, 1, 0), Draw(2, 0, 1)]
    assert len({pixels(data[draw]) for draw in draws} | {pixels(open_clips(folder, seed=1)[2])}) == 4
    assert len({data.clip(draw).key for draw in draws}) == 1


@pytest.mark.parametrize(("method", "workers"), [(None, 0), ("fork", 1), ("fork", 2), ("spawn", 2)])
def test_workers_change_no_byte(folder, method, workers):
    """However many there are, and however they are started."""
    data = open_clips(folder, dialect="cutie")
    loader = DataLoader(data, 4, num_workers=workers, multiprocessing_context=method)
    found = torch.cat([batch["rgb"] for batch in loader])
    assert torch.equal(found, torch.stack([data[number]["rgb"] for number in range(len(data))]))


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_kept_workers_are_told_the_epoch(folder, method):
    """`persistent_workers` hold a data set that was made in the first epoch."""
    data = open_clips(folder, dialect="stcn")
    options = {"num_workers": 2, "multiprocessing_context": method, "persistent_workers": True}
    loader = DataLoader(data, 3, **options)
    for epoch in (0, 1, 5):
        data.set_epoch(epoch)
        found = torch.cat([batch["rgb"] for batch in loader])
        assert torch.equal(found, torch.stack([data[Draw(number, epoch)]["rgb"] for number in range(12)]))


def test_ranks_share_the_clips_of_one_process(folder):
    """A published training loop: `DistributedSampler` and `set_epoch` of both."""
    found = []
    for rank in range(3):
        data = open_clips(folder)
        sampler = DistributedSampler(data, 3, rank, shuffle=True)
        sampler.set_epoch(2)
        data.set_epoch(2)
        found += [pixels(data[number]) for number in sampler]
    alone = open_clips(folder)
    assert sorted(found) == sorted(pixels(alone[Draw(number, 2)]) for number in range(12))


def test_the_sampler_of_triples_draws_clips_too(folder):
    """`EpochSampler` says itself of which epoch a clip is; nobody need call `set_epoch`."""
    data = open_clips(folder, dialect="cutie", slots=2)
    sampler = EpochSampler(data.weights, 6, seed=3)
    with opened(make_loader(data, sampler, workers=2)) as batches:
        found = [next(batches) for _ in range(4)]
    order = iter(sampler)
    for batch in found:
        names = [data.clip(draw).key for draw in next(order)]
        assert batch["info"]["name"] == names
    assert len({batch["rgb"].numpy().tobytes() for batch in found}) == 4


def test_it_pickles_without_its_shards(folder):
    """After use, as workers get it; and the copy goes its own way."""
    data = open_clips(folder)
    before = pixels(data[1])
    data.set_epoch(3)
    text = pickle.dumps(data)
    assert len(text) < 20_000
    for again in (pickle.loads(text), copy.deepcopy(data)):
        assert pixels(again[1]) == pixels(data[1]) != before
        again.set_epoch(0)
        assert pixels(again[1]) == before != pixels(data[1])


def test_held_back_photos_are_those_of_triples(folder):
    """`train` and `val` share the photos out; a clip's further pictures are of its own side."""
    split = {name: open_clips(folder, split=name, val_share=0.4) for name in ("train", "val", "all")}
    held = {key for key in keys(split["all"]) if is_held_back(key, 0.4)}
    assert 0 < len(held) < 12
    assert set(keys(split["val"])) == held
    assert set(keys(split["train"])) == set(keys(split["all"])) - held
    many = open_clips(
        folder, split="train", val_share=0.4, settings=(*SMALL, "more_stills_high=3", "more_stills_low=3")
    )
    photos = {photo for number in range(len(many)) for photo in many.clip(number).plan.stills}
    assert photos == set(keys(split["train"]))


def test_clips_to_validate_on_are_the_same_in_every_epoch(folder):
    """Only training wants others."""
    data = open_clips(folder, split="val", val_share=0.4)
    before = pixels(data[0])
    data.set_epoch(7)
    assert pixels(data[0]) == pixels(data[Draw(0, 3)]) == before


def test_a_source_of_greater_weight_comes_more_often(folder, other):
    """As by the published multipliers: five clips of a photo, each another one."""
    data = open_clips([folder, other], weights={"rare": 5})
    found = keys(data)
    assert len(data) == len(data.weights) == 12 + 5 * 4
    assert all(found.count(f"rare/{n:03d}") == 5 for n in range(4))
    of_one = [pixels(data[number]) for number, key in enumerate(found) if key == "rare/002"]
    assert len(set(of_one)) == 5


def test_a_weight_below_one_takes_turns(folder, other):
    """Every photo comes in its share of the epochs; a weight of 0 leaves a source out."""
    data = open_clips([folder, other], weights={"made": 0.25})
    assert len(data) == 12 // 4 + 4
    counts = dict.fromkeys(keys(open_clips([folder, other])), 0)
    for epoch in range(40):
        data.set_epoch(epoch)
        for key in keys(data):
            counts[key] += 1
    assert all(abs(counts[f"made/{n:03d}"] - 10) <= 2 for n in range(12))
    assert all(38 <= counts[f"rare/{n:03d}"] <= 42 for n in range(4))
    assert len(open_clips([folder, other], weights={"made": 0})) == 4


def test_repeats_within_an_epoch_and_of_a_sampler_do_not_meet(folder, other):
    """A photo that comes twice by its weight and twice by its sampler gives four clips."""
    data = open_clips(other, weights={"rare": 2})
    assert len({pixels(data[Draw(item, 0, repeat)]) for item in range(8) for repeat in range(3)}) == 24


def test_data_sets_put_together_still_work(folder, other):
    """torch's own containers take it."""
    both = ConcatDataset([open_clips(folder), open_clips(other)])
    assert len(both) == 16
    assert pixels(both[13]) == pixels(open_clips(other)[1])


def test_a_recipe_is_a_name_a_file_or_an_object(folder, tmp_path):
    """And settings change it."""
    path = tmp_path / "mine.toml"
    path.write_text('like = "stcn"\nsize = 36\n')
    for recipe in (path, str(path)):
        data = ClipDataset(folder, recipe, settings=["frames=4"])
        assert (data.recipe.name, data.recipe.size, data.recipe.frames) == ("mine", 36, 4)
    assert ClipDataset(folder, CLIP_PRESETS["deva"]).recipe.name == "deva"


def test_room_for_objects_is_as_many_as_the_recipe_gives(folder):
    """One a photo where a photo's objects are one; ten at most where nobody says how many; or as one says."""
    many = (*SMALL, "objects=each")
    assert open_clips(folder).slots == 1
    assert open_clips(folder, settings=(*SMALL, "more_stills_high=2")).slots == 3
    assert open_clips(folder, settings=many).slots == 10
    one = open_clips(folder, settings=many, slots=1)
    assert (one.slots, one.recipe.most_objects) == (1, 1)
    assert max(int(one[number][1].max()) for number in range(12)) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"split": "test"}, "split 'test': expected train, val, all"),
        ({"slots": 0}, "slots 0: expected at least 1"),
        ({"weights": {"made": 0}}, "leave nothing of 12 photos"),
        ({"weights": {"mode": 2}}, "fits no source"),
        ({"recipe": "cuties"}, "did you mean cutie"),
        ({"settings": ["frame=2"]}, "frames"),
    ],
)
def test_what_cannot_be_is_refused(folder, options, message):
    """With what was expected."""
    with pytest.raises(UsageError, match=message):
        open_clips(folder, **options)


def test_it_says_what_it_is(folder):
    """In one line."""
    made = "ClipRecipe('cutie', independent, 2 frames of 40 px)"
    assert repr(open_clips(folder)) == f"ClipDataset(12 clips an epoch, {made})"


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_repository_with_a_package_called_model_can_use_it(folder, tmp_path, method):
    """As STCN's and XMem's have one: `datakit.model` is ours, in worker processes, too."""
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "__init__.py").write_text("")
    (tmp_path / "model" / "trainer.py").write_text("name = 'theirs'\n")
    script = tmp_path / "train.py"
    script.write_text(
        "import sys\n"
        f"sys.path.append({str(ROOT)!r})\n"
        "sys.meta_path[:] = [f for f in sys.meta_path if '__editable__' not in getattr(f, '__module__', '')]\n"
        "from model import trainer\n"
        "from datakit.model.clip_dataset import ClipDataset\n"
        "from torch.utils.data import DataLoader\n"
        "if __name__ == '__main__':\n"
        f"    data = ClipDataset({str(folder)!r}, dialect='xmem', settings={list(SMALL)!r}, split='all')\n"
        f"    loader = DataLoader(data, 6, num_workers=1, multiprocessing_context={method!r})\n"
        "    print(trainer.name, *[len(batch['rgb']) for batch in loader])\n"
    )
    found = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, cwd=tmp_path)
    assert found.stdout.split() == ["theirs", "6", "6"], found.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"settings": "frames=4"}, r"settings 'frames=4': expected a list"),
        ({"settings": {"frames": 4}}, r"expected a list, such as \['frames=4'\]"),
        ({"split": "train", "val_share": 1}, "val_share 1: leaves no photo for split 'train'"),
        ({"val_share": float("nan")}, "expected a share of 0..1"),
        ({"seed": -1}, "seed -1: expected a whole number from 0 on"),
    ],
)
def test_what_cannot_be_is_refused_at_once(folder, options, said):
    """Not by the first item, in some worker."""
    with pytest.raises(UsageError, match=said):
        open_clips(folder, **options)


def test_clips_of_a_view_show_the_objects_of_its_triples(folder, other, tmp_path):
    """Photos and objects of which it has none are not there; what is held back is so in the view, too."""
    chosen = ShardReader(folder).where("photo_key < 'made/009' and object_id == 1")
    view = write_view_of(tmp_path / "view", chosen, ShardReader(other))
    data = open_clips(view)
    assert keys(data) == [f"made/{n:03d}" for n in range(9)] + [f"rare/{n:03d}" for n in range(4)]
    stills = ShardStills(view)
    assert stills.find("made/003").object_ids == (1,)
    assert set(np.unique(stills.find("made/003").labels)) == {0, 1}
    assert keys(open_clips(view, split="val", val_share=0.4)) == [k for k in keys(data) if is_held_back(k, 0.4)]
