"""Items of the dataset: pure functions of their draw, aligned, and never of a photo that was held back."""

import json
import pickle
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from datakit.errors import ShardError, UsageError
from datakit.files import digest_json
from datakit.seeds import is_held_back
from datakit.shards import ShardReader
from datakit.transforms import PRESETS
from datakit.transforms.crop import cut_image, cut_mask, object_window
from datakit.transforms.rotate_flip import Augment
from datakit.transforms.views import ViewConfig
from model import dataset as module
from model.dataset import Draw, NothingLeft, TripleDataset, collate
from model.inputs import pack_input
from model.networks import coding_of
from tests.made_views import write_view_of
from tests.small_shards import SIZE, write_shards

CODING = coding_of("lite")
VIEW = ViewConfig(size=48)
STILL = VIEW.still()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Twelve photos with two objects each, three triples an object, in three shards."""
    return write_shards(tmp_path_factory.mktemp("shards") / "made", photos=12, objects=2)


def photo_of(key):
    return key.partition("@")[0].partition("#")[0]


def keys(dataset):
    return [dataset[index]["key"] for index in range(len(dataset))]


def same(a, b):
    return a["key"] == b["key"] and all(torch.equal(a[name], b[name]) for name in ("input", "target", "valid"))


def test_an_item_is_what_a_network_reads(folder):
    """Shapes and types of the input, the target and where it is judged."""
    item = TripleDataset(folder, CODING, VIEW)[0]
    assert item["input"].shape == (4, 48, 48) and item["input"].dtype == torch.float32
    assert item["target"].shape == item["valid"].shape == (48, 48)
    assert set(item["target"].unique().tolist()) == {0, 1}
    assert item["key"].startswith("made/")


def test_items_become_a_batch(folder):
    """Stacked as they are, keys in a list; through a DataLoader too."""
    dataset = TripleDataset(folder, CODING, ViewConfig(size=64))
    batch = next(iter(torch.utils.data.DataLoader(dataset, batch_size=3, collate_fn=collate)))
    assert batch["input"].shape == (3, 4, 64, 64) and batch["valid"].dtype == torch.uint8
    assert batch["key"] == [dataset[n]["key"] for n in range(3)]
    torch.testing.assert_close(batch["input"][2], dataset[2]["input"], rtol=0, atol=0)


def test_without_draws_an_item_is_the_stored_triple_as_propagation_sees_it(folder):
    """The same window, the same cut, the same packing."""
    dataset = TripleDataset(folder, CODING, STILL, split="all")
    triple = dataset.triple(4)
    window = object_window(triple.guide, SIZE, 0.5, 48)
    item = dataset[4]
    expected = pack_input(cut_image(triple.image, window, CODING.fill), cut_mask(triple.guide, window), CODING)
    assert item["key"] == triple.key and torch.equal(item["input"], expected)
    assert np.array_equal(item["target"].numpy(), cut_mask(triple.target, window))


def test_image_and_target_are_never_misaligned(tmp_path):
    """The object is painted into the photo; whatever the view, its colour lies where the target does."""
    folder = write_shards(tmp_path / "one", photos=8)
    view = ViewConfig(size=96, brightness=0, contrast=0, saturation=0, tint=0, grey=0, blur=0, paste=0)
    for redraw in (False, True):
        dataset = TripleDataset(folder, CODING, view, split="all", redraw=redraw)
        for index in range(len(dataset)):
            item = dataset[Draw(index, epoch=index)]
            green, target = item["input"][1].numpy() > 0, item["target"].numpy() > 0
            assert (green ^ target).sum() <= 0.1 * max(target.sum(), 60)


def test_all_variants_and_objects_of_a_photo_are_on_one_side(folder):
    """Training and validation share no photo, and together they are everything."""
    sides = [TripleDataset(folder, CODING, VIEW, split=split, val_share=0.4) for split in ("train", "val")]
    photos = [{photo_of(key) for key in keys(side)} for side in sides]
    assert photos[0] and photos[1] and not photos[0] & photos[1]
    assert sum(map(len, sides)) == len(TripleDataset(folder, CODING, VIEW, split="all")) == 12 * 2 * 3
    redrawn = TripleDataset(folder, CODING, VIEW, split="train", val_share=0.4, redraw=True)
    assert {photo_of(key) for key in keys(redrawn)} == photos[0]


def test_a_photo_is_held_back_wherever_it_lies(folder, tmp_path):
    """In a build of fewer photos, cut otherwise, the same ones are held back."""
    other = write_shards(tmp_path / "other", photos=7, per_shard=2, objects=2)
    theirs, ours = (
        {photo_of(key) for key in keys(TripleDataset(each, CODING, VIEW, split="val", val_share=0.5))}
        for each in (other, folder)
    )
    assert theirs == {photo for photo in ours if photo < "made/007"} and theirs


def test_the_share_held_back_is_that_of_photos():
    """Of many keys about the share; none at 0, all at 1; a turned view goes where its photo goes."""
    photos = [f"ecssd/{number:04d}" for number in range(4000)]
    assert np.mean([is_held_back(photo, 0.1) for photo in photos]) == pytest.approx(0.1, abs=0.02)
    assert not any(is_held_back(photo, 0) for photo in photos) and all(is_held_back(photo, 1) for photo in photos)
    views = [f"~r{angle:+g}{'f' * flip}" for angle, flip in Augment().turns()]
    for photo in photos[:20]:
        assert {is_held_back(photo + view, 0.5) for view in views} == {is_held_back(photo, 0.5)}


def test_copies_of_one_photo_are_held_back_together():
    """As Roboflow makes them, in whichever split they lie; turned views go with them."""
    photos = [
        f"r/{split}/photo{n}_jpg.rf.{copy:032x}" for n in range(60) for split in ("train", "valid") for copy in (n, 99)
    ]
    held = {photo: is_held_back(photo, 0.5) for photo in photos}
    for number in range(60):
        assert len({held[photo] for photo in photos if f"/photo{number}_" in photo}) == 1
    assert set(held.values()) == {True, False}
    assert all(is_held_back(photo + "~r+10f", 0.5) == held[photo] for photo in photos)


def test_validation_draws_nothing(folder):
    """Every appearance of a held-back item is the stored triple in the propagator's window."""
    dataset = TripleDataset(folder, CODING, VIEW, split="val", val_share=0.4, redraw=True)
    still = TripleDataset(folder, CODING, STILL, split="val", val_share=0.4)
    assert all(same(dataset[Draw(index, 3, 1)], still[index]) for index in range(len(still)))


