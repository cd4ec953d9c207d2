"""What is special about each lesson: its truth, and correct answers in many styles."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path

from benchmarks.quality.lesson import Lesson, load
from benchmarks.quality.outcomes import Outcome
from benchmarks.quality.truth import Truth

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
SUBMISSIONS = ROOT / "tests" / "submissions"


@dataclass(frozen=True)
class Plan:
    """A lesson with all that its checks are held against.

    Attributes:
        lesson: the lesson, without the tests whose outcomes are measured by themselves.
        truths: what is right.
        layers: of each of the checks' layers, the student's forward and backward; "" for none.
        styles: correct answers by the name of their style; what one leaves out is the reference's.
        mutated: the styles that are mutated as well as the reference.
        outcomes: what is graded after a training.
    """

    lesson: Lesson
    truths: tuple[Truth, ...]
    layers: Mapping[str, tuple[str, str]]
    styles: Mapping[str, str]
    mutated: tuple[str, ...]
    outcomes: tuple[Outcome, ...] = ()


def paths(source: Path = ROOT / "source") -> list[Path]:
    """The text of every lesson."""
    return sorted(source.glob("*/*.py"))


def plan_of(path: Path) -> Plan | None:
    """The plan of the lesson in this file; None if there is nothing special here about it."""
    if not (HERE / f"{_module(path)}.py").is_file():
        return None
    special = import_module(f"benchmarks.quality.lessons.{_module(path)}")
    right = SUBMISSIONS / path.parent.name / "correct"  # a sample's markers are comments to Python
    texts = [
        *(HERE / f"{_module(path)}_styles").glob("[!_]*.py"),
        *(right / f"{name}.py" for name in special.SAMPLES),
    ]
    styles = {text.stem: text.read_text(encoding="utf-8") for text in sorted(texts, key=_stem)}
    outcomes = getattr(special, "OUTCOMES", ())
    truth = (special.TRUTHS, special.LAYERS)
    lesson = without(load(path), getattr(special, "TRAININGS", ()))
    return Plan(lesson, *truth, styles, special.MUTATED_STYLES, outcomes)


def without(lesson: Lesson, tests: Collection[str]) -> Lesson:
    """A lesson without some of its tests.

    Raises:
        ValueError: it has no such test.
    """
    unknown = set(tests) - set(lesson.tests)
    if unknown:
        raise ValueError(f"{lesson.name} has no test {', '.join(sorted(unknown))}")
    kept = {id: source for id, source in lesson.tests.items() if id not in tests}
    return replace(lesson, tests=kept)


def _stem(path: Path) -> str:
    return path.stem


def _module(path: Path) -> str:
    return path.parent.name.partition("-")[2].replace("-", "_")
