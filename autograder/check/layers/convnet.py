"""What the fourth lesson writes: a whole network, its first weights, and how it is trained."""

import copy
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any

import numpy as np

from autograder.check import judge, seed
from autograder.check.call import call_as_is
from autograder.check.case import Case, name_of
from autograder.check.compare import as_numbers, difference, settled
from autograder.check.explain import changed_arguments, differs, kind, raised
from autograder.check.hint import hint
from autograder.check.layer import Layer
from autograder.check.mistakes import Mistake
from autograder.check.mistakes import convnet as mistakes
from autograder.check.oracle import convnet as oracle
from autograder.check.oracle import tensor
from autograder.check.record import Array, Outcome, Record
from autograder.check.verdict import conclude

Function = Callable[..., Any]
Fault = dict[str, Any]

NET = Layer(
    oracle.NAMES,
    oracle.lenet,
    mistakes.LENET,
    mistakes.LENET_GRADIENTS,
    cached=True,
    linear=False,
    # What is lost in one layer is multiplied by the next.
    conditioning=3.0,
    state=("x",),
)
DEPTH = 7
SIGMAS = 6.0  # how far chance may carry a standard deviation: once in 10⁹ draws
SHAPES_HINT = (
    "After a convolution (P = 2) a map is as large as before it, after pooling half as large; "
    "print the shapes on the way."
)
REVERSE_HINT = "Go through the layers from the last to the first, each with its own cache."


@dataclass(frozen=True)
class Sizes:
    """A LeNet-5 of other sizes: images (N, C, H, W), with H and W divisible by 4."""

    images: tuple[int, int, int, int]
    channels: tuple[int, int]
    hidden: int
    classes: int

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of every parameter, in order."""
        _, c_in, height, width = self.images
        (first, second), k = self.channels, oracle.KERNEL_SIZE
        weights = [
            (first, c_in, k, k),
            (second, first, k, k),
            (second * (height // 4) * (width // 4), self.hidden),
            (self.hidden, self.classes),
        ]
        outputs = (first, second, self.hidden, self.classes)
        shapes = [shape for w, out in zip(weights, outputs, strict=True) for shape in (w, (out,))]
        return dict(zip(oracle.NAMES, shapes, strict=True))

    def drawn(self, rng: np.random.Generator) -> dict[str, Array]:
        """Random parameters that keep the numbers in the net near 1, with biases that matter."""
        return {
            name: rng.standard_normal(shape) * (mistakes.he(shape) if name.endswith("_w") else 0.5)
            for name, shape in self.shapes().items()
        }


@dataclass
class _Flat:
    """A student's network in the form in which layers are judged: arrays in place of dicts.

    ``fault`` says what was wrong with the dicts.
    """

    student_forward: Function
    student_backward: Function | None = None
    fault: Fault = field(default_factory=dict)

    def forward(self) -> Function:
        """Takes the parameters one by one and then x."""

        def flat(*arrays: Array) -> Any:
            *values, x = arrays
            params, before = dict(zip(oracle.NAMES, values, strict=True)), x.copy()
            answer = self.student_forward(x, params)
            same = params.keys() == set(oracle.NAMES) and all(
                params[name] is value for name, value in zip(oracle.NAMES, values, strict=True)
            )
            changed = [*([] if same else ["params"])]
            changed += [] if np.array_equal(before, x) else ["x"]
            if changed:
                self.fault = changed_arguments(flat.__name__, tuple(changed))
            return answer

        flat.__name__ = name_of(self.student_forward)
        return flat

    def backward(self) -> Function:
        """Returns the gradients one by one."""
        student = self.student_backward
        assert student is not None

        def flat(dscores: Array, cache: Any) -> Any:
            grads = student(dscores, cache)
            self.fault = self.fault or _not_named(grads, flat.__name__)
            if self.fault:
                return [None] * len(oracle.NAMES)
            return [grads[name] for name in oracle.NAMES]

        flat.__name__ = name_of(student)
        return flat


def _not_named(answer: Any, name: str, names: Sequence[str] = oracle.NAMES) -> Fault:
    """What is wrong with an answer that should be a dict with these names."""
    if not isinstance(answer, dict):
        message = f"{name} must return a dict of arrays"
        expected = "a dict with " + ", ".join(names)
        return _failed(message, got=kind(answer), expected=expected)
    missing = [key for key in names if key not in answer]
    if not missing:
        return {}
    there = ", ".join(sorted(str(key) for key in answer)[:20]) or "nothing"
    return _failed(f"there is no {missing[0]!r} in the dict", got=there, expected=", ".join(names))


def _failed(message: str, **more: Any) -> Fault:
    return {"outcome": Outcome.FAILED, "message": message, **more}


class LeNet:
    """Checks of ``lenet_forward(x, params)`` and ``lenet_backward(dscores, cache)``.

    Sizes are given as for `Sizes`; parameters and images are drawn. Errors are those of
    `Layer.forward`; ``concept`` is, too.
    """

    def forward(self, forward: Function, *, concept: str = "", **sizes: Any) -> None:
        """Checks the scores."""
        case, flat = _case(forward, None, concept, Sizes(**sizes)), _Flat(forward)
        _conclude(case, flat, lambda: judge.output(NET, case, flat.forward()))

    def backward(
        self, forward: Function, backward: Function, name: str, *, concept: str = "", **sizes: Any
    ) -> None:
        """Checks the gradient of the parameter ``name``."""
        case, flat = _case(forward, backward, concept, Sizes(**sizes)), _Flat(forward, backward)
        _conclude(case, flat, lambda: _one_gradient(case, flat, name))

    def gradients(
        self, forward: Function, backward: Function, *, concept: str = "", **sizes: Any
    ) -> None:
        """Checks every gradient against numerical derivatives of the student's own forward."""
        case, flat = _case(forward, backward, concept, Sizes(**sizes)), _Flat(forward, backward)
        _conclude(case, flat, lambda: _every_gradient(case, flat))


