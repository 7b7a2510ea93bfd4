"""Networks as ONNX files, with everything between a cut of a frame and its scores in the graph.

A file takes the cut as uint8 RGB and its guide mask as 0 and 1, and gives scores in the cut's own pixels, foreground
above 0; mean, scale, channel order, the mirrored look and the enlargement are inside. A network with a memory is two
files: one that remembers frames, and one that reads what was remembered. Cutting and pasting back are left to
`datakit.transforms.crop`, which needs no torch; what they need to know stands in the file's metadata.
"""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.export import Dim

from datakit.errors import DatakitError
from datakit.extras import require
from datakit.files import canonical_json, replacing

from .inference import fold_norms
from .memory import Memory
from .networks import upsample
from .refine import OUTSIDE, RefineConfig, resolve_defaults
from .segmenter import Segmenter

if TYPE_CHECKING:
    from torch.onnx import ONNXProgram

OPSET = 18
TOLERANCE = 1e-3  # most by which scores may differ from torch's
METADATA = "datakit"  # under which a file says what its caller must do
REMEMBER = "-remember"  # in the name of the file that remembers
MEMORY = ("keys", "values", "share")
_FRAMES, _OBJECTS, _PLACES = 3, 2, 5  # of the examples; no two alike, so that no axis is taken for another


@dataclass(frozen=True)
class OnnxFile:
    """A file that was written.

    Attributes:
        path: of it.
        inputs, outputs: name -> shape and type, in words.
        difference: the largest between its numbers and torch's, on an input of noise.
    """

    path: Path
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]
    difference: float


def export_onnx(net: Segmenter, path: Path, view: RefineConfig | None = None, weights: str = "") -> list[OnnxFile]:
    """Write a network as ONNX and compare the files with torch.

    Args:
        net: in eval mode.
        path: of the file that segments; the one that remembers lies beside it, `-remember` in its name.
        view: side of the cut, and whether the network looks mirrored, too.
        weights: what to call them in the files' metadata.

    Raises:
        UsageError: an extra is missing.
        DatakitError: a file does not say what torch says.
    """
    require("onnx", "ONNX")
    view = resolve_defaults(view or RefineConfig(), net)
    folded = fold_norms(net).to(memory_format=torch.contiguous_format).float().eval()  # type: ignore[call-overload]
    beside = path.with_name(f"{path.stem}{REMEMBER}{path.suffix}")
    about = _about(net, view, weights) | {"remember": beside.name if net.remembers else None}
    segmenting = _Segmenting(folded, bool(view.mirrored)).eval()
    objects = Dim("objects", min=1)
    cuts = _example(_OBJECTS, view.size)
    if not net.remembers:
        return [_write(segmenting, path, cuts, ({0: objects}, {0: objects}), ("image", "guide"), ("scores",), about)]
    remembering = _Remembering(folded).eval()
    frames = Dim("frames", min=1)
    first = _write(remembering, beside, _example(_FRAMES, view.size), ({0: frames}, {0: frames}),
                   ("image", "mask"), MEMORY, about)  # fmt: skip
    with torch.no_grad():
        known = [
            part[:1].expand(_OBJECTS, *part.shape[1:])[..., :-_PLACES] for part in remembering(*_example(1, view.size))
        ]
    places = Dim("places", min=1)
    parts = ({0: objects, 2: places}, {0: objects, 2: places}, {0: objects, 1: places})
    second = _write(segmenting, path, (*cuts, *(part.contiguous() for part in known)),
                    ({0: objects}, {0: objects}, parts), ("image", "guide", *MEMORY), ("scores",), about)  # fmt: skip
    return [second, first]


class _Coded(nn.Module):
    """What packs a cut and its mask, as `inputs.pack_input` does."""

    mean: Tensor
    scale: Tensor

    def __init__(self, net: Segmenter):
        super().__init__()
        self.net, coding = net, net.coding
        self._order = [0, 1, 2] if coding.order == "RGB" else [2, 1, 0]
        self.register_buffer("mean", torch.tensor(coding.mean).view(1, 3, 1, 1))
        self.register_buffer("scale", torch.tensor(coding.scale).view(1, 3, 1, 1))
        self._background, self._foreground = coding.mask_values

    def packed(self, image: Tensor, mask: Tensor) -> Tensor:
        """(N, 4, S, S) of (N, S, S, 3) uint8 RGB and (N, S, S) uint8 0/1."""
        colours = (image.permute(0, 3, 1, 2)[:, self._order].float() - self.mean) / self.scale
        plane = mask[:, None].float() * (self._foreground - self._background) + self._background
        return torch.cat([colours, plane], 1)


class _Segmenting(_Coded):
    def __init__(self, net: Segmenter, mirrored: bool):
        super().__init__(net)
        self._mirrored = mirrored

    def forward(self, image: Tensor, guide: Tensor, *memory: Tensor) -> Tensor:
        """(N, S, S) scores."""
        looks, count = self.packed(image, guide), image.shape[0]
        if self._mirrored:
            looks = torch.cat([looks, looks.flip(-1)])
            memory = tuple(torch.cat([part, part]) for part in memory)
        scores = self.net(looks, *([Memory(*memory)] if memory else []))
        if self._mirrored:
            scores = (scores[:count] + scores[count:].flip(-1)) / 2  # `chunk` would fix the number of objects
        return upsample(scores, (image.shape[1], image.shape[2]))[:, 0]