def test_an_item_is_a_function_of_seed_epoch_key_and_repeat(folder):
    """Equal for equal numbers in any order, another for any other number."""
    for redraw in (False, True):
        a, b = (TripleDataset(folder, CODING, VIEW, redraw=redraw, seed=3) for _ in range(2))
        assert same(a[Draw(2, 1, 0)], b[Draw(2, 1, 0)])
        others = [a[Draw(2, 2, 0)], a[Draw(2, 1, 1)], TripleDataset(folder, CODING, VIEW, redraw=redraw)[Draw(2, 1, 0)]]
        assert not any(torch.equal(a[Draw(2, 1, 0)]["input"], other["input"]) for other in others)
        assert same(a[2], a[Draw(2, 0, 0)])


def test_an_item_does_not_depend_on_what_else_is_read(folder, tmp_path):
    """With another source before it, it has another number and the same pixels, unless it is put on another photo."""
    other, view = write_shards(tmp_path / "other", "other", photos=3), replace(VIEW, paste=0)
    alone, beside = (TripleDataset(each, CODING, view, split="all") for each in (folder, [other, folder]))
    assert same(alone[5], beside[len(beside) - len(alone) + 5])


def test_redrawing_makes_one_item_of_all_variants(folder):
    """One per object and recipe, and its guide mask is another in every epoch."""
    dataset = TripleDataset(folder, CODING, STILL, split="all", redraw=True)
    assert len(dataset) == 12 * 2 * 2 and len(set(keys(dataset))) == len(dataset)
    index = keys(dataset).index("made/000#0@masktrack")
    guides = {dataset[Draw(index, epoch)]["input"][3].numpy().tobytes() for epoch in range(4)}
    assert len(guides) == 4


