"""Networks made quick for use, not for training: normalisation folded into convolutions, and OpenVINO instead of torch.

What they say stays the same up to rounding; how much that is, and what it gains, stands in docs/decisions.md.
"""

from __future__ import annotations

import copy
import warnings
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.jit import TracerWarning  # type: ignore[attr-defined]
from torch.nn.utils.fusion import fuse_conv_bn_eval

from datakit.errors import UsageError
from datakit.extras import require

from .compute import Compute
from .segmenter import Segmenter

if TYPE_CHECKING:
    from openvino import CompiledModel

BACKENDS = ("torch", "openvino")
NORM = "_norm"  # what the normalisation of a convolution is called after it
MOST_SHAPES = 8  # of inputs, for each of which a model is compiled


def prepared(net: Segmenter, compute: Compute, backend: str = "torch") -> Segmenter:
    """A network that is quicker, and can no longer be trained.

    In torch's bf16 it stays as it is: folded, its rounding errors are a third larger (docs/decisions.md).

    Args:
        net: in eval mode, placed by `compute`.
        compute: where it runs.
        backend: `torch`, or `openvino` for the processor's own convolutions.

    Raises:
        UsageError: an unknown backend, one whose extra is not installed, or OpenVINO for a GPU.
    """
    if backend not in BACKENDS:
        raise UsageError(f"backend {backend!r}: expected {' or '.join(BACKENDS)}")
    if backend == "torch":
        return net if compute.precision == "bf16" else compute.place(fold_norms(net))
    require("openvino", "backend openvino")
    if not compute.device.startswith("cpu"):
        raise UsageError(f"backend openvino: runs on the processor, not on {compute.device}; use --device cpu")
    folded = fold_norms(net)
    precision = "bf16" if compute.precision == "bf16" else "f32"
    if folded.remembers:  # its head reads a memory that grows
        folded.trunk = OpenVinoModule(folded.trunk, precision)
        return folded
    return _Compiled(folded, precision)


def fold_norms(net: Segmenter) -> Segmenter:
    """A copy of a network in eval mode whose batch normalisation is part of the convolutions before it.

    A module's convolution `x` is taken for normalised by its `x_norm`.

    Source: Jacob et al., arXiv 1712.05877 §3.2.
    """
    folded = copy.deepcopy(net)
    for module in list(folded.modules()):
        for name, norm in list(module.named_children()):
            if isinstance(norm, nn.BatchNorm2d):
                convolution = getattr(module, name.removesuffix(NORM))
                setattr(module, name.removesuffix(NORM), fuse_conv_bn_eval(convolution, norm))
                setattr(module, name, nn.Identity())
    return folded


class OpenVinoModule(nn.Module):
    """A module of one input that OpenVINO runs on the processor; compiled for every shape of input when it first comes.

    Args:
        module: in eval mode; gives a tensor or a list of them.
        precision: `bf16` or `f32`, of its convolutions.
    """

    def __init__(self, module: nn.Module, precision: str):
        super().__init__()
        self._modules_source = (module,)  # in a tuple, as it is no part of this one
        self._precision = precision
        self._compiled: OrderedDict[tuple[int, ...], CompiledModel] = OrderedDict()

    def forward(self, x: Tensor) -> Tensor | list[Tensor]:
        """What the module makes of a float32 tensor."""
        shape = tuple(x.shape)
        if shape not in self._compiled:
            while len(self._compiled) >= MOST_SHAPES:
                self._compiled.popitem(last=False)
            self._compiled[shape] = self._compile(shape)
        self._compiled.move_to_end(shape)
        found = self._compiled[shape](x.contiguous().numpy())
        tensors = [torch.from_numpy(value.copy()) for value in found.to_tuple()]
        return tensors[0] if len(tensors) == 1 else tensors

    def _compile(self, shape: tuple[int, ...]) -> CompiledModel:
        import openvino

        module = self._modules_source[0].to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
        with (
            torch.inference_mode(False),
            torch.no_grad(),
            torch.autocast("cpu", enabled=False),
            warnings.catch_warnings(action="ignore", category=TracerWarning),  # the shape is fixed
        ):
            converted: Any = openvino.convert_model(module, example_input=torch.zeros(shape))
        converted.reshape(list(shape))
        how = {
            "INFERENCE_NUM_THREADS": torch.get_num_threads(),
            "INFERENCE_PRECISION_HINT": self._precision,
            "PERFORMANCE_HINT": "LATENCY",
        }
        return openvino.compile_model(converted, "CPU", how)


class _Compiled(Segmenter):
    """A network without a memory that OpenVINO runs as a whole."""

    def __init__(self, net: Segmenter, precision: str):
        super().__init__(nn.Identity(), nn.Identity())
        for name in ("coding", "stride", "spare_cores", "mirrored", "margin", "doubtful"):
            setattr(self, name, getattr(net, name))
        self._whole = OpenVinoModule(net, precision)
        self.eval()

    def forward(self, x: Tensor) -> Tensor:
        """As the network's."""
        return self._whole(x)  # type: ignore[no-any-return]
