"""Options mean what the settings mean: the command line's defaults are the dataclasses' own."""

from dataclasses import MISSING, fields
from pathlib import Path

import click
import pytest

from datakit.datasets import ReadOptions
from datakit.errors import UsageError
from pipelines.cli import cli
from pipelines.options import byte_count, sources_from
from pipelines.settings import BuildConfig, BuildSettings


@pytest.mark.parametrize("owner", [ReadOptions, BuildSettings, BuildConfig])
def test_defaults_are_those_of_the_dataclasses(owner):
    """No default is written down twice with two values."""
    command = cli.commands["build-shards"]
    options = {option.name: option for option in command.params}
    defaults = {field.name: field.default for field in fields(owner) if field.default is not MISSING}
    shared = sorted(defaults.keys() & options.keys())
    assert len(shared) >= 4
    for name in shared:
        given = options[name].get_default(click.Context(command))
        given = byte_count(given) if name == "shard_bytes" else given
        told = given is None and f"[default: {defaults[name]}" in (options[name].help or "")
        assert told or given == defaults[name] or (defaults[name] is None and not isinstance(given, (str, int))), name


@pytest.mark.parametrize(
    ("text", "size"), [("64MB", 64_000_000), ("1.5 GB", 1_500_000_000), ("500kb", 500_000), ("9", 9)]
)
def test_sizes_are_read_as_people_write_them(text, size):
    """Decimal units, any case."""
    assert byte_count(text) == size


@pytest.mark.parametrize("text", ["", "MB", "-1MB", "64 parsecs", "0"])
def test_what_is_no_size_is_refused(text):
    """The message shows how a size looks."""
    with pytest.raises(click.BadParameter, match=r"expected e\.g\. 64MB"):
        byte_count(text)


def test_two_recipes_of_one_name_are_refused(datakit, source, tmp_path):
    """Triples of the two could not be told apart."""
    result = datakit(
        "build-shards", source, "--out", tmp_path / "out", "--recipe", "masktrack", "--recipe", "masktrack"
    )
    assert result.exit_code == 2
    assert "two recipes are named 'masktrack'" in result.output


@pytest.mark.parametrize("folder", ["photos", "/data/a=b/photos"])
def test_images_of_one_source_need_no_label(folder):
    """Whatever stands in the path."""
    sources, images = sources_from(["My Set=masks"], [folder])
    assert images == {sources[0].label: Path(folder)}
    assert sources_from(["a=masks"], [f"a={folder}"])[1] == {"a": Path(folder)}


def test_images_of_several_sources_need_a_label(datakit, source, tmp_path):
    """--images DIR alone does not say whose."""
    result = datakit("build-shards", source, f"b={source}", "--out", tmp_path / "out", "--images", "somewhere")
    assert result.exit_code == 2
    assert "--images somewhere: expected LABEL=DIR, since there is not one source alone" in result.output
    with pytest.raises(UsageError, match="expected LABEL=DIR"):
        sources_from(["a=masks"], ["a="])


def test_an_unknown_setting_lists_the_known_ones(datakit, source, tmp_path):
    """A typing error is not ignored."""
    result = datakit("build-shards", source, "--out", tmp_path / "out", "--set", "tps.shfit=0.1")
    assert result.exit_code == 2
    assert "tps.shift" in result.output or "shift" in result.output


@pytest.mark.parametrize(
    ("words", "lines"),
    [
        (("train", "--preset", "paper"), ["iterations 20000 whole", "optimizer.learning_rate 0.001 0 or more"]),
        (("propagate",), ["dilation 8 whole, 0..255", "online.iterations 60 whole"]),
        (("build-shards", "--recipe", "masktrack-box"), ["box.jitter 0.0 0..0.5", "masktrack-box:"]),
        (("preview-deformations",), ["tps.points 5 whole, 3..16", "masktrack:"]),
    ],
)
def test_set_help_lists_the_keys_with_their_ranges(datakit, words, lines):
    """Without any of the arguments that the command needs to run; a preset named before it counts."""
    done = datakit(*words, "--set", "help")
    found = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert done.exit_code == 0 and done.stderr == ""
    assert all(any(line.startswith(start) for line in found) for start in lines), done.stdout


def test_layouts_are_described_with_their_files(datakit):
    """One after the other, with where they are from."""
    done = datakit("validate-source", "--layouts")
    assert done.exit_code == 0
    assert "voc\n    JPEGImages/*.jpg + SegmentationObject/*.png\n    VOCtrainval" in done.stdout
