"""What mask values mean in palettes, colours and alpha: every reader of masks agrees, or refuses by name."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image as PillowImage
from PIL import ImageDraw

from datakit.datasets import ReadOptions
from tests import tiny
from tests.mask_files import SIZE, answers, blocks, of_build, save, standard

PAINTED = [255, 0, 0, 0, 0, 0, 0, 255, 0]  # red, black, green: a palette in the order of use


def rgb(plane: np.ndarray, **colours: tuple[int, int, int]) -> np.ndarray:
    """(H, W, 3) of a plane of ids; `id1=(r, g, b)` and so on."""
    table = np.zeros((256, 3), np.uint8)
    for name, colour in colours.items():
        table[int(name[2:])] = colour
    return table[plane]


def with_alpha(plane: np.ndarray, hidden: int, paint: int) -> np.ndarray:
    """(H, W, 4): `paint` where the plane is set, transparent elsewhere, with `hidden` beneath."""
    grey = np.where(plane > 0, paint, hidden).astype(np.uint8)
    return np.dstack([grey, grey, grey, np.where(plane > 0, 255, 0).astype(np.uint8)])


HALF_CLEAR = with_alpha(np.ones(SIZE, np.uint8), 0, 0)
HALF_CLEAR[blocks(1) > 0] = 255
HALF_CLEAR[:, 60:] = (255, 255, 255, 0)


@pytest.mark.parametrize(
    ("pixels", "expected"),
    [
        pytest.param(with_alpha(blocks(1), 255, 255), blocks(1), id="white on hidden white"),
        pytest.param(with_alpha(blocks(1), 255, 0), blocks(1), id="black on hidden white"),
        pytest.param(with_alpha(blocks(1), 0, 255), blocks(1), id="white on hidden black"),
        pytest.param(HALF_CLEAR, blocks(1), id="white on black, hidden white beside"),
    ],
)
def test_what_is_transparent_is_no_object(tmp_path, pixels, expected):
    """Whatever colour it hides."""
    for reader, found in answers(save(tmp_path / "m.png", pixels)):
        assert not isinstance(found, str) and (found[1] == (expected > 0)).all(), reader


def palette_table() -> list[object]:
    """Palette pictures: indices, palette, transparency, and index -> id."""
    white_first = [255, 255, 255, *standard()[3:]]
    rows: list[tuple[str, np.ndarray, list[int], dict[str, object], dict[int, int]]] = [
        ("ids", blocks(1, 2, 200), standard(), {}, {1: 1, 2: 2, 200: 200}),
        ("ids and void", blocks(1, 2, ignore=255), standard(), {}, {1: 1, 2: 2}),
        ("an object that fills the picture", np.full(SIZE, 3, np.uint8), standard(), {}, {3: 3}),
        ("black second", np.array([1, 0, 2], np.uint8)[blocks(1, 2)], PAINTED, {}, {0: 1, 2: 2}),
        ("white ground first", blocks(1, 2), white_first, {}, {1: 1, 2: 2}),
        ("white ground last", np.where(blocks(9) > 0, 0, 2).astype(np.uint8), [255, 0, 0, 0, 0, 255, 255, 255, 255],
         {}, {0: 1}),
        ("transparent ground", blocks(1, 2), white_first, {"transparency": 0}, {1: 1, 2: 2}),
        ("transparent ground last", np.where(blocks(9) > 0, 0, 2).astype(np.uint8), [9, 9, 200, 1, 1, 1, 2, 3, 4],
         {"transparency": 2}, {0: 1}),
    ]  # fmt: skip
    return [pytest.param(*rest, id=name) for name, *rest in rows]


@pytest.mark.parametrize(("plane", "colours", "how", "ids"), palette_table())
def test_all_readers_agree_on_palettes(tmp_path, plane, colours, how, ids):
    """Ground is what is transparent, black, or by far the commonest; an index that cannot be an id takes a free one."""
    for reader, found in answers(save(tmp_path / "m.png", plane, colours, **how)):
        assert not isinstance(found, str), (reader, found)
        assert sorted(found) == sorted(ids.values()), reader
        assert all((found[number] == (plane == index)).all() for index, number in ids.items()), reader


@pytest.mark.parametrize(
    ("plane", "colours", "how"),
    [
        pytest.param(blocks(1, 2), standard(), {"transparency": 1}, id="black and transparent"),
        pytest.param(np.where(blocks(9) > 0, 1, 0).astype(np.uint8), PAINTED, {}, id="black, and another by far"),
        pytest.param(np.repeat(np.arange(4, dtype=np.uint8), 20)[None].repeat(60, 0), [9] * 2 + list(range(10, 20)), {},
                     id="nothing says which"),
    ],
)  # fmt: skip
def test_a_palette_that_contradicts_itself_is_refused(tmp_path, plane, colours, how):
    """The way out is named, and it works."""
    path = save(tmp_path / "m.png", plane, colours, **how)
    for reader, found in answers(path):
        assert isinstance(found, str) and "ground" in found and "--ids" in found, reader
    for reader, found in answers(path, ReadOptions(values="ids")):
        assert not isinstance(found, str) and sorted(found) == [int(n) for n in np.unique(plane) if n], reader


def test_an_antialiased_palette_holds_its_objects_only(tmp_path):
    """Two discs in colours, reduced to a palette, with hundreds of mixed colours on their rims."""
    picture = PillowImage.new("RGB", (640, 480))
    ramp = PillowImage.new("RGB", (640, 480))
    for x, colour in ((160, (255, 0, 0)), (470, (0, 255, 0))):
        for target in (picture, ramp):
            ImageDraw.Draw(target).ellipse((x - 100, 120, x + 100, 340), fill=colour)
    small = picture.resize((160, 120), PillowImage.Resampling.LANCZOS)
    path = tmp_path / "m.png"
    small.quantize(256, dither=PillowImage.Dither.NONE).save(path)
    full = np.asarray(small).astype(int)
    for reader, found in answers(path):
        assert not isinstance(found, str), (reader, found)
        assert len(found) == 2, reader
        sizes = sorted(int(mask.sum()) for mask in found.values())
        expected = sorted(int((full[..., channel] > 127).sum()) for channel in (0, 1))
        assert all(abs(a - b) <= 12 for a, b in zip(sizes, expected, strict=True)), reader


def test_colours_of_the_palette_are_ids(tmp_path):
    """VOC's own colours saved as RGB; void stays void, and a picture full of one object is no empty one."""
    plane = blocks(1, 2, ignore=255)
    colours = np.array(standard(), np.uint8).reshape(-1, 3)
    for reader, found in answers(save(tmp_path / "m.png", colours[plane])):
        assert not isinstance(found, str) and sorted(found) == [1, 2], (reader, found)
        assert all((found[number] == (plane == number)).all() for number in (1, 2)), reader
    for reader, found in answers(save(tmp_path / "full.png", colours[np.ones(SIZE, np.uint8)])):
        assert not isinstance(found, str) and list(found) == [1] and found[1].all(), (reader, found)


