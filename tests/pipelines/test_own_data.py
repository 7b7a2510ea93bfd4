"""Own photos and masks, as people keep them, by a bare `build-shards FOLDER`: every object, pixel for pixel."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

from datakit.shards import ShardReader
from tests import tiny

NAMES = ("0003", "0004", "0005")


def photo(number: int) -> PillowImage.Image:
    return PillowImage.fromarray(tiny.picture(number))


def both_halves(number: int) -> np.ndarray:
    """(48, 64) ids: 1 the left part of the rectangle, 2 the narrower right one."""
    plane = tiny.mask(number)
    right = plane.copy()
    right[:, : 6 + number % 11 + 20] = 0
    return plane + right


def colours(root: Path, name: str, number: int) -> None:
    table = np.array([[0, 0, 0], [255, 0, 0], [0, 255, 0]], np.uint8)
    save(root / "images", f"{name}.jpg", photo(number))
    save(root / "masks", f"{name}.png", PillowImage.fromarray(table[both_halves(number)]))


def cutouts(root: Path, name: str, number: int) -> None:
    noise = np.random.default_rng(number).integers(0, 256, (*tiny.SIZE, 3), np.uint8)
    save(root / "images", f"{name}.jpg", PillowImage.fromarray(noise))
    cut = np.dstack([noise, tiny.mask(number) * np.uint8(255)])
    save(root / "masks", f"{name}.png", PillowImage.fromarray(cut))


def suffix(root: Path, name: str, number: int) -> None:
    save(root, f"{name}.JPG", photo(number))
    save(root, f"{name}_Mask.png", PillowImage.fromarray(tiny.mask(number) * np.uint8(255)))


def double_suffix(root: Path, name: str, number: int) -> None:
    save(root / "images", f"{name}.jpg", photo(number))
    save(root / "masks", f"{name}.jpg.png", PillowImage.fromarray(tiny.mask(number)))


def formats(root: Path, name: str, number: int) -> None:
    save(root / "images", f"{name}{('.avif', '.jp2', '.gif')[number % 3]}", photo(number))
    save(root / "masks", f"{name}.png", PillowImage.fromarray(tiny.mask(number) * np.uint8(255)))


def objects(root: Path, name: str, number: int) -> None:
    save(root / "images", f"{name}.jpg", photo(number))
    for part in (1, 2):
        plane = (both_halves(number) == part) * np.uint8(255)
        save(root / "masks" / name, f"{part}.png", PillowImage.fromarray(plane))


def save(folder: Path, name: str, picture: PillowImage.Image) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    form = "JPEG" if name.lower().endswith("jpg") else None
    picture.save(folder / name, format=form)


CASES: dict[str, tuple[Callable[[Path, str, int], None], bool]] = {
    "colours": (colours, True),
    "cutouts": (cutouts, False),
    "suffix": (suffix, False),
    "double_suffix": (double_suffix, False),
    "formats": (formats, False),
    "objects": (objects, True),
}


@pytest.mark.parametrize("case", CASES)
def test_own_photos_and_masks_build_as_they_are(datakit, tmp_path, case):
    """No layout is named, and no photo is missing."""
    draw, has_two = CASES[case]
    for number, name in enumerate(NAMES):
        draw(tmp_path / case, name, number)
    result = datakit("build-shards", tmp_path / case, "--out", tmp_path / "out", "--json")
    assert result.exit_code == 0, result.output
    found = {each.sample_key: int(each.target.sum()) for each in ShardReader(tmp_path / "out")}
    expected = {}
    for number, name in enumerate(NAMES):
        for part in (1, 2) if has_two else (0,):
            pixels = (both_halves(number) == part) if has_two else tiny.mask(number)
            expected[f"{case}/{name}" + (f"#{part}" if has_two else "")] = int(pixels.sum())
    assert found == expected


def test_a_pattern_is_taken_by_every_command_that_opens_sources(datakit, tmp_path):
    """build-shards, validate-source, preview-deformations."""
    for number, name in enumerate(NAMES):
        save(tmp_path / "own", f"{name}.jpg", photo(number))
        plane = PillowImage.fromarray(tiny.mask(number) * np.uint8(255))
        save(tmp_path / "own/truth", f"T-{name}.png", plane)
    words = (tmp_path / "own", "--mask-name", "truth/T-{stem}.png")
    built = datakit("build-shards", *words, "--out", tmp_path / "out")
    assert built.exit_code == 0, built.output
    assert "own: taken for pairs, for --mask-name" in built.stderr
    manifest = json.loads((tmp_path / "out/manifest.json").read_text())
    assert manifest["sources"]["own"]["samples"] == 3
    assert manifest["settings"]["read"]["mask_names"] == {"": "truth/T-{stem}.png"}
    checked = datakit("validate-source", *words, "--json", "--no-duplicates")
    assert json.loads(checked.stdout)["sources"]["own"]["samples"] == 3
    assert datakit("preview-deformations", *words, "--out", tmp_path / "p.png").exit_code == 0


def test_a_bad_pattern_is_told_before_anything_is_read(datakit, source, tmp_path):
    """With an example of a good one."""
    result = datakit("build-shards", source, "--out", tmp_path / "out", "--mask-name", "{steam}.png")
    assert result.exit_code == 2 and "{steam} stands for nothing" in result.stderr and "e.g. " in result.stderr
