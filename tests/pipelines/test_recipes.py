"""`datakit recipes`: what it prints can be used."""

import json
import tomllib

import pytest
from click.testing import CliRunner

from datakit.config import settings_of
from datakit.transforms import PRESETS, TRANSFORMS, Recipe
from pipelines.cli import cli
from pipelines.recipes import to_toml


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_as_a_file_is_the_preset(name):
    """Printed, read back, the same."""
    assert Recipe.from_dict(tomllib.loads(to_toml(PRESETS[name]))) == PRESETS[name]


def test_every_step_is_listed_with_its_keys_and_ranges():
    """Kind, what it does, and each key with default, range and meaning."""
    text = CliRunner().invoke(cli, ["recipes"]).output
    for kind, step in TRANSFORMS.items():
        assert f"\n{kind}: " in text
        for name in settings_of(step):
            assert f"\n  {name} " in text
    assert "whole, 0..255, or two, the least and the largest" in text


def test_as_json_it_has_the_same():
    """For programs: nothing without a meaning."""
    found = json.loads(CliRunner().invoke(cli, ["recipes", "--json"]).output)
    assert list(found["presets"]) == list(PRESETS) and list(found["steps"]) == list(TRANSFORMS)
    for step in found["steps"].values():
        assert step["summary"] and all(key["meaning"] and key["range"] for key in step["keys"].values())
    assert found["steps"]["dilate"]["keys"]["radius"]["default"] == 5
