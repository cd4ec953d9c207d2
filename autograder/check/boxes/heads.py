"""Checks of a module with two heads, as if it had one output: the scores and the box after them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.check.case import name_of
from autograder.check.mistakes import boxes_heads as mistakes
from autograder.check.modules.net import Net
from autograder.check.oracle import boxes as oracle
from autograder.check.record import Array

Function = Callable[..., Any]


def _drawn(rng: np.random.Generator, shapes: oracle.Shapes) -> dict[str, Array]:
    """Numbers for a state dict, so small that no sigmoid is flat."""
    return {name: rng.standard_normal(s) / np.sqrt(np.prod(s[1:])) for name, s in shapes.items()}


@dataclass(frozen=True)
class TwoHeads:
    """The checks of `Net` for a module that returns (scores, boxes).

    Attributes:
        net: what is known about it, as if its two outputs were one.
    """

    net: Net

    def names(self, make: Function, *given: Any, concept: str = "") -> None:
        """Checks names and shapes of the state dict. All is as for `Net.names`."""
        self.net.names(make, *given, concept=concept)

    def forward(self, make: Function, *given: Any, x: tuple[int, ...], concept: str = "") -> None:
        """Checks both outputs for random maps ``x``. All is as for `Net.forward`."""
        self.net.forward(_joined(make), *given, x=x, training=True, concept=concept)

    def gradients(self, make: Function, *given: Any, x: tuple[int, ...], concept: str = "") -> None:
        """Checks all gradients. All is as for `Net.gradients`."""
        self.net.gradients(_joined(make), *given, x=x, concept=concept)


def _joined(make: Function) -> Function:
    def joined(*given: Any) -> Any:
        return _join(make(*given))

    joined.__name__ = name_of(make)
    return joined


def _join(heads: Any) -> Any:
    """A module whose output is that of ``heads`` in one tensor; anything else as it is."""
    import torch

    if not isinstance(heads, torch.nn.Module):
        return heads

    class Joined(torch.nn.Module):
        def state_dict(self, *args: Any, **options: Any) -> Any:
            return heads.state_dict(*args, **options)

        def load_state_dict(self, state_dict: Mapping[str, Any], *args: Any, **how: Any) -> Any:
            return heads.load_state_dict(state_dict, *args, **how)

        def named_parameters(self, *args: Any, **options: Any) -> Iterator[Any]:
            yield from heads.named_parameters(*args, **options)

        def to(self, *args: Any, **options: Any) -> Any:
            heads.to(*args, **options)
            return self

        def train(self, mode: bool = True) -> Any:
            heads.train(mode)
            return self

        def forward(self, x: Any) -> Any:
            return _one(heads(x), len(x))

    return Joined()


def _one(out: Any, images: int) -> Any:
    import torch

    pair = isinstance(out, (tuple, list)) and len(out) == 2
    if not pair or not all(isinstance(part, torch.Tensor) for part in out):
        raise TypeError("forward should return two tensors, (scores, boxes)")
    for name, part in zip(("scores", "boxes"), out, strict=True):
        if part.ndim != 2 or len(part) != images:
            raise ValueError(f"{name} should have a row for each image, not shape {(*part.shape,)}")
    return torch.cat(list(out), 1)


heads = TwoHeads(
    Net(
        ("channels", "height", "width", "num_classes"),
        oracle.heads,
        oracle.heads_shapes,
        _drawn,
        mistakes.HEADS,
        mistakes.HEADS_DRAFTS,
        mistakes.ERRORS,
    )
)
