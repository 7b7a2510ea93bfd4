"""`datakit export-network`: weights as files that other runtimes read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from datakit.errors import UsageError
from datakit.extras import require
from datakit.files import check_writable
from datakit.places import size_at
from datakit.wording import size_text

from .report import as_text

if TYPE_CHECKING:
    from model.onnx_export import OnnxFile


def export_network(weights: str, out: Path, size: int | None = None, mirrored: bool | None = None) -> list[OnnxFile]:
    """Write a network as ONNX.

    Args:
        weights: as `load_network` takes them.
        out: file to write.
        size: side of the cut that the network is shown; None for propagation's.
        mirrored: whether it looks mirrored, too; None for the network's own choice.

    Raises:
        UsageError: another suffix, no such weights, or an extra is missing.
        DatakitError: the file cannot be written, or does not say what torch says.
    """
    if out.suffix.lower() != ".onnx":
        raise UsageError(f"--out {out}: expected a file whose name ends in .onnx, such as {out.with_suffix('.onnx')}")
    require("onnx", "--to onnx")
    check_writable(out.parent, f"--out {out}")
    from model.checkpoint import load_network
    from model.onnx_export import export_onnx
    from model.refine import RefineConfig

    net, _ = load_network(weights)
    return export_onnx(net, out, RefineConfig(size or RefineConfig.size, mirrored=mirrored), weights)


def network_report(files: Sequence[OnnxFile], as_json: bool) -> str:
    """Every file: what goes in, what comes out, and how near it is to torch."""
    if as_json:
        return as_text({"files": [{"path": str(each.path), "bytes": size_at(each.path), "inputs": dict(each.inputs),
                                   "outputs": dict(each.outputs), "difference": each.difference}
                                  for each in files]})  # fmt: skip
    lines = []
    for each in files:
        lines.append(f"{each.path}: {size_text(size_at(each.path) or 0)}, within {each.difference:.0e} of torch")
        lines += [f"  in   {name} {kind}" for name, kind in each.inputs.items()]
        lines += [f"  out  {name} {kind}" for name, kind in each.outputs.items()]
    return "\n".join(lines)
