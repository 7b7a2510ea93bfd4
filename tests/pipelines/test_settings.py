"""Settings survive storage, and differences are told leaf by leaf."""

import json

from datakit.datasets import ReadOptions
from datakit.transforms import PRESETS
from pipelines.settings import BuildSettings, differences


def test_settings_come_back_from_json():
    """What a shard stores is what was set."""
    settings = BuildSettings(tuple(PRESETS.values()), seed=3, read=ReadOptions(threshold=9), samples_per_shard=7)
    assert BuildSettings.from_dict(json.loads(json.dumps(settings.to_dict()))) == settings


def test_equal_settings_have_no_differences():
    """Nothing differs from itself."""
    stored = BuildSettings((PRESETS["masktrack"],)).to_dict()
    assert list(differences(stored, json.loads(json.dumps(stored)))) == []


def test_a_changed_leaf_is_named_with_both_values():
    """The path names recipe, step and number."""
    old, new = (BuildSettings((PRESETS[name],)).to_dict() for name in ("masktrack", "masktrack"))
    new["recipes"][0]["variants"] = 5
    assert list(differences(old, new)) == ["recipes[masktrack].variants: 2 -> 5"]


def test_a_number_of_a_step_is_told_as_set_has_it_too():
    """Of two steps of a kind the second is called as the recipe calls it."""
    old = {"steps": [{"kind": "tps", "shift": 0.1}, {"kind": "dilate", "radius": 5}, {"kind": "tps", "shift": 0.1}]}
    new = {"steps": [{"kind": "tps", "shift": 0.05}, {"kind": "dilate", "radius": 5}, {"kind": "tps", "shift": 0.2}]}
    assert list(differences(old, new)) == [
        "steps[0].shift (--set tps.shift): 0.1 -> 0.05",
        "steps[2].shift (--set tps#2.shift): 0.1 -> 0.2",
    ]


def test_a_step_of_another_kind_is_nothing_that_set_changes():
    """Nor are the numbers behind it."""
    old, new = ({"steps": [{"kind": kind, "shift": 0.1}]} for kind in ("tps", "affine"))
    assert list(differences(old, new)) == ["steps[0].kind: 'tps' -> 'affine'"]


def test_added_and_missing_keys_differ():
    """A key of one side only is a difference from None."""
    assert list(differences({"a": 1}, {"b": 2})) == ["a: 1 -> nothing", "b: nothing -> 2"]


def test_other_recipes_are_named():
    """Lists of different length are shown by the names in them."""
    old = {"recipes": [{"name": "masktrack"}]}
    new = {"recipes": [{"name": "masktrack"}, {"name": "lucid"}]}
    assert list(differences(old, new)) == ["recipes: [masktrack] -> [masktrack, lucid]"]


def test_files_that_are_known_by_a_digest_are_others():
    """A piece of it tells them apart; 64 figures tell nobody anything."""
    old, new = {"mask": "ab" * 32, "more": "cd" * 32}, {"mask": "ef" * 32, "more": None}
    assert list(differences(old, new)) == [
        "mask: content abababab… -> content efefefef…",
        "more: content cdcdcdcd… -> nothing",
    ]
