"""ReLU lets the gradient through at 0; the array is moved in place and put back."""

# ruff: noqa: D103 - written as students write
# mypy: ignore-errors

import numpy as np


def relu_forward(x):
    out = x.copy()
    out[x < 0] = 0
    return out, {"x": x}


def relu_backward(dout, cache):
    dx = dout.copy()
    dx[cache["x"] < 0] = 0
    return dx


def max_forward(x, y):
    return np.maximum(x, y), (x, y)


def max_backward(dout, cache):
    x, y = cache
    return (dout, 0) if x >= y else (0, dout)


def numerical_gradient(f, x, h=1e-5):
    gradient = np.zeros(x.shape)
    iterator = np.nditer(x, flags=["multi_index"], op_flags=["readwrite"])
    while not iterator.finished:
        place = iterator.multi_index
        before = x[place]
        x[place] = before + h
        above = float(f(x))
        x[place] = before - h
        below = float(f(x))
        x[place] = before
        gradient[place] = (above - below) / (2 * h)
        iterator.iternext()
    return gradient


def matmul_forward(x, w):
    return np.dot(x, w), [x, w]


def matmul_backward(dout, cache):
    x, w = cache
    return np.dot(dout, w.transpose()), np.dot(x.transpose(), dout)
