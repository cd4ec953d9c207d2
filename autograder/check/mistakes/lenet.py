"""Misconceptions of a whole network's forward pass.

They take its parameters in the order of `oracle.lenet.NAMES`, and x.
"""

from collections.abc import Callable
from typing import Any

from autograder.check.mistakes import Mistake
from autograder.check.oracle import lenet as oracle

LAYERS = ("conv1", "conv2", "fc1")  # those with a ReLU behind


def _with(**parts: Any) -> Callable[..., Any]:
    """LeNet with other parts."""
    return lambda *params, x: oracle.lenet(*params, x=x, **parts)


def _without_relu(*missing: int) -> Callable[..., Any]:
    return _with(relus=[oracle.unchanged if i in missing else oracle.relu for i in range(3)])


def averaged(h: Any) -> Any:
    """Mean pooling of 2×2 windows."""
    from torch.nn import functional

    return functional.avg_pool2d(h, 2)


def channels_last(h: Any) -> Any:
    """(N, C, H, W) as (N, H·W·C)."""
    return h.permute(0, 2, 3, 1).flatten(1)


def _columns_first(h: Any) -> Any:
    return h.transpose(2, 3).flatten(1)


def _images_last(h: Any) -> Any:
    return h.reshape(-1, len(h)).T


def _without_bias(*names: str) -> Callable[..., Any]:
    def answer(*params: Any, x: Any) -> Any:
        named = zip(oracle.NAMES, params, strict=True)
        return oracle.lenet(*(0 * p if name in names else p for name, p in named), x=x)

    return answer


LENET = (
    *(
        Mistake(
            f"no ReLU after {layer}",
            f"There is no ReLU after {layer}.",
            _without_relu(place),
        )
        for place, layer in enumerate(LAYERS)
    ),
    Mistake(
        "no ReLU at all",
        "There is no ReLU anywhere: without them the layers are, but for pooling, one linear map.",
        _without_relu(0, 1, 2),
    ),
    Mistake(
        "no ReLU after the convolutions",
        "There is no ReLU after the two convolutions.",
        _without_relu(0, 1),
    ),
    Mistake(
        "ReLU on the scores",
        "The scores went through a ReLU: a score may be negative, fc2 is the last layer.",
        _with(ending=oracle.relu),
    ),
    Mistake(
        "probabilities for scores",
        "These are probabilities. Return the scores: the loss has the softmax in it already.",
        _with(ending=lambda h: h.softmax(1)),
    ),
    Mistake(
        "log-probabilities for scores",
        "These are logarithms of probabilities. Return the scores: the loss has the softmax in it "
        "already.",
        _with(ending=lambda h: h.log_softmax(1)),
    ),
    Mistake(
        "mean for max", "You pool with the mean; LeNet here takes the max.", _with(pool=averaged)
    ),
    Mistake(
        "channels last",
        "Flattened with the channels running fastest: keep the order (C, H, W) of the array.",
        _with(flatten=channels_last),
    ),
    Mistake(
        "columns first",
        "Flattened with rows and columns swapped: keep the order (C, H, W) of the array.",
        _with(flatten=_columns_first),
    ),
    Mistake(
        "images mixed",
        "Flattening mixes the images: the first axis must stay N, x.reshape(N, -1).",
        _with(flatten=_images_last),
    ),
    Mistake(
        "no biases",
        "The biases are never added: each of the four layers has its own.",
        _without_bias("conv1_b", "conv2_b", "fc1_b", "fc2_b"),
    ),
    *(
        Mistake(f"no {name}", f"{name} is never added.", _without_bias(name))
        for name in oracle.NAMES
        if name.endswith("_b")
    ),
)
