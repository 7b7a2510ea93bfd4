"""Photos that are the same picture twice: another size, another JPEG quality, cropped by a few percent, mirrored.

Perceptual hashes of the whole photo and of five crops of it, plain and mirrored, compared bit by bit. Hashing is
ImageHash's (extra `dedup`). Equal files are found by their bytes, which callers do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from .arrays import Image

SIDE = 256  # pixels of the square that is cropped
HASHED = 64  # pixels of the square that is hashed
BITS = 256
CROP = 0.04
# share taken off the top, the bottom, the left and the right
FORMS = ((0, 0, 0, 0), (CROP,) * 4, (CROP, 0, 0, 0), (0, CROP, 0, 0), (0, 0, CROP, 0), (0, 0, 0, CROP))
# of 256 bits. 2 845 photos of ten sets: copies, cropped by 2.5 to 5 percent all around or at one side, differ in 44
# at most, the closest other pair in 56
SAME = 50
FLAT = 1.0  # grey levels: a band-passed photo of 12x12 that varies less has nothing to be recognised by
BLOCK = 512  # photos compared with all later ones at a time

Fingerprint = NDArray[np.uint8]
"""(12, 32) uint8: 256 bits of each form, plain, then mirrored; the first is of the whole photo."""


@dataclass(frozen=True, slots=True)
class NearDuplicate:
    """Two photos that show the same picture.

    Attributes:
        first, second: their numbers, first < second.
        score: share of bits that agree, 0.8 to 1.
        mirrored: whether one is the mirror image of the other.
    """

    first: int
    second: int
    score: float
    mirrored: bool


def fingerprint(image: Image) -> Fingerprint | None:
    """What is kept of an (H, W, 3) RGB uint8 photo to find it again; None of a flat one. Takes about 5 ms."""
    from imagehash import phash  # of the extra `dedup`; it brings SciPy

    if is_flat(image):
        return None
    square = cv2.cvtColor(cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
    hashes = []
    for plane in (square, square[:, ::-1]):
        for top, bottom, left, right in (np.array(form) * SIDE for form in FORMS):
            part = np.ascontiguousarray(plane[round(top) : SIDE - round(bottom), round(left) : SIDE - round(right)])
            small = cv2.resize(part, (HASHED, HASHED), interpolation=cv2.INTER_AREA)
            hashes.append(phash(PillowImage.fromarray(small), hash_size=16).hash.ravel())
    return np.packbits(np.stack(hashes), axis=1)


def is_flat(image: Image) -> bool:
    """Whether an (H, W, 3) RGB uint8 photo is too plain to be told from another (an even ground, a soft gradient)."""
    small = cv2.cvtColor(cv2.resize(image, (12, 12), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
    plane = np.asarray(small, np.float32)
    return float((plane - cv2.GaussianBlur(plane, (0, 0), 2)).std()) < FLAT


def find_near_duplicates(
    fingerprints: Sequence[Fingerprint | None], families: Sequence[int] | None = None
) -> Iterator[NearDuplicate]:
    """Pairs that link every photo to the others of its kind.

    Of a group of n equal pictures n - 1 pairs are given, not all. Flat photos are not compared.
    Time grows with the square of the number of photos.

    Args:
        fingerprints: as `fingerprint` makes them.
        families: photos of equal number are not compared (frames of one video); None compares all.
    """
    numbers = [n for n, found in enumerate(fingerprints) if found is not None]
    bits = np.array([found for found in fingerprints if found is not None], np.uint8).reshape(-1, 2 * len(FORMS), 32)
    group, family = np.arange(len(numbers)), np.array([families[n] for n in numbers] if families else numbers)
    for start in range(0, len(numbers), BLOCK):
        distance, is_mirrored = _distances(bits[start : start + BLOCK], bits[start:])
        near, far = np.nonzero(np.triu(distance <= SAME, 1))
        for row, column in sorted(zip(near, far, strict=True), key=lambda pair: distance[pair]):
            first, second = start + row, start + column
            if group[first] == group[second] or family[first] == family[second]:
                continue
            group[group == group[second]] = group[first]
            score = round(1 - float(distance[row, column]) / BITS, 4)
            yield NearDuplicate(numbers[first], numbers[second], score, bool(is_mirrored[row, column]))


def _distances(some: NDArray[np.uint8], others: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """(some, others): in how many bits a form of one photo differs from the whole other, and if that is mirrored."""
    nearest = []
    for first in (0, len(FORMS)):
        closest = np.full((len(some), len(others)), -BITS, np.float32)
        for form in range(first, first + len(FORMS)):
            for a, b in ((form, 0), (0, form)):
                np.maximum(closest, _signs(some[:, a]) @ _signs(others[:, b]).T, out=closest)
        nearest.append((BITS - closest) / 2)
    return np.minimum(*nearest), nearest[1] < nearest[0]


def _signs(packed: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(N, 32) bytes as (N, 256) of -1 and 1, whose products count the bits that agree."""
    return np.unpackbits(packed, axis=1).astype(np.float32) * 2 - 1
