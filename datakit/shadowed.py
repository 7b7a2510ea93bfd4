"""One clear sentence where something of the user's hides one of our top-level packages, `model` or `pipelines`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

from .errors import UsageError

HOME = Path(__file__).resolve().parent.parent
NAMES = ("model", "pipelines")


class ShadowedPackage(UsageError, ModuleNotFoundError):
    """A module of ours cannot be imported, because another package of the same name is found first."""


class ShadowFinder:
    """Asked last for modules that nobody found: finds none, and says so where a package of ours is shadowed."""

    @staticmethod
    def find_spec(fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> None:
        """As importlib asks it.

        Raises:
            ShadowedPackage: naming both places.
        """
        message = shadowing_message(fullname)
        if message is not None:
            raise ShadowedPackage(message, name=fullname)


def shadowing_message(fullname: str | None) -> str | None:
    """What to say of a module that was not found, or not with what it should hold.

    Args:
        fullname: such as `model.dataset`; None, as an ImportError's name may be, is none of ours.

    Returns:
        A sentence that names both places; None where the reason is another one.
    """
    name, _, rest = (fullname or "").partition(".")
    ours = HOME / name
    if name not in NAMES or not _is_module(ours, rest):
        return None
    found = _place(name)
    if found is None or found == ours:
        return None
    return (
        f"{fullname}: the name `{name}` means {found} here, which hides the package of masktrack-datakit, "
        f"{ours}; run from another folder, take that one off PYTHONPATH, or rename it"
    )


def _place(name: str) -> Path | None:
    """The folder of a package, or the file of a module, that is imported by this name; None where there is none."""
    spec = find_spec(name)
    if spec is None:
        return None
    return Path([*(spec.submodule_search_locations or ()), spec.origin or "?"][0]).resolve()


def _is_module(package: Path, rest: str) -> bool:
    path = package.joinpath(*rest.split("."))
    return bool(rest) and (path.with_suffix(".py").is_file() or (path / "__init__.py").is_file())


def command() -> None:
    """The `datakit` command; where `pipelines` means somebody else's, that is said and the exit code is 2."""
    message = shadowing_message("pipelines.cli")
    if message is not None:
        print(f"Error: {message}", file=sys.stderr)
        sys.exit(UsageError.exit_code)
    import_module("pipelines.cli").cli()
