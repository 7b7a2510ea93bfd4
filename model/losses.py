"""Training losses: pixel-wise cross-entropy and soft IoU."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional as F

from datakit.config import setting, validate

from .networks import upsample


@dataclass(frozen=True)
class LossConfig:
    """How a mask is judged in training.

    Attributes:
        overlap: weight of `1 - soft IoU` beside the cross-entropy; 0 for cross-entropy alone.
        full_size: judge at the size of the cut, scores enlarged bilinearly; else at the network's output stride,
            targets shrunk by taking every stride-th pixel, as DeepLab does.
    """

    overlap: float = setting(1.0, 0)
    full_size: bool = setting(True)

    def __post_init__(self) -> None:
        validate(self, "loss")


def segmentation_loss(logits: Tensor, target: Tensor, valid: Tensor, config: LossConfig) -> Tensor:
    """Mean loss of a batch; every sample counts the same, whatever its number of valid pixels.

    So the mean over the parts of a batch is the mean over the batch, which data-parallel training relies on.

    Args:
        logits: (N, 1, h, w) float, foreground scores at the network's stride.
        target: (N, H, W), 0 or 1.
        valid: (N, H, W), 0 where nothing is judged.
        config: what is judged.

    Returns:
        () float32.

    Source: cross-entropy at output stride: arXiv 1606.00915 §4; arXiv 1612.02646 names no loss of its own.
    """
    if config.full_size:
        logits = upsample(logits.float(), (target.shape[-2], target.shape[-1]))
    else:
        target, valid = shrink(target, logits.shape[-2:]), shrink(valid, logits.shape[-2:])
    scores, wanted, counts = logits.float().flatten(1), target.float().flatten(1), valid.float().flatten(1)
    pixels = counts.sum(1).clamp(min=1)
    loss = (F.binary_cross_entropy_with_logits(scores, wanted, reduction="none") * counts).sum(1) / pixels
    if config.overlap:
        loss = loss + config.overlap * (1 - soft_iou(scores.sigmoid() * counts, wanted * counts))
    return loss.mean()


def soft_iou(probabilities: Tensor, target: Tensor) -> Tensor:
    """(N,) intersection over union of (N, P) probabilities with (N, P) zeros and ones.

    One pixel is added to both, so that an empty target met by an empty answer scores 1.
    """
    together = (probabilities * target).sum(1)
    either = probabilities.sum(1) + target.sum(1) - together
    return (together + 1) / (either + 1)


def shrink(plane: Tensor, size: tuple[int, ...]) -> Tensor:
    """(N, h, w) of (N, H, W): the nearest pixel of each output position, nothing averaged."""
    return F.interpolate(plane[:, None].float(), size=size, mode="nearest-exact")[:, 0]