def _one_gradient(case: Case, flat: _Flat, name: str) -> Record:
    """Through seven layers a wrong forward spoils every gradient, so that one comes first."""
    forward = flat.forward()
    record = judge.one_gradient(NET, case, forward, flat.backward(), f"d{name}")
    if record.outcome is Outcome.FAILED and not flat.fault:
        right = judge.output(NET, case, forward)
        if right.outcome is not Outcome.PASSED:
            return record.but(hint=f"{name_of(forward)} is not right yet: mend it first.")
    return record


def _every_gradient(case: Case, flat: _Flat) -> Record:
    """By slopes; where a finite step crossed the kink of a ReLU, autograd has the last word."""
    forward, backward = flat.forward(), flat.backward()
    record = judge.every_gradient(NET, case, forward, backward)
    if not record.message.endswith("is not the gradient of your forward"):
        return record
    again = (judge.one_gradient(NET, case, forward, backward, f"d{name}") for name in oracle.NAMES)
    if any(found.outcome is not Outcome.PASSED for found in again):
        return record
    return case.record(message="every gradient agrees with autograd")


def _case(forward: Function, backward: Function | None, concept: str, sizes: Sizes) -> Case:
    name = name_of(backward or forward)
    rng = seed.stream(f"{name} {concept} {sizes}")
    params, x = sizes.drawn(rng), rng.standard_normal(sizes.images)
    call = f"{name_of(forward)}(x, params)"
    if backward:
        call = f"{name}(dscores, cache) after {call}"
    return _Deep(oracle.lenet, name, call, params, {"x": x}, {}, concept, linear=False, rng=rng)


class _Deep(Case):
    """A case of `DEPTH` layers, each of which rounds what the one before has rounded."""

    def magnitude(self) -> Array:
        return DEPTH * super().magnitude()

    def gradient_magnitude(self, name: str, dout: Array) -> Array:
        return DEPTH * super().gradient_magnitude(name, dout)


def _conclude(case: Case, flat: _Flat, find: Callable[[], Record]) -> None:
    def found() -> Record:
        record = judge.needs_oracle(case) or find()
        return _reworded(record.but(**flat.fault) if flat.fault else record, case.name)

    conclude(case.record(), found)


def _reworded(record: Record, name: str) -> Record:
    """The record of a layer in the words of a network: its gradients are in a dict."""
    message, advice = _in_grads(record.message), record.hint
    if advice.startswith("That is the shape of d"):
        advice = _in_grads(advice.split(":")[0]) + "."
    elif record.trace and not advice:
        advice = REVERSE_HINT if "backward" in name and name in message else SHAPES_HINT
    return record.but(message=message, hint=advice)


def _in_grads(text: str) -> str:
    return re.sub(rf"\bd({'|'.join(oracle.NAMES)})\b", r"grads['\1']", text)


