"""Mutation operators for array code: what people confuse there. Others come from cosmic-ray.

Each takes a node of the syntax tree and yields ``(node, text)``: the text to stand in its place.
"""

import ast
import re
from collections.abc import Callable, Iterator
from itertools import pairwise

Edit = tuple[ast.AST, str]
Operator = Callable[["Source", ast.AST], Iterator[Edit]]

# Functions and methods that are taken for one another.
CONFUSED = {
    "sum": ("mean", "max"),
    "mean": ("sum",),
    "var": ("std",),
    "max": ("min", "sum"),
    "min": ("max",),
    "maximum": ("minimum",),
    "argmax": ("argmin",),
    "sqrt": ("square",),
    "exp": ("log",),
    "log": ("exp",),
    "zeros": ("ones",),
    "zeros_like": ("ones_like",),
    "floor": ("ceil",),
    "ceil": ("floor",),
    "repeat": ("tile",),
    "tile": ("repeat",),
    "stack": ("concatenate",),
    "clamp": ("abs",),
    "relu": ("sigmoid",),
    "sigmoid": ("relu",),
    "train": ("eval",),
    "eval": ("train",),
    "max_pool2d": ("avg_pool2d",),
    "convolve2d": ("correlate2d",),
    "correlate2d": ("convolve2d",),
}

# What stands before the name of a function, rather than what a method is called on. The parts of
# a module are called, too: ``self.bn1(x)``.
LIBRARIES = ("np.", "torch.", "nn.", "F.", "self.")


class Source:
    """A text with its syntax tree; positions count bytes, as Python's do."""

    def __init__(self, text: str) -> None:
        self._raw = text.encode()
        self._starts = [0]
        for line in self._raw.split(b"\n"):
            self._starts.append(self._starts[-1] + len(line) + 1)
        self.tree = ast.parse(text)

    def text(self, node: ast.AST) -> str:
        """The text of a node."""
        start, end = self._span(node)
        return self._raw[start:end].decode()

    def edited(self, node: ast.AST, text: str) -> str:
        """Everything, with another text for one node."""
        start, end = self._span(node)
        return (self._raw[:start] + text.encode() + self._raw[end:]).decode()

    def _span(self, node: ast.AST) -> tuple[int, int]:
        place = {key: getattr(node, key) for key in ("lineno", "col_offset")}
        end = {key: getattr(node, key) for key in ("end_lineno", "end_col_offset")}
        return (
            self._starts[place["lineno"] - 1] + place["col_offset"],
            self._starts[end["end_lineno"] - 1] + end["end_col_offset"],
        )


def swapped_elements(source: Source, node: ast.AST) -> Iterator[Edit]:
    """Two neighbours of a tuple or list change places: axes, shapes, borders, results."""
    if isinstance(node, ast.Tuple | ast.List) and isinstance(node.ctx, ast.Load):
        texts = [source.text(element) for element in node.elts]
        for i, (a, b) in enumerate(pairwise(texts)):
            yield node, _sequence(node, source, [*texts[:i], b, a, *texts[i + 2 :]])


def missing_element(source: Source, node: ast.AST) -> Iterator[Edit]:
    """A tuple or list lacks one element: an axis that is not summed over."""
    if isinstance(node, ast.Tuple | ast.List) and isinstance(node.ctx, ast.Load):
        texts = [source.text(element) for element in node.elts]
        for i in range(len(texts)):
            yield node, _sequence(node, source, texts[:i] + texts[i + 1 :])


def _sequence(node: ast.Tuple | ast.List, source: Source, texts: list[str]) -> str:
    if isinstance(node, ast.List):
        return f"[{', '.join(texts)}]"
    bare = not source.text(node).startswith("(")
    inner = ", ".join(texts) + ("," if len(texts) == 1 else "")
    return inner if bare and texts else f"({inner})"


def moved_slice(source: Source, node: ast.AST) -> Iterator[Edit]:
    """A slice starts or ends one off, or misses a part."""
    if not isinstance(node, ast.Slice):
        return
    parts = [source.text(p) if p else "" for p in (node.lower, node.upper, node.step)]
    for i, part in enumerate(parts):
        for other in (f"{part} + 1", f"{part} - 1", "") if part else ("1", "-1", "2")[i : i + 1]:
            changed = [*parts[:i], other, *parts[i + 1 :]]
            yield node, ":".join(changed if changed[2] else changed[:2])


def neighbouring_name(source: Source, node: ast.AST) -> Iterator[Edit]:
    """A name is taken for one that was introduced beside it: padding for stride, H for W."""
    if isinstance(node, ast.FunctionDef):
        near = _neighbours(node)
        for inner in ast.walk(node):
            if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Load):
                for other in sorted(near.get(inner.id, ())):
                    yield inner, other


def _neighbours(function: ast.FunctionDef) -> dict[str, set[str]]:
    rows = [[argument.arg for argument in function.args.args]]
    targets: list[str] = []
    for node in ast.walk(function):
        if isinstance(node, ast.Tuple) and isinstance(node.ctx, ast.Store):
            rows.append([e.id for e in node.elts if isinstance(e, ast.Name)])
        elif isinstance(node, ast.For | ast.comprehension) and isinstance(node.target, ast.Name):
            targets.append(node.target.id)
    near: dict[str, set[str]] = {}
    for a, b in (pair for row in [*rows, targets] for pair in pairwise(row)):
        if a != b:
            near.setdefault(a, set()).add(b)
            near.setdefault(b, set()).add(a)
    return near