def test_redrawing_reads_no_stored_rough_mask(folder, monkeypatch):
    """It does not even look at the record."""
    dataset = TripleDataset(folder, CODING, VIEW, split="all", redraw=True)
    monkeypatch.setattr(module, "decode_triple", None)
    monkeypatch.setattr(module, "DEFORMED", None)
    assert dataset[0]["key"].partition("@")[2] in ("masktrack", "masktrack-box")


def test_redrawing_takes_the_recipe_of_the_shard(folder):
    """A box recipe gives a filled rectangle again."""
    dataset = TripleDataset(folder, CODING, STILL, split="all", redraw=True)
    guide = dataset[keys(dataset).index("made/000#0@masktrack-box")]["input"][3].numpy() > 0
    rows, columns = np.flatnonzero(guide.any(1)), np.flatnonzero(guide.any(0))
    assert guide[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].all() and guide.any() and not guide.all()


def test_a_box_stays_upright_when_its_photo_is_turned(folder):
    """The photo is turned first, then the guide mask is made, as it will be of a video's frame."""
    dataset = TripleDataset(folder, CODING, replace(STILL, turn=40.0), split="all", redraw=True)
    item = keys(dataset).index("made/000#0@masktrack-box")
    for epoch in range(4):
        guide = dataset[Draw(item, epoch)]["input"][3].numpy() > 0
        rows, columns = np.flatnonzero(guide.any(1)), np.flatnonzero(guide.any(0))
        assert guide[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].all()


def test_where_a_turned_photo_has_no_pixel_nothing_is_judged(folder):
    """Its corners show the fill and do not count."""
    item = TripleDataset(folder, CODING, replace(STILL, turn=45.0, whole=1.0), split="all")[Draw(3, 1)]
    nothing = item["valid"].numpy() == 0
    assert nothing.any() and (item["input"][:3, nothing] == item["input"][0, 0, 0]).all()


def test_an_object_is_put_on_a_photo_of_the_dataset(tmp_path):
    """Its own pixels stay, all others come from elsewhere; masks do not know of it."""
    folder = write_shards(tmp_path / "paste", photos=6)
    own, put = (TripleDataset(folder, CODING, replace(STILL, paste=share), split="all")[2] for share in (0, 1))
    inside = cv2.erode(own["target"].numpy(), np.ones((7, 7), np.uint8)) > 0
    outside = cv2.dilate(own["target"].numpy(), np.ones((7, 7), np.uint8)) == 0
    assert torch.equal(own["target"], put["target"]) and torch.equal(own["input"][3], put["input"][3])
    assert inside.any() and torch.equal(own["input"][:3, inside], put["input"][:3, inside])
    assert not torch.equal(own["input"][:3, outside], put["input"][:3, outside])


def test_void_is_not_judged(tmp_path):
    """Where the annotation is void, and beyond the photo, `valid` is 0; elsewhere it is 1."""
    folder = write_shards(tmp_path / "void", photos=2, ignore=True)
    view = replace(STILL, whole=1.0, size=80)
    for redraw in (False, True):
        valid = TripleDataset(folder, CODING, view, split="all", redraw=redraw)[0]["valid"].numpy()
        assert (valid[10:70, :40] == 1).all() and valid.sum() == 60 * 40


def test_beyond_the_photo_the_input_is_the_codings_fill(folder):
    """Whatever the light, the network sees there what it sees in propagation."""
    view = ViewConfig(size=80, whole=1, brightness=1, contrast=1, saturation=1)
    dataset = TripleDataset(folder, CODING, view, split="all")
    for index in range(6):
        assert dataset[index]["input"][:3, :10].abs().max() < 0.01


def test_weights_by_source_and_kind_multiply(folder, tmp_path):
    """A source, one of its kinds, or a kind of every source."""
    other = write_shards(tmp_path / "other", "other", photos=3)
    weights = {"made": 2.0, "*/box": 0.5, "other/mask": 3}
    dataset = TripleDataset([folder, other], CODING, VIEW, split="all", weights=weights)
    of_key = dict(zip(keys(dataset), dataset.weights, strict=True))
    assert of_key["made/000#0@masktrack/0"] == 2 and of_key["made/000#0@masktrack-box/0"] == 1
    assert of_key["other/000@masktrack/1"] == 3 and of_key["other/000@masktrack-box/0"] == 0.5


