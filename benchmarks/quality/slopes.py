"""The gradient checker: how near its tolerance does correct code come, how far off are bugs?"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder import check
from autograder.check import oracle
from autograder.check.gradient import DOUBLE, slopes
from autograder.check.judge import SINGLE_NOISE
from autograder.check.layer import Layer
from autograder.rooms import names
from benchmarks.quality.children import Say, each
from benchmarks.quality.diagnosis import Bug, bugs, slots
from benchmarks.quality.lesson import Namespace
from benchmarks.quality.lessons import Plan
from benchmarks.quality.truth import Array, Known, LayerTruth, close
from benchmarks.quality.truth import known as known_calls

SECONDS, CALLS, SMALL = 300, 24, 2000
LEAST = 1e-3  # what is smaller than this, in parts of what it belongs to, makes no difference


@dataclass(frozen=True)
class Share:
    """The largest (of correct code) or smallest (of a bug) part of the tolerance, and where."""

    name: str
    share: float
    cases: int
    milliseconds: float = 0.0


def of_correct(plan: Plan, workers: int = 2) -> Iterator[Share]:
    """The reference and every style that answers a whole layer."""

    layers = list(_layers(plan))

    def work(style: str, say: Say) -> None:
        scope = plan.lesson.namespace(extra=plan.styles.get(style, ""))
        found: list[float] = []
        started = time.perf_counter()
        for layer, calls in layers:
            for known in calls:
                got = layer.answer(scope, known)
                found += _shares(layer, scope, known, got)
        spent = 1e3 * (time.perf_counter() - started) / max(1, len(found))
        say(Share(style, max(found, default=0.0), len(found), spent))

    for _, said in each(work, ["reference", *plan.styles], SECONDS, workers):
        yield from said


def of_bugs(plan: Plan, workers: int = 2) -> Iterator[Share]:
    """Every misconception of a gradient, wherever it makes a difference."""
    gradients = [bug for bug in bugs(plan) if bug.slot.startswith("d")]
    layers, scope = list(_layers(plan)), plan.lesson.namespace()

    def work(bug: Bug, say: Say) -> None:
        found = []
        for layer, calls in layers:
            if layer.names == plan.layers[bug.layer]:
                found += [s for known in calls for s in _share_of(layer, scope, bug, known)]
        if found:
            say(Share(bug.title, min(found), len(found)))

    for _, said in each(work, gradients, SECONDS, workers):
        yield from said


def _layers(plan: Plan) -> Iterator[tuple[LayerTruth, list[Known]]]:
    """The layers whose gradients the lesson measures, with calls to measure them on."""
    measuring = [names.reads(test) for test in plan.lesson.tests.values() if ".gradients(" in test]
    for layer in plan.truths:
        if isinstance(layer, LayerTruth) and any(layer.backward in read for read in measuring):
            _, calls = known_calls([layer])[0]
            yield layer, [k for k in calls if _is_plain(k)][:CALLS]


def _is_plain(known: Known) -> bool:
    """Double precision, small, with gradients that can be measured."""
    arrays = known.call.arrays
    if known.call.forward_only or known.call.harsh:
        return False
    return all(a.dtype == np.float64 for a in arrays) and sum(a.size for a in arrays) < SMALL


def _shares(
    layer: LayerTruth, scope: Namespace, known: Known, got: Sequence[Any], only: str = ""
) -> list[float]:
    """The part of its tolerance that each gradient uses."""
    places = [str(place) for place in range(len(known.call.arrays))]
    arrays = dict(zip(places, known.call.arrays, strict=True))
    claims = dict(zip(places, map(np.asarray, got[-len(places) :]), strict=True))
    noise = np.abs(got[0] - known.want[0]).max() / np.abs(known.want[0]).max(initial=1e-3)
    eps = float(np.finfo(np.float32).eps) if noise > SINGLE_NOISE else DOUBLE

    def forward(*inputs: Any) -> Any:
        others = [v.copy() if isinstance(v, np.ndarray) else v for v in known.call.others]
        return np.asarray(scope[layer.forward](*inputs, *others, **known.call.options)[0])

    assert known.dout is not None
    rng = np.random.default_rng(len(got[0].shape))
    measured = slopes(forward, arrays, claims, known.dout, rng, layer.conditioning, eps)
    return [
        abs(s.numerical - s.analytic) / max(s.tolerance, 1e-300)
        for s in measured
        if only in ("", s.argument) and _has_slope(known, int(s.argument))
    ]


def _has_slope(known: Known, place: int) -> bool:
    """Whether a gradient is more than rounding errors: two numbers, normalized, are always ±1."""
    want = known.want[place - len(known.call.arrays)]
    return bool(np.abs(want).max(initial=0.0) > LEAST * np.abs(np.asarray(known.dout)).max())


def _share_of(truth: LayerTruth, scope: Namespace, bug: Bug, known: Known) -> list[float]:
    """The share of a gradient as the bug gives it; nothing where that is right, or impossible."""
    layer = getattr(check, bug.layer)
    place = [f"d{argument}" for argument in layer.arguments].index(bug.slot)
    answer = _answer(layer, bug, known)
    want = known.want[place - len(layer.arguments)]
    if answer is None or answer.shape != want.shape or close(answer, want, LEAST):
        return []
    got = list(known.want)
    got[place - len(layer.arguments)] = answer
    return _shares(truth, scope, known, got, only=str(place))


def _answer(layer: Layer, bug: Bug, known: Known) -> Array | None:
    mistake = slots(layer)[bug.slot][bug.place]
    tensors = [oracle.tensor(array) for array in (known.dout, *known.call.arrays)]
    settings = {**dict(zip(layer.state, known.call.others, strict=False)), **known.call.options}
    try:
        answer = mistake.answer(*tensors, **oracle.settings(settings))
    except (RuntimeError, IndexError):
        return None
    return None if answer is None else np.asarray(answer.detach().numpy())
