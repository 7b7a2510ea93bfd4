"""Writes the map of all modules into docs/architecture.md from what they open with: python tools/module_map.py"""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
FLOORS = ("datakit", "model", "pipelines")
BLOCK = re.compile(r"(<!-- map -->\n```\n).*?(\n```)", re.S)


def module_map() -> str:
    """A line per package and module: its path and what it is for."""
    lines = []
    for floor in FLOORS:
        modules = [path for kind in ("*.py", "*.js") for path in (ROOT / floor).rglob(kind)]
        for path in sorted(modules, key=lambda path: (str(path.parent), path.name != "__init__.py", path.name)):
            relative = path.relative_to(ROOT)
            name = f"{relative.parent}/" if path.name == "__init__.py" else str(relative)
            lines.append(f"{name:<38}{first_sentence(path)}")
    return "\n".join(lines)


def first_sentence(path: Path) -> str:
    """What a module's docstring or first comment opens with, up to its first full stop or the paragraph's end."""
    source = path.read_text(encoding="utf-8")
    is_page = path.suffix == ".js"
    text = source[2 : source.index("*/")].strip() if is_page else ast.get_docstring(ast.parse(source)) or ""
    return text.split("\n\n")[0].replace("\n", " ").split(". ")[0].rstrip(".")


if __name__ == "__main__":
    page = ROOT / "docs/architecture.md"
    page.write_text(BLOCK.sub(lambda found: found[1] + module_map() + found[2], page.read_text(encoding="utf-8")))