def test_other_colours_are_counted_and_score_nothing(tmp_path):
    """By red, then green, then blue as long ids are; a score refuses them: another frame may lack one of them."""
    plane = blocks(1, 2)
    plane[40:58, 40:70] = 2
    path = save(tmp_path / "m.png", rgb(plane, id1=(255, 0, 0), id2=(0, 255, 0)))
    for reader, found in answers(path):
        if reader == "evaluate":
            assert isinstance(found, str) and "no known palette" in found
        else:
            assert not isinstance(found, str) and (found[1] == (plane == 1)).all(), reader
            assert sorted(found) == [1, 2] and (found[2] == (plane == 2)).all(), reader


@pytest.mark.parametrize(("suffix", "how"), [(".jpg", {"quality": 92}), (".webp", {"quality": 80})])
def test_colours_saved_with_loss_are_refused(tmp_path, suffix, how):
    """Their rims would be objects; so would those of a PNG made from one."""
    plane = np.kron(blocks(1, 2)[:20, :20], np.ones((6, 6))).astype(np.uint8)
    picture = rgb(plane, id1=(255, 0, 0), id2=(0, 0, 255))
    path = save(tmp_path / f"m{suffix}", picture, **how)
    for reader, found in answers(path):
        assert isinstance(found, str) and "PNG" in found, reader
    again = save(tmp_path / "again.png", np.asarray(PillowImage.open(path).convert("RGB")))
    for reader, found in answers(again):
        assert isinstance(found, str) and "saved with loss" in found, reader


BIG = np.ones(SIZE, np.uint8)
BIG[:4], BIG[-4:], BIG[:, :4], BIG[:, -4:] = 0, 0, 0, 0


