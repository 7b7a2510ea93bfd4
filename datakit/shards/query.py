"""Conditions on triples in words: `iou > 0.4 and kind == "mask"`, read as a small language and never run as code."""

from __future__ import annotations

import ast
import functools
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError
from .table import unknown_column

Columns = Mapping[str, NDArray[Any]]

_COMPARE: dict[type[ast.cmpop], Callable[..., Any]] = {
    ast.Eq: np.equal, ast.NotEq: np.not_equal, ast.Lt: np.less, ast.LtE: np.less_equal, ast.Gt: np.greater,
    ast.GtE: np.greater_equal, ast.In: lambda one, many: _is_in(one, many),
    ast.NotIn: lambda one, many: np.logical_not(_is_in(one, many)),
}  # fmt: skip
_COMBINE: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: np.add, ast.Sub: np.subtract, ast.Mult: np.multiply, ast.Div: np.divide,
    ast.And: np.logical_and, ast.Or: np.logical_or, ast.BitAnd: np.logical_and, ast.BitOr: np.logical_or,
}  # fmt: skip
_CHANGE: dict[type[ast.unaryop], Callable[..., Any]] = {
    ast.Not: np.logical_not, ast.Invert: np.logical_not, ast.USub: np.negative, ast.UAdd: np.positive,
}  # fmt: skip


@dataclass(frozen=True)
class Query:
    """A condition on rows.

    It may compare (`<`, `<=`, `==`, `!=`, `in`, `not in`; chained too), combine (`and`, `or`, `not`) and calculate
    (`+`, `-`, `*`, `/`) columns, numbers and texts. `"no-tps" in flags` looks for a part of a text,
    `source in ("ecssd", "voc")` for one of several.

    Attributes:
        text: as it was written.
        names: the columns it needs, in order.
    """

    text: str
    names: tuple[str, ...]
    _tree: ast.expr

    @classmethod
    def parse(cls, text: str, known: Mapping[str, str]) -> Query:
        """Read a condition.

        Args:
            text: the condition.
            known: the columns there are, as `table.column_kinds` gives them.

        Raises:
            UsageError: it is none of this language, or names a column that is not there.
        """
        try:
            tree = ast.parse(text.strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise UsageError(f"condition {text!r}: {getattr(error, 'msg', error)}; write {EXAMPLE}") from error
        names = dict.fromkeys(filter(None, map(_name, ast.walk(tree))))
        parts = {name.rpartition(".")[0] for name in names}  # of `affine.scale`, the walk finds `affine` too
        wanted = tuple(name for name in names if name in known or name not in parts)
        for name in wanted:
            if name not in known:
                raise UsageError(f"condition {text!r}: {unknown_column(name, known)}")
        return cls(text, wanted, tree)

    def rows(self, columns: Columns, count: int) -> NDArray[np.bool_]:
        """(count,) bool: for which rows it holds.

        Args:
            columns: at least those of `names`, each (count,).
            count: number of rows.

        Raises:
            UsageError: it compares what cannot be compared, or is no condition.
        """
        try:
            found = np.asarray(_value(self._tree, columns))
        except TypeError as error:
            raise UsageError(f"condition {self.text!r}: numbers and text do not mix; write {EXAMPLE}") from error
        except ValueError as error:
            raise UsageError(f"condition {self.text!r}: {error}; write {EXAMPLE}") from error
        if found.dtype != np.bool_:
            raise UsageError(f"condition {self.text!r}: is a value, not a condition; write {EXAMPLE}")
        return np.broadcast_to(found, (count,))


EXAMPLE = "it like 'iou > 0.4 and source == \"ecssd\"'"


def _name(node: ast.AST) -> str:
    """`affine.scale` of a name or of names with dots between them; '' of anything else."""
    if isinstance(node, ast.Attribute) and (before := _name(node.value)):
        return f"{before}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def _value(node: ast.expr, columns: Columns) -> Any:
    match node:
        case ast.Name() | ast.Attribute() if _name(node):
            return columns[_name(node)]
        case ast.Constant(value=int() | float() | str()):
            return node.value
        case ast.BoolOp():
            return functools.reduce(_COMBINE[type(node.op)], [_value(part, columns) for part in node.values])
        case ast.BinOp() if type(node.op) in _COMBINE:
            return _COMBINE[type(node.op)](_value(node.left, columns), _value(node.right, columns))
        case ast.UnaryOp():
            return _CHANGE[type(node.op)](_value(node.operand, columns))
        case ast.Compare() if all(type(operator) in _COMPARE for operator in node.ops):
            values = [_value(node.left, columns), *map(_side, node.ops, node.comparators, itertools.repeat(columns))]
            each = [_COMPARE[type(op)](*values[n : n + 2]) for n, op in enumerate(node.ops)]
            return functools.reduce(np.logical_and, each)
    raise ValueError(f"{ast.unparse(node)!r} is not understood")


def _side(operator: ast.cmpop, node: ast.expr, columns: Columns) -> Any:
    """The right side of a comparison, which for `in` may be a list of values."""
    if isinstance(operator, ast.In | ast.NotIn) and isinstance(node, ast.Tuple | ast.List):
        return [_value(element, columns) for element in node.elts]
    return _value(node, columns)


def _is_in(one: Any, many: Any) -> Any:
    if isinstance(many, list):
        return np.isin(one, many)
    return np.char.find(many, one) >= 0
