"""The same picture twice is found, whatever was done to the copy; different pictures are not."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from datakit.duplicates import find_near_duplicates, fingerprint, is_flat

DATA = os.environ.get("DATAKIT_TEST_DATA", "")


def scene(number: int, size: tuple[int, int] = (180, 240)) -> np.ndarray:
    """(H, W, 3) RGB with the spectrum of a photo: clouds of every size, and a few hard shapes."""
    rng = np.random.default_rng(number)
    clouds = sum(
        cv2.resize(rng.normal(0, 1, (side, side, 3)), size[::-1], interpolation=cv2.INTER_CUBIC) / side**0.7
        for side in (3, 6, 12, 24, 48)
    )
    image = np.clip(128 + 90 * clouds, 0, 255).astype(np.uint8)
    for _ in range(4):
        x, y, radius = (int(rng.integers(0, limit)) for limit in (size[1], size[0], 40))
        cv2.circle(image, (x, y), radius, [int(value) for value in rng.integers(0, 256, 3)], -1)
    return image


def cropped(top: float, bottom: float, left: float, right: float) -> Callable[[np.ndarray], np.ndarray]:
    """A copy without these fractions of its height and width."""

    def crop(image: np.ndarray) -> np.ndarray:
        H, W = image.shape[:2]
        return image[round(H * top) : H - round(H * bottom), round(W * left) : W - round(W * right)]

    return crop


def half(image: np.ndarray) -> np.ndarray:
    return cv2.resize(image, (image.shape[1] // 2, image.shape[0] // 2), interpolation=cv2.INTER_AREA)


def quality_30(image: np.ndarray) -> np.ndarray:
    return cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 30])[1], cv2.IMREAD_COLOR)


def mirrored(image: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(image[:, ::-1])


COPIES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "half size": half,
    "quality 30": quality_30,
    "5 % off all around": cropped(0.05, 0.05, 0.05, 0.05),
    "2.5 % off all around": cropped(0.025, 0.025, 0.025, 0.025),
    "5 % off the top": cropped(0.05, 0, 0, 0),
    "5 % off the bottom": cropped(0, 0.05, 0, 0),
    "5 % off the left": cropped(0, 0, 0.05, 0),
    "5 % off the right": cropped(0, 0, 0, 0.05),
    "mirrored": mirrored,
    "grey": lambda image: np.repeat(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2),
    "all at once": lambda image: quality_30(half(mirrored(cropped(0.05, 0.05, 0.05, 0.05)(image)))),
}


def check_copies(photos: list[np.ndarray], change: Callable[[np.ndarray], np.ndarray], mirror: bool) -> None:
    """Every photo is paired with its copy and with nothing else."""
    fingerprints = [fingerprint(photo) for photo in photos] + [fingerprint(change(photo)) for photo in photos]
    pairs = list(find_near_duplicates(fingerprints))
    assert {(pair.first, pair.second) for pair in pairs} == {(n, n + len(photos)) for n in range(len(photos))}
    assert all(pair.mirrored == mirror for pair in pairs)


@pytest.mark.parametrize("name", COPIES)
def test_copies_of_drawn_photos_are_found(name: str) -> None:
    """Forty of forty, and no other pair."""
    check_copies([scene(number) for number in range(40)], COPIES[name], name in ("mirrored", "all at once"))


def test_different_photos_are_no_duplicates() -> None:
    """Not one of 45 000 pairs."""
    assert not list(find_near_duplicates([fingerprint(scene(number, (60, 80))) for number in range(300)]))


def test_a_group_of_copies_is_linked_once() -> None:
    """Four equal pictures give three pairs that reach all of them."""
    fingerprints = [fingerprint(scene(number)) for number in (1, 2, 1, 1, 3, 1)]
    pairs = [(pair.first, pair.second) for pair in find_near_duplicates(fingerprints)]
    assert len(pairs) == 3 and {number for pair in pairs for number in pair} == {0, 2, 3, 5}


def test_a_family_is_not_compared_within_itself() -> None:
    """Frames of one video are alike by nature; those of another are compared with them."""
    fingerprints = [fingerprint(scene(1))] * 3
    assert [(p.first, p.second) for p in find_near_duplicates(fingerprints, [7, 7, 8])] in ([(0, 2)], [(0, 2), (1, 2)])


def test_plain_photos_are_not_compared() -> None:
    """An even ground and a soft gradient are like any other; they are called flat."""
    even = np.full((50, 50, 3), 200, np.uint8)
    gradient = np.broadcast_to(np.linspace(98, 102, 64).astype(np.uint8)[:, None, None], (64, 64, 3)).copy()
    assert is_flat(even) and is_flat(gradient) and not is_flat(scene(1))
    assert not list(find_near_duplicates([fingerprint(even)] * 3))
    assert not list(find_near_duplicates([]))


def real(folder: str) -> list[Path]:
    return sorted((Path(DATA) / folder).glob("*.jpg"))


@pytest.mark.skipif(not DATA, reason="DATAKIT_TEST_DATA is not set")
def test_the_photos_shared_by_ecssd_and_pascal_s_are_found_and_no_others() -> None:
    """Two true pairs of 675 000 in ECSSD, PASCAL-S and COCO; copies of a hundred of them, too."""
    folders = ("ecssd/images", "pascal_s/images", "coco_tiny/train2017", "coco_tiny/val2017")
    paths = [path for folder in folders for path in real(folder)]
    photos = [cv2.imread(str(path)) for path in paths]
    pairs = find_near_duplicates([fingerprint(photo) for photo in photos])
    names = {(str(paths[p.first].relative_to(DATA)), str(paths[p.second].relative_to(DATA))) for p in pairs}
    assert names == {
        ("ecssd/images/0046.jpg", "pascal_s/images/101.jpg"),
        ("ecssd/images/0062.jpg", "pascal_s/images/276.jpg"),
    }
    chosen = [photos[number] for number in np.random.default_rng(0).permutation(601)[:100]]
    for name, change in COPIES.items():
        check_copies(chosen, change, name in ("mirrored", "all at once"))
