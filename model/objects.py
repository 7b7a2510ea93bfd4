"""Several objects in one frame: from label map to masks, and from each object's scores back to one label map.

Any number of objects with any ids up to 254; a pixel belongs to at most one of them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from datakit.arrays import Labels, Mask

# A score under which no object wins against the background: p = 0.0025 is less than (1 - p) ** 254.
HOPELESS = -6.0


def object_ids(labels: Labels) -> tuple[int, ...]:
    """The ids in a label map, ascending, without the background's 0."""
    return tuple(np.flatnonzero(np.bincount(labels.reshape(-1), minlength=1)[1:]) + 1)


def mask_of(labels: Labels, object_id: int) -> Mask:
    """(H, W) uint8 0/1: one object of a label map."""
    mask: Mask = (labels == object_id).view(np.uint8)
    return mask


def join(scores: NDArray[np.float32], ids: Sequence[int]) -> Labels:
    """One label map out of each object's scores, by soft aggregation.

    The background is as probable as that a pixel belongs to none, the product of 1 - p over the objects; the most
    probable of all wins, between equal objects the first. With one object that is a threshold at score 0; several
    that each half claim a pixel win it from the background.

    Args:
        scores: (K, H, W) logits, one plane for each object.
        ids: K object ids, 1..254.

    Returns:
        (H, W) uint8.

    Source: soft aggregation of Oh et al., CVPR 2018 (RGMP). Its odds need not be computed: they leave the order of
    probabilities as it is.
    """
    if not ids:
        return np.zeros(scores.shape[1:], np.uint8)
    best, winner = scores[0].copy(), np.full(scores.shape[1:], ids[0], np.uint8)
    for plane, number in zip(scores[1:], ids[1:], strict=True):
        np.copyto(winner, np.uint8(number), where=plane > best)
        np.maximum(best, plane, out=best)
    labels: Labels = winner * (best > 0)  # where p is above a half it beats the product: no need to compute that
    if len(ids) > 1:  # a single one never wins below
        doubted = (best > HOPELESS) & (best <= 0)
        wins = _softplus(-best[doubted]) < _softplus(scores[:, doubted]).sum(axis=0)  # -log p, -log of that product
        labels[doubted] = winner[doubted] * wins
    return labels


def probabilities(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """(K + 1, H, W) float32 that sum to 1: of the background and of each object.

    Args:
        scores: (K, H, W) logits.

    Source: as `join`: the softmax over logit(p) of every object and of the background.
    """
    nobody = -_softplus(scores).sum(axis=0)
    with np.errstate(divide="ignore"):
        background = nobody - np.log(-np.expm1(np.minimum(nobody, -1e-7)))
    logits = np.concatenate([background[None], scores])
    odds = np.exp(logits - logits.max(axis=0))
    return odds / odds.sum(axis=0)  # type: ignore[no-any-return]


def _softplus(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """log(1 + exp(x)), safe for any x."""
    return np.logaddexp(x, np.float32(0))
