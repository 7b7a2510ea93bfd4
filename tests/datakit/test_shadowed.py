"""A user's own `model` or `pipelines` that is found before ours."""

import subprocess
import sys
from pathlib import Path

import pytest

from datakit.shadowed import shadowing_message

ROOT = Path(__file__).parent.parent.parent


def run_beside(folder, code):
    """A fresh interpreter that finds packages in `folder` first, ours after, as from a wheel: an editable install
    has a finder of its own, which finds the modules of ours that a shadowed package lacks."""
    places = f"import sys; sys.path[:0] = [{str(folder)!r}, {str(ROOT)!r}]; "
    places += "sys.meta_path[:] = [f for f in sys.meta_path if '__editable__' not in getattr(f, '__module__', '')]; "
    return subprocess.run([sys.executable, "-P", "-c", places + code], capture_output=True, text=True, cwd=folder)


def shadow(folder, name, as_file=False):
    """A package or a module of the user's."""
    if as_file:
        (folder / f"{name}.py").write_text("")
        return folder / f"{name}.py"
    (folder / name).mkdir()
    (folder / name / "__init__.py").write_text("")
    return folder / name


def test_both_places_are_named(tmp_path):
    """A script that imports datakit and then our `model` is told which folder is in the way."""
    theirs = shadow(tmp_path, "model")
    found = run_beside(tmp_path, "import datakit; import model.dataset")
    assert found.returncode == 1
    assert str(theirs) in found.stderr
    assert str(ROOT / "model") in found.stderr
    assert "rename it" in found.stderr


@pytest.mark.parametrize("as_file", [False, True])
@pytest.mark.parametrize(("name", "words"), [("model", ["score", "shards"]), ("pipelines", ["--help"])])
def test_the_command_says_so_with_exit_code_2(tmp_path, name, words, as_file):
    """No traceback, whichever of the two is hidden, by a folder or by a file."""
    theirs = shadow(tmp_path, name, as_file)
    (tmp_path / "shards").mkdir()
    code = f"sys.argv = ['datakit', *{words!r}]; from datakit.shadowed import command; command()"
    found = run_beside(tmp_path, code)
    assert found.returncode == 2, found.stderr
    assert str(theirs) in found.stderr
    assert "Traceback" not in found.stderr


@pytest.mark.parametrize(
    ("name", "module", "words"), [("model", "refine", ["score", "shards"]), ("pipelines", "cli", [])]
)
def test_a_module_of_the_same_name_is_told_too(tmp_path, name, module, words):
    """Theirs is imported without complaint, but lacks what ours holds."""
    theirs = shadow(tmp_path, name)
    (theirs / f"{module}.py").write_text("")
    (tmp_path / "shards").mkdir()
    code = f"sys.argv = ['datakit', *{words!r}]; from datakit.shadowed import command; command()"
    found = run_beside(tmp_path, code)
    assert found.returncode == 2, found.stderr
    assert found.stderr.startswith(f"Error: {name}.{module}: ")
    assert str(theirs) in found.stderr


def test_a_folder_that_is_no_package_hides_nothing(tmp_path):
    """Without `__init__.py` it comes after every package, ours too."""
    (tmp_path / "model").mkdir()
    found = run_beside(tmp_path, "import datakit; import model.inputs; print(model.inputs.__file__)")
    assert found.stdout.strip() == str(ROOT / "model" / "inputs.py"), found.stderr


def test_a_users_own_missing_module_is_none_of_ours(tmp_path):
    """What we do not have either is Python's own error."""
    shadow(tmp_path, "model")
    found = run_beside(tmp_path, "import datakit; import model.unet")
    assert "No module named 'model.unet'" in found.stderr


def test_nothing_is_said_of_our_own_packages():
    """`model` is ours here, so a missing module of it is simply missing."""
    import model  # noqa: F401

    assert shadowing_message("model.nowhere") is None
