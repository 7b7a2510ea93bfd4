"""Train a network of your own on the shards of `datakit build-shards`; this is all of it.

datakit sample-data data
datakit build-shards data/ecssd --recipe masktrack --out shards
python examples/train_your_own.py shards
"""

import sys
from itertools import islice

import torch
from torch import nn
from torch.nn import functional as F

from datakit.transforms.views import ViewConfig
from model.dataset import TripleDataset
from model.inputs import InputCoding
from model.sampler import EpochSampler, make_loader, opened

CODING = InputCoding(mean=(127.5,) * 3, scale=(127.5,) * 3, order="RGB", mask_values=(-1.0, 1.0))


def my_network() -> nn.Module:
    """Four channels in, the photo and its guide mask; one score a pixel out."""
    layers, width = [nn.Conv2d(4, 24, 4, stride=4), nn.ReLU()], 24
    for dilation in (1, 2, 4, 1):
        layers += [nn.Conv2d(width, width, 3, padding=dilation, dilation=dilation), nn.BatchNorm2d(width), nn.ReLU()]
    return nn.Sequential(*layers, nn.Conv2d(width, 1, 1), nn.Upsample(scale_factor=4, mode="bilinear"))


def train(folder: str, steps: int = 200, workers: int = 1) -> tuple[float, float]:
    """Mean IoU on photos that were held back: of the guide masks, and of what the network makes of them."""
    torch.manual_seed(0)
    view = ViewConfig(size=96)
    data = TripleDataset(folder, CODING, view, redraw=True)  # fresh guide masks in every epoch
    held_back = TripleDataset(folder, CODING, view, split="val")
    net = my_network()
    optimizer = torch.optim.AdamW(net.parameters(), lr=3e-3)
    with opened(make_loader(data, EpochSampler(data.weights, batch=8), workers)) as batches:
        for step, batch in enumerate(islice(batches, steps), 1):
            target, valid = batch["target"].float(), batch["valid"].float()
            loss = F.binary_cross_entropy_with_logits(net(batch["input"])[:, 0], target, weight=valid)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if step % 50 == 0 or step == steps:
                print(f"step {step}: loss {loss.item():.3f}")
    items = [held_back[index] for index in range(len(held_back))]
    with torch.inference_mode():
        outputs = [net.eval()(item["input"][None])[0, 0] > 0 for item in items]
    guide = [item["input"][3] > 0 for item in items]
    return mean_iou(guide, items), mean_iou(outputs, items)


def mean_iou(masks: list[torch.Tensor], items: list[dict]) -> float:
    """Over all masks, where they are judged."""
    pairs = [(mask[item["valid"] > 0], item["target"][item["valid"] > 0] > 0)
             for mask, item in zip(masks, items, strict=True)]  # fmt: skip
    return sum(((a & b).sum() / (a | b).sum()).item() for a, b in pairs) / len(pairs)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    print("mean IoU of guide masks {:.3f}, of the network's {:.3f}".format(*train(sys.argv[1])))
