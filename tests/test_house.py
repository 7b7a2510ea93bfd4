"""The rules of the house that a machine can hold: who imports whom, how long a file may get."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tools.import_graph import circles, import_graph

ROOT = Path(__file__).parent.parent
FLOORS = ("datakit", "model", "pipelines")
CLOSED_TO = {
    "datakit": {"torch", "dask", "distributed", "click", "rich", "model", "pipelines", "tests"},
    "model": {"dask", "distributed", "click", "h5py", "pipelines", "tests"},
    "pipelines": {"tests"},
}
MODULES = sorted(path for floor in FLOORS for path in (ROOT / floor).rglob("*.py"))
PAGE_MODULES = sorted(path for floor in FLOORS for path in (ROOT / floor).rglob("*.js"))
TOP_ONLY = {"torch", "dask", "distributed", "model"}


def imported(tree: ast.AST, top_only: bool = False):
    """Top-level name of every absolute import, at any depth or only outside functions."""
    nodes = tree.body if top_only and isinstance(tree, ast.Module) else ast.walk(tree)
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module.partition(".")[0]


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_only_from_the_floors_below(path):
    """Arrows only go down."""
    floor = path.relative_to(ROOT).parts[0]
    assert not CLOSED_TO[floor] & set(imported(ast.parse(path.read_text())))


@pytest.mark.parametrize("path", [p for p in MODULES if "pipelines" in p.parts], ids=name_of)
def test_heavy_libraries_are_imported_where_they_are_used(path):
    """No command pays for torch or Dask by being listed."""
    assert not TOP_ONLY & set(imported(ast.parse(path.read_text()), top_only=True))


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_module_needs_a_scroll_bar_to_understand(path):
    """At most 400 lines a module, 60 a function, and a docstring that says what the file is for."""
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree)
    assert len(path.read_text().splitlines()) <= 400
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            assert node.end_lineno - node.lineno < 60, node.name


@pytest.mark.parametrize("path", PAGE_MODULES, ids=name_of)
def test_no_module_of_a_page_is_long(path):
    """At most 250 lines, and a comment that says what the file is for."""
    source = path.read_text()
    assert source.startswith("/* ")
    assert len(source.splitlines()) <= 250


def test_there_are_no_circles_of_imports():
    """Lazy ones count, too: an import inside a function is still a module that cannot be read by itself."""
    assert circles(import_graph(ROOT)) == []


def test_a_circle_is_found_even_if_it_is_lazy(tmp_path):
    """The finder finds one that is made for it, and no circle in a mere chain or for type checkers."""
    (tmp_path / "datakit").mkdir()
    for name, code in {
        "__init__": "",
        "a": "def f():\n    from . import b",
        "b": "from .c import x",
        "c": "import datakit.a\nx = 1",
        "d": "from typing import TYPE_CHECKING\nfrom . import e\n",
        "e": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from . import d\n",
    }.items():
        (tmp_path / "datakit" / f"{name}.py").write_text(code)
    assert circles(import_graph(tmp_path)) == [["datakit.a", "datakit.b", "datakit.c"]]


def test_building_needs_no_torch():
    """A machine without torch imports everything a Dask worker runs."""
    code = "import sys; sys.modules['torch'] = None; import pipelines.build_shards, pipelines.cluster, pipelines.cli"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
