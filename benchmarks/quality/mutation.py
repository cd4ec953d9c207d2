"""Systematic mutants of a solution: cosmic-ray's operators and those for array code."""

import ast
import difflib
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cosmic_ray import plugins  # type: ignore[import-untyped]
from cosmic_ray.mutating import mutate_code  # type: ignore[import-untyped]

from autograder.rooms import names
from benchmarks.quality.lesson import definitions
from benchmarks.quality.lessons import Plan
from benchmarks.quality.operators import OPERATORS, Source

# Arithmetic only: nobody takes a shift or a bitwise "and" for a sum.
ARITHMETIC = {
    "Add": "+",
    "Sub": "-",
    "Mul": "*",
    "Div": "/",
    "FloorDiv": "//",
    "Mod": "%",
    "Pow": "**",
}
OTHERS = (
    "Comparison",
    "Unary",
    "AddNot",
    "ReplaceTrue",
    "ReplaceFalse",
    "ReplaceAnd",
    "ReplaceOr",
    "ReplaceBreak",
    "ReplaceContinue",
    "NumberReplacer",
    "ZeroIteration",
)


@dataclass(frozen=True)
class Unit:
    """A text that is mutated.

    Attributes:
        name: of the solution cell, or of the style and function.
        text: the code.
        lines: the numbers of the lines that a student writes.
        changed: the functions and classes in these lines.
        style: the style that it is from; "" for the reference, where it is a solution cell.
    """

    name: str
    text: str
    lines: frozenset[int]
    changed: frozenset[str]
    style: str = ""


@dataclass(frozen=True)
class Mutant:
    """A unit with one change."""

    unit: Unit
    operator: str
    text: str

    @property
    def id(self) -> str:
        """The same for the same change, whenever it is made."""
        content = f"{self.unit.name}\n{self.diff}"
        return hashlib.sha1(content.encode()).hexdigest()[:8]

    @property
    def diff(self) -> str:
        """The changed lines, before and after."""
        before, after = self.unit.text.splitlines(), self.text.splitlines()
        changes = difflib.unified_diff(before, after, n=0, lineterm="")
        return "\n".join(line for line in list(changes)[2:] if not line.startswith("@@"))


def of(unit: Unit) -> list[Mutant]:
    """Every mutant of a unit, each once, in the lines that a student writes."""
    seen = {_meaning(unit.text)}
    mutants = []
    for operator, text in _texts(unit):
        meaning = _meaning(text)
        if meaning and meaning not in seen and _changed(unit.text, text) <= unit.lines:
            seen.add(meaning)
            mutants.append(Mutant(unit, operator, text))
    return mutants


def units(plan: Plan) -> Iterator[Unit]:
    """The reference's solution cells, and the definitions of the styles that are mutated."""
    for cell, text in plan.lesson.answers.items():
        yield Unit(cell, text, region(text), names.defines(text))
    for style in plan.mutated:
        for name, text in definitions(plan.styles[style]).items():
            yield Unit(f"{name}, {style}", text, bodies(text), frozenset([name]), style)


def bodies(text: str) -> frozenset[int]:
    """The numbers of the lines below the head of a function, or of the methods of a class."""
    (node,) = ast.parse(text).body
    found = node.body if isinstance(node, ast.ClassDef) else [node]
    functions = [each for each in found if isinstance(each, ast.FunctionDef)]
    spans = [range(f.body[0].lineno, (f.end_lineno or 0) + 1) for f in functions]
    return frozenset(number for span in spans for number in span)


def region(text: str) -> frozenset[int]:
    """The numbers of the lines between ``### BEGIN SOLUTION`` and ``### END SOLUTION``."""
    inside, found = False, set()
    for number, line in enumerate(text.splitlines(), start=1):
        inside = "BEGIN SOLUTION" in line or (inside and "END SOLUTION" not in line)
        found |= {number} if inside else set()
    return frozenset(found)


def _texts(unit: Unit) -> Iterator[tuple[str, str]]:
    source = Source(unit.text)
    for operator in OPERATORS:
        for node in ast.walk(source.tree):
            for place, text in operator(source, node):
                yield operator.__name__, source.edited(place, text)
    for name in plugins.operator_names():
        if _fits(name, unit.text):
            yield from _cosmic(name, unit.text)


def _fits(name: str, text: str) -> bool:
    _, _, operator = name.partition("/")
    kind, _, signs = operator.partition("_")
    if kind == "ReplaceBinaryOperator":
        before, after = signs.split("_")
        return after in ARITHMETIC and ARITHMETIC.get(before, "\n") in text
    return any(part in operator for part in OTHERS)


def _cosmic(name: str, text: str) -> Iterator[tuple[str, str]]:
    operator, occurrence = plugins.get_operator(name)(), 0
    while (changed := mutate_code(text, operator, occurrence)) is not None:
        yield name.partition("/")[2], changed
        occurrence += 1


def _meaning(text: str) -> str:
    try:
        return ast.dump(ast.parse(text))
    except (SyntaxError, ValueError):
        return ""


def _changed(before: str, after: str) -> frozenset[int]:
    """The numbers of the lines that are not as they were."""
    matcher = difflib.SequenceMatcher(None, before.splitlines(), after.splitlines(), False)
    blocks = [b for b in matcher.get_opcodes() if b[0] != "equal"]
    return frozenset(n for _, a, b, _, _ in blocks for n in range(a + 1, max(a + 1, b) + 1))


def sample(mutants: Sequence[Mutant], count: int) -> list[Mutant]:
    """``count`` of them, evenly spread; all if there are fewer."""
    step = max(1.0, len(mutants) / count) if count else 1.0
    return [mutants[int(i * step)] for i in range(int(len(mutants) / step))]
