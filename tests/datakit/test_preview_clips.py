"""Pictures of clips: what a frame shows, where the clips of a sheet and of a film stand, what a page holds."""

import io
import json
import re
from dataclasses import replace

import cv2
import numpy as np
import pytest

from datakit.clips import Clip, ClipMaker, Still, Stills, configure_clip_recipe, load_clip_recipe
from datakit.images import encode_png
from datakit.preview.clips import ShownRow, clip_frame, clip_sheet, film_frames, film_size
from datakit.preview.clips_page import write_clips_page
from tests.pictures import is_in

SIZE = (60, 80)
CUTIE = replace(load_clip_recipe("cutie"), size=64, frames=5)
AOT = replace(load_clip_recipe("aot"), size=80, frames=3, least_pixels=1)
ROUGH = configure_clip_recipe(CUTIE, ["rough=deformed"])


class Drawn(Stills):
    """Photos of noise, each with one ellipse."""

    def __init__(self, count: int = 3):
        self.keys = [f"drawn/{n}" for n in range(count)]

    def __getitem__(self, position: int) -> Still:
        pixels = np.random.default_rng(position).integers(0, 256, (*SIZE, 3), dtype=np.uint8)
        mask = cv2.ellipse(np.zeros(SIZE, np.uint8), (40, 30), (20, 15), 0, 0, 360, 1, -1)
        return Still(self.keys[position], SIZE, lambda: encode_png(pixels), lambda: [mask], [0])


def row(position: int, *recipes) -> ShownRow:
    return ShownRow(f"drawn/{position}", [ClipMaker(Drawn(), recipe).clip(position) for recipe in recipes])


def test_objects_of_a_frame_are_coloured_and_ground_is_not():
    """Veiled inside, as it is elsewhere."""
    clip = ClipMaker(Drawn(), CUTIE).clip(0)
    number = int(np.argmax((clip.labels > 0).sum(axis=(1, 2))))
    shown = clip_frame(clip, number, 64)
    far = cv2.dilate((clip.labels[number] > 0).astype(np.uint8), np.ones((5, 5), np.uint8)) == 0
    np.testing.assert_array_equal(shown[far], clip.frames[number][far])
    inside = cv2.erode((clip.labels[number] > 0).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    assert (shown[inside].astype(int)[:, 0] >= clip.frames[number][inside].astype(int)[:, 0] * 0.6).all()
    assert not np.array_equal(shown[inside], clip.frames[number][inside])


def test_a_rough_mask_is_outlined_in_white():
    """Where the recipe makes one."""
    clip = ClipMaker(Drawn(), ROUGH).clip(0)
    without = replace(clip, guides=None)
    number = next(n for n, guides in enumerate(clip.guides) if guides.any())
    changed = (clip_frame(clip, number, 64) != clip_frame(without, number, 64)).any(axis=2)
    assert changed.any()
    assert clip_frame(clip, number, 64)[changed].mean() > clip_frame(without, number, 64)[changed].mean()


def test_what_is_ignored_is_tinted():
    """And nothing else."""
    clip = ClipMaker(Drawn(), CUTIE).clip(0)
    void = np.zeros(clip.labels.shape, np.uint8)
    void[:, :6, :6] = 1
    changed = clip_frame(replace(clip, ignored=void), 0, 64) != clip_frame(clip, 0, 64)
    assert changed[:6, :6].any() and not changed[6:].any()


@pytest.mark.parametrize("recipes", [(CUTIE,), (CUTIE, AOT)], ids=["one recipe", "two recipes"])
def test_a_sheet_holds_every_frame_of_every_clip(recipes):
    """At the size of its tiles."""
    rows = [row(n, *recipes) for n in range(2)]
    sheet = clip_sheet(rows, recipes, "Clips")
    assert all(
        is_in(sheet, clip_frame(clip, n, 160)) for each in rows for clip in each.clips for n in range(len(clip.frames))
    )


def test_the_blocks_of_recipes_stand_side_by_side():
    """A row a still, whatever the number of recipes."""
    one, two = (clip_sheet([row(0, *recipes)], recipes, "C") for recipes in ((CUTIE,), (CUTIE, AOT)))
    assert one.shape[0] == two.shape[0] and one.shape[1] < two.shape[1]


def test_a_sheet_of_many_frames_shows_some_of_them():
    """The first and the last among them."""
    long = replace(CUTIE, frames=40)
    each = row(0, long)
    sheet = clip_sheet([each], [long], "Clips")
    side = 143  # sixteen of them in 2400 pixels
    assert sheet.shape[1] < 2400
    assert is_in(sheet, clip_frame(each.clips[0], 0, side)) and is_in(sheet, clip_frame(each.clips[0], 39, side))


def test_a_film_shows_the_recipes_side_by_side():
    """Both sides even, every frame of the longest clip; a shorter one begins again."""
    each = row(0, CUTIE, AOT)
    pictures = list(film_frames(each, (CUTIE, AOT)))
    height, width = film_size((CUTIE, AOT))
    assert {picture.shape for picture in pictures} == {(height, width, 3)} and height % 2 == width % 2 == 0
    assert len(pictures) == 5
    first = clip_frame(each.clips[1], 0, 80)
    assert is_in(pictures[0], first) and is_in(pictures[3], first)


def test_a_film_of_many_recipes_is_no_wider_than_a_screen():
    """Clips become smaller."""
    many = [replace(CUTIE, size=512)] * 7
    height, width = film_size(many)
    assert width <= 1920 and width % 2 == height % 2 == 0


def blocks(page: str) -> list[dict]:
    return [json.loads(text) for text in re.findall(r'<script class="still" [^>]*>(.*?)</script>', page)]


def test_a_page_holds_a_block_for_every_still():
    """Its key, and of each clip the frames and where they are in the picture."""
    out = io.StringIO()
    write_clips_page(out, "Clips & more", (CUTIE, AOT), (row(n, CUTIE, AOT) for n in range(2)))
    page = out.getvalue()
    found = blocks(page)
    assert [each["key"] for each in found] == ["drawn/0", "drawn/1"]
    assert [(clip["frames"], clip["side"], clip["columns"]) for clip in found[0]["clips"]] == [(5, 64, 3), (3, 80, 2)]
    assert "Clips &amp; more" in page and "http" not in re.sub(r"http-equiv|http://www.w3.org/2000/svg", "", page)


def test_no_key_closes_the_block_it_stands_in():
    """Whatever a photo is called."""
    out = io.StringIO()
    made: Clip = ClipMaker(Drawn(), CUTIE).clip(0)
    write_clips_page(out, "Clips", (CUTIE,), [ShownRow("</script><b>", [made])])
    assert blocks(out.getvalue())[0]["key"] == "</script><b>"
