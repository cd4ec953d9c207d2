"""The check of one step of gradient descent with momentum, in place."""

from collections.abc import Callable, Mapping
from typing import Any

from autograder.check.call import call_as_is
from autograder.check.case import Case, name_of
from autograder.check.explain import changed_arguments, raised
from autograder.check.learning.answers import compared, judge_with_torch, subject
from autograder.check.mistakes import step as mistakes
from autograder.check.oracle import learning as oracle
from autograder.check.oracle import tensor
from autograder.check.record import Array, Record

Function = Callable[..., Any]

SHAPES = {"fc1_w": (3, 4), "fc1_b": (4,), "fc2_w": (4, 2), "fc2_b": (2,)}
KNOWN = {"params": mistakes.SGD_PARAMS, "velocity": mistakes.SGD_VELOCITY}


def sgd_step(step: Function, *, learning_rate: float, momentum: float, concept: str = "") -> None:
    """Checks ``sgd_step(params, grads, velocity, learning_rate, momentum)``, which is in place.

    Errors are those of `Layer.forward`.
    """
    name, rates = name_of(step), {"learning_rate": learning_rate, "momentum": momentum}
    told = ", ".join(f"{key}={value}" for key, value in rates.items())
    case = subject(name, f"{name}(params, grads, velocity, {told})", concept)
    judge_with_torch(case, lambda: _judged_step(case, step, rates))


def _judged_step(case: Case, step: Function, rates: dict[str, float]) -> Record:
    before = {
        name: {key: case.rng.standard_normal(shape) for key in "wgv"}
        for name, shape in SHAPES.items()
    }
    params, grads, velocity = (
        {name: arrays[key].copy() for name, arrays in before.items()} for key in "wgv"
    )
    called = call_as_is(step, [params, grads, velocity], rates, dict(grads))
    if called.error is not None:
        return case.record(**raised(called, case.name))
    if called.changed or grads.keys() != SHAPES.keys():
        return case.record(**changed_arguments(case.name, ("grads",)))
    wrong = _first_wrong(case, (params, velocity), before, rates)
    return wrong or case.record(message="params and velocity are as PyTorch's")


def _first_wrong(
    case: Case,
    dicts: tuple[Mapping[str, Any], Mapping[str, Any]],
    before: Mapping[str, Mapping[str, Array]],
    rates: Mapping[str, float],
) -> Record | None:
    """The first array that is not what it should be after the step, params before velocity."""
    for place, (what, known) in enumerate(KNOWN.items()):
        for name, arrays in before.items():
            right = _stepped(arrays, rates)[place]
            told = {"arrays": arrays, "options": rates}
            got = dicts[place].get(name)
            wrong = compared(case, got, right, f"{what}[{name!r}] afterwards", known, **told)
            if wrong is not None:
                return wrong
    return None


def _stepped(arrays: Mapping[str, Array], rates: Mapping[str, float]) -> list[Array]:
    w, g, v = map(tensor, arrays.values())
    return [part.numpy() for part in oracle.sgd(w, g, v, **rates)]
