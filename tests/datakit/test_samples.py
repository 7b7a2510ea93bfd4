"""What is said of a triple."""

from dataclasses import fields, replace

import numpy as np
import pytest

from datakit.samples import TRIPLE_COLUMNS, Triple, flags_of
from datakit.transforms import PRESETS
from datakit.triples import make_triples
from tests.made import made_photo, made_sample


@pytest.mark.parametrize(("drawn", "iou", "floor", "seen"), [
    ("", 0.29, 0.3, "low-iou"),
    ("", 0.3, 0.3, ""),
    ("low-iou", 0.33, 0.3, ""),
    ("low-iou", 0.1, 0.3, "low-iou"),
    ("no-tps", 0.1, 0.3, "low-iou,no-tps"),
    ("low-iou,no-tps", 0.5, 0.3, "no-tps"),
    ("low-iou,no-tps", 0.5, None, "low-iou,no-tps"),
    ("", 0.0, 0.0, ""),
])  # fmt: skip
def test_low_iou_goes_by_what_is_stored(drawn, iou, floor, seen):
    """Whatever the draw said; other remarks stay, in their order."""
    assert flags_of(drawn, iou, floor) == seen


def test_a_tiny_object_that_dilation_outgrows_is_flagged():
    """Its draw reached the floor, before dilation; its triple does not."""
    mask = np.zeros((60, 80), np.uint8)
    mask[30:34, 40:44] = 1
    triple = make_triples(replace(made_sample(), mask=mask), PRESETS["masktrack"], 0)[0]
    assert triple.iou < 0.3 and "low-iou" in triple.flags.split(",")
    assert "low-iou" not in triple.draw_flags.split(",")


def test_a_triple_tells_itself_in_a_line():
    """Key, IoU and width x height; no array fills the screen."""
    triple = make_triples(made_sample(), PRESETS["masktrack"], 0)[0]
    assert repr(triple) == f"Triple('made/a@masktrack/0', IoU {triple.iou:.2f}, 80x60)"
    assert len(str([triple] * 3)) < 3 * 80


def test_drawn_numbers_have_names():
    """Those of the recipe, in its order."""
    recipe = PRESETS["masktrack"]
    triple = make_triples(made_sample(), recipe, 0)[0]
    assert tuple(triple.named_parameters) == recipe.parameter_names
    assert list(triple.named_parameters.values()) == triple.parameters.tolist()
    assert triple.named_parameters["dilate.radius"] == 5


def test_a_triple_is_shown_as_photo_rough_mask_and_target():
    """Side by side; what a mask leaves out is dark."""
    triple = make_triples(made_sample(), PRESETS["masktrack"], 0)[0]
    shown = np.asarray(triple.show())
    assert shown.shape == (60, 240, 3)
    for part, mask in enumerate((np.ones((60, 80), np.uint8), triple.guide, triple.target)):
        expected = np.where(mask[..., None], triple.image, triple.image // 5)
        np.testing.assert_array_equal(shown[:, 80 * part : 80 * (part + 1)], expected)
    assert triple._repr_png_().startswith(b"\x89PNG")


def test_a_large_triple_is_shown_small():
    """A notebook keeps its width."""
    mask = np.ones((900, 1600), np.uint8)
    triple = make_triples(
        replace(made_sample(), photo=made_photo(0, 900, 1600), mask=mask), PRESETS["masktrack-box"], 0
    )
    assert triple[0].show().size == (1200, 225)


def test_a_recipe_tells_itself_in_a_line():
    """Name, steps and variants."""
    assert repr(PRESETS["masktrack"]) == "Recipe('masktrack', affine → tps → dilate, 2 variants)"
    assert repr(PRESETS["masktrack-box"]) == "Recipe('masktrack-box', box, 1 variant)"


def test_columns_are_attributes_of_a_triple_or_rows_of_the_file():
    """One of both, so that a column is written and read by its name."""
    names = {field.name for field in fields(Triple)}
    for column in TRIPLE_COLUMNS:
        assert (column.attribute in names) != bool(column.refers_to), column.name