def confused_function(source: Source, node: ast.AST) -> Iterator[Edit]:
    """One function for another: sum for mean."""
    if isinstance(node, ast.Call):
        name = source.text(node.func)
        head, _, last = name.rpartition(".")
        for other in CONFUSED.get(last, ()):
            yield node.func, f"{head}.{other}" if head else other


def swapped_operands(source: Source, node: ast.AST) -> Iterator[Edit]:
    """The operands of something that does not commute, or the first two arguments of a call."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult | ast.Sub | ast.Div):
        sign = {ast.MatMult: "@", ast.Sub: "-", ast.Div: "/"}[type(node.op)]
        yield node, f"({source.text(node.right)}) {sign} ({source.text(node.left)})"
    if isinstance(node, ast.Call) and len(node.args) > 1:
        a, b, *_ = map(source.text, node.args)
        yield node, source.text(node).replace(f"{a}, {b}", f"{b}, {a}", 1)


def missing_term(source: Source, node: ast.AST) -> Iterator[Edit]:
    """Only one side of an operation is left."""
    if isinstance(node, ast.BinOp):
        yield node, f"({source.text(node.left)})"
        yield node, f"({source.text(node.right)})"


def missing_wrap(source: Source, node: ast.AST) -> Iterator[Edit]:
    """A call is left out: the transpose, the reshape, the flip."""
    if not isinstance(node, ast.Call):
        return
    if isinstance(node.func, ast.Attribute) and not source.text(node.func).startswith(LIBRARIES):
        yield node, source.text(node.func.value)
    elif node.args and not isinstance(node.args[0], ast.Starred):
        yield node, f"({source.text(node.args[0])})"


def missing_transpose(source: Source, node: ast.AST) -> Iterator[Edit]:
    """``.T`` is left out."""
    if isinstance(node, ast.Attribute) and node.attr == "T":
        yield node, source.text(node.value)


def missing_keyword(source: Source, node: ast.AST) -> Iterator[Edit]:
    """A keyword argument is left out: keepdims, axis, a stride."""
    if isinstance(node, ast.Call):
        for keyword in node.keywords:
            left = [k for k in node.keywords if k is not keyword]
            inner = [source.text(each) for each in (*node.args, *left)]
            yield node, f"{source.text(node.func)}({', '.join(inner)})"


def missing_index(source: Source, node: ast.AST) -> Iterator[Edit]:
    """All of an array instead of a part."""
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
        yield node, source.text(node.value)


def other_assignment(source: Source, node: ast.AST) -> Iterator[Edit]:
    """``=`` or ``-=`` for ``+=``."""
    if isinstance(node, ast.AugAssign):
        target, value = source.text(node.target), source.text(node.value)
        for sign in ("=", "+=", "-="):
            yield node, f"{target} {sign} {value}"


def missing_statement(source: Source, node: ast.AST) -> Iterator[Edit]:
    """A line is left out."""
    if isinstance(node, ast.Assign | ast.AugAssign | ast.Expr) and not _is_docstring(node):
        yield node, "pass"


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def shifted_range(source: Source, node: ast.AST) -> Iterator[Edit]:
    """A loop that runs once too often, once too seldom, or from 1."""
    if isinstance(node, ast.Call) and source.text(node.func) == "range":
        *before, last = map(source.text, node.args[:2])
        rest = [source.text(a) for a in node.args[2:]]
        for end in (f"{last} - 1", f"{last} + 1"):
            yield node, f"range({', '.join([*before, end, *rest])})"
        if not before:
            yield node, f"range(1, {last})"


def other_subscripts(source: Source, node: ast.AST) -> Iterator[Edit]:
    """Two neighbouring letters of an einsum's subscripts change places."""
    if not isinstance(node, ast.Constant) or not re.fullmatch(r"[a-z,]+->[a-z]*", str(node.value)):
        return
    text = str(node.value)
    for i in range(len(text) - 1):
        a, b = text[i], text[i + 1]
        if a.isalpha() and b.isalpha():
            yield node, f'"{text[:i]}{b}{a}{text[i + 2 :]}"'


def negated_number(source: Source, node: ast.AST) -> Iterator[Edit]:
    """An axis counted from the end, a factor with the wrong sign; or zero."""
    if isinstance(node, ast.Constant) and type(node.value) in (int, float) and node.value:
        yield node, f"(-{source.text(node)})"
        yield node, "0"


def changed_argument(source: Source, node: ast.AST) -> Iterator[Edit]:
    """An argument is changed in place before the function returns."""
    if isinstance(node, ast.FunctionDef):
        for statement in node.body:
            if isinstance(statement, ast.Return):
                for argument in node.args.args:
                    gap = " " * statement.col_offset
                    text = source.text(statement)
                    yield statement, f"{argument.arg} += 1\n{gap}{text}"


OPERATORS: tuple[Operator, ...] = (
    swapped_elements,
    missing_element,
    moved_slice,
    neighbouring_name,
    confused_function,
    swapped_operands,
    missing_term,
    missing_wrap,
    missing_transpose,
    missing_keyword,
    missing_index,
    other_assignment,
    missing_statement,
    shifted_range,
    other_subscripts,
    negated_number,
    changed_argument,
)
