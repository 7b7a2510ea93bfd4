"""The documentation is under test: every command, preset and layout is in it, and its code runs."""

import inspect
import re
import runpy
import subprocess
import sys
from pathlib import Path

import click
import cv2
import h5py
import numpy as np
import pytest

from datakit.clips import CLIP_PRESETS, ROUGH, load_clip_recipe
from datakit.datasets import LAYOUTS
from datakit.shards import ShardReader
from datakit.transforms import PRESETS
from pipelines.cli import cli
from pipelines.propagate.network import NetworkChoice
from tests.runs import draw_source
from tests.third_party import install

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("name", sorted(cli.commands))
def test_every_command_is_documented_and_shows_an_example(name):
    """The help ends with an example that calls the command; docs/cli.md and the README name it."""
    command = cli.commands[name]
    text = command.get_help(click.Context(command, info_name=name))
    assert f"datakit {name}" in text.split("Example:")[1]
    assert f"`datakit {name}`" in (ROOT / "docs/cli.md").read_text()
    assert f"datakit {name}" in (ROOT / "README.md").read_text()


@pytest.mark.parametrize("name", sorted(cli.commands))
def test_every_option_says_what_it_does(name):
    """No option without help."""
    for parameter in cli.commands[name].params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.name


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_documented(name):
    """docs/paper.md says where a preset's numbers come from."""
    assert f"`{name}`" in (ROOT / "docs/paper.md").read_text()


@pytest.mark.parametrize("name", [*CLIP_PRESETS, *ROUGH])
def test_every_clip_preset_is_documented(name):
    """docs/clips.md says where its numbers come from, and what each rule of rough masks does."""
    assert f"`{name}`" in (ROOT / "docs/clips.md").read_text()


def test_every_dialect_of_clips_is_documented():
    """docs/clips.md says what an item of it is."""
    dialects = pytest.importorskip("model.clip_dialects", reason="torch is not installed").DIALECTS
    text = (ROOT / "docs/clips.md").read_text().partition("| dialect | an item |")[2].partition("\n\n")[0]
    assert {name for line in text.splitlines() for name in re.findall(r"`(\w+)`", line.split(" | ")[0])} == set(
        dialects
    )


def test_the_examples_of_the_page_on_clips_run(tmp_path, datakit, monkeypatch):
    """Its Python, and its recipe file."""
    pytest.importorskip("torch", reason="torch is not installed")
    monkeypatch.chdir(tmp_path)
    assert datakit("build-shards", draw_source(tmp_path / "ecssd", 4), "--out", "demo/shards").exit_code == 0
    text = (ROOT / "docs/clips.md").read_text()
    scope: dict = {}
    for block in re.findall(r"```python\n(.+?)```", text, re.S):
        exec(block, scope)
    assert np.array_equal(scope["again"].frames, scope["clip"].frames)
    assert scope["item"]["rgb"].shape == (3, 3, 384, 384)
    (tmp_path / "mine.toml").write_text(re.search(r"```toml\n(.+?)```", text, re.S)[1])
    recipe = load_clip_recipe("mine.toml")
    assert (recipe.frames, recipe.motion.rotation, recipe.rough.iou_low) == (8, 10, 0.7)


@pytest.mark.parametrize("name", list(LAYOUTS))
def test_every_layout_is_documented(name):
    """docs/datasets.md shows the folder tree of a layout."""
    assert f"`{name}`" in (ROOT / "docs/datasets.md").read_text()


def test_the_exit_codes_of_the_errors_are_documented():
    """Every exit code an error can have stands in the table of docs/cli.md."""
    from datakit import errors

    documented = set(map(int, re.findall(r"^\| (\d+) \|", (ROOT / "docs/cli.md").read_text(), re.M)))
    raised = {
        value.exit_code for value in vars(errors).values() if isinstance(value, type) and hasattr(value, "exit_code")
    }
    assert raised <= documented
    assert {0, 4, 130} <= documented


def test_the_independent_reader_reads_what_was_built(tmp_path, datakit):
    """The 20 lines of docs/shard-format.md give the triples our own reader gives."""
    code = re.search(r"```python\n(.+?)```", (ROOT / "docs/shard-format.md").read_text(), re.S)[1]
    assert len([line for line in code.splitlines() if line.strip()]) <= 20
    scope: dict = {"cv2": cv2, "h5py": h5py, "np": np}
    exec(code, scope)
    source = draw_source(tmp_path / "ecssd", 3)
    out = tmp_path / "out"
    assert datakit("build-shards", source, "--out", out, "--recipe", "masktrack-box").exit_code == 0
    found = list(scope["triples"](out / "ecssd-00000.h5"))
    reader = ShardReader(out)
    assert [entry[0] for entry in found] == reader.keys
    for (_, image, rough, true), triple in zip(found, reader, strict=True):
        np.testing.assert_array_equal(image[:, :, ::-1], triple.image)
        np.testing.assert_array_equal(rough, triple.guide)
        np.testing.assert_array_equal(true, triple.target)


def test_the_map_of_modules_is_what_they_say_of_themselves():
    """`python tools/module_map.py` writes it anew."""
    scope = runpy.run_path(str(ROOT / "tools/module_map.py"))
    assert scope["module_map"]() in (ROOT / "docs/architecture.md").read_text()