@pytest.mark.parametrize(("weights", "said"), [
    ({"mad": 2.0}, "known are made/box, made/mask"),
    ({"made/boxes": 2.0}, "known are made/box, made/mask"),
    ({"made": -1.0}, "from 0 on"),
    ({"made": float("nan")}, "from 0 on"),
    ({"made": 0.0}, "nothing to draw"),
])  # fmt: skip
def test_a_weight_that_cannot_be_meant_is_refused(folder, weights, said):
    """The message lists the known names, or says what a weight may be."""
    with pytest.raises(UsageError, match=said):
        TripleDataset(folder, CODING, VIEW, weights=weights)


def test_nothing_to_read_is_told(folder):
    """No folder, and a share that leaves nothing."""
    with pytest.raises(NothingLeft, match="no folder"):
        TripleDataset([], CODING, VIEW)
    with pytest.raises(NothingLeft, match="share of 1"):
        TripleDataset(folder, CODING, VIEW, val_share=1)


def test_no_shard_folder_and_another_version_are_told(folder, tmp_path):
    """With the folder's name, what was expected and the way out."""
    with pytest.raises(ShardError, match="holds no shards"):
        TripleDataset(tmp_path, CODING, VIEW)
    old = write_shards(tmp_path / "old", photos=2)
    manifest = json.loads((old / "manifest.json").read_text())
    body = {**manifest, "version": 9}
    del body["digest"]
    (old / "manifest.json").write_text(json.dumps({**body, "digest": digest_json(body)}))
    with pytest.raises(ShardError, match="version 9, this datakit reads version 1"):
        TripleDataset(old, CODING, VIEW)


def test_one_shard_file_stands_for_itself(folder):
    """Its own triples and no others; a file the manifest does not list is refused."""
    dataset = TripleDataset(folder / "made-00001.h5", CODING, VIEW, split="all")
    assert {photo_of(key) for key in keys(dataset)} == {f"made/{number:03d}" for number in range(4, 8)}
    with pytest.raises(ShardError, match="does not list it"):
        TripleDataset(folder / "made-00009.h5", CODING, VIEW)


def test_a_damaged_target_is_named(tmp_path):
    """The check sum is compared before a mask is trained on."""
    folder = write_shards(tmp_path / "bad", photos=1)
    path = folder / "made-00000.h5"
    record = bytes(ShardReader(folder).shard(0).record("targets", 0))
    data = path.read_bytes()
    path.write_bytes(data.replace(record, bytes([record[0] ^ 1]) + record[1:], 1))
    with pytest.raises(ShardError, match=r"made-00000\.h5.*CRC-32"):
        TripleDataset(folder, CODING, VIEW, split="all", redraw=True)[0]


def test_it_pickles_small_and_without_its_shards(folder):
    """A copy made after use reads the same."""
    dataset = TripleDataset(folder, CODING, VIEW, redraw=True)
    first, data = dataset[1], pickle.dumps(dataset)
    assert len(data) < 50_000 and same(pickle.loads(data)[1], first)


def test_first_frame_views_stay_as_stored(tmp_path):
    """Redrawing deforms each stored view's own target anew; all views of a photo are on one side."""
    recipe = replace(PRESETS["online"], variants=2, augment=Augment(angles=(0, 10), flip=True))
    folder = write_shards(tmp_path / "online", photos=6, recipes=[recipe])
    view = replace(STILL, size=96)
    dataset = TripleDataset(folder, CODING, view, split="all", redraw=True)
    assert len(dataset) == 6 * 4
    for index in range(len(dataset)):
        item = dataset[index]
        green, target = item["input"][1].numpy() > 0, item["target"].numpy() > 0
        assert (green ^ target).sum() <= 0.1 * target.sum()
    held_back = TripleDataset(folder, CODING, view, split="val", val_share=0.5)
    photos = [key.partition("~r")[0] for key in keys(held_back)]
    assert photos and all(photos.count(photo) == 4 * 2 for photo in photos)


