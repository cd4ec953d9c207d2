"""Misconceptions of class activation maps and of Grad-CAM."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from autograder.check.mistakes import Mistake
from autograder.check.oracle import images as right

if TYPE_CHECKING:
    from torch import Tensor

Function = Callable[..., Any]

RELU = "What speaks against the class is cut off at 0. The map stays raw: no ReLU."
SCALED = "Each map is brought to a range of its own, so that its mean is no score any more."


def _weighted(choose: Function) -> Function:
    """Maps with the weights (N, C) that ``choose(maps, weight, labels)`` takes."""

    def answer(maps: "Tensor", weight: "Tensor", labels: "Tensor") -> "Tensor":
        chosen: Tensor = choose(maps, weight, labels.long())
        return (maps * chosen[:, :, None, None]).sum(1)

    return answer


def _said(maps: "Tensor", weight: "Tensor", labels: "Tensor") -> "Tensor":
    return weight[(maps.mean((2, 3)) @ weight.T).argmax(1)]


def _after(function: Function, change: Function) -> Function:
    return lambda *given: change(function(*given))


def _to_one(maps: "Tensor") -> "Tensor":
    low, high = maps.amin((1, 2), keepdim=True), maps.amax((1, 2), keepdim=True)
    return (maps - low) / (high - low)


def _by_maximum(maps: "Tensor") -> "Tensor":
    return maps / maps.amax((1, 2), keepdim=True)


def _every_class(maps: "Tensor", weight: "Tensor", labels: "Tensor") -> "Tensor":
    import torch

    return torch.einsum("nchw,kc->nkhw", maps, weight)


def _unsummed(maps: "Tensor", weight: "Tensor", labels: "Tensor") -> "Tensor":
    return maps * weight[labels.long()][:, :, None, None]


def _places(maps: "Tensor") -> int:
    return maps.shape[2] * maps.shape[3]


CLASS_MAPS = (
    Mistake(
        "what the net says",
        "These are the maps of the class with the largest score. Those of the *labels* are asked.",
        _weighted(_said),
    ),
    Mistake(
        "number of the image",
        "Image i has the weights of class i. Take those of its label, labels[i].",
        _weighted(lambda maps, weight, labels: weight[: len(labels)]),
    ),
    Mistake(
        "first label",
        "All images have the weights of the first one's class. Each has its own.",
        _weighted(lambda maps, weight, labels: weight[labels[:1]].expand(len(labels), -1)),
    ),
    Mistake(
        "no weights",
        "The channels are only added up. Each has its weight for the class.",
        _weighted(lambda maps, weight, labels: weight[labels] * 0 + 1),
    ),
    Mistake(
        "all classes added",
        "The weights of all classes are added up. Take those of the image's own class.",
        _weighted(lambda maps, weight, labels: weight.sum(0).expand(len(labels), -1)),
    ),
    Mistake(
        "absolute weights",
        "The weights have lost their sign. A channel may speak against a class.",
        _weighted(lambda maps, weight, labels: weight[labels].abs()),
    ),
    Mistake(
        "every class",
        "There is a map for each class. Only that of the label is asked.",
        _every_class,
    ),
    Mistake(
        "not added",
        "There is a map for each channel. Add them up.",
        _unsummed,
    ),
    Mistake(
        "divided by places",
        "Divided by H·W. The factor 1/HW stays before the sum over the places; M has none.",
        lambda maps, *rest: right.class_maps(maps, *rest) / _places(maps),
    ),
    Mistake(
        "mean over channels",
        "This is the mean over the channels. Their sum is asked.",
        lambda maps, *rest: right.class_maps(maps, *rest) / maps.shape[1],
    ),
    Mistake("relu", RELU, _after(right.class_maps, lambda cams: cams.clamp(min=0))),
    Mistake(
        "relu of the maps",
        "Negative numbers in the maps are cut off before they are weighed.",
        lambda maps, *rest: right.class_maps(maps.clamp(min=0), *rest),
    ),
    Mistake(
        "absolute",
        "The map has lost its sign, so that what speaks against the class looks like what speaks "
        "for it.",
        _after(right.class_maps, lambda cams: cams.abs()),
    ),
    Mistake("from 0 to 1", SCALED, _after(right.class_maps, _to_one)),
    Mistake("maximum 1", SCALED, _after(right.class_maps, _by_maximum)),
    Mistake(
        "averaged",
        "This is one number an image, the score. Weigh the channels, but do not average over the "
        "places.",
        _after(right.class_maps, lambda cams: cams.mean((1, 2))),
    ),
    Mistake(
        "transposed",
        "Each map is transposed: its rows have become columns.",
        _after(right.class_maps, lambda cams: cams.transpose(1, 2)),
    ),
)


def _with_weights(weights: Function) -> Function:
    """Maps weighed by what ``weights(gradients)`` makes of the gradients."""
    return lambda maps, gradients: (weights(gradients) * maps).sum(1)


def _mean(gradients: "Tensor") -> "Tensor":
    return gradients.mean((2, 3), keepdim=True)


GRAD_CAM = (
    Mistake(
        "summed gradients",
        "α is the sum of the gradient over all places. It is the mean: divide by H·W.",
        _with_weights(lambda g: g.sum((2, 3), keepdim=True)),
    ),
    Mistake(
        "gradients not averaged",
        "Each place is weighed with its own gradient. A channel has one weight, the mean of its "
        "gradient over all places.",
        _with_weights(lambda g: g),
    ),
    Mistake(
        "averaged over channels",
        "The gradient is averaged over the channels. A channel's weight is the mean over its "
        "places.",
        _with_weights(lambda g: g.mean(1, keepdim=True)),
    ),
    Mistake(
        "averaged over everything",
        "The gradient is averaged over the channels too, so that all have one weight.",
        _with_weights(lambda g: g.mean((1, 2, 3), keepdim=True)),
    ),
    Mistake(
        "averaged over the batch",
        "The gradient is averaged over the images too. Each image has its own weights.",
        _with_weights(lambda g: g.mean((0, 2, 3), keepdim=True)),
    ),
    Mistake(
        "largest gradient",
        "A channel's weight is its largest gradient. It is the mean.",
        _with_weights(lambda g: g.amax((2, 3), keepdim=True)),
    ),
    Mistake(
        "absolute gradients",
        "The gradients have lost their sign. A channel may speak against a class.",
        _with_weights(lambda g: _mean(g.abs())),
    ),
    Mistake(
        "absolute weights",
        "The weights have lost their sign. A channel may speak against a class.",
        _with_weights(lambda g: _mean(g).abs()),
    ),
    Mistake(
        "positive gradients",
        "Negative gradients are cut off before the mean is taken. They count as well.",
        _with_weights(lambda g: _mean(g.clamp(min=0))),
    ),
    Mistake(
        "positive weights",
        "Negative weights are cut off. A channel may speak against a class.",
        _with_weights(lambda g: _mean(g).clamp(min=0)),
    ),
    Mistake("relu", RELU, _after(right.grad_cam, lambda cams: cams.clamp(min=0))),
    Mistake(
        "absolute",
        "The map has lost its sign, so that what speaks against the class looks like what speaks "
        "for it.",
        _after(right.grad_cam, lambda cams: cams.abs()),
    ),
    Mistake(
        "mean over channels",
        "This is the mean over the channels. Their sum is asked.",
        lambda maps, gradients: right.grad_cam(maps, gradients) / maps.shape[1],
    ),
    Mistake(
        "exchanged",
        "Maps and gradients have changed places: the gradients are averaged, the maps keep their "
        "places.",
        lambda maps, gradients: right.grad_cam(gradients, maps),
    ),
    Mistake(
        "not added",
        "There is a map for each channel. Add them up.",
        lambda maps, gradients: _mean(gradients) * maps,
    ),
    Mistake(
        "channel axis",
        "The numbers are right, with an axis of length 1 too many.",
        _after(right.grad_cam, lambda cams: cams[:, None]),
    ),
    Mistake("from 0 to 1", SCALED, _after(right.grad_cam, _to_one)),
    Mistake("maximum 1", SCALED, _after(right.grad_cam, _by_maximum)),
    Mistake(
        "positive, from 0 to 1",
        RELU,
        _after(right.grad_cam, lambda cams: _to_one(cams.clamp(min=0))),
    ),
    Mistake(
        "transposed",
        "Each map is transposed: its rows have become columns.",
        _after(right.grad_cam, lambda cams: cams.transpose(1, 2)),
    ),
)
