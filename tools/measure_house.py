"""Prints what a tree is made of: `python -m tools.measure_house [ROOT] …`, a column for each root."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tools.import_graph import circles, import_graph

FLOORS = ("datakit", "model", "pipelines")
SHORT = 5  # lines of a helper's body that could as well stand where it is called


def measure(root: Path) -> dict[str, int]:
    """Counts of the three floors below `root`: a name for people -> number."""
    files = [path for floor in FLOORS for path in sorted((root / floor).rglob("*.py"))]
    texts = [path.read_text(encoding="utf-8") for path in files]
    trees = [ast.parse(text) for text in texts]
    functions = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    return {
        "modules": len(files),
        "lines": sum(len(text.splitlines()) for text in texts),
        "longest module, lines": max((len(text.splitlines()) for text in texts), default=0),
        "functions": len(functions),
        "longest function, lines": max((length(node) for node in functions), default=0),
        "dataclasses": sum(map(is_dataclass, (node for tree in trees for node in ast.walk(tree)))),
        "circles of imports": len(circles(import_graph(root))),
        f"private functions of at most {SHORT} lines used once": sum(map(single_use, trees)),
    }


def length(function: ast.FunctionDef) -> int:
    """Lines of a function, its head and docstring included."""
    return (function.end_lineno or function.lineno) - function.lineno + 1


def is_dataclass(node: ast.AST) -> bool:
    """Whether a node is a class decorated as a dataclass."""
    return isinstance(node, ast.ClassDef) and any("dataclass" in ast.unparse(each) for each in node.decorator_list)


def single_use(tree: ast.Module) -> int:
    """Private functions of a module that are short and named just once in it."""
    used = Counter(named(tree))
    return sum(
        isinstance(node, ast.FunctionDef) and node.name.startswith("_") and length(node) <= SHORT + 1
        and used[node.name] == 1
        for node in tree.body
    )  # fmt: skip


def named(tree: ast.AST) -> Iterator[str]:
    """Every name that is read anywhere."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            yield node.id


def type_errors(root: Path) -> int:
    """Errors that mypy, as the tree configures it, finds in the three floors.

    Raises:
        RuntimeError: mypy did not come to an end.
    """
    packages = [word for floor in FLOORS for word in ("-p", floor)]
    ran = subprocess.run([sys.executable, "-m", "mypy", *packages], cwd=root, capture_output=True, text=True)
    if found := re.search(r"Found (\d+) error", ran.stdout):
        return int(found[1])
    if "Success" not in ran.stdout:
        raise RuntimeError(ran.stdout + ran.stderr)
    return 0


def main() -> None:
    """Measure the trees named on the command line, or this one."""
    roots = [Path(word) for word in sys.argv[1:]] or [Path.cwd()]
    columns = [{**measure(root), "mypy errors": type_errors(root)} for root in roots]
    width = max(map(len, columns[0]))
    print(" " * width, *(f"{root.resolve().name:>12}" for root in roots))
    for name in columns[0]:
        print(name.ljust(width), *(f"{column[name]:>12}" for column in columns))


if __name__ == "__main__":
    main()