PAGES = [*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("docs/**/*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_a_page_names_is_there(page):
    """But for names in capitals, which stand for any."""
    named = re.findall(r"`((?:datakit|model|pipelines|tests|tools|benchmarks|examples)/[\w/.-]+)`", page.read_text())
    gone = [path for path in named if not (ROOT / path).exists() and not Path(path).stem.isupper()]
    assert gone == []


def test_the_tour_of_the_readme_is_what_make_demo_runs():
    """Command for command."""
    recipe = (ROOT / "Makefile").read_text().partition("\ndemo:")[2].partition("\n\n")[0].replace("\\\n", " ")
    tour = (ROOT / "README.md").read_text().partition("`make demo` runs these")[2].partition("```\n\n")[0]
    told = [line.partition(" # ")[0].split()[2:] for line in tour.replace("\\\n", " ").splitlines() if line[:2] == "$ "]
    run = [line.split()[1:] for line in recipe.splitlines() if "$(DATAKIT)" in line]
    assert run == told != []


def test_the_contributing_guide_names_every_group_of_entry_points():
    """All that a registry of ours takes."""
    modules = (path for floor in ("datakit", "model", "pipelines") for path in (ROOT / floor).rglob("*.py"))
    groups = {name for path in modules for name in re.findall(r'^GROUP = "(.+)"', path.read_text(), re.M)}
    assert len(groups) == 6
    assert groups == set(re.findall(r"`(masktrack_datakit\.\w+)`", (ROOT / "CONTRIBUTING.md").read_text()))


def test_the_readme_is_short():
    """What it is, what it reaches, two commands, a tour, examples, links: a stranger reads no more."""
    assert len((ROOT / "README.md").read_text().splitlines()) <= 150


def test_the_examples_of_the_readme_run(tmp_path, datakit, monkeypatch):
    """All of its Python, in order, on what `make demo` makes."""
    pytest.importorskip("torch", reason="torch is not installed")
    monkeypatch.chdir(tmp_path)
    assert datakit("sample-data", "demo/data", "--photos", "4").exit_code == 0
    assert datakit("build-shards", "demo/data/ecssd", "--out", "demo/shards").exit_code == 0
    blocks = re.findall(r"```python\n(.+?)```", (ROOT / "README.md").read_text(), re.S)
    scope: dict = {}
    for block in blocks:
        exec(block, scope)
    assert scope["labels"].any()
    assert scope["batch"]["input"].shape[:2] == (4, 4)


def test_the_step_of_the_contributing_guide_joins_recipes(tmp_path):
    """In ten lines, its imports aside: installed by its entry point it builds shards that are as their source makes."""
    text = (ROOT / "CONTRIBUTING.md").read_text()
    code = re.search(r"```python\n(.+?)```", text, re.S)[1]
    assert len([line for line in code.partition("@dataclass")[2].splitlines() if line.strip()]) <= 10
    name, place = re.search(r'^(\w+) = "(my_steps:\w+)"', text, re.M).groups()
    installed = install(tmp_path / "site", "my-steps", "transforms", name, place, code)
    recipe, out = tmp_path / "rounded.toml", tmp_path / "out"
    recipe.write_text('[[steps]]\nkind = "smooth"\nradius = [3, 5]\n')
    built = installed.run("build-shards", draw_source(tmp_path / "ecssd", 3), "--out", out, "--recipe", recipe)
    assert built.returncode == 0, built.stderr
    compared = installed.run("inspect", out, "--random", 6)
    assert "6 of 6 identical" in compared.stdout, compared.stderr


def test_help_is_quick_to_import():
    """The command line imports nothing heavy before a command runs."""
    code = "import sys, pipelines.cli; print(*sorted({'torch', 'dask', 'cv2', 'numpy', 'h5py'} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert found.stdout.split() == []


@pytest.mark.parametrize("command", ["score", "propagate"])
def test_help_names_the_view_that_is_the_default(command):
    """Typed there, since help imports no network; read from the settings here."""
    refine = pytest.importorskip("model.refine", reason="torch is not installed")
    from model.lite_memory import LiteMemory
    from model.segmenter import Segmenter

    told = {option.name: option.help or "" for option in cli.commands[command].params if hasattr(option, "help")}
    assert f"[default: {refine.RefineConfig.size}]" in told["size"]
    if command == "propagate":
        own, usual = LiteMemory.margin, Segmenter.margin
        assert f"[default: {own} with lite-memory, else {usual}]" in told["margin"]


def test_one_network_is_the_default_of_all_that_carry_masks():
    """Typed in four places, for the same reason."""
    propagate = pytest.importorskip("model.propagate", reason="torch is not installed")
    options = [option for command in ("propagate", "annotate") for option in cli.commands[command].params]
    defaults = {option.default for option in options if option.name == "weights"}
    defaults.add(inspect.signature(propagate.Propagator.from_pretrained).parameters["weights"].default)
    assert defaults == {NetworkChoice.weights}


def test_help_names_the_networks_that_are_looked_through_twice():
    """Typed there as well."""
    networks = pytest.importorskip("model.networks", reason="torch is not installed").NETWORKS
    (told,) = (option.help for option in cli.commands["score"].params if option.name == "mirrored")
    for name, network in networks.items():
        assert f"{'twice' if network.mirrored else 'once'} with {name}" in told
