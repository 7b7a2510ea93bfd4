"""Checkpoints: one safetensors file each, with everything that is no tensor as JSON in its metadata.

No pickle is ever read. Files are written beside and renamed, so a checkpoint is whole or not there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from datakit.errors import DatakitError, UsageError
from datakit.files import canonical_json, replacing
from datakit.places import is_file, is_folder, local_copy, place_of

from .networks import build_network
from .segmenter import Segmenter

FORMAT = "masktrack-datakit checkpoint"
VERSION = 1
BUNDLED = "bundled"
DEFAULT = "lite"  # whose weights `bundled` means where no network is named
NET, OPTIMIZER = "net.", "optimizer."


class CheckpointError(DatakitError):
    """A file is no checkpoint of this version, or does not fit the network."""


class MissingCheckpoint(CheckpointError, UsageError):
    """There is no such file."""


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint file holds.

    Attributes:
        network: name and options of the network, as `build_network` takes them.
        about: how it came to be: configuration of the run, step, scores, versions.
        weights: name -> tensor of the network.
        optimizer: parameter name and state name, joined by a blank -> tensor; empty in weights to use.
    """

    network: Mapping[str, Any]
    about: Mapping[str, Any]
    weights: Mapping[str, Tensor]
    optimizer: Mapping[str, Tensor] = field(default_factory=dict)


def write_checkpoint(path: Path, checkpoint: Checkpoint, half: bool = False) -> None:
    """Write a checkpoint beside `path` and put it in place.

    Args:
        path: final name.
        checkpoint: what to write.
        half: store weights as float16, half the size.

    Raises:
        CheckpointError: no room, or no right to write there; what lay at `path` before is still whole.
    """
    tensors = {NET + name: _stored(tensor, half) for name, tensor in checkpoint.weights.items()}
    tensors |= {OPTIMIZER + name: _stored(tensor, False) for name, tensor in checkpoint.optimizer.items()}
    header = {"format": FORMAT, "version": VERSION, "network": checkpoint.network, "about": checkpoint.about}
    try:
        with replacing(path) as part:
            part.write_bytes(save(tensors, {"datakit": canonical_json(header)}))  # `save_file` lets nobody else read it
    except OSError as error:
        way_on = "go on with --resume" if path.exists() else "begin again"
        raise CheckpointError(f"{path}: cannot be written ({error}); free some space and {way_on}") from error


def read_checkpoint(path: Path, header_only: bool = False) -> Checkpoint:
    """Read a checkpoint; weights come as float32.

    Args:
        path: the file.
        header_only: read what it tells about itself, and no tensor.

    Raises:
        MissingCheckpoint: there is no such file; a `UsageError`, exit code 2.
        CheckpointError: not a file of this format and version.
    """
    way_out = "give a checkpoint of `datakit train` (best.safetensors), `bundled` or `lite-memory`"
    if not is_file(path):
        raise MissingCheckpoint(f"{path}: {'is a folder' if is_folder(path) else 'no such file'}; {way_out}")
    try:
        with local_copy(path) as here, safe_open(here, "pt") as file:
            metadata = file.metadata() or {}
            if "datakit" not in metadata:
                raise CheckpointError(f"{path}: holds weights, but not of this program; {way_out}")
            header = json.loads(metadata["datakit"])
            names = () if header_only else file.keys()
            tensors = {name: file.get_tensor(name) for name in names}
        if (header["format"], header["version"]) != (FORMAT, VERSION):
            raise ValueError(
                f"is {header['format']!r}, version {header['version']}; expected {FORMAT!r}, version {VERSION}"
            )
        network, about = header["network"], header["about"]
    except SafetensorError as error:
        raise CheckpointError(f"{path}: is not a safetensors file, or is damaged ({error}); {way_out}") from error
    except (OSError, LookupError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path}: not a readable checkpoint ({error}); {way_out}") from error
    return Checkpoint(network, about, _part(tensors, NET, torch.float32), _part(tensors, OPTIMIZER))


def load_network(weights: str | Path) -> tuple[Segmenter, Mapping[str, Any]]:
    """The network of a checkpoint, ready to segment (in eval mode), and what the checkpoint tells about it.

    Args:
        weights: a checkpoint file, `bundled` for the one in this package, or the name of a network bundled with it.

    Raises:
        CheckpointError: the file is no checkpoint, or its tensors do not fit the network it names.
    """
    path = checkpoint_path(weights)
    checkpoint = read_checkpoint(path)
    try:
        net = build_network(**checkpoint.network)
    except (TypeError, DatakitError) as error:
        raise CheckpointError(f"{path}: names a network that cannot be built ({error})") from error
    fill(net, checkpoint.weights, path)
    return net.eval(), checkpoint.about


def checkpoint_path(weights: str | Path, network: str = DEFAULT) -> Path:
    """The file of some weights.

    Args:
        weights: a file; `bundled` for the weights in this package; or the name of a network, for its own there.
        network: whose `bundled` means; those of `lite` where this package has none of it.
    """
    path, own = place_of(weights), bundled_path(network)
    if str(weights) == BUNDLED:
        return own if own.is_file() else bundled_path(DEFAULT)
    named = bundled_path(path.name)
    return named if path == Path(path.name) and named.is_file() and not path.exists() else path


def bundled_path(network: str) -> Path:
    """Where this package keeps the weights of a network."""
    return Path(__file__).parent / "bundled" / f"{network}.safetensors"


def is_checkpoint(path: str | Path) -> bool:
    """Whether a file is a checkpoint of ours, rather than weights of another origin."""
    try:
        with local_copy(place_of(path)) as here, safe_open(here, "pt") as file:
            return "datakit" in (file.metadata() or {})
    except (OSError, SafetensorError):
        return False


def fill(net: Segmenter, weights: Mapping[str, Tensor], path: Path) -> None:
    """Put tensors into a network of the same names and shapes.

    Raises:
        CheckpointError: names the first tensor that is missing, too many, or of another shape.
    """
    expected = net.state_dict()
    for name in sorted(expected.keys() ^ weights.keys()):
        state = "is missing" if name in expected else "is not part of the network"
        raise CheckpointError(f"{path}: {name}: {state}; the file was made for another network")
    for name, tensor in expected.items():
        if weights[name].shape != tensor.shape:
            sizes = f"file has {tuple(weights[name].shape)}, network has {tuple(tensor.shape)}"
            raise CheckpointError(f"{path}: {name}: {sizes}; the file was made for another network")
    net.load_state_dict(dict(weights))


def optimizer_tensors(net: Segmenter, optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """The optimiser's state by parameter name, for `Checkpoint.optimizer`."""
    names = {id(parameter): name for name, parameter in net.named_parameters()}
    return {
        f"{names[id(parameter)]} {key}": value
        for parameter, state in optimizer.state.items()
        for key, value in state.items()
        if isinstance(value, Tensor)
    }


def fill_optimizer(net: Segmenter, optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Put the state of `optimizer_tensors` back."""
    parameters = dict(net.named_parameters())
    for name, tensor in tensors.items():
        parameter, _, key = name.partition(" ")
        target = parameters[parameter]
        optimizer.state[target][key] = tensor.clone() if key == "step" else tensor.to(target.device, copy=True)


def _stored(tensor: Tensor, half: bool) -> Tensor:
    kept = tensor.detach().cpu().contiguous()
    return kept.half() if half and kept.is_floating_point() else kept


def _part(tensors: Mapping[str, Tensor], prefix: str, dtype: torch.dtype | None = None) -> dict[str, Tensor]:
    part = {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
    return {name: t.to(dtype) if dtype and t.is_floating_point() else t for name, t in part.items()}
