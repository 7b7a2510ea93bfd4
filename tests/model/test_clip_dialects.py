"""Dialects: each gives what the published loader gives, key by key, and no pixel is another one's."""

import itertools
from functools import partial

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, default_collate

from datakit.clips import CLIP_PRESETS
from datakit.errors import UsageError
from model.clip_dataset import ClipDataset
from model.clip_dialects import DIALECTS, Dialect, dialect_of, masktrack, to_float
from model.compute import Compute
from model.inputs import CAFFE_BGR, UNIT_RGB, pack_input
from model.networks import build_network
from model.sampler import EpochSampler, make_loader, opened
from model.settings import TrainConfig
from model.train import Trainer
from tests.small_shards import write_shards

S, T, K = 48, 3, 1
F, I = torch.float32, torch.int64  # noqa: E741
IMAGE, LABEL = ((3, S, S), F), ((1, S, S), I)
STM = {
    "rgb": ((T, 3, S, S), F),
    "first_frame_gt": ((1, K, S, S), I),
    "cls_gt": ((T, 1, S, S), I),
    "selector": ((K,), F),
    "info": {"name": str, "num_objects": int},
}
STCN = {"rgb": ((T, 3, S, S), F), "gt": ((T, 1, S, S), F), "cls_gt": ((T, S, S), I), "info": {"name": str}}
AOT = {"ref_img": IMAGE, "prev_img": IMAGE, "curr_img": [IMAGE] * 3, "ref_label": LABEL, "prev_label": LABEL,
       "curr_label": [LABEL] * 3, "meta": {"seq_name": str, "frame_num": int, "obj_num": int}}  # fmt: skip
PUBLISHED = {
    "cutie": STM,
    "xmem": STM,
    "deva": STM,
    "matanyone": STM | {"info": STM["info"] | {"is_img": bool}},
    "stcn": STCN,
    "rde": STCN | {"pgt": ((T, 1, S, S), F)},
    "aot": AOT,
    "deaot": AOT,
}
NORMALISED = {"xmem", "deva", "stcn", "rde", "aot", "deaot"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Eight photos with two objects each."""
    return write_shards(tmp_path_factory.mktemp("shards") / "made", photos=8, objects=2)


def open_clips(folder, dialect, recipe=None, *settings, **options):
    settings = [f"size={S}", *settings]
    return ClipDataset(folder, recipe or dialect, dialect=dialect, split="all", settings=settings, **options)


def form(value):
    """Shapes and types of an item, at any depth."""
    if isinstance(value, torch.Tensor):
        return tuple(value.shape), value.dtype
    if isinstance(value, dict):
        return {key: form(each) for key, each in value.items()}
    return [form(each) for each in value] if isinstance(value, list) else type(value)


@pytest.mark.parametrize("dialect", PUBLISHED)
def test_an_item_has_the_keys_shapes_and_types_of_the_published_loader(folder, dialect):
    """Read in the sources at the commits that the dialects name."""
    assert form(open_clips(folder, dialect)[0]) == PUBLISHED[dialect]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_items_become_a_batch(folder, dialect):
    """By torch's own collate, as the published trainers stack them; SAM 2 stacks its own."""
    data = open_clips(folder, dialect, "aot" if dialect in ("aot", "deaot") else "rde")
    if dialect == "sam2":
        return
    (batch,) = DataLoader(data, batch_size=8)
    first = default_collate([data[0]])
    assert form(batch).__class__ is form(first).__class__
    tensors = [each for each in (batch.values() if isinstance(batch, dict) else batch) if hasattr(each, "shape")]
    assert tensors and all(each.shape[0] == 8 for each in tensors)


@pytest.mark.parametrize("dialect", PUBLISHED)
def test_colours_are_in_the_range_of_the_published_loader(folder, dialect):
    """0..1, or that with ImageNet's mean and deviation; undone, the very pixels of the clip."""
    data = open_clips(folder, dialect)
    item, frames = data[1], torch.from_numpy(data.clip(1).frames).permute(0, 3, 1, 2)
    rgb = item["rgb"] if "rgb" in item else torch.stack([item["ref_img"], item["prev_img"], *item["curr_img"]])
    if dialect in NORMALISED:
        mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
        rgb = rgb * deviation.view(3, 1, 1) + mean.view(3, 1, 1)
    assert torch.equal((rgb * 255).round().to(torch.uint8), frames)


@pytest.mark.parametrize("is_normalised", [False, True])
def test_floats_are_those_of_torchvision_in_every_bit(is_normalised):
    """`div(255)`, then `sub(mean).div(std)`, in float32: every grey level in every channel."""
    levels = np.repeat(np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1), 3, axis=3)
    expected = torch.from_numpy(levels).permute(0, 3, 1, 2).to(torch.float32).div(255)
    if is_normalised:
        mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
        expected = expected.sub(mean.view(3, 1, 1)).div(deviation.view(3, 1, 1))
    assert torch.equal(to_float(levels, is_normalised), expected)


