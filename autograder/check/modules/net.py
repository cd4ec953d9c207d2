"""Checks of a student's module: its names and shapes, its output, its gradients, its statistics."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from autograder.check import seed
from autograder.check.case import name_of
from autograder.check.mistakes import Mistake
from autograder.check.modules import judge
from autograder.check.modules.judge import Shapes
from autograder.check.record import Array, Record
from autograder.check.verdict import conclude

if TYPE_CHECKING:
    import torch
    from torch import Tensor

Function = Callable[..., Any]
State = dict[str, "Tensor"]


@dataclass(frozen=True)
class Answer:
    """What a network gives for one input, all as float64 arrays by name.

    Attributes:
        out: what comes out.
        gradients: of ``x`` and of the parameters that have one.
        statistics: the running statistics afterwards.
    """

    out: Array
    gradients: dict[str, Array | None]
    statistics: dict[str, Array]


@dataclass(frozen=True)
class Net:
    """A module that students write, and what is known about it.

    Attributes:
        arguments: the names of what its constructor takes by position.
        oracle: what is right, ``(state, x, training, **sizes)``. In training it changes the
            statistics in ``state``. ``sizes`` are what the constructor takes, by name.
        shapes: takes the sizes; the right names and shapes of the state dict.
        drawn: random numbers for it.
        mistakes: misconceptions; they take what the oracle takes.
        drafts: misconceptions of names and shapes; they take the sizes.
        errors: what to say where PyTorch says that shapes do not fit, by a pattern of its words.
    """

    arguments: tuple[str, ...]
    oracle: Function
    shapes: Callable[..., Shapes]
    drawn: Callable[[np.random.Generator, Shapes], dict[str, Array]]
    mistakes: tuple[Mistake, ...] = ()
    drafts: tuple[Mistake, ...] = ()
    errors: Mapping[str, str] = field(default_factory=dict)

    def names(self, make: Function, *given: Any, concept: str = "", **options: Any) -> None:
        """Checks that ``make(*given, **options).state_dict()`` has the right names and shapes.

        Args:
            make: the student's class.
            *given: what it is given by position.
            concept: for a hidden check, the one thing about it that a student may know.
            **options: what it is given by name.

        Raises:
            CheckFailed: they are others, or there is no such module.
            GraderBroke: the check itself failed; nothing is said about the student.
        """
        case = self.case(make, given, options, concept)
        self._conclude(case, lambda: judge.names(case))

    def forward(
        self,
        make: Function,
        *given: Any,
        x: tuple[int, ...],
        training: bool,
        concept: str = "",
        **options: Any,
    ) -> None:
        """Checks the output for a random ``x`` and random numbers in the state dict.

        In ``training`` also the running statistics afterwards. All else is as in `names`.
        """
        case = self.case(make, given, options, concept, x, training)
        self._conclude(case, lambda: judge.output(case))

    def gradients(
        self,
        make: Function,
        *given: Any,
        x: tuple[int, ...],
        training: bool = True,
        concept: str = "",
        **options: Any,
    ) -> None:
        """Checks the gradients of ``x`` and of every parameter. All else is as in `forward`."""
        case = self.case(make, given, options, concept, x, training)
        self._conclude(case, lambda: judge.gradients(case))

    def case(
        self,
        make: Function,
        given: tuple[Any, ...],
        options: Mapping[str, Any],
        concept: str = "",
        x: tuple[int, ...] = (),
        training: bool = False,
    ) -> "Case":
        """One module, with its numbers drawn."""
        name = name_of(make)
        told = [*map(str, given), *(f"{key}={value}" for key, value in options.items())]
        mode = ("", f" in {'train' if training else 'eval'} mode")[bool(x)]
        sizes = {**dict(zip(self.arguments, given, strict=False)), **options}
        rng = seed.stream(f"{name} {concept} {sorted(sizes)} {training}")
        return Case(
            self, make, given, dict(options), f"{name}({', '.join(told)}){mode}", concept, sizes,
            x, training, rng,
        )  # fmt: skip

    @staticmethod
    def _conclude(case: "Case", find: Callable[[], Record]) -> None:
        conclude(case.record(), lambda: judge.needs_torch(case.record()) or find())


@dataclass(frozen=True)
class Case:
    """One module: how it is made, the numbers that it is given, and how to speak of it.

    Attributes:
        net: what is known about it.
        make: the student's class.
        given: what the constructor takes by position.
        options: and by name.
        call: how a student would write that.
        concept: see `Record`.
        sizes: both, by name.
        shape: of the input.
        training: the mode.
        rng: draws whatever is needed.
    """

    net: Net
    make: Function
    given: tuple[Any, ...]
    options: dict[str, Any]
    call: str
    concept: str
    sizes: dict[str, Any]
    shape: tuple[int, ...]
    training: bool
    rng: np.random.Generator

    @cached_property
    def numbers(self) -> dict[str, Array]:
        """What the state dict is given."""
        return self.net.drawn(self.rng, self.net.shapes(**self.sizes))

    @cached_property
    def x(self) -> Array:
        """The input."""
        return self.rng.standard_normal(self.shape)

    def record(self, **found: Any) -> Record:
        """A `Record` that is passed unless ``found`` says otherwise."""
        inputs = f"x: {self.shape}" if self.shape else ""
        record = Record(call=self.call, inputs=inputs, concept=self.concept, seed=seed.current())
        return record.but(**found)

    def state(self, dtype: "torch.dtype") -> State:
        """The numbers as tensors, the same on every call."""
        import torch

        return {
            name: torch.tensor(array, dtype=torch.int64 if array.dtype.kind == "i" else dtype)
            for name, array in self.numbers.items()
        }

    def answer(self, function: Function, dout: Array | None = None) -> Answer:
        """What the oracle, or a mistake, gives; gradients only where there is a ``dout``."""
        import torch

        state = self.state(torch.float64)
        leaves = {
            name: state[name].requires_grad_() for name in state if not judge.is_statistic(name)
        }
        leaves["x"] = torch.tensor(self.x).requires_grad_()
        out = function(state, leaves["x"], self.training, **self.sizes)
        gradients: dict[str, Array | None] = {}
        if dout is not None:
            found = torch.autograd.grad(
                out, list(leaves.values()), torch.tensor(dout), allow_unused=True
            )
            gradients = {
                name: None if part is None else part.numpy()
                for name, part in zip(leaves, found, strict=True)
            }
        return Answer(out.detach().numpy(), gradients, judge.statistics(state))
