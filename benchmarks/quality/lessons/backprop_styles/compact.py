"""As short as it gets; local gradients computed forward; one-hot labels."""

# ruff: noqa: D103 - written as students write
# mypy: ignore-errors

import numpy as np


def neuron(w0, x0, w1, x1, w2):
    L = 1 / (1 + np.exp(-(w0 * x0 + w1 * x1 + w2)))
    d = L * (1 - L)
    return L, [d * x0, d * w0, d * x1, d * w1, d]


def multiply_forward(x, y):
    return x * y, np.array([y, x])


def multiply_backward(dout, cache):
    return tuple(dout * cache)


def relu_forward(x):
    return x * (x > 0), (x > 0).astype(float)


def relu_backward(dout, cache):
    return np.multiply(dout, cache)


def softmax(scores):
    z = scores - np.max(scores, 1)[:, None]
    return np.exp(z) / np.exp(z).sum(1)[:, None]


def softmax_loss_forward(scores, y):
    top = scores.max(1)
    total = top + np.log(np.exp(scores - top[:, None]).sum(1))
    p = np.exp(scores - total[:, None])
    picked = np.take_along_axis(scores, y[:, None], 1)[:, 0]
    return (total - picked).mean(), (p - np.eye(scores.shape[1])[y]) / len(y)


def softmax_loss_backward(dout, cache):
    return dout * cache


def affine_forward(x, w, b):
    flat = x.reshape(x.shape[0], -1)
    return np.einsum("nd,dm->nm", flat, w) + b, (flat, w, x.shape)


def affine_backward(dout, cache):
    flat, w, shape = cache
    dx = np.einsum("nm,dm->nd", dout, w).reshape(shape)
    return [dx, np.einsum("nm,nd->dm", dout, flat), np.einsum("nm->m", dout)]


def numerical_gradient(f, x, h=1e-5):
    steps = h * np.eye(x.size).reshape(-1, *x.shape)
    return np.reshape([(f(x + e) - f(x - e)) / (2 * h) for e in steps], x.shape)