@pytest.mark.parametrize(
    ("pixels", "colours"),
    [
        pytest.param(BIG, [255, 255, 255, 255, 0, 0], id="palette, a large object on white"),
        pytest.param(rgb(np.where(blocks(1, 2) > 0, blocks(1, 2), 3), id1=(0, 0, 0), id2=(255, 0, 0),
                         id3=(255, 255, 250)), None, id="black and red on white"),
    ],
)  # fmt: skip
def test_grounds_that_contradict_each_other_are_refused(tmp_path, pixels, colours):
    """Never turned inside out: the border says one thing, what is black or commonest another."""
    for reader, found in answers(save(tmp_path / "m.png", pixels, colours)):
        assert isinstance(found, str) and "ground" in found, (reader, found)


@pytest.mark.parametrize(
    "colours",
    [
        {"id1": (200, 30, 90), "id2": (210, 40, 95)},
        {"id1": (1, 0, 0), "id2": (2, 0, 0)},
        {"id1": (254, 0, 0), "id2": (255, 0, 0)},
    ],
    ids=["nearly one", "ids in the red channel", "one level apart"],
)
def test_exact_colours_are_objects_however_alike(tmp_path, colours):
    """Where every colour fills an area, none is the rim of another."""
    plane = blocks(1, 2)
    found = of_build(save(tmp_path / "m.png", rgb(plane, **colours)), ReadOptions(), "pairs")
    assert sorted(pixels.sum() for pixels in found.values()) == sorted((plane == number).sum() for number in (1, 2))


def test_many_exact_colours_are_as_many_objects(tmp_path):
    """Two hundred cells, each in a colour of its own."""
    plane = np.kron(np.arange(1, 201, dtype=np.uint8).reshape(10, 20), np.ones((6, 4), np.uint8))
    shades = np.random.default_rng(3).permutation(256**3)[:256]
    table = np.stack([shades >> 16, shades >> 8 & 255, shades & 255], axis=1).astype(np.uint8)
    table[0] = 0
    found = of_build(save(tmp_path / "m.png", np.pad(table[plane], ((4, 4), (4, 4), (0, 0)))), ReadOptions(), "pairs")
    assert len(found) == 200 and {int(pixels.sum()) for pixels in found.values()} == {24}


def notes_of(root, pixels):
    """What a build says of a mask that it read."""
    (root / "images").mkdir()
    PillowImage.new("RGB", pixels.shape[1::-1], (9, 99, 199)).save(root / "images/m.png")
    save(root / "masks/m.png", pixels)
    (scene,) = tiny.opened("o", root)
    return scene.notes


def test_colours_that_became_objects_are_named(tmp_path):
    """With the number of each."""
    (note,) = notes_of(tmp_path, rgb(blocks(1, 2, 2), id1=(10, 200, 30), id2=(200, 0, 99)))
    assert note.reason.startswith("masks in colours: each flat colour but the ground is one object")
    assert note.detail == "masks/m.png: 1 is (10, 200, 30), 2 is (200, 0, 99)"


def test_the_note_says_how_colours_are_numbered(tmp_path):
    """By the colour, whichever object is the larger: red + 256 green + 65536 blue, the least is 1."""
    plane = blocks(1, 2)
    plane[:, plane.shape[1] // 2 :] = 2
    (note,) = notes_of(tmp_path, rgb(plane, id1=(200, 0, 1), id2=(3, 0, 200)))
    assert note.reason.endswith("numbered in order of red + 256 green + 65536 blue")
    assert note.detail == "masks/m.png: 1 is (200, 0, 1), 2 is (3, 0, 200)"


def test_colours_of_the_known_palette_need_no_word(tmp_path):
    """Their ids are those of VOC and DAVIS."""
    assert notes_of(tmp_path, rgb(blocks(1, 2), id1=(128, 0, 0), id2=(0, 128, 0))) == ()


def test_soft_edges_of_colours_are_told_and_no_objects(tmp_path):
    """Two discs, drawn four times as large and made smaller: two objects, and how many pixels lie between."""
    large = PillowImage.new("RGB", (SIZE[1] * 8, SIZE[0] * 8))
    draw = ImageDraw.Draw(large)
    draw.ellipse((20, 20, 300, 300), fill=(255, 0, 0))
    draw.ellipse((340, 100, 600, 400), fill=(0, 0, 255))
    pixels = np.asarray(large.resize((SIZE[1], SIZE[0]), PillowImage.Resampling.BOX))
    notes = notes_of(tmp_path, pixels)
    assert [note.reason[:36] for note in notes] == [
        "masks in colours: each flat colour b",
        "masks in colours with soft edges, wh",
    ]
    mixed = ((pixels > 0) & (pixels < 255)).any(axis=2).sum()
    assert notes[1].detail == f"masks/m.png: {mixed} pixels of mixed colours"
    assert len(of_build(tmp_path / "masks/m.png", ReadOptions(), "pairs")) == 2
