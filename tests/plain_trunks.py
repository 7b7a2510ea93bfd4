"""Both trunks a second time, written plainly from the originals' names, and random weights in those names."""

import torch
import torch.nn.functional as F

# (kernel, stride, expansion, inputs, outputs) of the sixteen blocks
BLOCKS = [
    (3, 1, 1, 32, 16),
    (3, 2, 6, 16, 24),
    (3, 1, 6, 24, 24),
    (5, 2, 6, 24, 40),
    (5, 1, 6, 40, 40),
    (3, 2, 6, 40, 80),
    (3, 1, 6, 80, 80),
    (3, 1, 6, 80, 80),
    (5, 1, 6, 80, 112),
    (5, 1, 6, 112, 112),
    (5, 1, 6, 112, 112),
    (5, 2, 6, 112, 192),
    (5, 1, 6, 192, 192),
    (5, 1, 6, 192, 192),
    (5, 1, 6, 192, 192),
    (3, 1, 6, 192, 320),
]
VGG16 = [64, 64, "pool", 128, 128, "pool", 256, 256, 256, "pool", 512, 512, 512, "pool", 512, 512, 512, "pool"]


def random_lite0(seed=0):
    """Weights in the package's names, of a size that keeps the signal alive."""
    draw = torch.Generator().manual_seed(seed)
    state = {}

    def conv(name, *shape):
        fan_in = shape[1] * shape[2] * shape[3]
        state[f"{name}.weight"] = torch.randn(shape, generator=draw) * (2 / fan_in) ** 0.5

    def norm(name, channels):
        for kind, low in (("weight", 0.5), ("bias", -0.5), ("running_mean", -0.5), ("running_var", 0.5)):
            state[f"{name}.{kind}"] = torch.rand(channels, generator=draw) + low
        state[f"{name}.num_batches_tracked"] = torch.tensor(7)

    conv("_conv_stem", 32, 3, 3, 3)
    norm("_bn0", 32)
    for index, (kernel, _, expansion, inputs, outputs) in enumerate(BLOCKS):
        block, width = f"_blocks.{index}.", inputs * expansion
        if expansion > 1:
            conv(f"{block}_expand_conv", width, inputs, 1, 1)
            norm(f"{block}_bn0", width)
        conv(f"{block}_depthwise_conv", width, 1, kernel, kernel)
        norm(f"{block}_bn1", width)
        conv(f"{block}_project_conv", outputs, width, 1, 1)
        norm(f"{block}_bn2", outputs)
    conv("_conv_head", 1280, 320, 1, 1)
    norm("_bn1", 1280)
    return state


def plain_lite0(state, x):
    """Features at strides 4, 8, 16 and 32 of (N, 3, H, W) normalised RGB, as TensorFlow computes them."""

    def norm(x, name):
        mean, var, weight, bias = (
            state[f"{name}.{kind}"][:, None, None] for kind in ("running_mean", "running_var", "weight", "bias")
        )
        return (x - mean) / torch.sqrt(var + 0.001) * weight + bias

    def filtered(x, name, stride):
        weight = state[f"{name}.weight"]
        missing = []
        for size in (x.shape[3], x.shape[2]):
            over = size % stride or stride
            total = max(weight.shape[2] - over, 0)
            missing += [total // 2, total - total // 2]
        groups = x.shape[1] // weight.shape[1]
        return F.conv2d(F.pad(x, missing), weight, stride=stride, groups=groups)

    def act(x):
        return x.clamp(0, 6)

    x = act(norm(filtered(x, "_conv_stem", 2), "_bn0"))
    features = []
    for index, (_, stride, expansion, inputs, outputs) in enumerate(BLOCKS):
        block, y = f"_blocks.{index}.", x
        if expansion > 1:
            y = act(norm(filtered(y, f"{block}_expand_conv", 1), f"{block}_bn0"))
        y = act(norm(filtered(y, f"{block}_depthwise_conv", stride), f"{block}_bn1"))
        y = norm(filtered(y, f"{block}_project_conv", 1), f"{block}_bn2")
        x = x + y if stride == 1 and inputs == outputs else y
        if index in (2, 4, 10, 15):
            features.append(x)
    return features


def random_vgg16(seed=0):
    """Weights in torchvision's names."""
    draw = torch.Generator().manual_seed(seed)
    state, position, inputs = {}, 0, 3
    for outputs in VGG16:
        if outputs == "pool":
            position += 1
            continue
        weight = torch.randn((outputs, inputs, 3, 3), generator=draw) * (2 / (9 * inputs)) ** 0.5
        state[f"features.{position}.weight"] = weight
        state[f"features.{position}.bias"] = torch.randn(outputs, generator=draw) * 0.1
        position, inputs = position + 2, outputs
    return state


def plain_vgg16(state, x, border=(0.0, 0.0, 0.0)):
    """DeepLab's pool5 of (N, 3, H, W) coded as the weights expect; `border` surrounds the image."""
    x = torch.cat([F.pad(x[:, i : i + 1], (1, 1, 1, 1), value=border[i]) for i in range(3)], dim=1)
    position = pools = 0
    for step in VGG16:
        if step == "pool":
            pools += 1
            x = F.max_pool2d(F.pad(x, (1, 1, 1, 1), value=float("-inf")), 3, stride=2 if pools < 4 else 1)
            position += 1
            continue
        gap = 2 if pools == 4 else 1
        x = x if position == 0 else F.pad(x, (gap,) * 4)
        x = F.conv2d(x, state[f"features.{position}.weight"], state[f"features.{position}.bias"], dilation=gap)
        x = x.clamp(min=0)
        position += 2
    return x
