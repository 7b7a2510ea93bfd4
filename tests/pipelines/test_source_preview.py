"""`validate-source --preview`: what a build would read, to be seen before anything is built."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from datakit.errors import UsageError
from pipelines.cli import cli
from pipelines.source_preview import _block, _chosen, check_preview
from tests import tiny


def run(*arguments: object) -> tuple[int, str]:
    """Exit status and output of `validate-source`."""
    result = CliRunner().invoke(cli, ["validate-source", *map(str, arguments), "--no-duplicates"])
    return result.exit_code, result.output


def test_photos_are_drawn_with_the_outlines_of_their_objects(tmp_path: Path) -> None:
    """Twelve of a source, in colours that the photo does not have."""
    root = tiny.ecssd(tmp_path / "ecssd", 14)
    code, text = run(root, "--preview", tmp_path / "new" / "a.png")
    assert f"\n{tmp_path / 'new' / 'a.png'}: 0." in text  # its size in MB
    sheet = cv2.imread(str(tmp_path / "new" / "a.png"))
    assert code == 0 and sheet.shape[1] > 4 * 240 and sheet.shape[0] > 3 * 180
    few = tiny.ecssd(tmp_path / "few", 3)
    run(few, "--preview", tmp_path / "b.png")
    assert cv2.imread(str(tmp_path / "b.png")).shape[0] < sheet.shape[0]


def test_what_cannot_be_read_is_shown_with_the_reason(tmp_path: Path) -> None:
    """A damaged photo among sound ones, and a mask without a photo."""
    root = tiny.ecssd(tmp_path / "set", 4)
    sound = run(root, "--preview", tmp_path / "sound.png")
    photo = root / "images" / "0002.jpg"
    photo.write_bytes(photo.read_bytes()[:-9])
    (root / "images" / "0003.jpg").unlink()
    code, text = run(root, "--preview", tmp_path / "a.png")
    assert (sound[0], code) == (0, 4) and "truncated image" in text
    assert (cv2.imread(str(tmp_path / "a.png")) != cv2.imread(str(tmp_path / "sound.png"))).any()


def test_a_photo_without_a_usable_mask_is_shown_all_the_same(tmp_path: Path) -> None:
    """Missing, empty or of another size; a photo that cannot be read itself is not."""
    root = tiny.ecssd(tmp_path / "set", 5)
    masks = sorted((root / "ground_truth_mask").iterdir())
    masks[0].unlink()
    tiny.write_grey(masks[1], np.zeros((48, 64), np.uint8))
    tiny.write_grey(masks[2], np.full((10, 10), 255, np.uint8))
    (root / "images" / f"{masks[3].stem}.jpg").write_bytes(b"no photo")
    reader = tiny.opened("set", root)
    block = _block("set", reader, reader.problems)
    shown = {tile.key: tile.photo is not None for tile in block.tiles if not (tile.scene and tile.scene.samples)}
    assert shown == {f"set/{mask.stem}": number < 3 for number, mask in enumerate(masks[:4])}


def test_a_source_of_which_nothing_is_listed_is_no_crash(tmp_path: Path) -> None:
    """The reason is told as ever; there is no picture then."""
    (tmp_path / "set" / "images").mkdir(parents=True)
    (tmp_path / "set" / "masks").mkdir()
    code, text = run(f"s:pairs={tmp_path / 'set'}", "--preview", tmp_path / "a.png")
    assert code == 1 and "no photo to show" in text and not (tmp_path / "a.png").exists()


@pytest.mark.parametrize("name", ["a.jpg", "a", "a.html"])
def test_the_name_of_the_picture_is_checked_before_anything_is_read(tmp_path: Path, name: str) -> None:
    """It says what was expected."""
    with pytest.raises(UsageError, match=r"ends in \.png"):
        check_preview(tmp_path / name)
    assert run(tiny.ecssd(tmp_path / "set"), "--preview", tmp_path / name)[0] == 2


def test_some_photos_with_faults_are_among_those_shown() -> None:
    """At most four, the others evenly over the source."""
    keys = [f"a/{number:03d}" for number in range(100)]
    assert _chosen(keys, {}) == [0, 9, 18, 27, 36, 45, 54, 63, 72, 81, 90, 99]
    chosen = _chosen(keys, {key: [] for key in keys[50:60]})
    assert len(chosen) == 12 and {50, 51, 52, 53} <= set(chosen) and {0, 99} <= set(chosen)
    assert _chosen(keys[:3], {}) == [0, 1, 2] and _chosen([], {}) == []
