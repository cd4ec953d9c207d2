"""One configuration of a layer: random arrays, options, and what the oracle says of them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.check import oracle, seed
from autograder.check.inputs import Drawn
from autograder.check.record import Array, Record

Function = Callable[..., Any]
CANCELLED = 0.01  # of the largest upstream gradient


@dataclass(frozen=True)
class Case:
    """One configuration of a layer: its random arrays, its options, and how to speak of it.

    Attributes:
        oracle: what is right.
        name: of the function that is being checked.
        call: the call as a student would write it.
        arrays: the arguments that have gradients.
        state: arguments after them that have none and may be changed in place.
        options: what is passed by keyword.
        concept: see `Record`.
        linear: whether the oracle is linear in each array.
        rng: draws whatever else is needed.
    """

    oracle: Function
    name: str
    call: str
    arrays: dict[str, Array]
    state: dict[str, Array]
    options: dict[str, Any]
    concept: str
    linear: bool
    rng: np.random.Generator

    def record(self, **found: Any) -> Record:
        """A `Record` that is passed unless ``found`` says otherwise."""
        shapes = {**self.arrays, **self.state}
        return Record(
            call=self.call,
            inputs="  ".join(f"{key}: {array.shape}" for key, array in shapes.items()),
            concept=self.concept,
            seed=seed.current(),
        ).but(**found)

    def given(self) -> dict[str, Array]:
        """Fresh copies of everything that is passed by position, in order."""
        return {key: array.copy() for key, array in {**self.arrays, **self.state}.items()}

    def other(self) -> dict[str, Array]:
        """Different arrays of the same shapes, and the state as it was."""
        drawn = {key: self.rng.standard_normal(array.shape) for key, array in self.arrays.items()}
        return {**self.given(), **drawn}

    @property
    def settings(self) -> dict[str, Any]:
        """What the oracle takes besides the arrays."""
        return {**self.state, **self.options}

    def expected(self) -> Array:
        """The right output."""
        return oracle.evaluate(self.oracle, self.arrays, self.settings)

    def magnitude(self) -> Array:
        """What rounding errors of each output scale with.

        The sum of its absolute terms, which is the oracle on absolute values; where that means
        nothing, the largest output.
        """
        if not self.linear:
            return _peak(self.expected())
        return oracle.evaluate(self.oracle, self._absolute(), self.settings)

    def expected_gradient(self, name: str, dout: Array) -> Array:
        """The right gradient called ``name``, such as ``dx``."""
        return oracle.gradients(self.oracle, self.arrays, self.settings, dout)[name]

    def gradient_magnitude(self, name: str, dout: Array) -> Array:
        """As `magnitude`, for a gradient."""
        if not self.linear:  # all of a gradient may cancel; what was added up did not
            floor = CANCELLED * float(np.abs(dout).max(initial=0.0))
            return _peak(self.expected_gradient(name, dout)) + floor
        return oracle.gradients(self.oracle, self._absolute(), self.settings, np.abs(dout))[name]

    def _absolute(self) -> dict[str, Array]:
        return {key: np.abs(array) for key, array in self.arrays.items()}


def _peak(array: Array) -> Array:
    return np.full_like(array, np.abs(array).max(initial=0.0))


def name_of(function: Function) -> str:
    """What a student calls this function."""
    return getattr(function, "__name__", "your function")


def drawn(rng: np.random.Generator, given: Any) -> Any:
    """The array that a keyword of a check stands for; see `autograder.check.inputs`."""
    if isinstance(given, Drawn):
        return given.draw(rng)
    if isinstance(given, tuple) and all(isinstance(size, int) for size in given):
        return rng.standard_normal(given)
    return np.array(given)
