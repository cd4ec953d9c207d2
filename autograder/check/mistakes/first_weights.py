"""Misconceptions of first weights: the standard deviation that each gives weights of a shape."""

from math import prod, sqrt

from autograder.check.mistakes import Mistake


def fan_in(shape: tuple[int, ...]) -> int:
    """How many inputs each output adds up: w (C_out, C_in, K, K) or w (inputs, outputs)."""
    return prod(shape[1:]) if len(shape) == 4 else shape[0]


def fan_out(shape: tuple[int, ...]) -> int:
    """How many outputs each input has a part in."""
    return shape[0] * prod(shape[2:]) if len(shape) == 4 else shape[1]


def he(shape: tuple[int, ...]) -> float:
    """The standard deviation of K. He et al., "Delving deep into rectifiers", ICCV 2015."""
    return sqrt(2 / fan_in(shape))


INITIAL = (
    Mistake(
        "zeros",
        "The weights are 0: all filters of a layer would get the same gradient and stay alike.",
        lambda shape: 0.0,
    ),
    Mistake(
        "not scaled",
        "The weights have standard deviation 1 in every layer: scale them by √(2 / fan-in).",
        lambda shape: 1.0,
    ),
    Mistake(
        "one hundredth",
        "The weights have standard deviation 0.01 in every layer: it must depend on the fan-in.",
        lambda shape: 0.01,
    ),
    Mistake(
        "without the 2",
        "The variance is 1 / fan-in. ReLU makes 0 of half of the numbers, so it should be 2 / "
        "fan-in.",
        lambda shape: sqrt(1 / fan_in(shape)),
    ),
    Mistake(
        "variance for standard deviation",
        "2 / fan-in is the variance; multiply by its square root.",
        lambda shape: 2 / fan_in(shape),
    ),
    Mistake(
        "fan-out",
        "You divide by the fan-out. The fan-in is how many numbers each output adds up.",
        lambda shape: sqrt(2 / fan_out(shape)),
    ),
    Mistake(
        "mean of fan-in and fan-out",
        "The variance is 2 / (fan-in + fan-out), Glorot's; for ReLU take 2 / fan-in.",
        lambda shape: sqrt(2 / (fan_in(shape) + fan_out(shape))),
    ),
    Mistake(
        "window forgotten",
        "The fan-in of a convolution is C_in · K · K: each output adds up a whole window.",
        lambda shape: sqrt(2 / (shape[1] if len(shape) == 4 else shape[0])),
    ),
    Mistake(
        "first axis",
        "You take the first axis for the fan-in. For a convolution that is C_out; its fan-in is "
        "C_in · K · K.",
        lambda shape: sqrt(2 / shape[0]),
    ),
    Mistake(
        "half the uniform range",
        "Uniform numbers between ±a have the variance a² / 3: take a = √(6 / fan-in).",
        lambda shape: he(shape) / sqrt(3),
    ),
)
