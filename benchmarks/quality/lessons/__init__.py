"""What is special about each lesson: its truth, and correct answers in many styles."""

from collections.abc import Mapping
from dataclasses import dataclass
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
        lesson: the lesson.
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
    return Plan(load(path), *truth, styles, special.MUTATED_STYLES, outcomes)


def _stem(path: Path) -> str:
    return path.stem


def _module(path: Path) -> str:
    return path.parent.name.partition("-")[2].replace("-", "_")
