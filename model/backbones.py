"""The pretrained part of the networks: EfficientNet-lite0 and the convolutions of VGG16 as DeepLab runs them.

Both reproduce the features of their original weights to float tolerance; reading those weights is left to
`pretrained`, the fourth input channel to `input_conv`.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .depthwise import depthwise

# (repeats, kernel, stride of the first, expansion, output channels): EfficientNet-B0 without squeeze-and-excitation,
# ReLU6 for swish. Source: arXiv 1905.11946 table 1; the "lite" changes, TensorFlow's TPU repository.
LITE0_STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
# The last stage before each halving, and the last of all.
LITE0_TAPS = (1, 2, 4, 6)
# The original's, from TensorFlow; with PyTorch's 1e-5 the pretrained classifier is measurably less sure of itself.
LITE0_EPS, LITE0_MOMENTUM = 1e-3, 0.01


class SameConv2d(nn.Conv2d):
    """Convolution padded as TensorFlow's "SAME": to ceil(size / stride), the odd row and column at the far end.

    A symmetric pad would shift the grid of every strided layer by one pixel at even sizes. On 300 photos, 224x224,
    the pretrained classifier's mean log-probability of its own choice is -1.14 padded so and -1.22 symmetrically.
    """

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to (N, C', ceil(H / stride), ceil(W / stride))."""
        rows, columns = (self._missing(x.shape[2 + axis], axis) for axis in (0, 1))
        if rows % 2 == 0 and columns % 2 == 0:
            padding = (rows // 2, columns // 2)
        else:
            x = F.pad(x, (columns // 2, columns - columns // 2, rows // 2, rows - rows // 2))
            padding = (0, 0)
        if self.groups == self.in_channels == self.out_channels and self.bias is None:
            return depthwise(x, self.weight, self.stride, padding)
        return F.conv2d(x, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)

    def _missing(self, size: int, axis: int) -> int:
        kernel, stride = self.kernel_size[axis], self.stride[axis]
        return max((-(-size // stride) - 1) * stride + kernel - size, 0)


def lite0_norm(channels: int) -> nn.BatchNorm2d:
    """Batch normalisation as the pretrained weights of EfficientNet-lite0 expect it."""
    return nn.BatchNorm2d(channels, eps=LITE0_EPS, momentum=LITE0_MOMENTUM)


class InvertedResidual(nn.Module):
    """Expand, filter each channel, project; added to its input where the shapes allow. Source: arXiv 1801.04381.

    In training a share `drop` of the samples skips what would be added, the others get it enlarged to the same mean.
    Source: stochastic depth, arXiv 1603.09382, as EfficientNet trains.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int, drop: float = 0.0):
        super().__init__()
        self.drop = drop
        width = inputs * expansion
        self.residual = stride == 1 and inputs == outputs
        self.expand = nn.Conv2d(inputs, width, 1, bias=False) if expansion > 1 else None
        self.expand_norm = lite0_norm(width) if expansion > 1 else None
        self.depthwise = SameConv2d(width, width, kernel, stride, groups=width, bias=False)
        self.depthwise_norm = lite0_norm(width)
        self.project = nn.Conv2d(width, outputs, 1, bias=False)
        self.project_norm = lite0_norm(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to (N, C', ceil(H / stride), ceil(W / stride))."""
        y: Tensor = x
        if self.expand is not None and self.expand_norm is not None:
            y = F.relu6(self.expand_norm(self.expand(y)), inplace=True)
        y = F.relu6(self.depthwise_norm(self.depthwise(y)), inplace=True)
        y = self.project_norm(self.project(y))
        if self.residual and self.training and self.drop:
            y = y * (torch.rand(len(y), 1, 1, 1, device=y.device) >= self.drop).to(y.dtype) / (1 - self.drop)
        return x + y if self.residual else y


class EfficientNetLite0(nn.Module):
    """EfficientNet-lite0 without its 1280-channel top: four features, 3.4 M parameters.

    `channels` and `strides` describe the features, finest first; `drop` is the last block's, the others' rise to it.
    """

    channels = tuple(LITE0_STAGES[tap][4] for tap in LITE0_TAPS)
    strides = (4, 8, 16, 32)

    def __init__(self, drop: float = 0.0) -> None:
        super().__init__()
        self.stem = SameConv2d(3, 32, 3, 2, bias=False)
        self.stem_norm = lite0_norm(32)
        self.blocks = nn.ModuleList()
        self.taps: list[int] = []
        inputs, total = 32, sum(stage[0] for stage in LITE0_STAGES)
        for index, (repeats, kernel, stride, expansion, outputs) in enumerate(LITE0_STAGES):
            for repeat in range(repeats):
                share = drop * len(self.blocks) / total
                self.blocks.append(InvertedResidual(inputs, outputs, kernel, 1 if repeat else stride, expansion, share))
                inputs = outputs
            if index in LITE0_TAPS:
                self.taps.append(len(self.blocks) - 1)

    def forward(self, x: Tensor) -> list[Tensor]:
        """(N, channels of the stem, H, W) to the features (N, C_i, ceil(H / s_i), ceil(W / s_i))."""
        x = F.relu6(self.stem_norm(self.stem(x)), inplace=True)
        features = []
        for index, block in enumerate(self.blocks):
            x = block(x)
            if index in self.taps:
                features.append(x)
        return features


# Convolutions and channels of each block. Source: arXiv 1409.1556, configuration D.
VGG16_BLOCKS = ((2, 64), (2, 128), (3, 256), (3, 512), (3, 512))


class VGG16(nn.Module):
    """The 13 convolutions of VGG16 as DeepLab runs them: one feature at stride 8, 14.7 M parameters.

    Pools are 3x3; the last two do not stride, so the last block is dilated by 2 to see as far as in the original.
    A size is halved as ceil(size / 2), which is what Caffe gives DeepLab for its odd crops.
    `stem` is conv1_1, the others are called `conv1_2` to `conv5_3`. The 3x3 average pool that DeepLab-v1 puts after
    pool5 is left out, as in v2's ASPP model.

    Source: arXiv 1606.00915 §3.1.
    """

    channels = (VGG16_BLOCKS[-1][1],)
    strides = (8,)
    stem: nn.Conv2d

    def __init__(self) -> None:
        super().__init__()
        inputs = 3
        for block, (repeats, outputs) in enumerate(VGG16_BLOCKS, start=1):
            dilation = 2 if block == 5 else 1
            for index in range(1, repeats + 1):
                name = "stem" if inputs == 3 else f"conv{block}_{index}"
                self.add_module(name, nn.Conv2d(inputs, outputs, 3, padding=dilation, dilation=dilation))
                inputs = outputs

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels of the stem, H, W) to (N, 512, ceil(H / 8), ceil(W / 8))."""
        convolutions = iter(self.children())
        for block, (repeats, _) in enumerate(VGG16_BLOCKS, start=1):
            for _ in range(repeats):
                x = F.relu(next(convolutions)(x), inplace=True)
            x = F.max_pool2d(x, 3, stride=2 if block <= 3 else 1, padding=1)
        return x


def kaiming_init(module: nn.Module, generator: torch.Generator) -> None:
    """Draw every convolution of `module` anew, N(0, 2 / fan-out) as for ReLUs, biases zero.

    Fan-out counts what one input channel reaches: `nn.init` forgets the groups, and 19 depthwise layers would
    shrink the signal to denormal numbers, which a CPU computes ten times slower.

    Source: He et al., arXiv 1502.01852 §2.2.
    """
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d):
            fan_out = layer.weight[0, 0].numel() * layer.out_channels // layer.groups
            nn.init.normal_(layer.weight, std=math.sqrt(2 / fan_out), generator=generator)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
