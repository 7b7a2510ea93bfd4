"""Networks made quick for use, not for training: normalisation folded into convolutions, and OpenVINO instead of torch.

What they say stays the same up to rounding; how much that is, and what it gains, stands in docs/decisions.md.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.jit import TracerWarning  # type: ignore[attr-defined]
from torch.nn.utils.fusion import fuse_conv_bn_eval

from datakit.errors import UsageError
from datakit.extras import require
from datakit.recent import Recent

from .compute import Compute
from .memory import Memory
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
    return _Compiled(net, "bf16" if compute.precision == "bf16" else "f32")


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
    """A module that OpenVINO runs on the processor; compiled for every shape of its first input when that first comes.

    Args:
        module: in eval mode; gives a tensor or a list of them.
        precision: `bf16` or `f32`, of its convolutions.
    """

    def __init__(self, module: nn.Module, precision: str):
        super().__init__()
        self._modules_source = (module,)  # in a tuple, as it is no part of this one
        self._precision = precision
        self._converted: Recent[Any] = Recent(MOST_SHAPES)  # by the shape of a sample: it takes seconds
        self._compiled: Recent[CompiledModel] = Recent(MOST_SHAPES)

    def forward(self, x: Tensor, *more: Tensor) -> Tensor | list[Tensor]:
        """What the module makes of tensors; those after the first may have a last axis of any length."""
        shape, inputs = tuple(x.shape), [each.float().contiguous() for each in (x, *more)]
        compiled = self._compiled.get(shape) or self._compiled.put(shape, self._compile(inputs))
        found = compiled([each.numpy() for each in inputs])
        tensors = [torch.from_numpy(value.copy()) for value in found.to_tuple()]
        return tensors[0] if len(tensors) == 1 else tensors

    def _compile(self, inputs: Sequence[Tensor]) -> CompiledModel:
        import openvino

        sample = tuple(inputs[0].shape[1:])
        model = (self._converted.get(sample) or self._converted.put(sample, self._convert(inputs))).clone()
        first, *more = (list(each.shape) for each in inputs)
        shapes = [first, *([*shape[:-1], -1] for shape in more)]
        model.reshape(dict(zip(model.inputs, shapes, strict=True)))
        how = {
            "INFERENCE_NUM_THREADS": torch.get_num_threads(),
            "INFERENCE_PRECISION_HINT": self._precision,
            "PERFORMANCE_HINT": "LATENCY",
        }
        return openvino.compile_model(model, "CPU", how)

    def _convert(self, inputs: Sequence[Tensor]) -> Any:
        import openvino

        module = self._modules_source[0].to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
        with (
            torch.inference_mode(False),
            torch.no_grad(),
            torch.autocast("cpu", enabled=False),
            warnings.catch_warnings(action="ignore", category=TracerWarning),  # what is fixed may be fixed
        ):
            zeros = tuple(map(torch.zeros_like, inputs))
            traced = torch.jit.trace(module, zeros, strict=False, check_trace=False)  # a check would run it twice more
            return openvino.convert_model(traced)


class _Reading(nn.Module):
    """A network with the parts of a memory as inputs of their own."""

    def __init__(self, net: Segmenter):
        super().__init__()
        self.net = net

    def forward(self, x: Tensor, keys: Tensor, values: Tensor, share: Tensor) -> Tensor:
        """As the network's."""
        return self.net(x, Memory(keys, values, share))  # type: ignore[no-any-return]


class _Compiled(Segmenter):
    """A network that OpenVINO runs as a whole; it gains more from a further core than what goes on beside it.

    What it remembers is written by torch: that is asked now and then, and to convert it as well takes a second.
    """

    def __init__(self, net: Segmenter, precision: str):
        super().__init__(nn.Identity(), nn.Identity())
        for name in ("coding", "stride", "mirrored", "margin", "doubtful", "remembers"):
            setattr(self, name, getattr(net, name))
        folded = fold_norms(net)
        self._alone = OpenVinoModule(folded, precision)
        self._reading = OpenVinoModule(_Reading(folded), precision)
        self._given = (net,)  # in a tuple, as it is no part of this one
        self.eval()

    def forward(self, x: Tensor, memory: Memory | None = None) -> Tensor:
        """As the network's."""
        return self._alone(x) if memory is None else self._reading(x, *memory)  # type: ignore[no-any-return]

    def remember(self, x: Tensor) -> Memory:
        """As the network's."""
        return self._given[0].remember(x)
