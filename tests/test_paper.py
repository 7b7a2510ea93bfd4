"""The numbers of the paper, asserted of the presets; docs/paper.md quotes the sentences."""

from datakit.transforms import PRESETS, Affine, Box, Dilate, Tps

MASKTRACK = PRESETS["masktrack"]


def only(kind):
    (step,) = (step for step in MASKTRACK.steps if isinstance(step, kind))
    return step


def test_two_different_masks_are_generated_for_each_image():
    """§4: "For each image two different masks are generated"."""
    assert MASKTRACK.variants == 2


def test_affine_is_five_percent_scaling_and_ten_percent_shift():
    """§4: "±5% random scaling", "±10% shift"."""
    assert only(Affine) == Affine(scale=0.05, shift=0.10)


def test_spline_has_five_control_points_and_ten_percent():
    """§4: "5 control points", "±10% margin of the original segmentation mask width and height"."""
    assert (only(Tps).points, only(Tps).shift) == (5, 0.10)


def test_spline_is_the_smoothing_one_of_the_authors_code():
    """`tpaps` with its default p."""
    assert only(Tps).spline == "smoothing"


def test_dilation_has_radius_five():
    """§4: "5 pixel radius"."""
    assert only(Dilate) == Dilate(radius=5)


def test_coarsening_follows_affine_and_non_rigid():
    """§3.1: "as well as non-rigid deformations …, followed by a coarsening step"."""
    assert [step.kind for step in MASKTRACK.steps] == ["affine", "tps", "dilate"]


def test_the_box_variant_gets_the_filled_box():
    """§3.3: a box annotation as input, no jitter stated."""
    assert PRESETS["masktrack-box"].steps == (Box(jitter=0.0),) and PRESETS["masktrack-box"].kind == "box"


def test_the_ablations_of_table_1_leave_out_one_thing_each():
    """ "no dilation", "no non-rigid", "no deformation"; all else stays."""
    affine, spline, disc = MASKTRACK.steps
    assert PRESETS["no-dilation"].steps == (affine, spline)
    assert PRESETS["no-nonrigid"].steps == (affine, disc)
    assert PRESETS["no-deformation"].steps == ()


def test_online_is_about_a_thousand_rotated_and_flipped_samples_with_the_offline_deformations():
    """§3.2, §4: "~10^3", "image flipping and rotations", "same parameters as for the offline training"."""
    online = PRESETS["online"]
    assert online.steps == MASKTRACK.steps
    assert online.augment.flip and {abs(angle) for angle in online.augment.angles} == set(range(0, 21, 2))
    assert 900 <= len(list(online.augment.turns())) * online.variants <= 1100


def test_lucid_moves_its_points_half_as_far():
    """LucidDataDreaming's code: ±5 %, then the same disc."""
    assert PRESETS["lucid"].steps == (Tps(points=5, shift=0.05), Dilate(radius=5))
