"""One training step: what it changes, what it leaves, and what it refuses."""

import dataclasses
import itertools

import pytest
import torch

from datakit.errors import DatakitError, UsageError
from model.compute import Compute
from model.networks import build_network
from model.optimize import OptimizerConfig
from model.settings import PAPER, PRESETS, TrainConfig, configure
from model.train import GROWN, Trainer, own_masks_grown

CPU = Compute("cpu", "fp32", False)
PLAIN = OptimizerConfig("sgd", learning_rate=0.01, warmup=0, weight_decay=0)


def batch(samples=4, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return {
        "input": torch.randn(samples, 4, 32, 32, generator=generator),
        "target": (torch.rand(samples, 32, 32, generator=generator) > 0.5).to(torch.uint8),
        "valid": torch.ones(samples, 32, 32, dtype=torch.uint8),
    }


def trainer_of(**settings):
    config = TrainConfig(init="none", options={"width": 16}, iterations=4, optimizer=PLAIN, **settings)
    return Trainer(config, build_network("lite", seed=1, width=16), CPU)


def take(trainer, batches, steps=1):
    return list(itertools.islice(trainer.run(iter(batches)), steps))


def test_parts_of_a_batch_make_the_step_of_the_batch():
    """Accumulating two halves moves the weights as the whole does."""
    whole, halves = trainer_of(batch=4), trainer_of(batch=4, accumulate=2)
    every = batch()
    parts = [{name: tensor[at : at + 2] for name, tensor in every.items()} for at in (0, 2)]
    take(whole, [every])
    take(halves, parts)
    for one, two in zip(whole.net.parameters(), halves.net.parameters(), strict=True):
        torch.testing.assert_close(one, two, rtol=1e-4, atol=1e-6)


def test_a_loss_that_is_no_number_leaves_the_weights():
    """Refused before the step is taken, with its number."""
    trainer = trainer_of(batch=4)
    before = {name: tensor.clone() for name, tensor in trainer.net.state_dict().items()}
    broken = batch()
    broken["input"][0, 0, 0, 0] = float("nan")
    with pytest.raises(DatakitError, match="step 1: the loss is nan"):
        take(trainer, [broken])
    assert all(torch.equal(before[name], tensor) for name, tensor in trainer.net.state_dict().items())


@pytest.mark.parametrize("frozen", [True, False])
def test_normalisation_statistics_move_only_when_they_may(frozen):
    """Frozen is the default, and holds after a validation too."""
    trainer = trainer_of(batch=4, freeze_norm=frozen)
    before = trainer.net.trunk.stem_norm.running_mean.clone()
    with trainer.judging() as net:
        assert not net.training
    take(trainer, [batch()])
    assert torch.equal(before, trainer.net.trunk.stem_norm.running_mean) == frozen


def test_a_step_repeated_from_a_checkpoint_is_the_same():
    """Weights and momentum are all there is to a step."""
    first = trainer_of(batch=4)
    batches = [batch(seed=number) for number in range(3)]
    take(first, batches, 2)
    saved = first.checkpoint({})
    saved = type(saved)(
        saved.network,
        saved.about,
        {name: tensor.clone() for name, tensor in saved.weights.items()},
        {name: tensor.clone() for name, tensor in saved.optimizer.items()},
    )
    second = trainer_of(batch=4)
    second.restore(saved, "memory")
    assert second.done == 2
    assert take(first, batches[2:])[0].loss == take(second, batches[2:])[0].loss
    assert all(torch.equal(a, b) for a, b in zip(first.net.parameters(), second.net.parameters(), strict=True))


def test_own_masks_come_as_often_as_told():
    """A function of seed and step, and so is by how much they grow."""
    config = TrainConfig(own_masks=0.3)
    drawn = [own_masks_grown(config, step) for step in range(400)]
    found = [radius for radius in drawn if radius is not None]
    assert 0.2 < len(found) / 400 < 0.4 and set(found) == set(range(GROWN + 1))
    assert drawn == [own_masks_grown(config, step) for step in range(400)]
    assert {own_masks_grown(TrainConfig(own_masks=0), step) for step in range(50)} == {None}


def test_own_masks_are_what_the_network_finds_grown(monkeypatch):
    """The colours stay; where nothing is found the given mask stays."""
    trainer = trainer_of(batch=4)
    inputs = batch()["input"]
    found = torch.full((4, 1, 8, 8), -1.0)
    found[:2, :, 4, 4] = 1
    monkeypatch.setattr(trainer.net, "forward", lambda x: found)
    background, foreground = trainer.net.coding.mask_values
    own = trainer._self_condition(inputs, 3)
    assert torch.equal(own[:, :3], inputs[:, :3]) and torch.equal(own[2:], inputs[2:])
    assert set(own[:2, 3].unique().tolist()) == {background, foreground}
    assert (own[:2, 3, 15:21, 15:21] == foreground).all() and (own[:2, 3, :, : 16 - 3 - 4] == background).all()


def test_the_paper_to_the_letter():
    """Every number of §4 and of the solver it takes over."""
    found = PAPER.optimizer
    assert (PAPER.network, PAPER.batch, PAPER.iterations) == ("deeplab-vgg16", 10, 20_000)
    assert (found.name, found.learning_rate, found.momentum, found.weight_decay) == ("sgd", 1e-3, 0.9, 5e-4)
    assert (found.power, found.head_multiple, found.bias_multiple, found.warmup) == (0.9, 10, 2, 0)
    assert (PAPER.own_masks, PAPER.optimizer.average) == (0, 0)
    assert (PAPER.loss.overlap, PAPER.loss.full_size, PAPER.view.size, PAPER.redraw) == (0, False, 321, False)


@pytest.mark.parametrize("name", PRESETS)
def test_a_configuration_survives_its_plain_values(name):
    """As it is stored in a checkpoint."""
    assert TrainConfig.from_dict(PRESETS[name].to_dict()) == PRESETS[name]


def test_settings_by_name():
    """Of the run, of a part of it, and of the network."""
    changed = configure(
        TrainConfig(), ["iterations=7", "view.size=64", "loss.overlap=0", "network.stem=zero", "redraw=false"]
    )
    assert (changed.iterations, changed.view.size, changed.loss.overlap) == (7, 64, 0)
    assert changed.options == {"stem": "zero"}
    assert changed.redraw is False


def test_a_batch_that_cannot_be_parted():
    """Named with both numbers."""
    with pytest.raises(UsageError, match="batch of 10 cannot be cut into 3"):
        TrainConfig(accumulate=3)


def test_the_published_weights_are_the_mean_of_the_last():
    """By hand over three steps; training itself goes on from the last weights."""
    config = dataclasses.replace(PLAIN, average=0.9)
    trainer = Trainer(TrainConfig(init="none", iterations=4, optimizer=config), build_network("lite", width=16), CPU)
    weight, mean = trainer.net.head.logit.weight, None
    for step in range(3):
        take(trainer, [batch(seed=step)])
        kept = min(0.9, (1 + step) / (10 + step))
        mean = weight.detach().clone() if mean is None else kept * mean + (1 - kept) * weight.detach()
    last = weight.detach().clone()
    with trainer.judging():
        torch.testing.assert_close(weight.detach(), mean)
    assert torch.equal(weight, last)
    torch.testing.assert_close(trainer.checkpoint({}, with_optimizer=False).weights["head.logit.weight"], mean)
    assert torch.equal(trainer.checkpoint({}).weights["head.logit.weight"], last)


def test_the_mean_survives_a_resume():
    """It lies with the optimiser's state, so that a resumed run publishes the same weights."""
    config = TrainConfig(init="none", iterations=4, optimizer=dataclasses.replace(PLAIN, average=0.9))
    first, second = (Trainer(config, build_network("lite", width=16), CPU) for _ in range(2))
    take(first, [batch(seed=0), batch(seed=1)], 2)
    second.restore(first.checkpoint({}), "memory")
    for trainer in (first, second):
        take(trainer, [batch(seed=2)])
    one, two = (trainer.checkpoint({}, with_optimizer=False).weights for trainer in (first, second))
    assert all(torch.equal(one[name], two[name]) for name in one)
