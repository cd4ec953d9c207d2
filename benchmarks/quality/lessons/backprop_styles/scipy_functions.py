"""What SciPy has: expit, softmax, log_softmax, logsumexp."""

# ruff: noqa: D103 - written as students write
# mypy: ignore-errors

import numpy as np
from scipy import special


def neuron(w0, x0, w1, x1, w2):
    L = special.expit(w0 * x0 + w1 * x1 + w2)
    slope = special.expit(w0 * x0 + w1 * x1 + w2) * special.expit(-(w0 * x0 + w1 * x1 + w2))
    return L, (slope * x0, slope * w0, slope * x1, slope * w1, slope)


def max_forward(x, y):
    return np.fmax(x, y), np.sign(x - y)


def max_backward(dout, cache):
    return np.select([cache > 0, cache <= 0], [dout, 0]), np.select([cache < 0], [dout])


def relu_forward(x):
    return np.piecewise(x, [x > 0], [lambda v: v, 0]), x


def relu_backward(dout, cache):
    return dout * np.piecewise(cache, [cache > 0, cache == 0], [1, 0.5, 0])


def matmul_forward(x, w):
    return np.inner(x, w.T), (x, w)


def matmul_backward(dout, cache):
    return np.inner(dout, cache[1]), np.inner(cache[0].T, dout.T)


def affine_forward(x, w, b):
    rows = np.c_[x.reshape(len(x), -1), np.ones(len(x))]
    return rows @ np.r_[w, b[None]], (rows, w, x.shape)


def affine_backward(dout, cache):
    rows, w, shape = cache
    both = rows.T @ dout
    return (dout @ w.T).reshape(shape), both[:-1], both[-1]


def softmax(scores):
    return special.softmax(scores, axis=1)


def softmax_loss_forward(scores, y):
    each = special.logsumexp(scores, axis=1) - scores[np.arange(len(y)), y]
    return each.mean(), (scores, y)


def softmax_loss_backward(dout, cache):
    scores, y = cache
    d = special.softmax(scores, axis=1)
    for n, right in enumerate(y):
        d[n, right] -= 1
    return d * (dout / len(y))


def two_layer_flat(w1, b1, w2, b2, x, y):
    a = x.dot(w1) + b1
    h = a.clip(min=0)
    s = h.dot(w2) + b2
    loss = -special.log_softmax(s, axis=1)[np.arange(len(y)), y].mean()
    ds = special.softmax(s, axis=1)
    ds[np.arange(len(y)), y] -= 1
    ds /= len(y)
    da = ds.dot(w2.T) * (h > 0)
    return loss, (x.T.dot(da), da.sum(axis=0), h.T.dot(ds), ds.sum(axis=0))


def two_layer_loss(w1, b1, w2, b2, x, y):
    return two_layer_flat(w1, b1, w2, b2, x.reshape(x.shape[0], -1), y)


def numerical_gradient(f, x, h=1e-5):
    d = np.zeros(x.shape)
    moved = x.copy()
    for i in range(x.size):
        moved.flat[i] += h
        d.flat[i] = f(moved)
        moved.flat[i] -= 2 * h
        d.flat[i] -= f(moved)
        moved.flat[i] += h
    d /= 2 * h
    return d