def _subject(name: str, call: str, concept: str, **arrays: Array) -> Case:
    """A call that is judged in a way of its own: what it is about, and what it draws from."""
    rng = seed.stream(f"{call} {concept}")
    return Case(oracle.unchanged, name, call, arrays, {}, {}, concept, linear=False, rng=rng)


def _compared(
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
    case = _subject(name, f"{name}(rng, {told})", concept)
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
        fault = _not_named(called.value, case.name)
        if fault:
            return case.record(**fault)
        draws.append({key: settled(called.value[key]) for key in oracle.NAMES})
    fault = _wrong_first_weights(draws[0], sizes) or _wrong_randomness(*draws)
    return case.record(**(fault or {"message": "shapes, biases and spread are right"}))


def _wrong_first_weights(params: Mapping[str, Any], sizes: Sizes) -> Fault:
    for name, shape in sizes.shapes().items():
        array = as_numbers(params[name])
        if array is None or array.shape != shape:
            got = kind(params[name]) if array is None else f"an array of shape {array.shape}"
            return _failed(f"{name}: wrong shape", got=got, expected=f"an array of shape {shape}")
        if name.endswith("_b") and array.any():
            advice = "Biases start at 0: the random weights make the units differ already."
            return _failed(
                f"{name} is not 0", got=f"{np.abs(array).max():.3g} at most", hint=advice
            )
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
            return _failed("weights are not centred at 0", got=got, expected="0", hint=advice)
    return {}


def _wrong_spread(weights: Mapping[tuple[int, ...], Array], sizes: Sizes) -> Fault:
    if _spread_like(weights, mistakes.he):
        return {}
    known = (m.says for m in mistakes.INITIAL if _spread_like(weights, m.answer))
    names = {shape: name for name, shape in sizes.shapes().items()}
    shape = next(shape for shape, w in weights.items() if not _spread_like({shape: w}, mistakes.he))
    return _failed(
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
    if not all(np.array_equal(one[name], again[name]) for name in oracle.NAMES):
        advice = "Draw from the rng that you are given: np.random's own cannot be repeated."
        return _failed("two generators with one seed give different weights", hint=advice)
    if all(np.array_equal(one[name], other[name]) for name in oracle.NAMES):
        advice = "Draw from the rng that you are given, and do not make one of your own."
        return _failed("two generators with different seeds give the same weights", hint=advice)
    return {}


def minibatches(function: Function, *, count: int, batch_size: int, concept: str = "") -> None:
    """Checks ``minibatches(count, batch_size, rng)``; errors are those of `Layer.forward`."""
    name = name_of(function)
    case = _subject(name, f"{name}({count}, {batch_size}, rng)", concept)
    conclude(case.record(), lambda: _judged_batches(case, function, count, batch_size))


def _judged_batches(case: Case, function: Function, count: int, batch_size: int) -> Record:
    epochs = []
    for rng in (np.random.default_rng([seed.current(), place]) for place in (0, 0, 1)):
        called = call_as_is(
            lambda rng: _batches(function(count, batch_size, rng), count), [rng], {}, {}
        )
        if called.error is not None:
            return case.record(**raised(called, case.name))
        if called.value is None:
            message, expected = f"{case.name} must return a list", "arrays of whole numbers"
            return case.record(**_failed(message, expected=expected))
        epochs.append(called.value)
    one, again, other = (list(chain.from_iterable(epoch)) for epoch in epochs)
    fault = (
        _wrong_numbers(one, epochs[0], count, batch_size)
        or _wrong_sizes(epochs[0], _sizes(count, batch_size))
        or _wrong_order(one, again, other)
    )
    return case.record(**(fault or {"message": "every image once, in random order"}))


def _batches(answer: Any, most: int) -> list[list[int]] | None:
    """The numbers in each batch, or None where they are no whole numbers; it may have no end."""
    arrays = [np.asarray(batch) for batch in islice(answer, most + 1)]
    if not all(array.ndim == 1 and array.dtype.kind in "iu" for array in arrays):
        return None
    return [array.tolist() for array in arrays]


def _sizes(count: int, batch_size: int) -> list[int]:
    return [min(batch_size, count - start) for start in range(0, count, batch_size)]


def _wrong_numbers(seen: list[int], epoch: list[list[int]], count: int, batch_size: int) -> Fault:
    if any(i not in range(count) for i in seen):
        return _failed("there is a number of no image", got=f"{max(seen)}", expected=f"< {count}")
    twice = next((i for place, i in enumerate(seen) if i in seen[:place]), None)
    if twice is not None:
        advice = "Shuffle all the numbers once, then cut; drawing each time draws some twice."
        return _failed(f"image {twice} comes twice in an epoch", hint=advice)
    sizes, wanted = list(map(len, epoch)), _sizes(count, batch_size)
    if len(seen) < count:
        advice = "The last batch may be smaller: its images want to be seen too."
        return _failed(
            f"{count - len(seen)} of {count} images are never seen",
            got=f"batches of {sizes}",
            expected=f"batches of {wanted}",
            hint=advice if sizes == wanted[:-1] else "",
        )
    return {}


def _wrong_sizes(epoch: list[list[int]], wanted: list[int]) -> Fault:
    sizes = list(map(len, epoch))
    if sizes == wanted:
        return {}
    advice = "Only the last batch may be smaller, and none is empty."
    return _failed("wrong sizes", got=f"batches of {sizes}", expected=f"{wanted}", hint=advice)


def _wrong_order(one: list[int], again: list[int], other: list[int]) -> Fault:
    if one != again:
        advice = "Shuffle with the rng that you are given: np.random's own cannot be repeated."
        return _failed("two generators with one seed give different orders", hint=advice)
    if one == sorted(one):
        return _failed("the images are not shuffled", hint="rng.permutation gives a random order.")
    if one == other:
        advice = "Shuffle with the rng that you are given, and do not make one of your own."
        return _failed("two generators with different seeds give one order", hint=advice)
    return {}


def sgd_step(step: Function, *, learning_rate: float, momentum: float, concept: str = "") -> None:
    """Checks ``sgd_step(params, grads, velocity, learning_rate, momentum)``, which is in place.

    Errors are those of `Layer.forward`.
    """
    name, rates = name_of(step), {"learning_rate": learning_rate, "momentum": momentum}
    told = ", ".join(f"{key}={value}" for key, value in rates.items())
    case = _subject(name, f"{name}(params, grads, velocity, {told})", concept)
    _judge(case, lambda: _judged_step(case, step, rates))


def _judge(case: Case, find: Callable[[], Record]) -> None:
    conclude(case.record(), lambda: judge.needs_oracle(case) or find())


def _judged_step(case: Case, step: Function, rates: dict[str, float]) -> Record:
    shapes = {"fc1_w": (3, 4), "fc1_b": (4,), "fc2_w": (4, 2), "fc2_b": (2,)}
    before = {
        name: {key: case.rng.standard_normal(shape) for key in "wgv"}
        for name, shape in shapes.items()
    }
    params, grads, velocity = (
        {name: arrays[key].copy() for name, arrays in before.items()} for key in "wgv"
    )
    called = call_as_is(step, [params, grads, velocity], rates, dict(grads))
    if called.error is not None:
        return case.record(**raised(called, case.name))
    if called.changed or grads.keys() != shapes.keys():
        return case.record(**changed_arguments(case.name, ("grads",)))
    looks = [
        (place, what, name) for place, what in enumerate(("params", "velocity")) for name in shapes
    ]
    for place, what, name in looks:
        wrong = _compared(
            case,
            (params, velocity)[place].get(name),
            _stepped(before[name], rates)[place],
            f"{what}[{name!r}] afterwards",
            (mistakes.SGD_PARAMS, mistakes.SGD_VELOCITY)[place],
            arrays=before[name],
            options=rates,
        )
        if wrong is not None:
            return wrong
    return case.record(message="params and velocity are as PyTorch's")


def _stepped(arrays: Mapping[str, Array], rates: Mapping[str, float]) -> list[Array]:
    w, g, v = map(tensor, arrays.values())
    return [part.numpy() for part in oracle.sgd(w, g, v, **rates)]


# Whether each image is right (1), or has its smallest score at its label (-1), or neither (0):
# with batches of 4 every misconception has another accuracy than the right one, 6 / 11.
JUDGED = ((1, 1, 0, 1, -1, -1, 1, 0, 1, -1, 1), (1, 0, -1, -1, 1, 0, 1, 1, -1, 1, 1))


def accuracy(function: Function, *, batch_size: int, concept: str = "") -> None:
    """Checks ``accuracy(forward, params, x, y, batch_size)`` with a linear net of its own.

    Errors are those of `Layer.forward`.
    """
    name = name_of(function)
    call = f"{name}(forward, params, x, y, batch_size={batch_size})"
    case = _subject(name, call, concept, x=np.empty((len(JUDGED[0]), 1, 3, 2)))
    found = (_judged_accuracy(case, function, batch_size, pattern) for pattern in JUDGED)
    right = case.record(message="is the share of images that are right")
    _judge(case, lambda: next(filter(None, found), right))


def _judged_accuracy(
    case: Case, function: Function, batch_size: int, pattern: Sequence[int]
) -> Record | None:
    """What is wrong with the accuracy where the images are as ``pattern`` says."""
    forward, _ = oracle.linear_network()
    x, params = case.rng.standard_normal(case.arrays["x"].shape), _linear_params(case.rng, 4)
    scores, _ = forward(x, params)
    y = _labels(scores, pattern)
    options = {"batch_size": batch_size}
    called = call_as_is(function, [forward, params, x.copy(), y.copy()], options, {})
    if called.error is not None:
        return case.record(**raised(called, case.name))
    return _compared(
        case,
        called.value,
        np.mean([mark == 1 for mark in pattern]),
        "the share of right images",
        mistakes.ACCURACY,
        arrays={"scores": scores, "y": y},
        options=options,
    )


def _linear_params(rng: np.random.Generator, classes: int) -> dict[str, Array]:
    return {"w": rng.standard_normal((6, classes)), "b": rng.standard_normal(classes)}


def _labels(scores: Array, pattern: Sequence[int]) -> Any:
    """For each image the class whose score is the largest (1), the smallest (-1) or the second."""
    order = np.argsort(scores, axis=1)
    column = {1: -1, -1: 0, 0: -2}
    return np.array([row[column[mark]] for row, mark in zip(order, pattern, strict=True)])


def training(train: Function, *, learning_rate: float, momentum: float, concept: str = "") -> None:
    """Checks ``train(network, params, data, schedule, learning_rate, momentum)``.

    The network is a linear one of the check's own and the batches are given, so every number has
    to be that of PyTorch's run. Errors are those of `Layer.forward`.
    """
    name = name_of(train)
    call = f"{name}(network, params, data, schedule, {learning_rate}, {momentum})"
    shapes = {"x_train": np.empty((7, 1, 3, 2)), "x_val": np.empty((7, 1, 3, 2))}
    case = _subject(name, call, concept, **shapes)
    _judge(case, lambda: _judged_training(case, train, learning_rate, momentum))


def _judged_training(case: Case, train: Function, learning_rate: float, momentum: float) -> Record:
    rng = case.rng
    pairs = [(rng.standard_normal((7, 1, 3, 2)), rng.integers(0, 3, 7)) for _ in range(2)]
    data = dict(zip(("x", "y", "x_val", "y_val"), chain.from_iterable(pairs), strict=True))
    params = _linear_params(rng, 3)
    schedule = [np.split(rng.permutation(7), [3, 6]) for _ in range(3)]
    arrays = copy.deepcopy({**params, **data})
    options = {
        "schedule": copy.deepcopy(schedule),
        "learning_rate": learning_rate,
        "momentum": momentum,
    }
    given = [oracle.linear_network(), params, tuple(data.values()), schedule]
    called = call_as_is(train, [*given, learning_rate, momentum], {}, data)
    if called.error is not None:
        return case.record(**raised(called, case.name))
    fault = (
        changed_arguments(case.name, called.changed)
        if called.changed
        else _not_named(called.value, case.name, ("loss", "accuracy"))
    )
    if fault:
        return case.record(**fault)
    return _judged_run(case, params, called.value, arrays, options)


def _judged_run(
    case: Case,
    params: Mapping[str, Any],
    history: Mapping[str, Any],
    arrays: Mapping[str, Any],
    options: Mapping[str, Any],
) -> Record:
    w, b, x, y, x_val, y_val = map(tensor, arrays.values())
    data = (x, y.long(), x_val, y_val.long())
    right, losses, accuracies = oracle.trajectory({"w": w, "b": b}, data, **options)
    looks: list[tuple[Any, Any, str, Sequence[Mistake]]] = [
        (params.get("w"), right["w"].numpy(), "params['w'] afterwards", mistakes.TRAINED),
        (params.get("b"), right["b"].numpy(), "params['b'] afterwards", ()),
        (history["loss"], losses, "history['loss']", mistakes.LOSSES),
        (history["accuracy"], accuracies, "history['accuracy']", mistakes.ACCURACIES),
    ]
    found = (_compared(case, *look, arrays=arrays, options=options) for look in looks)
    right_record = case.record(message="every weight, loss and accuracy is that of PyTorch's run")
    return next(filter(None, found), right_record)


lenet = LeNet()
