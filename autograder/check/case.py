"""One configuration of a layer: random arrays, options, and what the oracle says of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.check import oracle, seed
from autograder.check.record import Array, Record

Function = Callable[..., Any]


@dataclass(frozen=True)
class Case:
    """One configuration of a layer: its random arrays, its options, and how to speak of it."""

    oracle: Function
    name: str
    call: str
    arrays: dict[str, Array]
    options: dict[str, Any]
    concept: str
    rng: np.random.Generator

    @staticmethod
    def draw(
        right: Function,
        arguments: Sequence[str],
        given: Mapping[str, Any],
        concept: str,
        forward: Function,
        backward: Function | None = None,
    ) -> "Case":
        """The case that the keywords of a check describe.

        Args:
            right: the oracle.
            arguments: which of the keywords are arrays, in the order of the layer's signature.
            given: the keywords: for an array its value, or its shape to be drawn.
            concept: see `Record`.
            forward: the student's function.
            backward: the other one, if it is what is being checked.
        """
        name = name_of(backward or forward)
        rng = seed.stream(f"{name} {concept} {sorted(given)}")
        arrays = {key: _draw(rng, given[key]) for key in arguments}
        options = {key: value for key, value in given.items() if key not in arguments}
        named = [f"{key}={value}" for key, value in options.items()]
        call = f"{name_of(forward)}({', '.join([*arrays, *named])})"
        if backward:
            call = f"{name}(dout, cache) after {call}"
        return Case(right, name, call, arrays, options, concept, rng)

    def record(self, **found: Any) -> Record:
        """A `Record` that is passed unless ``found`` says otherwise."""
        return Record(
            call=self.call,
            inputs="  ".join(f"{key}: {array.shape}" for key, array in self.arrays.items()),
            concept=self.concept,
            seed=seed.current(),
        ).but(**found)

    def other(self) -> dict[str, Array]:
        """Different arrays of the same shapes."""
        return {key: self.rng.standard_normal(array.shape) for key, array in self.arrays.items()}

    def expected(self) -> Array:
        """The right output."""
        return oracle.evaluate(self.oracle, self.arrays, self.options)

    def magnitude(self) -> Array:
        """The sum of the absolute terms of each output: the oracle on absolute values."""
        return oracle.evaluate(self.oracle, self._absolute(), self.options)

    def expected_gradient(self, name: str, dout: Array) -> Array:
        """The right gradient called ``name``, such as ``dx``."""
        return oracle.gradients(self.oracle, self.arrays, self.options, dout)[name]

    def gradient_magnitude(self, name: str, dout: Array) -> Array:
        """As `magnitude`, for a gradient."""
        return oracle.gradients(self.oracle, self._absolute(), self.options, np.abs(dout))[name]

    def _absolute(self) -> dict[str, Array]:
        return {key: np.abs(array) for key, array in self.arrays.items()}


def name_of(function: Function) -> str:
    """What a student calls this function."""
    return getattr(function, "__name__", "your function")


def _draw(rng: np.random.Generator, given: Any) -> Array:
    if isinstance(given, tuple) and all(isinstance(size, int) for size in given):
        return rng.standard_normal(given)
    return np.array(given)
