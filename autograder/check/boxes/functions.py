"""Checks of functions from tensors to a tensor, and of a loss with its gradients."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.check.case import name_of
from autograder.check.layer import Layer
from autograder.check.mistakes import boxes as mistakes
from autograder.check.mistakes import boxes_iou as iou_mistakes
from autograder.check.mistakes import boxes_losses as loss_mistakes
from autograder.check.mistakes import boxes_windows as window_mistakes
from autograder.check.oracle import boxes as oracle
from autograder.check.oracle import settings, tensor

Function = Callable[..., Any]


@dataclass(frozen=True)
class OfTensors:
    """Checks of a function that takes tensors, and arrays among its options as tensors too."""

    layer: Layer

    def __call__(self, function: Function, *, concept: str = "", **given: Any) -> None:
        """Checks what it returns. Arguments and errors are those of `Layer.forward`."""
        self.layer.forward(_forward(function), concept=concept, **given)


@dataclass(frozen=True)
class Loss(OfTensors):
    """The same of a loss, which also has to have gradients."""

    def backward(
        self, function: Function, gradient: str, *, concept: str = "", **given: Any
    ) -> None:
        """Checks one ``gradient`` that autograd finds. All else is as for `Layer.backward`."""
        forward = _named(name_of(function), _with_graph(function))
        backward = _named(f"{name_of(function)}.backward", _backward)
        layer = Layer(self.layer.arguments, self.layer.oracle, cached=True, linear=False)
        layer.backward(forward, backward, gradient, concept=concept, **given)


def _forward(function: Function) -> Function:
    """From arrays to an array; what is done to the tensors is done to the arrays."""

    def forward(*arrays: Any, **options: Any) -> Any:
        given, others = [tensor(array) for array in arrays], settings(options)
        out = function(*given, **others)
        for array, changed in zip(arrays, given, strict=True):
            array[...] = changed.detach().numpy()
        _require_unchanged(others, options)
        return _array(out)

    return _named(name_of(function), forward)


def _require_unchanged(after: Mapping[str, Any], before: Mapping[str, Any]) -> None:
    """Raises a `ValueError` that names an option, such as labels, that was changed in place.

    It is not written back: what is right is computed from the same arrays.
    """
    for name, array in before.items():
        if isinstance(array, np.ndarray) and not np.array_equal(after[name].detach(), array):
            raise ValueError(f"{name} is changed, and belongs to whoever called: work on a copy")


def _with_graph(function: Function) -> Function:
    """The same, with a cache of what autograd needs to go back."""

    def forward(*arrays: Any, **options: Any) -> Any:
        leaves = [tensor(array).requires_grad_() for array in arrays]
        out = function(*leaves, **settings(options))
        return _array(out), (leaves, out)

    return forward


def _backward(dout: Any, cache: Any) -> Any:
    import torch

    leaves, out = cache
    if not isinstance(out, torch.Tensor) or not out.requires_grad:
        message = "no gradient flows back from what was returned: keep it a tensor, no .item()"
        raise ValueError(message)
    torch.autograd.backward(out, tensor(dout).to(out.dtype))
    return tuple(0 * leaf.detach() if leaf.grad is None else leaf.grad for leaf in leaves)


def _named(name: str, function: Function) -> Function:
    def named(*arguments: Any, **options: Any) -> Any:
        return function(*arguments, **options)

    named.__name__ = name
    return named


def _array(out: Any) -> Any:
    """An array of a tensor, or of several in a tuple or a list."""
    import torch

    if isinstance(out, (tuple, list)):
        return [_array(part) for part in out]
    return out.detach().numpy() if isinstance(out, torch.Tensor) else out


def _of_tensors(arguments: tuple[str, ...], right: Function, known: Any) -> OfTensors:
    return OfTensors(Layer(arguments, right, known, linear=False))


box_fractions = _of_tensors(("corners",), oracle.fractions, mistakes.FRACTIONS)
box_corners = _of_tensors(("boxes",), oracle.corners, mistakes.CORNERS)
box_clip = _of_tensors(("corners",), oracle.clipped, mistakes.CLIPPED)
box_area = _of_tensors(("corners",), oracle.area, iou_mistakes.AREA)
box_of = _of_tensors(("mask",), oracle.box_of, mistakes.BOX_OF)
box_iou = _of_tensors(("a", "b"), oracle.iou, iou_mistakes.IOU)
box_score = _of_tensors(("boxes", "true_boxes"), oracle.score, iou_mistakes.SCORE)
image_windows = _of_tensors(("image",), oracle.windows, window_mistakes.WINDOWS)
window_scores = _of_tensors(
    ("maps", "weight", "bias"), oracle.window_scores, window_mistakes.WINDOW_SCORES
)
box_loss = Loss(Layer(("predicted", "true"), oracle.box_loss, loss_mistakes.BOX_LOSS, linear=False))
smooth_l1 = Loss(
    Layer(("predicted", "true"), oracle.smooth_l1, loss_mistakes.SMOOTH_L1, linear=False)
)
multitask_loss = Loss(
    Layer(("scores", "boxes"), oracle.multitask_loss, loss_mistakes.MULTITASK, linear=False)
)