def test_objects_are_put_on_photos_of_others_that_may_be_drawn(tmp_path, monkeypatch):
    """Never on their own, which is read once for itself, nor on one of a source that is left out."""
    folders = [write_shards(tmp_path / name, name, photos=4, objects=2) for name in ("made", "left")]
    read, lent, decode = [], [], module.decode_image

    def noted(shard, row, **given):
        read.append((shard.path, row))
        return decode(shard, row, **given)

    monkeypatch.setattr(module, "decode_image", noted)
    dataset = TripleDataset(folders, CODING, replace(VIEW, paste=1.0), split="all", weights={"left": 0.0})
    for item in range(0, len(dataset), 5):
        shard, row, _ = dataset._locate(item)
        for repeat in range(9):
            read.clear()
            dataset[Draw(item, 0, repeat)]
            assert read.count((shard.path, int(shard.triples[row]["image_row"]))) == 1
            lent += [photo for photo in read if photo != (shard.path, int(shard.triples[row]["image_row"]))]
    assert len(lent) > 30 and {path.parent.name for path, _ in lent} == {"made"}


def test_a_damaged_photo_to_put_an_object_on_is_told_as_any_other(folder, monkeypatch):
    """By its shard, with the way to look closer."""
    dataset = TripleDataset(folder, CODING, replace(VIEW, paste=1.0), split="all")
    (shard, row, _), decode = dataset._locate(0), module.decode_image
    own = int(shard.triples[row]["image_row"])

    def damaged(shard_of, row_of, **given):
        if (shard_of, row_of) != (shard, own):
            raise ValueError("no picture")
        return decode(shard_of, row_of, **given)

    monkeypatch.setattr(module, "decode_image", damaged)
    with pytest.raises(ShardError, match=r"made-\d+\.h5: photo \d+: no picture; look closer"):
        [dataset[Draw(0, 0, repeat)] for repeat in range(9)]


@pytest.mark.parametrize(
    ("given", "match"), [({"split": "vall"}, "expected train, val, all"), ({"coding": "lite"}, "InputCoding")]
)
def test_a_split_or_coding_that_is_none_is_refused(tmp_path, given, match):
    """A typo would train on what is to be validated with."""
    folder = write_shards(tmp_path / "made", photos=2)
    with pytest.raises(UsageError, match=match):
        TripleDataset(folder, **{"coding": CODING, **given})


def test_a_dataset_says_what_it_holds(folder):
    """One line, as a notebook prints it."""
    dataset = TripleDataset(folder, CODING, VIEW)
    kinds = ", ".join(sorted(f"{source}/{kind}" for source, kind in dataset.groups))
    assert repr(dataset) == f"TripleDataset({len(dataset)} items of {kinds})"


def test_a_view_gives_the_items_of_its_triples(folder, tmp_path):
    """The same as the folder behind gives them, photos held back by the same rule."""
    view = write_view_of(tmp_path / "view", ShardReader(folder).where("iou > 0.45 and object_id == 2"))
    alone = replace(VIEW, paste=0)  # an object is put on any photo there is
    dataset, whole = (TripleDataset(each, CODING, alone, split="train", val_share=0.4) for each in (view, folder))
    kept = set(ShardReader(view).keys)
    behind = [index for index, key in enumerate(keys(whole)) if key in kept]
    assert 0 < len(dataset) == len(behind) < len(kept)
    assert all(same(dataset[n], whole[index]) for n, index in enumerate(behind))
    copy = pickle.loads(pickle.dumps(dataset))
    assert same(copy[1], dataset[1])


def test_masks_are_drawn_anew_by_the_recipe_of_their_own_build(folder, tmp_path):
    """Where folders behind a view differ in a recipe of one name."""
    recipe = replace(PRESETS["masktrack"], steps=PRESETS["masktrack"].steps[-1:])
    other = write_shards(tmp_path / "other", "other", photos=3, recipes=(recipe,))
    view = write_view_of(tmp_path / "view", ShardReader(folder), ShardReader(other))
    alone = replace(VIEW, paste=0)
    paths = view, folder, other
    both, first, last = (TripleDataset(path, CODING, alone, split="all", redraw=True) for path in paths)
    assert len(both) == len(first) + len(last)
    assert same(both[3], first[3])
    assert all(same(both[len(first) + n], last[n]) for n in range(len(last)))
