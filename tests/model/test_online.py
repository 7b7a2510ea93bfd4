"""The online stage learns the annotated frames, repeats itself, and leaves the network it was given alone."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from datakit.errors import UsageError
from datakit.images import encode_png
from datakit.samples import Photo, Sample
from datakit.transforms import PRESETS
from datakit.transforms.rotate_flip import Augment
from datakit.transforms.views import ViewConfig
from datakit.triples import expand
from model import online as module
from model.networks import build_network, coding_of
from model.online import ONLINE, FrameSamples, OnlineConfig, fine_tune
from model.optimize import OptimizerConfig
from model.settings import PAPER
from tests.colour_net import PLAIN

SIZE = (96, 128)
CODING = coding_of("lite")
SMALL = OnlineConfig(iterations=2, batch=2, view=ViewConfig(size=48, paste=0))


def annotated():
    """A frame of noise with one bright disc."""
    mask = cv2.circle(np.zeros(SIZE, np.uint8), (60, 40), 20, 1, -1)
    frame = np.random.default_rng(0).integers(0, 120, (*SIZE, 3), np.uint8)
    frame[mask > 0] += 120
    return frame, mask


def weights(net):
    return {name: tensor.clone() for name, tensor in net.state_dict().items()}


@pytest.fixture(scope="module")
def net():
    return build_network("lite", seed=1).eval()


@pytest.fixture(scope="module")
def tuned(net):
    return fine_tune(net, [annotated()], SMALL, 0, PLAIN)


def test_the_given_network_stays_as_it_is(net):
    """Only the copy learns."""
    before = weights(net)
    after = fine_tune(net, [annotated()], SMALL, 0, PLAIN).net
    assert all(torch.equal(before[name], tensor) for name, tensor in net.state_dict().items())
    assert any(not torch.equal(before[name], tensor) for name, tensor in after.state_dict().items())
    assert not net.training and not after.training and not net.norm_frozen


def test_the_same_seed_gives_the_same_weights(net, tuned):
    """Samples, order and steps depend on the seed alone; another seed gives others."""
    again, other = (fine_tune(net, [annotated()], SMALL, seed, PLAIN) for seed in (0, 1))
    assert again.losses == tuned.losses != other.losses
    first, second = weights(tuned.net), weights(again.net)
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_normalisation_statistics_are_frozen(net, tuned):
    """One photo's statistics would replace those of a million."""
    before, after = weights(net), weights(tuned.net)
    running = [name for name in before if "running_" in name]
    assert running
    assert all(torch.equal(before[name], after[name]) for name in running)


def test_the_head_alone_may_learn(net):
    """Then no weight of the trunk changes."""
    config = OnlineConfig(iterations=2, batch=2, learns="head", view=ViewConfig(size=48, paste=0))
    after = fine_tune(net, [annotated()], config, 0, PLAIN).net
    before = weights(net)
    changed = {name.partition(".")[0] for name, t in after.state_dict().items() if not torch.equal(t, before[name])}
    assert changed == {"head"}
    assert all(parameter.requires_grad for parameter in after.parameters())


def test_the_weights_go_a_share_of_their_way(net):
    """From the given network's to those fitted; statistics stay."""
    whole, half, none = (
        weights(fine_tune(net, [annotated()], replace(SMALL, share=share), 0, PLAIN).net) for share in (1, 0.5, 0)
    )
    given = weights(net)
    for name, tensor in given.items():
        torch.testing.assert_close(none[name], tensor)
        torch.testing.assert_close(half[name].float(), (whole[name] + tensor).float() / 2)


def test_it_learns(net):
    """The loss falls over a few steps."""
    config = OnlineConfig(
        iterations=12,
        batch=2,
        view=ViewConfig(size=48, paste=0),
        optimizer=OptimizerConfig(learning_rate=1e-3, warmup=0),
    )
    losses = fine_tune(net, [annotated()], config, 0, PLAIN).losses
    assert np.mean(losses[-3:]) < 0.8 * np.mean(losses[:3])


def test_samples_are_about_a_thousand_a_frame_and_object():
    """42 views with 24 guide masks each, for every object of every frame."""
    frame, mask = annotated()
    two = mask + 2 * cv2.circle(np.zeros(SIZE, np.uint8), (110, 80), 10, 1, -1)
    assert len(FrameSamples([(frame, mask)], OnlineConfig(), CODING, 0)) == 1008
    assert len(FrameSamples([(frame, mask), (frame, two)], OnlineConfig(), CODING, 0)) == 3024


def test_large_frames_are_kept_up_to_a_number_of_bytes():
    """Turned ones: of 4K, four."""
    frame, mask = np.zeros((2160, 3840, 3), np.uint8), np.ones((2160, 3840), np.uint8)
    assert FrameSamples([(frame, mask)], OnlineConfig(), CODING, 0)._image.cache_info().maxsize == 4
    assert FrameSamples([annotated()], OnlineConfig(), CODING, 0)._image.cache_info().maxsize >= 42


