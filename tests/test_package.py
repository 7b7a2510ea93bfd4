"""What people install: the wheel, in a fresh environment outside of the checkout, and what a stranger looks for."""

import os
import subprocess
import sys
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest

from datakit.extras import EXTRAS

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built from a copy of the sources, so that no `build` folder is left in the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    copied = ["setup.py", "pyproject.toml", "README.md", "LICENSE", "datakit", "model", "pipelines"]
    subprocess.run(["cp", "-r", *(str(ROOT / name) for name in copied), str(folder)], check=True)
    options = ["--no-deps", "--no-build-isolation", "--quiet", "--wheel-dir", str(folder / "dist")]
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, str(folder)], check=True)
    (found,) = (folder / "dist").glob("*.whl")
    return found


@pytest.fixture(scope="module")
def environment(wheel, tmp_path_factory):
    """A fresh virtual environment with the wheel; the libraries are those of the running one, by a .pth file."""
    home = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(home)], check=True)
    (packages,) = home.glob("lib/python*/site-packages")
    install = ["install", "--no-deps", "--quiet", "--target", str(packages), "--no-compile", str(wheel)]
    subprocess.run([sys.executable, "-m", "pip", *install], check=True)
    import numpy

    # Without the .pth files that lie there, so that the editable installation of the checkout is not found.
    (packages / "libraries.pth").write_text(str(Path(numpy.__file__).parent.parent) + "\n")
    return home / "bin" / "python"


def test_the_wheel_holds_what_it_should(wheel):
    """Three typed packages, pages, weights and licence; no tests, tools or benchmarks."""
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names if ".dist-info" not in name}
    assert tops == {"datakit", "model", "pipelines"}
    for package in tops:
        assert f"{package}/py.typed" in names
    assert {"model/bundled/lite.safetensors", "model/bundled/lite-memory.safetensors"} <= set(names)
    pages = [path for folder in ("pipelines/annotate/page", "datakit/preview") for path in (ROOT / folder).glob("*.*")]
    assert len(pages) > 30 and {str(path.relative_to(ROOT)) for path in pages} <= set(names)
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_the_metadata_tells_a_stranger_what_it_is(wheel):
    """Licence, description, extras; and no torch for those who want data alone."""
    archive = zipfile.ZipFile(wheel)
    (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
    about = message_from_bytes(archive.read(name))
    assert about["License-Expression"] == "MIT"
    assert "top-level packages" in archive.read(name).decode()
    assert {*EXTRAS, "all", "dev"} <= set(about.get_all("Provides-Extra"))
    needed = [text for text in about.get_all("Requires-Dist") if "extra ==" not in text]
    assert not any(text.startswith(("torch", "av", "ImageHash")) for text in needed)


def test_the_first_commands_of_the_demo_run_from_the_wheel(environment, tmp_path):
    """Data, shards and their check, in an empty folder, from nothing but the wheel."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}

    def datakit(*words):
        code = "from datakit.shadowed import command; command()"
        run = [str(environment), "-c", code, *words]
        return subprocess.run(run, capture_output=True, text=True, cwd=tmp_path, env=inherited)

    place = subprocess.run(
        [str(environment), "-c", "import datakit; print(datakit.__file__)"],
        capture_output=True, text=True, cwd=tmp_path, env=inherited,
    )  # fmt: skip
    assert str(ROOT) not in place.stdout and "site-packages" in place.stdout
    assert datakit("sample-data", "data", "--photos", "4").returncode == 0
    built = datakit("build-shards", "data/ecssd", "--recipe", "masktrack-box", "--out", "shards", "-j", "1")
    assert built.returncode == 0, built.stderr
    assert datakit("verify", "shards").returncode == 0


def test_a_type_checker_sees_the_public_names(environment, tmp_path):
    """mypy --strict on a user's script knows the types of the installed packages, and finds a wrong use."""
    pytest.importorskip("mypy")
    script = tmp_path / "script.py"
    script.write_text(
        "from datakit import ShardReader\n"
        'reader = ShardReader("shards")\n'
        "reveal_type(reader[0].iou)\n"
        "reader.no_such_method()\n"
    )
    command = [sys.executable, "-m", "mypy", "--strict", f"--python-executable={environment}", str(script)]
    found = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env={"PATH": os.environ["PATH"]})
    assert 'Revealed type is "float"' in found.stdout, found.stdout
    assert 'has no attribute "no_such_method"' in found.stdout
    assert found.stdout.strip().endswith("Found 1 error in 1 file (checked 1 source file)")


@pytest.mark.parametrize("name", ["LICENSE", "CHANGELOG.md", "CONTRIBUTING.md", "CITATION.cff", "GLOSSARY.md"])
def test_the_files_a_stranger_looks_for_are_there(name):
    """At the root, where people and sites look."""
    assert (ROOT / name).stat().st_size > 500


def test_the_citation_names_version_and_paper():
    """CITATION.cff goes with the version of the package."""
    import datakit

    text = (ROOT / "CITATION.cff").read_text()
    assert f"version: {datakit.__version__}" in text
    assert "Learning Video Object Segmentation from Static Images" in text
