"""Photos that are the same picture twice: another size, another JPEG quality, cropped by a few percent, mirrored.

Two stages over small grey thumbnails: a matrix product of their band-passed signatures names candidates, then each
candidate pair is registered onto another and correlated. Equal files are found by their bytes, which callers do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .arrays import Image

SIDE = 64  # pixels of a thumbnail's side; 4 kB a photo
SIGNATURE_SIDE = 12  # coarse enough that a crop of a few percent moves nothing by more than a pixel
CROPS = (0.035, 0.07)  # also compared: each photo with this much cut off all around
# 1 162 photos of three sets: 2 x 60 of 675 000 pairs of different photos lie above, every made copy above 0.69
CANDIDATE = 0.6
# the same photos, registered: made copies reach 0.95 and more (but for a few nearly plain ones), different ones 0.64
SAME = 0.85
FLAT = 1.0  # grey levels: a band-passed thumbnail that varies less has nothing to be recognised by
LEAST_OVERLAP = 0.5  # of the thumbnail after registration
FARTHEST = 10.0  # pixels that registration may move a corner: 10 % off all around takes 8.7
BLOCK = 512  # photos compared with all later ones at a time: 40 MB for 20 000 photos
SETTLED = 0.97  # a correlation at which no registration is tried
HOPE = 0.5  # a correlation at half size below which no finer registration is tried
STARTS = (0.0, CROPS[0], -CROPS[0], CROPS[1], -CROPS[1])
COARSE_STEPS, FINE_STEPS = 10, 40
MOST_REFINED = 2  # registrations at half size that are refined

Thumbnail = NDArray[np.uint8]
Plane = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class NearDuplicate:
    """Two photos that show the same picture.

    Attributes:
        first, second: their numbers, first < second.
        score: correlation after registration, `SAME` to 1.
        mirrored: whether one is the mirror image of the other.
    """

    first: int
    second: int
    score: float
    mirrored: bool


def thumbnail(image: Image) -> Thumbnail:
    """(64, 64) uint8 luma of an (H, W, 3) RGB uint8 photo, proportions given up."""
    small = cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)  # type: ignore[return-value]


def is_flat(thumb: Thumbnail) -> bool:
    """Whether a photo is too plain to be told from another (an even ground, a soft gradient)."""
    return float(_banded(_shrunk(thumb)).std()) < FLAT


def find_near_duplicates(
    thumbnails: Sequence[Thumbnail], families: Sequence[int] | None = None
) -> Iterator[NearDuplicate]:
    """Pairs that link every photo to the others of its kind.

    Of a group of n equal pictures n - 1 pairs are given, not all. Flat photos are not compared.
    20 000 photos take about two minutes and 300 MB; time grows with the square of their number.

    Args:
        thumbnails: (64, 64) uint8 each, as `thumbnail` makes them.
        families: photos of equal number are not compared (frames of one video); None compares all.
    """
    numbers = np.array([n for n, thumb in enumerate(thumbnails) if not is_flat(thumb)], np.int64)
    groups = _Groups(len(thumbnails))
    for near, far, mirrored in _candidates([thumbnails[n] for n in numbers]):
        first, second = int(numbers[near]), int(numbers[far])
        if groups.joined(first, second) or (families is not None and families[first] == families[second]):
            continue
        a, b = thumbnails[first], thumbnails[second]
        score = similarity(a, np.ascontiguousarray(b[:, ::-1]) if mirrored else b)
        if score >= SAME:
            groups.join(first, second)
            yield NearDuplicate(first, second, round(score, 4), mirrored)


def similarity(first: Thumbnail, second: Thumbnail) -> float:
    """Correlation of two thumbnails after the second was registered onto the first, -1 to 1.

    Registration is affine; at half size it starts from the whole picture, a shift, and crops of either, and only the
    best of these are refined, if they give any hope. What is correlated, where the two overlap, is the picture
    itself and what lies between its coarse brightness and fine noise; the lower of both counts.

    Source: Evangelidis and Psarakis, Parametric Image Alignment Using Enhanced Correlation Coefficient
    Maximization, TPAMI 2008, as OpenCV has it.
    """
    plain = _correlation(first, second, _centred(0.0))
    if plain >= SETTLED:
        return plain
    half, other = (cv2.resize(thumb, (SIDE // 2, SIDE // 2), interpolation=cv2.INTER_AREA) for thumb in (first, second))
    starts = [_shifted(half, other), *(_centred(crop, SIDE // 2) for crop in STARTS)]
    found = [warp for start in starts if (warp := _register(half, other, start, COARSE_STEPS)) is not None]
    scored = [(_correlation(half, other, warp), warp) for warp in found]
    best = plain
    for hope, warp in sorted(scored, key=lambda pair: -pair[0])[:MOST_REFINED]:
        if hope >= HOPE and best < SETTLED:
            refined = _register(first, second, warp * np.array([1, 1, 2], np.float32), FINE_STEPS)
            best = max(best, -1.0 if refined is None else _correlation(first, second, refined))
    return best


class _Groups:
    """Which photos are already known to be one picture: a forest of links."""

    def __init__(self, count: int):
        self.parents = list(range(count))

    def root(self, number: int) -> int:
        while self.parents[number] != number:
            self.parents[number] = self.parents[self.parents[number]]
            number = self.parents[number]
        return number

    def joined(self, first: int, second: int) -> bool:
        return self.root(first) == self.root(second)

    def join(self, first: int, second: int) -> None:
        self.parents[self.root(second)] = self.root(first)


def _candidates(thumbnails: Sequence[Thumbnail]) -> Iterator[tuple[int, int, bool]]:
    """Pairs of photos whose signatures agree: (number, later number, whether mirrored), most alike first in a block."""
    whole = _signatures(thumbnails, 0.0)
    cropped = [_signatures(thumbnails, crop) for crop in CROPS]
    for start in range(0, len(thumbnails), BLOCK):
        rows = slice(start, start + BLOCK)
        for mirrored in (False, True):
            alike = _likeness(whole, cropped, rows, mirrored)
            near, far = np.nonzero(np.triu(alike > CANDIDATE, 1))
            order = np.argsort(-alike[near, far], kind="stable")
            yield from ((start + int(near[n]), start + int(far[n]), mirrored) for n in order)


def _likeness(whole: Plane, cropped: Sequence[Plane], rows: slice, mirrored: bool) -> Plane:
    """(block, photos from the block on) best correlation of signatures over whole and cropped forms."""
    turn = _mirror if mirrored else (lambda signatures: signatures)
    later = slice(rows.start, None)
    best: Plane = turn(whole[rows]) @ whole[later].T
    for form in cropped:
        np.maximum(best, turn(form[rows]) @ whole[later].T, out=best)
        np.maximum(best, turn(whole[rows]) @ form[later].T, out=best)
    return best


def _mirror(signatures: Plane) -> Plane:
    planes = signatures.reshape(-1, SIGNATURE_SIDE, SIGNATURE_SIDE)
    return np.ascontiguousarray(planes[:, :, ::-1]).reshape(signatures.shape)


def _signatures(thumbnails: Sequence[Thumbnail], crop: float) -> Plane:
    """(N, 144) float32 unit vectors: what a 12 x 12 thumbnail holds beyond its coarsest brightness."""
    vectors = np.zeros((len(thumbnails), SIGNATURE_SIDE**2), np.float32)
    for number, thumb in enumerate(thumbnails):
        cut = cv2.warpAffine(thumb, _centred(crop), (SIDE, SIDE), flags=cv2.WARP_INVERSE_MAP | cv2.INTER_LINEAR)
        vector = _banded(_shrunk(cut if crop else thumb)).ravel()
        vectors[number] = vector - vector.mean()
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-6), np.float32)


def _shrunk(thumb: NDArray[Any]) -> Plane:
    plane = cv2.resize(thumb, (SIGNATURE_SIDE, SIGNATURE_SIDE), interpolation=cv2.INTER_AREA)
    return np.asarray(plane, np.float32)


def _banded(plane: Plane) -> Plane:
    """The plane without its coarse brightness, in which most outdoor photos are alike."""
    side = plane.shape[0]
    sigma = side / 6 if side == SIGNATURE_SIDE else side / 16
    return np.asarray(plane - cv2.GaussianBlur(plane, (0, 0), sigma), np.float32)


def _centred(crop: float, side: int = SIDE) -> Plane:
    """The affine map that shows a thumbnail with a fraction `crop` of each side cut off."""
    scale = 1 - 2 * crop
    offset = crop * side - 0.5 + scale * 0.5
    return np.array([[scale, 0, offset], [0, scale, offset]], np.float32)


def _shifted(first: NDArray[Any], second: NDArray[Any]) -> Plane:
    """The shift that lays `second` best onto `first`: where a small object on an even ground went."""
    window = cv2.createHanningWindow(first.shape, cv2.CV_32F)
    before, after = (_banded(np.asarray(plane, np.float32)) for plane in (first, second))
    (x, y), _ = cv2.phaseCorrelate(before, after, window)
    return np.array([[1, 0, x], [0, 1, y]], np.float32)


def _register(first: NDArray[Any], second: NDArray[Any], start: Plane, steps: int) -> Plane | None:
    """The affine map that lays `second` onto `first`; None where the search runs away."""
    whole = np.ones(first.shape, np.uint8)
    stop = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, steps, 1e-4)
    try:
        found = cv2.findTransformECC(first, second, start, cv2.MOTION_AFFINE, stop, whole, 3)[1]
    except cv2.error:  # no overlap is left, or the pictures have nothing in common
        return None
    return np.asarray(found, np.float32)


def _correlation(first: NDArray[Any], second: NDArray[Any], warp: Plane) -> float:
    """Correlation of `first` with the warped `second`, plain or banded, whichever is lower.

    -1 where they hardly overlap or the warp is none that a crop could need: pictures of one large shape each
    can be pulled over each other.
    """
    if _moves_corners_by(warp, first.shape[0]) * SIDE / first.shape[0] > FARTHEST:
        return -1.0
    flags = cv2.WARP_INVERSE_MAP | cv2.INTER_LINEAR
    moved = cv2.warpAffine(second.astype(np.float32), warp, first.shape, flags=flags)
    inside = cv2.warpAffine(np.ones(first.shape, np.float32), warp, first.shape, flags=flags) > 0.999
    if inside.mean() < LEAST_OVERLAP:
        return -1.0
    plain = first.astype(np.float32)
    x, y = (
        np.asarray(cv2.GaussianBlur(plane, (0, 0), 0.7), np.float32)
        for plane in (plain, np.where(inside, moved, plain))
    )
    return min(_cosine(x[inside], y[inside]), _cosine(_banded(x)[inside], _banded(y)[inside]))


def _cosine(x: NDArray[Any], y: NDArray[Any]) -> float:
    x, y = x - x.mean(), y - y.mean()
    length = float(np.linalg.norm(x) * np.linalg.norm(y))
    return float(x @ y) / length if length > 1e-6 else -1.0


def _moves_corners_by(warp: Plane, side: int) -> float:
    corners = np.array([[0, 0, 1], [side, 0, 1], [0, side, 1], [side, side, 1]], np.float32)
    return float(np.abs(corners @ warp.T - corners[:, :2]).max())
