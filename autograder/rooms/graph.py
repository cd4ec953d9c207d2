"""How a gradient gets from one room to the other.

A result that requires a gradient is, for the examiner, what one function makes of the leaves that
it depends on, wherever those are. Its derivative is asked of the room that computed it. So
``backward``, ``torch.autograd.grad``, hooks and accumulation need nothing of their own here.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from autograder.rooms.twins import fits

Derivative = Callable[[Tensor], Any]


def leaves(tensor: Tensor) -> list[Tensor]:
    """The leaves that a tensor depends on, each once; itself if it is one."""
    if tensor.grad_fn is None:
        return [tensor]
    found: dict[int, Tensor] = {}
    seen, waiting = set(), [tensor.grad_fn]
    while waiting:
        node: Any = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if type(node).__name__ == "AccumulateGrad":
            found[id(node.variable)] = node.variable
        waiting.extend(before for before, _ in node.next_functions)
    return list(found.values())


def derivative(
    output: Tensor, sources: Sequence[Tensor], gradient: Tensor
) -> tuple[Tensor | None, ...]:
    """The gradients of the sources, given that of the output; may be asked for again."""
    return torch.autograd.grad(output, sources, gradient, retain_graph=True, allow_unused=True)


@dataclass(frozen=True)
class _Made:
    """What another room made: not a tensor, so autograd sees a new one, not a view of one."""

    value: Tensor
    ask: Derivative


def joined(value: Tensor, sources: Sequence[Tensor], ask: Derivative) -> Tensor:
    """``value`` as a function of ``sources``.

    Args:
        value: as the other room computed it.
        sources: tensors of this room that it depends on.
        ask: takes the gradient of the value; what it returns is a claim until it is checked here:
            one gradient for each source, of its shape and dtype, or None.
    """
    with torch.enable_grad():
        out = _Joined.apply(_Made(value, ask), *sources)  # type: ignore[no-untyped-call]
    assert isinstance(out, Tensor)
    return out


class _Joined(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, made: _Made, *sources: Tensor) -> Tensor:
        ctx.ask = made.ask
        ctx.outlines = [torch.empty_like(s, device="meta") for s in sources]
        return made.value

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        if torch.is_grad_enabled():  # it would be a constant here, without a warning
            raise RuntimeError("create_graph=True: only first derivatives cross between the rooms")
        return (None, *_checked(ctx.ask(gradient.detach()), ctx.outlines))


def _checked(claimed: Any, outlines: list[Tensor]) -> tuple[Tensor | None, ...]:
    if not isinstance(claimed, tuple) or len(claimed) != len(outlines):
        raise TypeError("the student's room gave other gradients than it was asked for")
    for gradient, outline in zip(claimed, outlines, strict=True):
        if gradient is not None and not fits(gradient, outline):
            raise TypeError("a gradient has another shape or dtype than its tensor")
    return claimed
