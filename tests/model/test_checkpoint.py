"""Checkpoints: what is written is what is read, and what does not fit is named."""

import json

import pytest
import torch
from safetensors.torch import save_file

from model.checkpoint import (
    Checkpoint,
    CheckpointError,
    fill,
    fill_optimizer,
    is_checkpoint,
    load_network,
    optimizer_tensors,
    read_checkpoint,
    write_checkpoint,
)
from model.networks import build_network
from model.optimize import OptimizerConfig, build_optimizer


@pytest.fixture(scope="module")
def net():
    """A small `lite` with weights of its own."""
    return build_network("lite", seed=3, width=16)


def checkpoint_of(net, **options):
    return Checkpoint({"name": "lite", "width": 16, **options}, {"step": 7}, net.state_dict())


def test_round_trip_is_exact(net, tmp_path):
    """Weights and words come back as they were."""
    write_checkpoint(tmp_path / "a.safetensors", checkpoint_of(net))
    found = read_checkpoint(tmp_path / "a.safetensors")
    assert found.network == {"name": "lite", "width": 16}
    assert found.about == {"step": 7}
    assert found.weights.keys() == net.state_dict().keys()
    assert all(torch.equal(found.weights[name], tensor) for name, tensor in net.state_dict().items())


def test_half_size_is_half_the_bytes_and_reads_as_float32(net, tmp_path):
    """float16 on disk, float32 in use, off by float16's rounding at most."""
    for name, half in (("full", False), ("half", True)):
        write_checkpoint(tmp_path / name, checkpoint_of(net), half)
    assert (tmp_path / "half").stat().st_size < 0.55 * (tmp_path / "full").stat().st_size
    for name, tensor in read_checkpoint(tmp_path / "half").weights.items():
        assert tensor.dtype == net.state_dict()[name].dtype
        torch.testing.assert_close(tensor, net.state_dict()[name], rtol=1e-3, atol=1e-6)


def test_the_loaded_network_gives_the_same_scores(net, tmp_path):
    """Built from the file alone, in eval mode."""
    write_checkpoint(tmp_path / "a", checkpoint_of(net))
    loaded, about = load_network(tmp_path / "a")
    x = torch.randn(1, 4, 40, 56, generator=torch.Generator().manual_seed(0))
    assert not loaded.training
    assert about["step"] == 7
    with torch.inference_mode():
        assert torch.equal(loaded(x), net.eval()(x))


def test_a_tensor_of_another_shape_is_named_with_both(net, tmp_path):
    """Expected and found."""
    weights = {**net.state_dict(), "trunk.stem.weight": torch.zeros(32, 3, 3, 3)}
    with pytest.raises(
        CheckpointError, match=r"trunk.stem.weight: file has \(32, 3, 3, 3\), network has \(32, 4, 3, 3\)"
    ):
        fill(net, weights, tmp_path / "x")


@pytest.mark.parametrize(("change", "said"), [
    (lambda weights: weights.pop("head.logit.bias"), "head.logit.bias: is missing"),
    (lambda weights: weights.update(extra=torch.zeros(1)), "extra: is not part of the network"),
])  # fmt: skip
def test_other_tensors_are_named(net, tmp_path, change, said):
    """One too few, one too many."""
    weights = dict(net.state_dict())
    change(weights)
    with pytest.raises(CheckpointError, match=said):
        fill(net, weights, tmp_path / "x")


def pickled(path, _net):
    torch.save({"weights": torch.zeros(3)}, path)


def plain_safetensors(path, _net):
    save_file({"a": torch.zeros(3)}, path)


def other_version(path, net):
    write_checkpoint(path, checkpoint_of(net))
    told = {"format": "masktrack-datakit checkpoint", "version": 2, "network": {}, "about": {}}
    save_file({"a": torch.zeros(3)}, path, {"datakit": json.dumps(told)})


def truncated(path, net):
    write_checkpoint(path, checkpoint_of(net))
    path.write_bytes(path.read_bytes()[:500])


def unknown_network(path, net):
    write_checkpoint(path, Checkpoint({"name": "resnet"}, {}, net.state_dict()))


@pytest.mark.parametrize("make", [pickled, plain_safetensors, other_version, truncated, unknown_network])
def test_what_is_no_checkpoint_is_refused(net, tmp_path, make):
    """No pickle is opened, nothing is guessed; the file is named."""
    make(tmp_path / "weights", net)
    with pytest.raises(CheckpointError, match="weights"):
        load_network(tmp_path / "weights")


def test_a_missing_file_is_named(tmp_path):
    """A wrong path is a wrong option: exit code 2."""
    with pytest.raises(CheckpointError, match=r"nowhere\.safetensors: no such file; give a checkpoint") as caught:
        load_network(tmp_path / "nowhere.safetensors")
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("make", "words"),
    [(pickled, "is not a safetensors file"), (plain_safetensors, "holds weights, but not of this program")],
)
def test_weights_of_others_are_told_in_plain_words(net, tmp_path, make, words):
    """Not by the name of a field that lacks."""
    make(tmp_path / "weights", net)
    with pytest.raises(CheckpointError, match=words):
        load_network(tmp_path / "weights")


def test_checkpoints_are_told_from_other_weights(net, tmp_path):
    """So that `--init FILE` may be either."""
    write_checkpoint(tmp_path / "ours", checkpoint_of(net))
    plain_safetensors(tmp_path / "theirs", net)
    assert is_checkpoint(tmp_path / "ours")
    assert not is_checkpoint(tmp_path / "theirs")
    assert not is_checkpoint("imagenet")


def test_the_optimisers_state_survives():
    """Put back, the next step is the same."""
    nets = [build_network("lite", seed=1, width=16) for _ in range(2)]
    optimizers = [build_optimizer(net, OptimizerConfig()) for net in nets]

    def step(net, optimizer):
        for number, parameter in enumerate(net.parameters()):
            parameter.grad = torch.full_like(parameter, 0.01 * (number + 1))
        optimizer.step()

    step(nets[0], optimizers[0])
    nets[1].load_state_dict(nets[0].state_dict())
    fill_optimizer(nets[1], optimizers[1], optimizer_tensors(nets[0], optimizers[0]))
    for net, optimizer in zip(nets, optimizers, strict=True):
        step(net, optimizer)
    assert all(torch.equal(a, b) for a, b in zip(nets[0].parameters(), nets[1].parameters(), strict=True))


def test_whoever_may_read_the_folder_may_read_a_checkpoint(tmp_path):
    """As any other file."""
    (tmp_path / "other").write_text("")
    write_checkpoint(tmp_path / "a.safetensors", Checkpoint({"name": "lite"}, {}, {"a": torch.zeros(3)}))
    assert (tmp_path / "a.safetensors").stat().st_mode == (tmp_path / "other").stat().st_mode