@pytest.mark.parametrize("dialect", ["cutie", "xmem", "deva"])
def test_ids_of_all_frames_are_the_slots_of_the_first(folder, dialect):
    """Slot n - 1 of the first frame's masks is where id n is; the selector says which slots are taken."""
    data = open_clips(folder, dialect, None, "more_stills_high=2", "more_stills_low=2")
    assert data.slots == 3
    for number in range(len(data)):
        item = data[number]
        found = set(item["cls_gt"].unique().tolist()) - {0}
        assert item["first_frame_gt"].shape == (1, 3, S, S)
        for slot in range(3):
            assert torch.equal(item["first_frame_gt"][0, slot].bool(), item["cls_gt"][0, 0] == slot + 1)
        assert found == set(range(1, item["info"]["num_objects"] + 1))
        assert item["selector"].tolist() == [float(slot < item["info"]["num_objects"]) for slot in range(3)]


@pytest.mark.parametrize("dialect", ["cutie", "xmem", "deva"])
def test_a_clip_without_an_object_counts_one_as_published(folder, dialect):
    """`num_objects` and the selector say 1, the masks are empty."""
    item = open_clips(folder, dialect, None, "least_pixels=100000")[0]
    assert item["info"]["num_objects"] == 1 and item["selector"].tolist() == [1]
    assert not item["first_frame_gt"].any() and not item["cls_gt"].any()


def test_cutie_is_given_rough_first_masks_where_the_recipe_makes_them(folder):
    """As MatAnyone does: `first_frame_gt` is rough, `cls_gt` exact."""
    data = open_clips(folder, "cutie", "cutie", "rough=deformed")
    item, clip = data[2], data.clip(2)
    assert np.array_equal(item["first_frame_gt"][0], clip.guides[0])
    assert not np.array_equal(item["first_frame_gt"][0, 0], item["cls_gt"][0, 0])
    assert np.array_equal(item["cls_gt"][:, 0], clip.labels)


def test_rde_has_a_rough_mask_of_the_first_frame_beside_the_true_ones(folder):
    """`pgt` is `gt` in the other frames; a recipe without a rule of rough masks is refused at once."""
    item = open_clips(folder, "rde")[1]
    assert not torch.equal(item["pgt"][0], item["gt"][0])
    assert torch.equal(item["pgt"][1:], item["gt"][1:])
    with pytest.raises(UsageError, match="needs rough masks, which recipe stcn does not make"):
        open_clips(folder, "rde", "stcn")


def test_stcn_knows_one_object(folder):
    """Whatever the recipe takes for objects, labels are 0 and 1, and `gt` is where they are 1."""
    data = open_clips(folder, "stcn", None, "objects=each")
    item = data[0]
    assert data.slots == 1
    assert set(item["cls_gt"].unique().tolist()) <= {0, 1}
    assert torch.equal(item["gt"][:, 0].long(), item["cls_gt"])


def test_aot_has_ids_without_gaps_and_says_how_many(folder):
    """The number is of frame 0; both photos' objects are in it."""
    data = open_clips(folder, "aot", None, "least_pixels=5")
    for number in range(4):
        item = data[number]
        assert set(item["ref_label"].unique().tolist()) - {0} == set(range(1, item["meta"]["obj_num"] + 1))
        assert item["meta"]["frame_num"] == 1
    assert max(data[number]["meta"]["obj_num"] for number in range(8)) > 2


@pytest.mark.parametrize("dialect", ["aot", "deaot"])
def test_a_dialect_refuses_clips_that_are_too_short(folder, dialect):
    """When it is opened, not in a worker."""
    with pytest.raises(UsageError, match="3 frames or more"):
        open_clips(folder, dialect, None, "frames=2")


def test_sam2_reads_the_very_pixels_and_masks(folder):
    """Its trainer multiplies by 255 and rounds down; masks are bool, by id; names and numbers are there."""
    data = open_clips(folder, "sam2", "cutie", "objects=each", "frames=4")
    (video, segments), clip = data.get_video(3), data.clip(3)
    assert len(video) == len(video.frames) == 4
    assert [frame.frame_idx for frame in video.frames] == [0, 1, 2, 3]
    assert isinstance(video.video_id, int) and 0 <= video.video_id < 1 << 31
    for frame in video.frames:
        again = (frame.data.numpy().transpose(1, 2, 0) * 255.0).astype(np.uint8)
        assert np.array_equal(again, clip.frames[frame.frame_idx])
        masks = segments.load(frame.frame_idx)
        assert list(masks) == [each.number for each in clip.objects]
        assert all(np.array_equal(mask, clip.labels[frame.frame_idx] == n) for n, mask in masks.items())


def test_every_grey_level_survives_the_way_through_sam2():
    """x / 255 times 255 in float32, rounded down, is x."""
    levels = np.arange(256, dtype=np.uint8)
    again = to_float(np.repeat(levels.reshape(1, 16, 16, 1), 3, axis=3)).numpy() * 255.0
    assert np.array_equal(again.astype(np.uint8)[0, 0].ravel(), levels)


