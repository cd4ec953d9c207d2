"""What the checks of training share: how an answer is called, read and compared."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograder.check import judge, seed
from autograder.check.case import Case
from autograder.check.compare import difference, settled
from autograder.check.explain import differs, kind
from autograder.check.hint import hint
from autograder.check.mistakes import Mistake
from autograder.check.oracle import lenet
from autograder.check.record import Array, Outcome, Record
from autograder.check.verdict import conclude

Fault = dict[str, Any]


def failed(message: str, **more: Any) -> Fault:
    """What a record says of a wrong answer."""
    return {"outcome": Outcome.FAILED, "message": message, **more}


def not_named(answer: Any, name: str, names: Sequence[str]) -> Fault:
    """What is wrong with an answer that should be a dict with these names."""
    if not isinstance(answer, dict):
        message = f"{name} must return a dict of arrays"
        expected = "a dict with " + ", ".join(names)
        return failed(message, got=kind(answer), expected=expected)
    missing = [key for key in names if key not in answer]
    if not missing:
        return {}
    there = ", ".join(sorted(str(key) for key in answer)[:20]) or "nothing"
    return failed(f"there is no {missing[0]!r} in the dict", got=there, expected=", ".join(names))


def subject(name: str, call: str, concept: str, **arrays: Array) -> Case:
    """A call that is judged in a way of its own: what it is about, and what it draws from."""
    rng = seed.stream(f"{call} {concept}")
    return Case(lenet.unchanged, name, call, arrays, {}, {}, concept, linear=False, rng=rng)


def judge_with_torch(case: Case, find: Callable[[], Record]) -> None:
    """Raises unless what is found is right; says so where there is no PyTorch to ask."""
    conclude(case.record(), lambda: judge.needs_oracle(case) or find())


def compared(
    case: Case, got: Any, want: Any, what: str, known: Sequence[Mistake], **given: Any
) -> Record | None:
    """A record of how ``got`` differs, if it does; ``given`` are the arrays and options of hint."""
    answer, wanted = settled(got), np.asarray(want, np.float64)
    peak = np.full_like(wanted, np.abs(wanted).max(initial=0.0))
    wrong = difference(answer, wanted, peak)
    if wrong is None:
        return None
    found = differs(wrong, answer, wanted, hint(known, given["arrays"], given["options"], answer))
    return case.record(**{**found, "message": f"{what}: {found['message']}"})
