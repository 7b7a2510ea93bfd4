"""Steps of other packages: registered, refused, and end to end from an entry point."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from datakit.config import setting
from datakit.errors import UsageError
from datakit.shards import ShardReader
from datakit.transforms import TRANSFORMS, Affine, Recipe, Transform, deform, register_transform, replay
from datakit.transforms.object_crop import ObjectCrop
from datakit.transforms.warp import PointMap
from tests import tiny
from tests.deformation_contract import check_deformation
from tests.third_party import Installation, install

WAVES = '''
from dataclasses import dataclass
from typing import ClassVar
import numpy as np
from datakit.config import setting
from datakit.transforms import Transform
from datakit.transforms.warp import PointMap

class Sway(PointMap):
    def __init__(self, by):
        self.by = by
    def forward(self, x, y):
        return x + self.by * np.sin(y / 5), y
    def inverse(self, x, y):
        return x - self.by * np.sin(y / 5), y

@dataclass(frozen=True)
class Wave(Transform):
    """Rows moved like a flag.

    Attributes:
        by: largest move in pixels.
    """
    kind: ClassVar[str] = "wave"
    package: ClassVar[str] = "wave-steps"
    by: float = setting(4.0, 0, 50)
    @property
    def parameter_names(self):
        return ("by",)
    def sample_params(self, rng, crop):
        return np.array([self.by * (2 * rng.random() - 1) if crop.width else np.nan])
    def point_map(self, parameters, box, before):
        return None if np.isnan(parameters[0]) else Sway(float(parameters[0]))
    def describe(self, numbers):
        return [f"wave of {numbers['by']:+.1f} px"]
'''

RECIPE = '[[steps]]\nkind = "affine"\n\n[[steps]]\nkind = "wave"\nby = 6\n\n[[steps]]\nkind = "dilate"\n'


@dataclass(frozen=True)
class Crumble(Transform):
    """Pixels lost at random."""

    kind: ClassVar[str] = "crumble"

    share: float = setting(0.1, 0, 1)

    @property
    def parameter_names(self) -> tuple[str, ...]:
        return ("seed",)

    def sample_params(self, rng: np.random.Generator, crop: ObjectCrop) -> np.ndarray:
        return np.array([float(rng.integers(2**32))]) if crop.width else np.full(1, np.nan)

    def apply(self, crop: ObjectCrop, parameters: np.ndarray) -> ObjectCrop:
        if np.isnan(parameters[0]):
            return crop
        kept = np.random.default_rng(int(parameters[0])).random(crop.pixels.shape) >= self.share
        return ObjectCrop.of(crop.pixels * kept.astype(np.uint8), crop.box[0], crop.box[1], crop.size)


def test_a_registered_step_keeps_the_contract_and_can_be_named():
    """Recipe, captions and replay know it; before and after, nothing does."""
    with pytest.raises(UsageError, match="unknown step 'crumble'"):
        Recipe.from_dict({"name": "r", "steps": [{"kind": "crumble"}]})
    register_transform(Crumble)
    try:
        check_deformation(Crumble())
        recipe = Recipe.from_dict({"name": "r", "steps": [{"kind": "crumble", "share": 0.5}, {"kind": "affine"}]})
        assert recipe.parameter_names[0] == "crumble.seed"
        assert recipe.describe([7, 1, 0, 0])[0] == "crumble seed 7"
        mask = np.ones((20, 20), np.uint8)
        guide = deform(mask, recipe, np.random.default_rng(0))
        np.testing.assert_array_equal(guide.mask, replay(mask, recipe, guide.parameters))
    finally:
        del TRANSFORMS["crumble"]


def test_a_map_without_curvature_and_spread_is_computed_everywhere():
    """What a point map of another package leaves out costs time, not pixels."""

    class Move(PointMap):
        def forward(self, x, y):
            return x + 5, y

        def inverse(self, x, y):
            return x - 5, y

    from datakit.transforms.warp import warp

    mask = np.zeros((40, 60), np.uint8)
    mask[10:20, 20:31] = 1
    moved = warp(ObjectCrop.of(mask), [Move()]).mask()
    np.testing.assert_array_equal(moved, np.roll(mask, 5, axis=1))


def broken(**changes: object) -> type[Transform]:
    return dataclass(frozen=True)(type("Broken", (Crumble,), {"kind": "broken", **changes}))


def _global_chance(self: Transform, rng: np.random.Generator, crop: ObjectCrop) -> np.ndarray:
    return np.array([os.urandom(4)[0] + os.urandom(4)[1] * 256.0 + os.urandom(4)[2] * 65536.0])


@pytest.mark.parametrize(("changes", "said"), [
    ({"kind": "Bad Name"}, "a-z, 0-9"),
    ({"kind": "affine"}, "one of that name already"),
    ({"guide_kind": "blob"}, "guide_kind 'blob' is none of mask, box"),
    ({"apply": Transform.apply}, "either `point_map` or `apply`"),
    ({"point_map": Affine.point_map}, "either `point_map` or `apply`"),
    ({"parameter_names": ("a", "a")}, "not different names"),
    ({"parameter_names": ("a", "b")}, r"gives \(1,\) float64, expected \(2,\)"),
    ({"sample_params": _global_chance}, "take all chance from `rng`"),
    ({"apply": lambda self, crop, parameters: 1 / 0}, "fails on a small object: ZeroDivisionError"),
    ({"apply": lambda self, crop, parameters: ObjectCrop.nothing((1, 1))}, "a frame of another size"),
    ({"__annotations__": {"extra": "int"}, "extra": 3}, "field 'extra' has no range"),
])  # fmt: skip
def test_a_class_that_cannot_be_a_step_is_refused_at_registration(changes: Mapping[str, object], said: str):
    """With one sentence that says why, and not in the middle of a build."""
    with pytest.raises(UsageError, match=said):
        register_transform(broken(**changes))


def test_an_installed_step_goes_the_whole_way(tmp_path: Path):
    """Named in a recipe file: built by two workers, stored, replayed, previewed; without its package, told which."""
    for number in range(4):
        tiny.pair(tmp_path / "ecssd/images", tmp_path / "ecssd/ground_truth_mask", str(number), number)
    recipe, shards = tmp_path / "waves.toml", tmp_path / "shards"
    recipe.write_text(RECIPE)
    run = install(tmp_path / "site", "wave-steps", "transforms", "wave", "wave_steps:Wave", WAVES).run
    source = f"e:ecssd={tmp_path / 'ecssd'}"
    built = run("build-shards", source, "--recipe", recipe, "--out", shards, "-j", 2, "--min-area", 1)
    assert built.returncode == 0, built.stderr
    manifest = json.loads((shards / "manifest.json").read_text())
    assert manifest["settings"]["recipes"][0]["steps"][1] == {"kind": "wave", "by": 6.0, "package": "wave-steps"}
    again = run("inspect", shards, "--random", 8)
    assert again.returncode == 0 and "8 of 8 identical" in again.stdout, again.stdout + again.stderr
    page = run("preview-deformations", shards, "--out", tmp_path / "p.html")
    assert page.returncode == 0 and "wave of " in (tmp_path / "p.html").read_text()
    listed = run("recipes", "--json")
    assert listed.returncode == 0 and "wave" in json.loads(listed.stdout)["steps"], listed.stderr
    without = Installation().run("inspect", shards, "--random", 2)
    assert without.returncode != 0 and "install wave-steps" in without.stderr + without.stdout
    with pytest.raises(Exception, match=r"unknown step 'wave': .*install wave-steps"):
        _ = ShardReader(shards).recipes