def test_samples_are_those_a_build_would_store(monkeypatch):
    """The same views, guide masks and seeds as shards of the online recipe."""
    frame, mask = annotated()
    recipe = replace(PRESETS["online"], variants=2, augment=Augment(angles=(-10.0, 0.0, 10.0), flip=True))
    monkeypatch.setattr(module, "make_item", lambda example, *_: example)
    samples = FrameSamples([(frame, mask)], OnlineConfig(recipe=recipe), CODING, 5)
    sample = Sample("frame 0#1", "frame 0", Photo.decoded(frame, encode_png(frame), "", 0), mask, 1, 0)
    triples = [triple for _, triples in expand(sample, [recipe], 5) for triple in triples]
    assert len(samples) == len(triples) == 12
    for number, triple in enumerate(triples):
        example = samples.item(number)
        for one, other in ((example.photo(1), triple.image), (example.guide, triple.guide)):
            assert np.array_equal(one, other)
        assert np.array_equal(example.target, triple.target)


def test_a_sample_depends_on_its_number_and_pass_only():
    """Asked for twice, in any order, it is the same; another pass shows it otherwise."""
    first, second = (FrameSamples([annotated()], SMALL, CODING, 0) for _ in range(2))
    first.item(7)
    one, same, later = first.item(500), second.item(500), second.item(500, epoch=1)
    assert torch.equal(one["input"], same["input"])
    assert not torch.equal(one["input"], later["input"])


def test_a_network_with_a_memory_learns_with_a_remembered_view():
    """Another view of an annotated frame, which shows the object; the same every time."""
    one, two = (FrameSamples([annotated()], SMALL, CODING, 0, remembers=True).item(7) for _ in range(2))
    assert one["memory"].shape == (1, 4, 48, 48) and (one["memory"][0, 3] > 0).any()
    assert torch.equal(one["memory"], two["memory"])
    assert not torch.equal(one["memory"][0], one["input"])
    assert "memory" not in FrameSamples([annotated()], SMALL, CODING, 0).item(7)


def test_only_frames_that_show_an_object_are_remembered_of_it():
    """The second frame holds it nowhere."""
    frame, mask = annotated()
    black = np.zeros_like(frame)
    samples = FrameSamples([(frame, mask), (black, 2 * mask)], SMALL, CODING, 0, remembers=True)
    items = [samples.item(number) for number in (0, 200, 500)]  # all of object 1
    assert all(item["memory"][0, :3][:, item["memory"][0, 3] > 0].mean() > 0 for item in items)


def test_the_memory_of_a_network_is_fitted_too():
    """What reads it learns, as well as what writes it."""
    net = build_network("lite-memory", seed=1).eval()
    torch.nn.init.normal_(net.head.tell[-1].weight, generator=torch.Generator().manual_seed(0))
    before = weights(net)
    after = fine_tune(net, [annotated()], SMALL, 0, PLAIN).net.state_dict()
    learnt = [name for name, tensor in after.items() if "reader" in name and not torch.equal(tensor, before[name])]
    assert {name.split(".")[2] for name in learnt} >= {"key", "value"}


def test_an_object_turned_out_of_the_frame_is_passed_over():
    """In the corner a rotation crops it away; batches are full all the same."""
    frame, _ = annotated()
    mask = np.zeros(SIZE, np.uint8)
    mask[:3, :3] = 1
    samples = FrameSamples([(frame, mask)], SMALL, CODING, 0)
    assert samples.item(0) is None
    assert next(samples.batches())["input"].shape == (2, 4, 48, 48)


def test_frames_without_an_object_are_refused(net):
    """There is nothing to learn."""
    frame, mask = annotated()
    with pytest.raises(UsageError, match="no"):
        fine_tune(net, [(frame, 0 * mask)], SMALL, 0, PLAIN)


def test_every_step_is_told(net):
    """So that a command can show progress."""
    told = []
    fine_tune(net, [annotated()], SMALL, 0, PLAIN, told.append)
    assert [step.step for step in told] == [1, 2]


def test_the_paper_s_preset_has_its_numbers():
    """200 iterations of all layers, as offline."""
    paper = ONLINE["paper"]
    assert (paper.iterations, paper.learns, paper.share, paper.optimizer) == (200, "all", 1, PAPER.optimizer)
    assert paper.to_dict()["recipe"]["name"] == "online"


def test_the_running_mean_of_the_weights_is_what_is_learnt(net, tuned):
    """Where one is asked for; the paper's preset and the default have none."""
    optimizer = replace(SMALL.optimizer, average=0.9)
    averaged = fine_tune(net, [annotated()], replace(SMALL, optimizer=optimizer), 0, PLAIN)
    assert averaged.losses == tuned.losses
    names = [name for name, tensor in tuned.net.state_dict().items() if tensor.is_floating_point()]
    assert any(not torch.equal(averaged.net.state_dict()[name], tuned.net.state_dict()[name]) for name in names)


def test_there_is_nothing_to_put_objects_on():
    """A setting that could do nothing is refused."""
    with pytest.raises(UsageError, match=r"online\.view\.paste=0\.5: there is no other photo"):
        OnlineConfig(view=ViewConfig(paste=0.5))
