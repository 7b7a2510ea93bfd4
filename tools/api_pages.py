"""API pages of the three packages from their docstrings, by pdoc: python -m tools.api_pages FOLDER, or --check.

Every warning of pdoc (a link to nothing, a docstring it cannot read) is an error.
"""

from __future__ import annotations

import pkgutil
import sys
import tempfile
import warnings
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pdoc

PACKAGES = ("datakit", "model", "pipelines")


def write_pages(folder: Path) -> int:
    """Write HTML pages of every module.

    Args:
        folder: made if need be.

    Returns:
        How many pages were written.

    Raises:
        Warning: the first thing pdoc complains of.
    """
    warnings.simplefilter("error", UserWarning)
    warnings.filterwarnings("ignore", "The module specification")  # a package's `__all__` may name a module as well
    # Annotations of a NamedTuple are strings without their module's names (pdoc 16.0): shown as they are written.
    warnings.filterwarnings("ignore", r"Error parsing type annotation ForwardRef.*__init__")
    pdoc.render.configure(docformat="google", show_source=False)
    pdoc.pdoc(*PACKAGES, *sorted(modules()), output_directory=folder)
    return sum(1 for _ in folder.rglob("*.html"))


def modules() -> Iterator[str]:
    """Names of all modules; pdoc by itself leaves out those that a package's `__all__` does not name."""
    for package in PACKAGES:
        found = pkgutil.walk_packages(import_module(package).__path__, f"{package}.")
        yield from (each.name for each in found if not each.name.endswith("__main__"))


if __name__ == "__main__":
    (argument,) = sys.argv[1:] or ["--check"]
    if argument.startswith("-") and argument != "--check":
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory() as scratch:
        print(f"{write_pages(Path(scratch if argument == '--check' else argument))} API pages, no warning")
