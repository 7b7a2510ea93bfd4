"""Who imports whom among the modules of the house, lazily too, and the circles in it: python -m tools.import_graph"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).parent.parent
FLOORS = ("datakit", "model", "pipelines")


def import_graph(root: Path = ROOT) -> dict[str, set[str]]:
    """Module -> modules of ours that it imports, at its top or inside functions; imports for type checkers aside."""
    paths = {module_name(path, root): path for floor in FLOORS for path in (root / floor).rglob("*.py")}
    return {name: set(_imported(name, path, paths)) for name, path in paths.items()}


def module_name(path: Path, root: Path = ROOT) -> str:
    """`datakit.shards` of datakit/shards/__init__.py."""
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def circles(graph: Mapping[str, set[str]]) -> list[list[str]]:
    """Groups of modules that can reach each other (strongly connected components of more than one module)."""
    reach = {name: _reachable(graph, name) for name in graph}
    found = {frozenset(b for b in reach[a] if a in reach[b]) for a in graph if a in reach[a]}
    return sorted(sorted(group) for group in found)


def _reachable(graph: Mapping[str, set[str]], start: str) -> set[str]:
    seen: set[str] = set()
    todo = list(graph[start])
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            todo += graph[name]
    return seen


def _imported(name: str, path: Path, modules: Mapping[str, Path]) -> Iterator[str]:
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in _nodes(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules)
        else:
            base = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            origin = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                found = f"{origin}.{alias.name}" if f"{origin}.{alias.name}" in modules else origin
                if found in modules and found != name:
                    yield found


def _nodes(tree: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """Import statements at any depth, but for those under `if TYPE_CHECKING`."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        yield from _nodes(node)


if __name__ == "__main__":
    for group in circles(import_graph()):
        print(" <-> ".join(group))