class _Remembering(_Coded):
    def forward(self, image: Tensor, mask: Tensor) -> tuple[Tensor, ...]:
        """Keys, values and share of each frame."""
        return tuple(self.net.remember(self.packed(image, mask)))


def _about(net: Segmenter, view: RefineConfig, weights: str) -> dict[str, Any]:
    """What the caller of a file must know to cut and paste as propagation does."""
    return {"network": type(net).__name__, "weights": weights, "size": view.size, "margin": view.margin,
            "fill": list(net.coding.fill), "outside": OUTSIDE, "mirrored": view.mirrored}  # fmt: skip


def _example(count: int, size: int) -> tuple[Tensor, Tensor]:
    """Cuts of noise, and a mask in each."""
    chance = torch.Generator().manual_seed(0)
    image = torch.randint(0, 256, (count, size, size, 3), generator=chance, dtype=torch.uint8)
    mask = torch.zeros(count, size, size, dtype=torch.uint8)
    mask[:, size // 4 : size // 2, size // 3 : 2 * size // 3] = 1
    return image, mask


def _write(
    module: nn.Module,
    path: Path,
    example: tuple[Tensor, ...],
    dynamic: tuple[Any, ...],
    inputs: Sequence[str],
    outputs: Sequence[str],
    about: Mapping[str, Any],
) -> OnnxFile:
    with torch.no_grad(), _quiet():
        # torch.export says where an axis would be fixed; torch.onnx.export then fixes it without a word
        traced = torch.export.export(module, example, dynamic_shapes=dynamic)
        program = torch.onnx.export(
            traced, input_names=list(inputs), output_names=list(outputs), opset_version=OPSET, verbose=False
        )
    assert program is not None
    _name_axes(program, dynamic)
    program.model.metadata_props[METADATA] = canonical_json(about)
    with replacing(path) as part:
        program.save(part)
        found = _compared(part, module, example, dynamic)
        if not found.difference <= TOLERANCE:  # nor where it is no number
            raise DatakitError(f"{path}: differs from torch by {found.difference:g}, more than {TOLERANCE:g}")
    return replace(found, path=path)


def _name_axes(program: ONNXProgram, dynamic: tuple[Any, ...]) -> None:
    """Call the axes of any length by their names, which `torch.export` has replaced by its own."""
    from onnx_ir import Shape

    graph = program.model.graph
    names: dict[Any, str] = {}
    axes = [each for part in dynamic for each in (part if isinstance(part, tuple) else (part,))]
    for value, named in zip(graph.inputs, axes, strict=True):
        assert value.shape is not None
        names |= {_name(value.shape[axis]): size.__name__ for axis, size in named.items()}
    for value in [*graph.inputs, *(value for node in graph for value in node.outputs)]:
        if value.shape is not None:
            sizes = map(_name, value.shape)
            value.shape = Shape([names.get(size, size) for size in sizes])


def _name(size: Any) -> Any:
    """Of an axis of any length its name, of another its length."""
    return getattr(size, "value", size)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without the exporter's lines about itself."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "torch.export", "onnxscript", "onnx_ir")]
    before = [logger.level for logger in loggers]
    with warnings.catch_warnings(action="ignore"), contextlib.redirect_stdout(io.StringIO()):
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for logger, level in zip(loggers, before, strict=True):
                logger.setLevel(level)


def _compared(path: Path, module: nn.Module, example: tuple[Tensor, ...], dynamic: tuple[Any, ...]) -> OnnxFile:
    """A file beside torch, for other numbers of objects and places than those of the example."""
    from onnxruntime import InferenceSession

    session = InferenceSession(str(path), providers=["CPUExecutionProvider"])
    worst = 0.0
    for given in (example, tuple(part[:1] for part in example), _longer(example, dynamic)):
        with torch.no_grad():
            wanted = module(*given)
        found = session.run(
            None, {each.name: part.numpy() for each, part in zip(session.get_inputs(), given, strict=True)}
        )
        for mine, theirs in zip([wanted] if isinstance(wanted, Tensor) else wanted, found, strict=True):
            worst = float(np.max([worst, np.abs(mine.numpy() - np.asarray(theirs)).max()]))
    inputs, outputs = (_told(ends) for ends in (session.get_inputs(), session.get_outputs()))
    return OnnxFile(path, inputs, outputs, worst)


def _longer(example: tuple[Tensor, ...], dynamic: tuple[Any, ...]) -> tuple[Tensor, ...]:
    """The same with every axis of any length twice as long."""
    axes = [each for part in dynamic for each in (part if isinstance(part, tuple) else (part,))]
    return tuple(
        part.repeat([2 if axis in named else 1 for axis in range(part.ndim)])
        for part, named in zip(example, axes, strict=True)
    )


def _told(ends: Sequence[Any]) -> dict[str, str]:
    """Name -> shape and type, such as `[objects, 352, 352, 3] uint8`."""
    return {each.name: f"[{', '.join(map(str, each.shape))}] {each.type[7:-1]}" for each in ends}
