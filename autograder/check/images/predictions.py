"""The check of a prediction file: read as the leaderboard reads it, then compared."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from autograder.check import judge, seed
from autograder.check.call import call_as_is
from autograder.check.case import Case, name_of
from autograder.check.explain import changed_arguments, kind, raised
from autograder.check.images.batches import as_tensor
from autograder.check.mistakes import images_file as mistakes
from autograder.check.oracle import images as oracle
from autograder.check.record import Array, Outcome, Record
from autograder.check.verdict import conclude
from autograder.problem import BadInputError

Function = Callable[..., Any]
Labels = Mapping[str, tuple[int, ...]]

FILE = "predictions.txt"
MOST = 10_000  # images of miniPlaces to validate with


def prediction_file(
    function: Function, *, images: int, num_classes: int, concept: str = ""
) -> None:
    """Checks ``function(image_names, probabilities)``, the text of a file for the leaderboard.

    Args:
        function: the student's.
        images: how many are named, in an order that is not sorted.
        num_classes: of how many classes there are probabilities.
        concept: see `Record`.

    Raises:
        CheckFailed: the board would refuse it, or score other labels.
        GraderBroke: the check itself failed; nothing is said about the student.
    """
    name = name_of(function)
    rng = seed.stream(f"{name} {concept} {images} {num_classes}")
    arrays = {"probabilities": _probabilities(rng, images, num_classes)}
    call = f"{name}(image_names, probabilities)"
    case = Case(oracle.best, name, call, arrays, {}, {}, concept, False, rng)
    image_names = _names(rng, images)
    subject = case.record(inputs=f"{images} names  probabilities: ({images}, {num_classes})")

    def find() -> Record:
        record = judge.needs_oracle(case) or _judged(case, function, image_names)
        return record.but(inputs=subject.inputs) if record.inputs else record

    conclude(subject, find)


def _judged(case: Case, function: Function, image_names: list[str]) -> Record:
    probabilities = case.arrays["probabilities"]
    given = {"image_names": list(image_names), "probabilities": as_tensor(probabilities)}
    called = call_as_is(function, list(given.values()), {}, {})
    if called.error is not None:
        return case.record(**raised(called, case.name))
    changed = _changed(given, image_names, probabilities)
    if changed:
        return case.record(**changed_arguments(case.name, changed))
    if not isinstance(called.value, str):
        return case.record(**_no_text(case.name, called.value))
    return _read(case, called.value, image_names)


def _read(case: Case, text: str, image_names: list[str]) -> Record:
    from autograder.leaderboard.parse import parse  # every lesson would wait for it

    probabilities = case.arrays["probabilities"]
    named = mistakes.named(text, image_names, probabilities)
    try:
        found = parse(text.encode(errors="replace"), FILE, image_names, probabilities.shape[1])
    except BadInputError as refused:
        return case.record(**_refused(refused, named))
    best = case.expected().astype(int).tolist()
    want = {name: tuple(row) for name, row in zip(image_names, best, strict=True)}
    fault = _other_labels(found.labels, want, named)
    count = len(image_names)
    return case.record(**fault) if fault else case.record(message=f"the board takes {count} lines")


def _names(rng: np.random.Generator, count: int) -> list[str]:
    """Names as miniPlaces has them, the first one not the first in the alphabet."""
    numbers = rng.choice(np.arange(1, MOST + 1), count, replace=False)
    names = [f"val/{number:08}.jpg" for number in numbers]
    return names if names != sorted(names) else names[::-1]


def _probabilities(rng: np.random.Generator, count: int, classes: int) -> Array:
    """(count, classes), numbers that float32 holds."""
    powers = np.exp(rng.standard_normal((count, classes)))
    shares: Array = (powers / powers.sum(1, keepdims=True)).astype(np.float32).astype(np.float64)
    return shares


def _changed(
    given: Mapping[str, Any], image_names: list[str], probabilities: Array
) -> tuple[str, ...]:
    same = {
        "image_names": given["image_names"] == image_names,
        "probabilities": bool((given["probabilities"].double().numpy() == probabilities).all()),
    }
    return tuple(name for name in given if not same[name])


def _no_text(name: str, value: Any) -> dict[str, Any]:
    lines = isinstance(value, (list, tuple))
    return {
        "outcome": Outcome.FAILED,
        "message": f"{name} should return the text of the file",
        "got": kind(value),
        "expected": "one str",
        "hint": 'Join the lines, each with its "\\n".' if lines else "",
    }


def _refused(refused: BadInputError, named: str) -> dict[str, Any]:
    """What the board says to it; a hidden check only shows what to do."""
    return {
        "outcome": Outcome.FAILED,
        "message": "the board would refuse this file",
        "got": "\n".join(map(str, refused.problems)),
        "hint": named or refused.problems[0].fix,
    }


def _other_labels(got: Labels, want: Labels, named: str) -> dict[str, Any]:
    wrong = [name for name in want if got[name] != want[name]]
    if not wrong:
        return {}
    first = wrong[0]
    return {
        "outcome": Outcome.FAILED,
        "message": "the board could read it, but these are other labels",
        "got": f"{first} {_line(got[first])}",
        "expected": f"{first} {_line(want[first])}",
        "where": f"{len(wrong)} of {len(want)} lines",
        "hint": named or _sets_agree(got, want),
    }


def _sets_agree(got: Labels, want: Labels) -> str:
    if all(set(got[name]) == set(want[name]) for name in want):
        return "The five labels are right, in another order: the most probable comes first."
    return ""


def _line(labels: Sequence[int]) -> str:
    return " ".join(map(str, labels))