def test_plain_clips_have_frames_labels_and_ids(folder):
    """And guides, where there are rough masks: as many as slots."""
    settings = "objects=each", "frames=2"
    frames, labels, ids = open_clips(folder, "plain", "cutie", *settings, slots=4)[0]
    assert frames.shape == (2, 3, S, S) and frames.dtype == torch.uint8
    assert labels.shape == (2, S, S) and labels.dtype == torch.uint8
    assert ids.shape == (4,) and ids.dtype == torch.int64
    assert set(ids.tolist()) - {0} == set(labels[0].unique().tolist()) - {0}
    *_, guides = open_clips(folder, "plain", "cutie", *settings, "rough=deformed", slots=4)[0]
    assert guides.shape == (2, 4, S, S) and guides.dtype == torch.uint8
    assert not guides[:, int((ids > 0).sum()) :].any()


@pytest.mark.parametrize("settings", [("rough=deformed", "frames=1"), ("frames=2",)])
def test_masktrack_learns_from_the_last_frame(folder, settings):
    """As `TripleDataset` gives it: the guide is rough, or the mask of the frame before."""
    data = open_clips(folder, "masktrack", "stcn", *settings)
    for number in range(4):
        item, clip = data[number], data.clip(number)
        assert form(item) == {"input": ((4, S, S), F), "target": ((S, S), torch.uint8),
                              "valid": ((S, S), torch.uint8), "key": str}  # fmt: skip
        assert np.array_equal(item["target"], clip.labels[-1] == 1)
        guide = clip.guides[0, 0] if clip.guides is not None else (clip.labels[-2] == 1).view(np.uint8)
        assert torch.equal(item["input"], pack_input(clip.frames[-1], guide, UNIT_RGB))
        assert item["valid"].all()


def test_masktrack_takes_the_frame_that_is_rough(folder):
    """Where the first alone is, a later frame's guide would be the answer."""
    data = open_clips(folder, "masktrack", "matanyone")
    item, clip = data[0], data.clip(0)
    assert np.array_equal(item["target"], clip.labels[0] == 1)


def test_masktrack_takes_another_object_another_time(folder):
    """One of the clip's, by chance of its own."""
    data = open_clips(folder, "masktrack", "aot", "rough=deformed", "frames=1", "least_pixels=1")
    chosen = set()
    for number in range(8):
        item, clip = data[number], data.clip(number)
        chosen |= {n for n in range(1, 5) if np.array_equal(item["target"], clip.labels[0] == n)}
    assert len(chosen) > 1


def test_masktrack_judges_nothing_where_a_source_knows_nothing(tmp_path):
    """`valid` is 0 there."""
    folder = write_shards(tmp_path / "void", photos=2, ignore=True)
    data = open_clips(folder, "masktrack", "stcn", "frames=2")
    item, clip = data[0], data.clip(0)
    assert clip.ignored.any()
    assert np.array_equal(item["valid"], 1 - clip.ignored[-1])


def test_masktrack_refuses_a_clip_that_gives_no_guide(folder):
    """One frame without rough masks has neither a rough mask nor a frame before."""
    with pytest.raises(UsageError, match="rough=deformed"):
        open_clips(folder, "masktrack", "stcn", "frames=1")[0]


def test_a_network_codes_masktracks_input_its_own_way(folder):
    """A dialect with another coding, in one line."""
    mine = Dialect(partial(masktrack, coding=CAFFE_BGR))
    data = open_clips(folder, mine, "stcn", "rough=deformed", "frames=1")
    clip = data.clip(3)
    assert torch.equal(data[3]["input"], pack_input(clip.frames[0], clip.guides[0, 0], CAFFE_BGR))


def test_masktrack_is_trained_on_clips_as_on_triples(folder):
    """The sampler, the loader and the loop of triples take them as they are."""
    data = open_clips(folder, "masktrack", "stcn", "rough=deformed", "frames=1", "size=32")
    config = TrainConfig(init="none", options={"width": 16}, iterations=2, batch=4)
    trainer = Trainer(config, build_network("lite", seed=1, width=16), Compute("cpu", "fp32", False))
    with opened(make_loader(data, EpochSampler(data.weights, 4), 0)) as batches:
        losses = [step.loss for step in itertools.islice(trainer.run(batches), 2)]
    assert len(losses) == 2 and all(0 < loss < 10 for loss in losses)


def test_an_unknown_dialect_is_refused_with_the_known_ones(folder):
    """As every name."""
    with pytest.raises(UsageError, match="expected plain, cutie, xmem"):
        ClipDataset(folder, dialect="sam3")


def test_a_dialect_of_ones_own_is_a_function(folder):
    """From a clip to anything."""
    mine = Dialect(lambda clip, slots, rng: (clip.key, slots, float(rng.random())))
    assert dialect_of(mine) is mine
    data = open_clips(folder, mine, "cutie")
    assert data[0] == data[0] and data[0][:2] == ("made/000@cutie", 1)


def test_every_preset_has_a_dialect_or_is_ours():
    """A preset of a published loader is of use with its keys alone."""
    assert {"stcn", "xmem", "deva", "cutie", "aot", "deaot", "rde", "matanyone"} <= set(CLIP_PRESETS) & set(DIALECTS)
