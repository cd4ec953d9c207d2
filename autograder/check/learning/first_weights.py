"""The check of a network's first weights: their shapes, spread and randomness."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from autograder.check import seed
from autograder.check.call import call_as_is
from autograder.check.case import Case, name_of
from autograder.check.compare import as_numbers, settled
from autograder.check.explain import kind, raised
from autograder.check.layers.lenet import Sizes
from autograder.check.learning.answers import Fault, failed, not_named, subject
from autograder.check.mistakes import first_weights as mistakes
from autograder.check.oracle.lenet import NAMES
from autograder.check.record import Array, Record
from autograder.check.verdict import conclude

Function = Callable[..., Any]
SIGMAS = 6.0  # how far chance may carry a standard deviation: once in 10⁹ draws


def he_initialization(init: Function, *, concept: str = "", **sizes: Any) -> None:
    """Checks ``init_lenet(rng, channels, hidden, classes, input_shape)``.

    Weights are random, so their spread is judged: no correct one is as far off as `SIGMAS`
    standard errors. Sizes are those of `Sizes`; errors are those of `Layer.forward`.
    """
    given, name = Sizes(**sizes), name_of(init)
    options: dict[str, Any] = {
        "channels": given.channels,
        "hidden": given.hidden,
        "classes": given.classes,
        "input_shape": given.images[1:],
    }
    told = ", ".join(f"{key}={value}" for key, value in options.items())
    case = subject(name, f"{name}(rng, {told})", concept)
    conclude(case.record(), lambda: _judged_first_weights(case, init, options, given))


def _judged_first_weights(
    case: Case, init: Function, options: dict[str, Any], sizes: Sizes
) -> Record:
    draws = []
    start = seed.current()
    for rng in (np.random.default_rng([start, place]) for place in (0, 0, 1)):
        called = call_as_is(init, [rng], options, {})
        if called.error is not None:
            return case.record(**raised(called, case.name))
        fault = not_named(called.value, case.name, NAMES)
        if fault:
            return case.record(**fault)
        draws.append({key: settled(called.value[key]) for key in NAMES})
    fault = _wrong_first_weights(draws[0], sizes) or _wrong_randomness(*draws)
    return case.record(**(fault or {"message": "shapes, biases and spread are right"}))


def _wrong_first_weights(params: Mapping[str, Any], sizes: Sizes) -> Fault:
    for name, shape in sizes.shapes().items():
        array = as_numbers(params[name])
        if array is None or array.shape != shape:
            got = kind(params[name]) if array is None else f"an array of shape {array.shape}"
            return failed(f"{name}: wrong shape", got=got, expected=f"an array of shape {shape}")
        if name.endswith("_b") and array.any():
            advice = "Biases start at 0: the random weights make the units differ already."
            return failed(f"{name} is not 0", got=f"{np.abs(array).max():.3g} at most", hint=advice)
    weights = {
        shape: np.asarray(params[name], np.float64)
        for name, shape in sizes.shapes().items()
        if name.endswith("_w")
    }
    return _wrong_centre(weights) or _wrong_spread(weights, sizes)


def _wrong_centre(weights: Mapping[tuple[int, ...], Array]) -> Fault:
    for w in weights.values():
        if abs(w.mean()) > SIGMAS * w.std() / np.sqrt(w.size):
            advice = "Positive and negative weights should be equally likely."
            got = f"a mean of {w.mean():.3g}"
            return failed("weights are not centred at 0", got=got, expected="0", hint=advice)
    return {}


def _wrong_spread(weights: Mapping[tuple[int, ...], Array], sizes: Sizes) -> Fault:
    if _spread_like(weights, mistakes.he):
        return {}
    known = (m.says for m in mistakes.INITIAL if _spread_like(weights, m.answer))
    names = {shape: name for name, shape in sizes.shapes().items()}
    shape = next(shape for shape, w in weights.items() if not _spread_like({shape: w}, mistakes.he))
    return failed(
        f"{names[shape]} does not have He's spread",
        got=f"a standard deviation of {weights[shape].std():.3g}",
        expected=f"√(2 / {mistakes.fan_in(shape)}) = {mistakes.he(shape):.3g}",
        hint=next(known, ""),
    )


def _spread_like(
    weights: Mapping[tuple[int, ...], Array], std: Callable[[tuple[int, ...]], float]
) -> bool:
    return all(
        abs(w.std() - std(shape)) <= SIGMAS * std(shape) / np.sqrt(2 * w.size)
        for shape, w in weights.items()
    )


def _wrong_randomness(
    one: Mapping[str, Any], again: Mapping[str, Any], other: Mapping[str, Any]
) -> Fault:
    if not all(np.array_equal(one[name], again[name]) for name in NAMES):
        advice = "Draw from the rng that you are given: np.random's own cannot be repeated."
        return failed("two generators with one seed give different weights", hint=advice)
    weights = [name for name in NAMES if name.endswith("_w")]
    if any(np.array_equal(one[name], other[name]) for name in weights):
        advice = "Draw from the rng that you are given, and do not make one of your own."
        return failed("two generators with different seeds give the same weights", hint=advice)
    for name in weights:
        if np.unique(one[name]).size < one[name].size / 2:
            advice = "Units that start alike stay alike: draw every weight for itself."
            return failed(f"{name}: the same numbers come again and again", hint=advice)
    return {}
