"""Misconceptions of a whole network's backward pass.

They take dscores, its parameters in the order of `oracle.lenet.NAMES`, and x.
"""

from collections.abc import Callable, Sequence
from typing import Any

from autograder.check.mistakes import Mistake
from autograder.check.mistakes.lenet import LAYERS, averaged, channels_last
from autograder.check.oracle import lenet as oracle


def gradient_of(name: str, **parts: Any) -> Callable[..., Any]:
    """The gradient of the parameter ``name`` through a LeNet of these parts."""

    def answer(dscores: Any, *params: Any, x: Any) -> Any:
        leaves = [p.detach().requires_grad_() for p in params]
        oracle.lenet(*leaves, x=x, **parts).backward(dscores)  # type: ignore[no-untyped-call]
        return leaves[oracle.NAMES.index(name)].grad

    return answer


def _back_as(wrong: oracle.Part, right: oracle.Part) -> oracle.Part:
    """What forward is ``right`` and backward is ``wrong``."""
    return lambda h: wrong(h) + (right(h) - wrong(h)).detach()


_SKIPPED = _back_as(oracle.unchanged, oracle.relu)


def _by_sign_of_gradient(h: Any) -> Any:
    """A ReLU whose backward looks for where the gradient, not the input, is positive."""
    out = _SKIPPED(h)
    out.register_hook(lambda gradient: gradient.relu())  # type: ignore[no-untyped-call]
    return out


def _skipping(*places: int) -> Sequence[oracle.Part]:
    return [_SKIPPED if i in places else oracle.relu for i in range(3)]


def _summed(h: Any) -> Any:
    return 4 * averaged(h)


def _divided(name: str) -> Callable[..., Any]:
    def answer(dscores: Any, *params: Any, x: Any) -> Any:
        return gradient_of(name)(dscores, *params, x=x) / len(x)

    return answer


def _of_ones(name: str) -> Callable[..., Any]:
    def answer(dscores: Any, *params: Any, x: Any) -> Any:
        return gradient_of(name)(dscores * 0 + 1, *params, x=x)

    return answer


def _exchanged_names(name: str) -> Callable[..., Any]:
    """The gradient that belongs to the other layer of the same kind."""
    one, two = name[:-3], "21"[int(name[-3]) - 1]
    return gradient_of(f"{one}{two}{name[-2:]}")


def _exchanged_caches(dscores: Any, *params: Any, x: Any) -> Any:
    """The gradient of fc2_w from the cache of fc1: its input is the flattened map."""
    kept: list[Any] = []

    def flatten(h: Any) -> Any:
        kept.append(oracle.stretched(h))
        return kept[0]

    oracle.lenet(*params, x=x, flatten=flatten)
    return kept[0].T @ dscores


def _of_relus(name: str) -> tuple[Mistake, ...]:
    """One ReLU left out, all of them, or each where it should not be."""
    skipped = (
        Mistake(
            f"ReLU after {layer} skipped",
            f"On the way back the ReLU after {layer} is left out.",
            gradient_of(name, relus=_skipping(place)),
        )
        for place, layer in enumerate(LAYERS)
    )
    every = Mistake(
        "every ReLU skipped",
        "On the way back no ReLU is passed: each stops the gradient where its input was not "
        "above 0.",
        gradient_of(name, relus=_skipping(0, 1, 2)),
    )
    by_sign = Mistake(
        "ReLU by the gradient's sign",
        "ReLU stops the gradient where its input was below 0, not where the gradient is.",
        gradient_of(name, relus=[_by_sign_of_gradient] * 3),
    )
    return (*skipped, every, by_sign)


def _of_maps(name: str) -> tuple[Mistake, ...]:
    """What may go wrong between the fully-connected layers and the convolutions."""
    return (
        Mistake(
            "channels last on the way back",
            "The gradient is not unflattened in the order in which the maps were flattened: "
            "reshape it straight to the shape that they had.",
            gradient_of(name, flatten=_back_as(channels_last, oracle.stretched)),
        ),
        Mistake(
            "pooling spread",
            "Pooling gives the gradient to all four pixels of a window; only the largest had a "
            "part in the output.",
            gradient_of(name, pool=_back_as(_summed, oracle.halved)),
        ),
    )


def _of_the_ends(name: str) -> tuple[Mistake, ...]:
    """What may go wrong before the first step back, or after the last."""
    return (
        Mistake(
            "divided by N",
            "This is the right gradient divided by N. The loss is a mean and has divided already.",
            _divided(name),
        ),
        Mistake(
            "dscores not used",
            "This is the answer for dscores full of ones: start from the dscores that you are "
            "given.",
            _of_ones(name),
        ),
        Mistake(
            "names exchanged",
            "That is the gradient of the other layer of this kind: look at the names in grads.",
            _exchanged_names(name),
        ),
    )


CACHES = Mistake(
    "caches of fc1 and fc2 exchanged",
    "fc2 went back with the cache of fc1: every layer needs the cache of its own forward.",
    _exchanged_caches,
)


def _of_gradient(name: str) -> tuple[Mistake, ...]:
    caches = (CACHES,) if name == "fc2_w" else ()
    return (*caches, *_of_relus(name), *_of_maps(name), *_of_the_ends(name))


LENET_GRADIENTS = {f"d{name}": _of_gradient(name) for name in oracle.NAMES}
