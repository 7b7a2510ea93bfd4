"""Depthwise convolutions whose gradients do not wait for bf16 on a processor.

Two of oneDNN's bf16 gradients leave its depthwise kernels for general ones: that of the input where the convolution
strides, and that of the weights where the kernel is larger than 3x3. In fp32 they take a fraction of the time
(docs/decisions.md). Forward nothing changes.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

QUICK_KERNEL = 3  # gradients of the weights of larger ones are slow in bf16


def depthwise(x: Tensor, weight: Tensor, stride: tuple[int, ...], padding: tuple[int, ...]) -> Tensor:
    """Filter every channel by itself, without a bias, as `F.conv2d` does with a group for each.

    Args:
        x: (N, C, H, W) float.
        weight: (C, 1, k, k) float.
        stride, padding: rows and columns, in pixels.

    Returns:
        (N, C, H', W') in x's precision, or that of autocast.
    """
    is_slow = max(stride) > 1 or max(weight.shape[2:]) > QUICK_KERNEL
    if is_slow and torch.is_grad_enabled() and x.device.type == "cpu" and torch.is_autocast_enabled("cpu"):
        kind = torch.get_autocast_dtype("cpu")
        return _Depthwise.apply(x.to(kind), weight, stride, padding)  # type: ignore[no-any-return, no-untyped-call]
    return F.conv2d(x, weight, None, stride, padding, groups=len(weight))


class _Depthwise(torch.autograd.Function):
    """The convolution in x's precision, its slow gradients in fp32."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, stride: tuple[int, ...], padding: tuple[int, ...]) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.stride, ctx.padding = stride, padding
        return F.conv2d(x, weight.to(x.dtype), None, stride, padding, groups=len(weight))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        x, weight = ctx.saved_tensors
        into, of_weight = ctx.needs_input_grad[:2]
        wide, narrow = (grad.float(), x.float(), weight.float()), (grad, x, weight.to(x.dtype))
        by_input = wide if max(ctx.stride) > 1 else narrow
        by_weight = wide if max(weight.shape[2:]) > QUICK_KERNEL else narrow
        grad_x = _gradients(ctx, *by_input, wanted=[True, False, False])[0].to(x.dtype) if into else None
        grad_w = _gradients(ctx, *by_weight, wanted=[False, True, False])[1].to(weight.dtype) if of_weight else None
        return grad_x, grad_w, None, None


def _gradients(ctx: Any, grad: Tensor, x: Tensor, weight: Tensor, wanted: list[bool]) -> tuple[Tensor, Tensor, Tensor]:
    return torch.ops.aten.convolution_backward(  # type: ignore[no-any-return]
        grad, x, weight, None, ctx.stride, ctx.padding, [1, 1], False, [0, 0], len(weight), wanted
    )
