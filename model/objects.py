"""Several objects in one frame: splits a label map into masks, and joins each object's scores to a label map.

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


def mean_margins(scores: NDArray[np.float32], labels: Labels, ids: Sequence[int]) -> dict[int, float]:
    """How sure the network is of each object: the mean of 2 p - 1 over the pixels it got.

    Args:
        scores: (K, H, W) logits, one plane for each object.
        labels: (H, W) uint8, what was made of them.
        ids: K object ids.

    Returns:
        id -> 0 (no pixel, or none above a half) to 1.
    """
    margins = {}
    for plane, number in zip(scores, ids, strict=True):
        found = plane[labels == number]
        margins[number] = float(np.tanh(np.maximum(found, 0) / 2).mean()) if found.size else 0.0  # 2 p - 1
    return margins


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
